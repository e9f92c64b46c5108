"""Estimates that carry what each shopper adds to their error, so that any two can be set against each other.

An estimator that is a smooth function of the sample is, but for what vanishes faster than its error, its true value
plus a sum over shoppers: the influence function (Hampel 1974; van der Vaart 1998, chapter 20). With that sum at hand,
differences, ratios and adjustments need no formula of their own, and pairing needs none either: a shopper who is in
both arms brings one number to each, and what both share cancels out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

from simulator.analysis.estimates import TAIL, Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Influenced:
    """A figure and what each shopper adds to its error.

    `clusters` (G,) are the shoppers, ascending; `parts` (G,) what each adds, scaled by √(G/(G−1)), so that the variance
    is the sum of their squares. `n` counts the rows (visits, pages) behind the figure; `freedom` are the degrees of
    freedom of its t interval, 0 where there are too few shoppers for one.
    """

    value: float
    n: int
    clusters: NDArray[np.int64]
    parts: NDArray[np.float64]
    freedom: float

    @property
    def variance(self) -> float:
        """The cluster-robust variance of the figure."""
        return float(self.parts @ self.parts)

    def estimate(self, floor: float = -math.inf) -> Estimate:
        """Return the figure with its t interval, cut off at `floor`; no interval from a single shopper."""
        if self.freedom < 1:
            return Estimate(self.value, self.n)
        half = float(stdtrit(self.freedom, 1 - TAIL)) * math.sqrt(self.variance)
        return Estimate(self.value, self.n, max(floor, self.value - half), self.value + half)

    def p(self, null: float = 0.0) -> float | None:
        """Return the two-sided p of the figure's being `null`; None where there is no spread to judge it by."""
        if self.freedom < 1 or self.variance == 0:
            return None
        return float(2 * stdtr(self.freedom, -abs(self.value - null) / math.sqrt(self.variance)))


def groups_of(clusters: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the shoppers, ascending, and the place among them of each row's; tables that stand by shopper are fast."""
    if len(clusters) and np.all(clusters[1:] >= clusters[:-1]):
        fresh = np.append(True, clusters[1:] != clusters[:-1])
        return clusters[fresh], np.cumsum(fresh) - 1
    return np.unique(clusters, return_inverse=True)


def influenced(value: float, rows: NDArray[np.float64], clusters: NDArray[np.int64]) -> Influenced:
    """Return a figure from what each row adds to its error; `rows` and `clusters` are (n,)."""
    who, place = groups_of(clusters)
    parts = np.bincount(place, rows, len(who)).astype(np.float64)
    groups = len(who)
    scale = math.sqrt(groups / (groups - 1)) if groups > 1 else 1.0
    return Influenced(value, len(rows), who, scale * parts, freedom_of(parts, groups - 1.0))


def freedom_of(parts: NDArray[np.float64], most: float) -> float:
    """Return the degrees of freedom of a variance that is the sum of squared parts; `most` for normal ones.

    2V² / (Σ parts⁴ − V²/G) with V = Σ parts² (Satterthwaite 1946): where few shoppers make the variance, as those with
    an order do, it is known as badly as theirs alone.
    """
    squares = parts * parts
    variance, spread = float(squares.sum()), float(squares @ squares)
    spread -= variance**2 / max(len(parts), 1)
    if most < 1 or 2 * variance**2 >= most * spread:
        return most
    return max(1.0, 2 * variance**2 / spread)


def mean_of(
    values: NDArray[np.float64], clusters: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> Influenced:
    """Return the (weighted) mean, whose standard error is that of `estimates.mean`. Needs a row."""
    counts = np.ones(len(values)) if weights is None else weights
    total = float(counts.sum())
    middle = float(counts @ values) / total
    return influenced(middle, counts * (values - middle) / total, clusters)


def combined(value: float, terms: tuple[tuple[float, Influenced], ...]) -> Influenced:
    """Return a smooth function of figures: its value, and its slope in each of them (the delta method).

    Shoppers are matched by number, so that those who are in several figures count once. Where none is, the figures are
    independent and the degrees of freedom are Welch's (1947).
    """
    who = np.unique(np.concatenate([one.clusters for _, one in terms]))
    parts = np.zeros(len(who))
    for slope, one in terms:
        parts[np.searchsorted(who, one.clusters)] += slope * one.parts
    freedom = len(who) - 1.0
    if len(who) == sum(len(one.clusters) for _, one in terms):
        freedom = _welch([(slope * slope * one.variance, one.freedom) for slope, one in terms])
    return Influenced(value, min(one.n for _, one in terms), who, parts, freedom_of(parts, freedom))


def _welch(variances: list[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of independent figures of (variance, degrees of freedom)."""
    total = sum(variance for variance, _ in variances)
    if total == 0 or any(freedom < 1 for _, freedom in variances):
        return min(freedom for _, freedom in variances)
    return total**2 / sum(variance**2 / freedom for variance, freedom in variances)


def difference(treated: Influenced, control: Influenced) -> Influenced:
    """Return treated less control: paired where shoppers are the same, unpaired where they are others."""
    return combined(treated.value - control.value, ((1.0, treated), (-1.0, control)))


def relative(treated: Influenced, control: Influenced) -> Influenced:
    """Return treated over control, less 1. Raises `ZeroDivisionError` where control is 0."""
    ratio = treated.value / control.value
    return combined(ratio - 1.0, ((1.0 / control.value, treated), (-ratio / control.value, control)))


def percent(treated: Influenced, control: Influenced, floor: float = -1.0) -> Estimate:
    """Return treated over control, less 1, with Fieller's (1954) interval, which leaves out 0 as the difference does.

    The delta method's interval (`relative`) is off where control itself is known badly, as a share of few orders is. No
    interval where control cannot be told from 0; no value where it is 0.
    """
    if control.value == 0:
        return Estimate(None, min(treated.n, control.n))
    change = difference(treated, control)
    value = Estimate(treated.value / control.value - 1.0, change.n)
    if change.freedom < 1:
        return value
    point2 = float(stdtrit(change.freedom, 1 - TAIL)) ** 2
    _, one, other = np.intersect1d(treated.clusters, control.clusters, assume_unique=True, return_indices=True)
    together = float(treated.parts[one] @ control.parts[other])
    a = control.value**2 - point2 * control.variance
    b = treated.value * control.value - point2 * together
    c = treated.value**2 - point2 * treated.variance
    if a <= 0 or b * b < a * c:
        return value
    low, high = ((b + sign * math.sqrt(b * b - a * c)) / a - 1.0 for sign in (-1, 1))
    return Estimate(value.value, change.n, max(floor, low), high)


def share_shoppers(one: Influenced, other: Influenced) -> bool:
    """Return whether some shoppers are in both figures, which makes their comparison a paired one."""
    return bool(np.isin(one.clusters, other.clusters).any())
