"""A run against others: the change of each figure, its interval, and whether it is shown, ruled out or neither."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import stdtr, stdtrit
from scipy.stats import false_discovery_control

from simulator.analysis.estimates import TAIL, Estimate
from simulator.analysis.measuring import estimate_of
from simulator.analysis.resampling import (
    RESAMPLES,
    p_value,
    percentile_interval,
    resampled,
    shoppers_of,
    statistic_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.analysis.figures import Figure
    from simulator.analysis.metrics import Sample
    from simulator.analysis.resampling import Shoppers

Outcome = Literal["worse", "better", "changed", "unproven", "same", "not_shown", "too_few"]
"""`changed`: shown, of a figure that is neither good nor bad. `unproven`: more than chance among shoppers, but too few
runs tell how much runs differ anyway. `same`: shown to be no different, within the margin. `not_shown`: neither a
change nor its absence is shown. `too_few`: a side has too few values to be compared."""
FLOOR_RUNS = 3
"""So many runs of a baseline tell how much figures differ from run to run."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The values of one figure: in the run, and in each run that it is compared with. All have the same `shoppers`."""

    figure: Figure
    run: Sample
    others: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one figure.

    `before` is the mean over the compared runs, `after` the run's. `change` is in parts of `before` (no value where
    that is 0), `difference` in the figure's unit; n is the smallest sample of all sides. `floor` is the half-width of
    what runs differ by anyway, in parts of `before`; None below `FLOOR_RUNS` runs. `p` is of this figure alone, `q`
    counts in how many were compared. `floored` says that there were runs enough for a floor.
    """

    figure: Figure
    before: float | None
    after: float | None
    change: Estimate
    difference: Estimate
    floor: float | None
    p: float | None
    q: float | None
    outcome: Outcome
    floored: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """How changes are told: error rate, margin within which runs are the same (parts of 1), smallest sample.

    `needs_floor`: runs differ by more than their shoppers, as live runs do by their machines, so that no change is told
    from fewer than `FLOOR_RUNS` runs.
    """

    error_rate: float = 0.05
    margin: float = 0.02
    min_samples: int = 30
    resamples: int = RESAMPLES
    needs_floor: bool = False


def changes(sides: Sequence[Sides], seeds: Sequence[tuple[int, NDArray[np.int64]]], rules: Rules) -> list[Change]:
    """Return the change of each figure; `seeds` are (seed, shoppers) of the run and then of the others.

    A change is shown when its p, with the correction of Benjamini & Hochberg (1995) for all figures at hand, is below
    the error rate and its interval does not stay within the margin. An interval within the margin shows that there is
    no difference that matters (two one-sided tests, Schuirmann 1987, at 2.5 % each).
    """
    shoppers = shoppers_of(seeds)
    fit = [place for place, one in enumerate(sides) if _enough(one, rules.min_samples)]
    draws = _draws([sides[place] for place in fit], shoppers, rules.resamples)
    found = [_unknown(one) for one in sides]
    for place, drawn in zip(fit, draws, strict=False):  # no draws where there are too few shoppers
        found[place] = _change(sides[place], drawn, min(shoppers.sizes))
    return _judged(found, rules)


def _draws(sides: Sequence[Sides], shoppers: Shoppers, resamples: int) -> Sequence[NDArray[np.float64]]:
    """Return for each figure its resampled values, an array of (runs, resamples); none from a single shopper."""
    if not sides or min(shoppers.sizes) < 2:
        return []
    parts = [
        (run, statistic_of(one.figure, found, shoppers.groups(run, found.clusters), _size(shoppers, run)))
        for one in sides
        for run, found in enumerate((one.run, *one.others))
    ]
    return list(resampled(shoppers, parts, resamples).reshape(len(sides), -1, resamples))


def _size(shoppers: Shoppers, run: int) -> int:
    return shoppers.sizes[shoppers.of_run[run]]


def _enough(one: Sides, least: int) -> bool:
    return min(len(found.values) for found in (one.run, *one.others)) >= least


def _unknown(one: Sides) -> Change:
    n = min(len(found.values) for found in (one.run, *one.others))
    values = [_mean([estimate_of(found, one.figure).value for found in part]) for part in (one.others, (one.run,))]
    empty = Estimate(None, n)
    return Change(one.figure, values[0], values[1], empty, empty, None, None, None, "too_few")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _change(one: Sides, draws: NDArray[np.float64], groups: int) -> Change:
    n = min(len(found.values) for found in (one.run, *one.others))
    each = [estimate_of(found, one.figure).value for found in one.others]
    before, after = _mean(each), estimate_of(one.run, one.figure).value
    if before is None or after is None:
        return replace(_unknown(one), before=before, after=after)
    gap = draws[0] - draws[1:].mean(0)
    floor, p_runs = _between_runs([value for value in each if value is not None], after)
    difference = _with_floor(after - before, gap, floor, groups, n)
    p = max(p_value(np.nan_to_num(gap), groups), p_runs)
    if before == 0:
        unknown = Estimate(None, n)
        return Change(one.figure, before, after, unknown, difference, None, p, None, "not_shown", floor is not None)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = draws[0] / draws[1:].mean(0) - 1
    part = None if floor is None else floor / abs(before)
    change = _with_floor(after / before - 1, relative, part, groups, n)
    return Change(one.figure, before, after, change, difference, part, p, None, "not_shown", floor is not None)


def _with_floor(value: float, draws: NDArray[np.float64], floor: float | None, groups: int, n: int) -> Estimate:
    """Return a change with the wider of the bootstrap's interval and the one that repeated runs give."""
    known = draws[np.isfinite(draws)]
    if len(known) < len(draws) // 2:
        return Estimate(value, n)
    low, high = percentile_interval(known, groups)
    if floor is not None:
        low, high = min(low, value - floor), max(high, value + floor)
    return Estimate(value, n, low, high)


def _between_runs(each: Sequence[float], after: float) -> tuple[float | None, float]:
    """Return how far an ordinary run is from the mean of earlier ones (95 %), and the p that this one is ordinary.

    The prediction interval of one more observation: t · s · √(1 + 1/k). Without enough runs: (None, 0), so that the
    bootstrap alone decides.
    """
    k = len(each)
    if k < FLOOR_RUNS:
        return None, 0.0
    spread = float(np.std(each, ddof=1)) * math.sqrt(1 + 1 / k)
    gap = abs(after - sum(each) / k)
    p = float(2 * stdtr(k - 1, -gap / spread)) if spread > 0 else float(gap == 0)
    return float(stdtrit(k - 1, 1 - TAIL)) * spread, p


def _judged(found: Sequence[Change], rules: Rules) -> list[Change]:
    known = [one.p for one in found if one.p is not None]
    adjusted = iter(false_discovery_control(known) if known else ())
    return [
        one if one.p is None else replace(one, q=(q := float(next(adjusted))), outcome=_outcome(one, q, rules))
        for one in found
    ]


def _outcome(one: Change, q: float, rules: Rules) -> Outcome:
    low, high = one.change.low, one.change.high
    if low is not None and high is not None and -rules.margin <= low and high <= rules.margin:
        return "same"
    value = one.difference.value
    if q >= rules.error_rate or not value:
        return "not_shown"
    wanted = one.figure.metric.better
    if rules.needs_floor and not one.floored:
        return "unproven"
    if wanted is None:
        return "changed"
    return "better" if (value > 0) == (wanted == "higher") else "worse"
