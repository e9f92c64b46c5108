"""What the probes found: each hazard held, violated or not observable, and which of them a violation is to blame on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scipy.stats import binomtest

from simulator.target.hazards import Hazard, judgeable
from simulator.target.probes.probe import CHECKED, VIOLATED, VISITS, WHEN, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulator.target.probes.probe import Counts, Probe
    from simulator.target.request import Target


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as the manifest of a run has it."""
    hazard = finding.hazard
    about = {"code": hazard.code, "name": hazard.name, "kind": hazard.kind, "says": hazard.says}
    found = asdict(finding)
    del found["hazard"], found["drawn"]
    return {**about, **found, "blamed": finding.blamed}


HELD, BROKEN, UNSEEN = "held", "violated", "not observable"


@dataclass(frozen=True, slots=True)
class Share:
    """How many checks were violated, and in how many visits.

    `low` and `high` are Wilson's 95 % interval of the share of visits with a violation, None without checks: those of
    one visit are not independent of each other.
    """

    checked: int
    violated: int
    visits: int
    visits_violated: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One hazard's verdict.

    `state` is `held`, `violated` or `not observable`, and `why` says what was missing, or found. `explained_by` names
    the hazard that is to blame for a violation, where it is another one. `drawn` is what a report may draw of it, of
    the shape that its probe says.
    """

    hazard: Hazard
    state: str
    why: str
    alone: Share
    among: Share
    operations: tuple[str, ...]
    missing: tuple[str, ...]
    samples: tuple[Mapping[str, Any], ...]
    explained_by: str = ""
    drawn: tuple[Any, ...] = ()

    @property
    def blamed(self) -> bool:
        """Whether this hazard itself is what went wrong."""
        return self.state == BROKEN and not self.explained_by


def find(target: Target, probes: Sequence[Probe]) -> list[Finding]:
    """Return the finding of every hazard, in their order, of probes that have counted everything; nobody is blamed."""
    by_code = {probe.code: probe for probe in probes}
    return [_finding(one.hazard, one.missing, by_code.get(one.hazard.code)) for one in judgeable(target)]


def _finding(hazard: Hazard, missing: tuple[str, ...], probe: Probe | None) -> Finding:
    counts: Counts | dict[Any, int] = probe.counts if probe else {}
    alone, among = (_share(counts, when) for when in WHEN)
    if probe is None or (missing and not counts):
        return Finding(hazard, UNSEEN, "the target file does not show it", alone, among, (), missing, ())
    held, why = probe.rule(counts)
    state = UNSEEN if held is None else HELD if held else BROKEN
    wanted = VIOLATED if state == BROKEN else CHECKED
    # What a rule found in numbers is no single answer's fault: then all that was looked at is named.
    operations = _operations(counts, wanted) or _operations(counts, CHECKED)
    samples = tuple(one._asdict() for one in probe.samples) if state == BROKEN else ()
    return Finding(hazard, state, why, alone, among, operations, missing, samples, drawn=tuple(probe.drawn))


def _operations(counts: Counts | dict[Any, int], what: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key.operation for key in counts if key.what == what))


def _share(counts: Counts | dict[Any, int], when: str) -> Share:
    checked, violated = total(counts, CHECKED, when), total(counts, VIOLATED, when)
    visits, hit = total(counts, VISITS[CHECKED], when), total(counts, VISITS[VIOLATED], when)
    if not visits:
        return Share(checked, violated, visits, hit, None, None)
    found = binomtest(min(hit, visits), visits).proportion_ci(method="wilson")
    return Share(checked, violated, visits, hit, float(found.low), float(found.high))
