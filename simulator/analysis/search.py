"""The highest rate that holds: which rate to try next, and what the tries come to. Pure functions of what was tried."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Outcome = Literal["held", "failed", "invalid", "unjudged"]
"""`invalid`: the generator could not send the rate, which says nothing of the target. `unjudged`: too few values."""
Stopped = Literal["precise", "probes", "time", "ceiling", "floor", "unjudged", "interrupted"]
DIGITS = 3
"""Significant digits of a rate that is tried."""
DEEPEST = 10
"""How often the first rate is divided by the factor before the search gives up."""
TWICE = 2
"""How often the rate that is reported must have held, with different arrivals."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a search goes; rates in visits a second.

    `precision`: it ends when the lowest rate that did not hold is at most so much above the highest that did.
    """

    start_per_s: float
    factor: float = 2.0
    precision: float = 0.05
    most_probes: int = 16
    longest_s: float = 1_800.0
    ceiling_per_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Judged:
    """One threshold of a probe; `kind` is how its numbers are written, `said` the whole sentence."""

    text: str
    state: str
    said: str
    kind: str
    limit: float
    value: float | None
    n: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Probe:
    """One run at one rate, and what it came to. `latency_s` has p50, p95 and p99 from when requests were due."""

    rate_per_s: float
    outcome: Outcome
    folder: str = ""
    seed: int = 0
    headline: str = ""
    reasons: tuple[str, ...] = ()
    thresholds: tuple[Judged, ...] = ()
    latency_s: tuple[float | None, float | None, float | None] = (None, None, None)
    planned: int = 0
    started: int = 0
    requests: int = 0
    errors: int = 0
    start_lag_p99_ms: float = 0.0
    cpu_share: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: the highest rate that held, the lowest above it that did not, and why it ended."""

    held_per_s: float | None
    held_times: int
    beyond_per_s: float | None
    beyond: Outcome | None
    stopped: Stopped
    sentence: str
    exit_code: int


def bounds(probes: Sequence[Probe]) -> tuple[Probe | None, Probe | None]:
    """Return the highest rate that held below every rate that did not, and the lowest that did not.

    A rate that held once and not another time did not hold.
    """
    beyond = min((p for p in probes if p.outcome != "held"), key=lambda p: p.rate_per_s, default=None)
    top = math.inf if beyond is None else beyond.rate_per_s
    held = [p for p in probes if p.outcome == "held" and p.rate_per_s < top]
    return max(held, key=lambda p: p.rate_per_s, default=None), beyond


def next_rate(probes: Sequence[Probe], limits: Limits) -> float | Stopped:
    """Return the rate to try next, or why there is none.

    Up by the factor until a rate does not hold (down, where the first does not), then the geometric mean of the two
    bounds until they are as near as the precision asks, then the held one again with other arrivals.
    """
    if len(probes) >= limits.most_probes:
        return "probes"
    if any(probe.outcome == "unjudged" for probe in probes):
        return "unjudged"
    held, beyond = bounds(probes)
    if beyond is not None:
        return _further_in(held, beyond, probes, limits)
    if held is not None:
        return _further_up(held.rate_per_s, probes, limits)
    return _rounded(min(limits.start_per_s, limits.ceiling_per_s))


def _further_in(held: Probe | None, beyond: Probe, probes: Sequence[Probe], limits: Limits) -> float | Stopped:
    if held is None:
        lower = _rounded(beyond.rate_per_s / limits.factor)
        return "floor" if lower < limits.start_per_s / limits.factor**DEEPEST else lower
    between = _rounded(math.sqrt(held.rate_per_s * beyond.rate_per_s))
    apart = beyond.rate_per_s / held.rate_per_s > 1 + limits.precision
    if apart and held.rate_per_s < between < beyond.rate_per_s:
        return between
    return "precise" if _times(probes, held.rate_per_s) >= TWICE else held.rate_per_s


def _further_up(held_per_s: float, probes: Sequence[Probe], limits: Limits) -> float | Stopped:
    if held_per_s < limits.ceiling_per_s:
        return _rounded(min(held_per_s * limits.factor, limits.ceiling_per_s))
    return "ceiling" if _times(probes, held_per_s) >= TWICE else held_per_s


def _times(probes: Sequence[Probe], rate_per_s: float) -> int:
    return sum(probe.rate_per_s == rate_per_s and probe.outcome == "held" for probe in probes)


def _rounded(rate_per_s: float) -> float:
    return float(f"{rate_per_s:.{DIGITS}g}")


def conclude(probes: Sequence[Probe], stopped: Stopped) -> Found:
    """Return what a search has found, in one sentence, with the exit code of the command.

    0: a rate held, and a higher one (or none up to the ceiling) did not; 1: none held; 3: the generator, not the
    target, set the limit, or nothing could be judged; 130: interrupted.
    """
    held, beyond = bounds(probes)
    held_per_s = None if held is None else held.rate_per_s
    times = 0 if held is None else _times(probes, held.rate_per_s)
    kind = None if beyond is None else beyond.outcome
    beyond_per_s = None if beyond is None else beyond.rate_per_s
    sentence, code = _said(held_per_s, times, beyond_per_s, kind, stopped)
    return Found(held_per_s, times, beyond_per_s, kind, stopped, sentence, code)


def _said(
    held: float | None, times: int, beyond: float | None, kind: Outcome | None, stopped: Stopped
) -> tuple[str, int]:
    why = _WHY[stopped]
    code = 130 if stopped == "interrupted" else None
    often = f"held {('once', 'twice')[times - 1]}" if 0 < times <= TWICE else f"held {times} times"
    if held is None:
        if beyond is None:
            return f"Nothing was tried{why}.", code or 3
        if kind == "failed":
            return f"No rate held: already {beyond:g} visits a second were too many{why}.", code or 1
        said = "the generator could not send" if kind == "invalid" else "too few values came of"
        return f"No rate could be judged: {said} {beyond:g} visits a second{why}.", code or 3
    if kind == "failed":
        return f"{held:g} visits a second {often}, {beyond:g} did not{why}.", code or 0
    if kind is None:
        return f"{held:g} visits a second {often}; no higher rate was tried{why}.", code or 0
    said = f"At {beyond:g} the generator gave up, not the target" if kind == "invalid" else "More could not be judged"
    return f"At least {held:g} visits a second hold. {said}{why}.", code or 3


_WHY: dict[Stopped, str] = {
    "precise": "",
    "probes": "; the search ended with its last probe",
    "time": "; the search ended when its time was over",
    "ceiling": "; it is the ceiling",
    "floor": "; lower ones were not tried",
    "unjudged": "; probes need a longer duration, or a higher rate to begin with",
    "interrupted": "; the search was interrupted",
}


def as_plain(probe: Probe) -> dict[str, Any]:
    """Return a probe as JSON has it."""
    return {
        "rate_per_s": probe.rate_per_s,
        "outcome": probe.outcome,
        "folder": probe.folder,
        "seed": probe.seed,
        "headline": probe.headline,
        "reasons": list(probe.reasons),
        "latency_s": dict(zip(("p50", "p95", "p99"), probe.latency_s, strict=True)),
        "planned": probe.planned,
        "started": probe.started,
        "requests": probe.requests,
        "errors": probe.errors,
        "start_lag_p99_ms": probe.start_lag_p99_ms,
        "cpu_share": probe.cpu_share,
        "thresholds": [{name: getattr(threshold, name) for name in Judged.__slots__} for threshold in probe.thresholds],
    }
