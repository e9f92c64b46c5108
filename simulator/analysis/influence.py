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
    is the sum of their squares. `n` counts the rows (visits, pages) behind the figure.
    """

    value: float
    n: int
    clusters: NDArray[np.int64]
    parts: NDArray[np.float64]

    @property
    def variance(self) -> float:
        """The cluster-robust variance of the figure."""
        return float(self.parts @ self.parts)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of its t interval: shoppers less one."""
        return len(self.clusters) - 1.0


def influenced(value: float, rows: NDArray[np.float64], clusters: NDArray[np.int64]) -> Influenced:
    """Return a figure from what each row adds to its error; `rows` and `clusters` are (n,)."""
    who, place = np.unique(clusters, return_inverse=True)
    parts = np.bincount(place, rows, len(who))
    groups = len(who)
    return Influenced(value, len(rows), who, parts * math.sqrt(groups / (groups - 1)) if groups > 1 else parts)


def mean_of(
    values: NDArray[np.float64], clusters: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> Influenced:
    """Return the (weighted) mean, whose interval is that of `estimates.mean`. Needs a row."""
    counts = np.ones(len(values)) if weights is None else weights
    total = float(counts.sum())
    middle = float(counts @ values) / total
    return influenced(middle, counts * (values - middle) / total, clusters)


def estimate_of(found: Influenced, floor: float = -math.inf) -> Estimate:
    """Return the figure with its t interval, cut off at `floor`; no interval from fewer than two shoppers."""
    if len(found.clusters) < 2:
        return Estimate(found.value, found.n)
    half = float(stdtrit(found.freedom, 1 - TAIL)) * math.sqrt(found.variance)
    return Estimate(found.value, found.n, max(floor, found.value - half), found.value + half)


def p_of(found: Influenced, null: float = 0.0) -> float | None:
    """Return the two-sided p of the figure's being `null`; None where there is no spread to judge it by."""
    if len(found.clusters) < 2 or found.variance == 0:
        return None
    return float(2 * stdtr(found.freedom, -abs(found.value - null) / math.sqrt(found.variance)))


def combined(value: float, terms: tuple[tuple[float, Influenced], ...]) -> Influenced:
    """Return a smooth function of figures: its value, and its slope in each of them (the delta method).

    Shoppers are matched by number, so that those who are in several figures count once. The result stands on as many
    shoppers as the smallest of its figures, if they are others, and on all otherwise.
    """
    who = np.unique(np.concatenate([one.clusters for _, one in terms]))
    parts = np.zeros(len(who))
    for slope, one in terms:
        parts[np.searchsorted(who, one.clusters)] += slope * one.parts
    return Influenced(value, min(one.n for _, one in terms), who, parts)


def difference(treated: Influenced, control: Influenced) -> Influenced:
    """Return treated less control: paired where shoppers are the same, unpaired where they are others."""
    return combined(treated.value - control.value, ((1.0, treated), (-1.0, control)))


def relative(treated: Influenced, control: Influenced) -> Influenced:
    """Return treated over control, less 1. Raises `ZeroDivisionError` where control is 0."""
    ratio = treated.value / control.value
    return combined(ratio - 1.0, ((1.0 / control.value, treated), (-ratio / control.value, control)))
