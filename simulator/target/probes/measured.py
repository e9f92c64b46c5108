"""What a report shows of personalization: of each operation, how many answers were personal, and how relevant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from scipy.stats import binomtest

from simulator.target.probes.fall import (
    ANSWERS,
    BEFORE,
    BIN_S,
    ELIGIBLE,
    KNOWN,
    OWN,
    RANKED,
    RANKED_REST,
    RELEVANT,
    RELEVANT_REST,
    by_time,
)
from simulator.target.probes.share import MILLIONTHS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.probes.probe import Key


class Measured(NamedTuple):
    """One operation, asked `alone` or `among` many; `from_s` is the second of the run at which its time bin begins.

    `answers` were good and the shopper's own; `eligible` of them went to who agreed and has a history in this visit.
    `share` is that of personal answers among those `known`, with Wilson's 95 % interval; `ndcg` the mean relevance of
    eligible answers and `ndcg_rest` of the others. None stands where there is nothing to divide by.
    """

    operation: str
    when: str
    from_s: int | None
    answers: int
    eligible: int
    known: int
    share: float | None
    low: float | None
    high: float | None
    ndcg: float | None
    ndcg_rest: float | None


def measured(counts: Mapping[Key, int], *, by_bin: bool = False) -> list[Measured]:
    """Return a row for each operation, alone and among many, of H17's counts; with `by_bin` of each 5 s of the run."""
    sums: dict[tuple[str, str, int | None], Counter[str]] = {}
    for (when, operation, at), found in by_time(counts).items():
        from_s = at * BIN_S if by_bin and at != BEFORE else None
        sums.setdefault((when, operation, from_s), Counter()).update(found)
    places = sorted(sums, key=lambda place: (place[1], place[0], place[2] or 0))
    return [_row(*place, sums[place]) for place in places]


def _row(when: str, operation: str, from_s: int | None, found: Counter[str]) -> Measured:
    known, own = found[KNOWN], found[OWN]
    interval = binomtest(own, known).proportion_ci(method="wilson") if known else None
    return Measured(
        operation,
        when,
        from_s,
        found[ANSWERS],
        found[ELIGIBLE],
        known,
        own / known if known else None,
        float(interval.low) if interval else None,
        float(interval.high) if interval else None,
        _mean(found[RELEVANT], found[RANKED]),
        _mean(found[RELEVANT_REST], found[RANKED_REST]),
    )


def _mean(sum_millionths: int, lists: int) -> float | None:
    return sum_millionths / MILLIONTHS / lists if lists else None
