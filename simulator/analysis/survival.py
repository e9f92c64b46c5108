"""How long visits last when some are not seen to their end: Kaplan-Meier curves and restricted means, by shopper.

Times are pages or seconds, whatever the caller counts. The mean of finished visits alone is too short, and the plain
mean hangs on a few endless visits; the restricted mean, the area under the curve up to a horizon (Royston & Parmar
2013), is neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.influence import Influenced


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
    at_risk: NDArray[np.int64]

    def at(self, times: NDArray[np.float64]) -> Curve:
        """Return the curve at `times` (ascending, not below 0): what a plot of a long curve needs."""
        rows = np.searchsorted(self.times, times, side="right") - 1
        later = np.minimum(np.searchsorted(self.times, times, side="left"), len(self.times) - 1)
        at_risk = np.where(times <= self.times[-1], self.at_risk[later], 0)
        return Curve(times, self.survival[rows], self.low[rows], self.high[rows], at_risk)


def kaplan_meier(
    times: NDArray[np.float64], ended: NDArray[np.bool_], clusters: NDArray[np.int64] | None = None
) -> Curve:
    """Return the product-limit curve of Kaplan & Meier (1958) with log-log 95 % intervals.

    `ended` False marks a row that was cut: it lasted at least so long. Without `clusters` the variance is Greenwood's;
    with them (the shopper of each row) it is the cluster-robust one of Ying & Wei (1994). Needs a row.
    """
    raise NotImplementedError


def restricted_mean(
    times: NDArray[np.float64],
    ended: NDArray[np.bool_],
    until: float,
    clusters: NDArray[np.int64],
) -> Influenced:
    """Return the mean of min(time, until), the area under the curve up to `until`.

    `influence.estimate_of` gives its interval, `influence.difference` and `relative` that of two arms, which is the
    paired one where shoppers are in both.
    """
    raise NotImplementedError


def restricted_mean_of(curve: Curve, until: float) -> float:
    """Return the area under a curve up to `until`; without an interval, which needs the rows."""
    raise NotImplementedError


def median_of(curve: Curve) -> Estimate:
    """Return the time by which half have left, with the interval of Brookmeyer & Crowley (1982)."""
    raise NotImplementedError
