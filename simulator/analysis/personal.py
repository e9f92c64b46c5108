"""What personalization came to in a live run: by operation how fast, how personal, how relevant; and over the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.analysis.estimates import NOTHING, Estimate, share, wilson
from simulator.analysis.metrics import METRICS, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.manifest import Shown
    from simulator.analysis.runs import Run

ALONE, AMONG = "alone", "among"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation that shows something chosen for somebody.

    `latency_p95` is from due, seconds; `late` the share of requests past the client's give-up time. `alone` and `among`
    are shares of personal answers among those that could be: before the load, and within it. `relevance` is the mean
    nDCG of lists of shoppers with a history against their planted taste, `relevance_rest` of the others.
    """

    name: str
    requests: int
    latency_p95: Estimate
    late: Estimate
    alone: Estimate
    among: Estimate
    relevance: float | None
    relevance_rest: float | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of the run: how many answers could be personal, and the share that was."""

    from_s: int
    answers: int
    share: Estimate


def by_operation(run: Run) -> list[Operation]:
    """Return every operation that was looked at for its personal answers, the most asked first."""
    probed = run.manifest.probes
    if probed is None or run.requests is None:
        return []
    names = dict.fromkeys(row.operation for row in probed.operations)
    found = [_operation(run, name, [row for row in probed.operations if row.operation == name]) for name in names]
    return sorted(found, key=lambda one: (-one.requests, one.name))


def _operation(run: Run, name: str, rows: Sequence[Shown]) -> Operation:
    probed = run.manifest.probes
    assert probed is not None
    latency = sample(run, METRICS["latency"], {"operation": name})
    among = next((row for row in rows if row.when == AMONG), None)
    many = len(latency.values)
    return Operation(
        name,
        many,
        latency.quantiles((0.95,))[0] if many else NOTHING,
        share(latency.values > probed.give_up_s, latency.clusters) if many else NOTHING,
        _personal([row for row in rows if row.when == ALONE]),
        _personal([row for row in rows if row.when == AMONG]),
        among.ndcg if among else None,
        among.ndcg_rest if among else None,
    )


def _personal(rows: Sequence[Shown]) -> Estimate:
    known = sum(row.known for row in rows)
    own = sum(row.known * (row.share or 0.0) for row in rows)
    return Estimate(own / known, known, *wilson(own / known, known)) if known else NOTHING


def over_time(run: Run) -> list[Moment]:
    """Return the share of personal answers of all operations together, stretch by stretch of the run."""
    probed = run.manifest.probes
    rows = [row for row in (probed.over_time if probed else ()) if row.from_s is not None and row.when == AMONG]
    begins = sorted({row.from_s for row in rows if row.from_s is not None})
    stretches = [(begin, [row for row in rows if row.from_s == begin]) for begin in begins]
    return [Moment(begin, sum(row.answers for row in part), _personal(part)) for begin, part in stretches]
