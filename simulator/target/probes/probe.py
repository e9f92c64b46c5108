"""What a probe is: it sees every answer, may have scripts played, and counts what held and what did not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simulator.target.probes.curl import curl
from simulator.target.probes.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.target.fields import Json
    from simulator.target.probes.seen import Trace
    from simulator.target.probes.steps import Script
    from simulator.target.request import Target
    from simulator.target.schema import Promises

MOST_SAMPLES = 6
"""Violations that are told with their requests, of each probe; all are counted."""
MOST_DRAWN = 120
"""What a probe keeps to be drawn, at most; of all processes together too."""
CHECKED, VIOLATED = "checked", "violated"
VISITS = {CHECKED: "visits", VIOLATED: "visits violated"}
"""Of a number of checks, that of the visits in which they were made. Checks within a visit go together: of one shopper
whose arm changed all are broken, so what chance does is to be told from the number of visits."""
WHEN = ("alone", "among")


class Difference(NamedTuple):
    """A value that should have been another: of what, what came, and what came else or was due."""

    what: str
    one: Json
    other: Json


class Sample(NamedTuple):
    """One violation: in a sentence, and two requests that show it again (the second may be "", where one is enough)."""

    says: str
    operation: str
    when: str
    first: str
    second: str
    differs: tuple[Difference, ...]


class Key(NamedTuple):
    """What a number counts: while asked `alone` or `among` many, of which operation, what."""

    when: str
    operation: str
    what: str


Counts = Counter[Key]


class Ruling(NamedTuple):
    """What a probe says of what was counted: held, violated, or None where nothing can be said, for the reason `why`.

    Of many processes' counts together, so it rests on nothing else.
    """

    held: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all probes stand on: the target, what its file promises, and when the run began to be probed."""

    target: Target
    promises: Promises

    def observable(self, operation: str, evidence: str) -> bool:
        """Return whether the target's file points to a piece of evidence in an operation's answers."""
        return evidence in self.target.observable(operation)

    def mapped(self, *operations: str) -> tuple[str, ...]:
        """Return those operations that the target's file maps, in the order given."""
        return tuple(name for name in operations if name in self.target.operations)


@dataclass(slots=True)
class Probe:
    """One hazard's watch; each kind overrides what it needs.

    `see` is called with every answer of this process, in the order in which they came, and must be quick: it stands in
    the way of the load. `scripts` are requests of its own. Both count with `check`. `rule` judges the counts.
    """

    code: ClassVar[str] = ""
    least: ClassVar[int] = 1
    """With fewer checks than this nothing is said."""
    ground: Ground
    counts: Counts = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    drawn: list[Json] = field(default_factory=list)
    """A bounded part of what was seen, for a report to draw; each kind says what of."""

    def see(self, seen: Seen) -> None:
        """Look at an answer of the load, or of a script."""

    def scripts(self) -> Iterable[Script]:
        """Return what is to be asked beside the load."""
        return ()

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say what the counts mean: by default one violation is one too many."""
        checked, violated = total(counts, CHECKED), total(counts, VIOLATED)
        if violated:
            return Ruling(held=False)
        if checked < self.least:
            return Ruling(None, f"{checked} checks are fewer than {self.least}" if checked else "nothing to check came")
        return Ruling(held=True)

    def count(self, seen: Seen, what: str, times: int = 1) -> None:
        """Add to a number of the probe's own; of checks count the visits too."""
        when = WHEN[not seen.alone]
        self.counts[Key(when, seen.operation, what)] += times
        if what in VISITS:
            known: set[tuple[str, str, str]] = seen.visitor.notes.setdefault(VISITS[CHECKED], set())
            mark = (self.code, when, what)
            if mark not in known:
                known.add(mark)
                self.counts[Key(when, "", VISITS[what])] += 1

    def check(
        self,
        seen: Seen,
        held: bool,
        says: str = "",
        *,
        other: Seen | Trace | None = None,
        differs: Iterable[Difference] = (),
    ) -> None:
        """Count a check; of a violation keep a sample, with what it was compared with."""
        self.count(seen, CHECKED)
        if held:
            return
        self.count(seen, VIOLATED)
        when = WHEN[not seen.alone]
        if len(self.samples) < MOST_SAMPLES and not any(
            one.operation == seen.operation and one.when == when and one.says == says for one in self.samples
        ):
            self.samples.append(self._sample(seen, when, says, other, tuple(differs)))

    def draw(self, what: Json) -> None:
        """Keep something to be drawn, while there is room."""
        if len(self.drawn) < MOST_DRAWN:
            self.drawn.append(what)

    def _sample(
        self, seen: Seen, when: str, says: str, other: Seen | Trace | None, differs: tuple[Difference, ...]
    ) -> Sample:
        base_url = self.ground.target.base_url
        compared = other.trace() if isinstance(other, Seen) else other
        second = curl(compared, base_url) if compared is not None else ""
        return Sample(says, seen.operation, when, curl(seen.trace(), base_url), second, differs)


def total(counts: Mapping[Key, int], what: str, when: str | None = None, operation: str | None = None) -> int:
    """Return the sum of a number, over all moments and operations unless one is named."""
    return sum(
        number
        for key, number in counts.items()
        if key.what == what and when in (None, key.when) and operation in (None, key.operation)
    )


def as_state(probe: Probe) -> dict[str, Any]:
    """Return a probe's counts and samples as JSON, as they travel from worker to master."""
    return {
        "counts": [[*key, number] for key, number in probe.counts.items()],
        "samples": [one._asdict() | {"differs": [list(part) for part in one.differs]} for one in probe.samples],
        "drawn": probe.drawn,
    }


def add_state(probe: Probe, state: Mapping[str, Any]) -> None:
    """Add what another process counted."""
    for when, operation, what, number in state["counts"]:
        probe.counts[Key(when, operation, what)] += number
    for one in state["samples"][: MOST_SAMPLES - len(probe.samples)]:
        probe.samples.append(Sample(**{**one, "differs": tuple(Difference(*part) for part in one["differs"])}))
    for what in state["drawn"]:
        probe.draw(what)
