"""Why visits end, as competing risks: Aalen-Johansen cumulative incidence, by shopper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.counting import Tally, process, shopper_sums, spread_factor, tally
from simulator.analysis.estimates import Z95
from simulator.analysis.survival import Curve, log_log, student

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def aalen_johansen(
    times: NDArray[np.float64],
    kinds: NDArray[np.int64],
    names: Sequence[str],
    clusters: NDArray[np.int64] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> dict[str, Curve]:
    """Return for each kind of end the share of rows that came to it by each time.

    `kinds` (n,) are positions in `names`, -1 where a row was cut. `survival` of a curve is its cumulative incidence
    here: it rises, and all of them with the Kaplan-Meier curve sum to 1. Intervals are symmetric in log(−log share);
    the variance is the delta method's (Collett 2015, section 12.3) without `clusters`, and from sums over shoppers
    with them, which `weights` need.
    """
    assert weights is None or clusters is not None, "the delta method's variance is of rows that count one each"
    counted = tally(times, kinds, len(names), weights)
    if clusters is None:
        return {name: _curve(counted, k, _variance(counted, k), Z95) for k, name in enumerate(names)}
    factor, groups = spread_factor(clusters)
    point = student(groups)
    return {
        name: _curve(counted, k, factor * _shopper_variance(counted, k, clusters), point)
        for k, name in enumerate(names)
    }


def _incidence(counted: Tally, kind: int) -> Floats:
    """Return the cumulative incidence: Σ of survival just before each time × share that left for this kind."""
    risen: Floats = np.cumsum(counted.before * counted.by_kind[kind] / counted.at_risk)
    return risen


def _curve(counted: Tally, kind: int, variance: Floats, point: float) -> Curve:
    incidence = _incidence(counted, kind)
    of_log = np.divide(np.sqrt(np.maximum(variance, 0.0)), incidence, out=np.zeros(len(incidence)), where=incidence > 0)
    return Curve(counted.times, incidence, *log_log(incidence, of_log, point), counted.at_risk)


def _variance(counted: Tally, kind: int) -> Floats:
    """Return the variance at every time t of F(t), with the squares of F(t) − F(u) over earlier u multiplied out."""
    incidence = _incidence(counted, kind)
    own = counted.by_kind[kind] / counted.at_risk
    any_end = counted.hazard * counted.per_stayed
    mixed = counted.before * own / counted.at_risk
    zero, one, two = (np.cumsum(any_end * incidence**power) for power in range(3))
    alone = np.cumsum(counted.before**2 * own * (1.0 - own) / counted.at_risk)
    covered = incidence * np.cumsum(mixed) - np.cumsum(mixed * incidence)
    total: Floats = incidence**2 * zero - 2.0 * incidence * one + two + alone - 2.0 * covered
    return total


def _shopper_variance(counted: Tally, kind: int, clusters: NDArray[np.int64]) -> Floats:
    """Return Σ over shoppers of squared influences on F(t).

    A row that leaves at u moves F(t) by S(u−)/Y if it is of this kind, less (F(t) − F(u)) / (Y − d) whatever its kind;
    at risk it moves it by the mean of that, the other way.
    """
    incidence = _incidence(counted, kind)
    place, ended, here = counted.place, counted.kinds >= 0, counted.kinds == kind
    direct, odds = counted.before / counted.at_risk, counted.per_stayed
    jumps = np.where(here, direct[place], 0.0) + np.where(ended, (incidence * odds)[place], 0.0)
    drains = direct * counted.by_kind[kind] / counted.at_risk + incidence * odds * counted.hazard
    whole = process(counted, jumps, drains)
    after = process(counted, np.where(ended, odds[place], 0.0), odds * counted.hazard)
    sums = shopper_sums(counted, clusters, whole, after)
    total: Floats = sums[0, 0] - 2.0 * incidence * sums[0, 1] + incidence**2 * sums[1, 1]
    return total
