"""Where slowness stops (or starts) to matter: an isotonic curve of outcome against load, and a line with one knee.

Both are fits to what was observed: against load times that were assigned they are causal, against those that shoppers
happened to meet they are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import isotonic_regression

from simulator.analysis.binned import Bins, binned, redrawn
from simulator.analysis.estimates import Estimate
from simulator.analysis.resampling import SEED, percentile_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS, BINS = 20, 100
"""Bins of the isotonic curve and of the broken line."""
RESAMPLES = 399
EDGE = 0.05
"""A knee has at least this share of the rows on each side of it."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Monotone:
    """A step curve that never turns: at `load_s` (K,), ascending, the outcome is `value`, of `n` rows.

    `low` and `high` are pointwise 95 % intervals, by bootstrap of shoppers.
    """

    load_s: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Knee:
    """Two straight lines that meet at `knee_s`.

    `before` and `after` are their slopes, outcome a second; `at_knee` the outcome where they meet. `p` is the chance of
    a bend as clear as this if the line were straight; unless `bends` (p < 0.05), a knee means nothing and none should
    be drawn.
    """

    knee_s: Estimate
    before: Estimate
    after: Estimate
    at_knee: float
    p: float
    bends: bool


def isotonic(
    load_s: NDArray[np.float64],
    outcome: NDArray[np.float64],
    clusters: NDArray[np.int64],
    direction: Literal["rising", "falling"] = "rising",
    steps: int = STEPS,
) -> Monotone:
    """Return the best curve that only rises (or only falls), over `steps` bins of equal size.

    All arrays are (n,), with a row at least.
    """
    bins = binned(load_s, outcome, clusters, steps)
    rising = direction == "rising"
    counts = bins.counts
    value = isotonic_regression(bins.sums / counts, weights=counts, increasing=rising).x
    low, high = np.full((2, len(value)), np.nan)
    if bins.shoppers > 1:
        drawn = np.array([_isotonic(*one, rising) for one in zip(*redrawn(bins, RESAMPLES, SEED), strict=True)])
        ends = [percentile_interval(column, bins.shoppers) for column in drawn.T]
        low, high = np.array(ends).T
    return Monotone(bins.load_s, value, low, high, counts.astype(np.int64))


def _isotonic(counts: Floats, sums: Floats, rising: bool) -> Floats:
    """Return the curve of one bootstrap draw; a bin that nobody drawn has rows in weighs next to nothing."""
    weights = np.maximum(counts, 1e-9)
    fitted: Floats = isotonic_regression(sums / weights, weights=weights, increasing=rising).x
    return fitted


def knee(load_s: NDArray[np.float64], outcome: NDArray[np.float64], clusters: NDArray[np.int64]) -> Knee:
    """Return the broken line of least squares, with intervals by bootstrap of shoppers.

    All arrays are (n,). Raises `ValueError` with fewer than five different loads or two shoppers: no knee can be told.
    """
    bins = binned(load_s, outcome, clusters, BINS)
    if len(bins.load_s) < 5 or bins.shoppers < 2:
        raise ValueError("a knee needs at least five different load times and two shoppers")
    [best] = _broken(bins.load_s, bins.counts[None], bins.sums[None])
    drawn = _broken(bins.load_s, *redrawn(bins, RESAMPLES, SEED))
    n = int(bins.counts.sum())
    at, before, after = (
        Estimate(float(best[k]), n, *percentile_interval(drawn[:, k], bins.shoppers)) for k in (0, 1, 2)
    )
    p = bend_p(bins)
    return Knee(at, before, after, float(best[3]), p, p < LEVEL)


def _broken(x: Floats, counts: Floats, sums: Floats) -> Floats:
    """Return (R, 4): knee, both slopes, and the outcome at the knee, of R sets of (R, B) rows and outcomes.

    Between two bins the best knee is where the two free lines cross, if they cross there, and else one of the bins
    (Hudson 1966); all places are tried at once, from sums over the bins before and after each.
    """
    moments = _moments(x, counts, sums)
    found = [_crossing(x, moments), _at_bins(x, moments)]
    error = np.concatenate([one[0] for one in found], 1)
    best = error.argmin(1)
    lines = np.concatenate([one[1] for one in found], 1)
    chosen: Floats = lines[np.arange(len(best)), best]
    return chosen


def _moments(x: Floats, counts: Floats, sums: Floats) -> tuple[Floats, Floats]:
    """Return sums of 1, x, x², y, xy over the bins up to each, and over those after it; (5, R, B) each."""
    each = np.stack([counts, counts * x, counts * x * x, sums, sums * x])
    left = each.cumsum(2)
    return left, left[:, :, -1:] - left


def _line(moments: Floats) -> tuple[Floats, Floats, Floats]:
    """Return start, slope, and by how much the straight line lowers Σ y²."""
    n, sx, sxx, sy, sxy = moments
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
        start = (sy - slope * sx) / n
        return start, slope, start * sy + slope * sxy


def _inside(left: Floats) -> NDArray[np.bool_]:
    """Return the bins with rows enough up to them, and after them."""
    share = left[0] / left[0][:, -1:]
    inside: NDArray[np.bool_] = (share >= EDGE) & (share <= 1 - EDGE)
    return inside


def _crossing(x: Floats, moments: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    left, right = moments
    (a, b, one), (c, d, other) = _line(left), _line(right)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = (a - c) / (d - b)
        here = _inside(left) & (at >= x) & (at <= np.append(x[1:], x[-1]))
    error = np.where(here, -(one + other), np.inf)
    return np.nan_to_num(error, nan=np.inf), np.stack([at, b, d, a + b * at], 2)


def _at_bins(x: Floats, moments: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Return error and line with the knee at each bin: y = a + b·min(x − k, 0) + c·max(x − k, 0)."""
    (n, sx, sxx, sy, sxy), (m, tx, txx, ty, txy) = moments
    # Sums of u = min(x − k, 0) and w = max(x − k, 0): u·w is 0 everywhere.
    u, uu, uy = sx - n * x, sxx - 2 * x * sx + n * x * x, sxy - x * sy
    w, ww, wy = tx - m * x, txx - 2 * x * tx + m * x * x, txy - x * ty
    with np.errstate(divide="ignore", invalid="ignore"):
        a = (sy + ty - u * uy / uu - w * wy / ww) / (n + m - u * u / uu - w * w / ww)
        b, c = (uy - a * u) / uu, (wy - a * w) / ww
    error = np.where(_inside(moments[0]), -(a * (sy + ty) + b * uy + c * wy), np.inf)
    knees = np.broadcast_to(x, a.shape)
    return np.nan_to_num(error, nan=np.inf), np.stack([knees, b, c, a], 2)


def bend_p(bins: Bins) -> float:
    """Return the p of the clearest bend under a straight line, which looks at every place at once (Hansen 1996).

    Each shopper's contribution to the bend at each place is given a random sign; p is how often that beats what was
    seen.
    """
    x, counts = bins.load_s, bins.counts
    straight = np.column_stack([np.ones(len(x)), x])
    inside = _inside(np.cumsum(counts)[None, None])[0]
    bends = np.maximum(x[:, None] - x[inside], 0.0)
    weighted = counts[:, None] * straight
    gram = np.linalg.inv(straight.T @ weighted)
    bends -= straight @ (gram @ (weighted.T @ bends))
    fitted = straight @ (gram @ (straight.T @ bins.sums))
    # A shopper moves the straight line too, which the bends, being at right angles to it, do not see.
    scores = bins.outcomes @ bends - bins.rows @ (fitted[:, None] * bends)
    spread = np.sqrt((scores**2).sum(0))
    kept = spread > 0
    if not kept.any():
        return 1.0
    seen = np.abs(scores.sum(0)[kept] / spread[kept]).max()
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], (RESAMPLES, len(scores)))
    chance = np.abs(signs @ scores[:, kept] / spread[kept]).max(1)
    return float((1 + np.count_nonzero(chance >= seen)) / (1 + RESAMPLES))
