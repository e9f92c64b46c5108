"""How long visits last when some are not seen to their end: Kaplan-Meier curves and restricted means, by shopper.

Times are pages or seconds, whatever the caller counts. The mean of finished visits alone is too short, and the plain
mean hangs on a few endless visits; the restricted mean, the area under the curve up to a horizon (Royston & Parmar
2013), is neither. `scipy.stats.ecdf` knows neither weights nor shoppers; it is a referee of the tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from simulator.analysis.counting import CUT, Tally, process, shopper_sums, spread_factor, tally
from simulator.analysis.estimates import TAIL, Z95, Estimate
from simulator.analysis.influence import Influenced, influenced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """A step curve. All arrays are (T,); the first of `times` is 0, the others are those at which a row left.

    `survival` is the share that lasted longer than each time, `low` and `high` its pointwise 95 % interval (NaN where
    there is none), `at_risk` the rows that had not left before it. The curve is flat from each time to the next.
    """

    times: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    at_risk: NDArray[np.float64]

    def at(self, times: NDArray[np.float64]) -> Curve:
        """Return the curve at `times` (ascending, not below 0): what a plot of a long curve needs."""
        rows = np.searchsorted(self.times, times, side="right") - 1
        later = np.minimum(np.searchsorted(self.times, times, side="left"), len(self.times) - 1)
        at_risk = np.where(times <= self.times[-1], self.at_risk[later], 0.0)
        return Curve(times, self.survival[rows], self.low[rows], self.high[rows], at_risk)


def kaplan_meier(
    times: NDArray[np.float64],
    ended: NDArray[np.bool_],
    clusters: NDArray[np.int64] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Curve:
    """Return the product-limit curve of Kaplan & Meier (1958) with log-log 95 % intervals.

    `ended` False marks a row that was cut: it lasted at least so long. Without `clusters` the variance is Greenwood's;
    with them (the shopper of each row) it is the cluster-robust one (Ying & Wei 1994), which `weights` need. Needs a
    row.
    """
    assert weights is None or clusters is not None, "Greenwood's variance is of rows that count one each"
    counted = _tally(times, ended, weights)
    drains = counted.hazard * counted.per_stayed
    if clusters is None:
        return _curve(counted, np.cumsum(drains), Z95)
    factor, groups = spread_factor(clusters)
    jumps = np.where(ended, counted.per_stayed[counted.place], 0.0)
    sums = shopper_sums(counted, clusters, process(counted, jumps, drains))[0, 0]
    return _curve(counted, factor * sums, student(groups))


def _tally(times: Floats, ended: NDArray[np.bool_], weights: Floats | None) -> Tally:
    return tally(times, np.where(ended, 0, CUT), 1, weights)


def student(groups: int) -> float:
    """Return the 97.5 % point of Student's t with one degree of freedom less than shoppers; NaN for a single one."""
    return float(stdtrit(groups - 1, 1 - TAIL)) if groups > 1 else math.nan


def _curve(counted: Tally, of_log: Floats, point: float) -> Curve:
    """Return the curve, given the variance of the logarithm of its survival and the normal (or t) point."""
    low, high = log_log(counted.survival, np.sqrt(np.maximum(of_log, 0.0)), point)
    return Curve(counted.times, counted.survival, low, high, counted.at_risk)


def log_log(share: Floats, of_log: Floats, point: float) -> tuple[Floats, Floats]:
    """Return the interval that is symmetric on the scale log(−log share), for the standard error of log share.

    It stays within 0 and 1 (Kalbfleisch & Prentice 2002, section 1.4). There is none for shares of 0 and 1.
    """
    inside = (share > 0) & (share < 1)
    log = np.log(share, out=np.full(len(share), np.nan), where=inside)
    reach = np.exp(point * of_log / -log)
    return np.exp(log * reach), np.exp(log / reach)


def restricted_mean(
    times: NDArray[np.float64],
    ended: NDArray[np.bool_],
    until: float,
    clusters: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> Influenced:
    """Return the mean of min(time, until), the area under the curve up to `until`.

    Its `estimate` has the interval, `influence.difference` and `relative` that of two arms, which is the
    paired one where shoppers are in both.
    """
    counted = _tally(times, ended, weights)
    areas = _areas(counted.times, counted.survival, until)
    ahead = areas[::-1].cumsum()[::-1]  # the area that is still to come after each time
    per = ahead * counted.per_stayed
    jumps = np.where(ended, per[counted.place], 0.0)
    rows = -counted.weights * process(counted, jumps, counted.hazard * per).leaving
    return influenced(float(areas.sum()), rows, clusters)


def _areas(times: Floats, survival: Floats, until: float) -> Floats:
    """Return the area under the curve from each time to the next, up to `until`."""
    ends = np.append(times[1:], max(until, float(times[-1])))
    areas: Floats = survival * np.maximum(np.minimum(ends, until) - np.minimum(times, until), 0.0)
    return areas


def restricted_mean_of(curve: Curve, until: float) -> float:
    """Return the area under a curve up to `until`; without an interval, which needs the rows."""
    return float(_areas(curve.times, curve.survival, until).sum())


def median_of(curve: Curve) -> Estimate:
    """Return the time by which half have left, with the interval of Brookmeyer & Crowley (1982).

    It reaches from where the curve's lower bound falls to one half to where its upper bound does; None is not reached.
    """

    def reached(shares: Floats) -> float | None:
        below = np.flatnonzero(shares <= 0.5 + 1e-12)
        return float(curve.times[below[0]]) if len(below) else None

    return Estimate(reached(curve.survival), round(float(curve.at_risk[0])), reached(curve.low), reached(curve.high))
