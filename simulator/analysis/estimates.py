"""Estimates with 95 % intervals that know that visits of one shopper are not independent.

Visits (and pages) are clustered in shoppers. Means get a cluster-robust t interval; shares and quantiles get the usual
interval at the *effective* sample size n / deff, where deff is the design effect of the clusters (Kish 1965; Korn &
Graubard 1998). With one row a shopper all three are the textbook intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr, bdtrik, stdtrit

from simulator.analysis.passes import (
    UNSORTED,
    count_clusters,
    counts_of_hits,
    limit_shares,
    squares,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Z95 = 1.959963984540054
"""The normal distribution's 97.5 % point."""
TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its sample size and 95 % interval.

    `value` is None where nothing was observed; a bound is None where the sample is too small to give one.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


NOTHING = Estimate(None, 0)


def share(hits: NDArray[np.bool_], clusters: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> Estimate:
    """Return the (weighted) share of True with Wilson's (1927) score interval at the effective sample size."""
    n = len(hits)
    if n == 0:
        return NOTHING
    p, effect = _share_and_effect(hits, clusters, weights)
    return Estimate(p, n, *wilson(p, n / effect))


def _share_and_effect(
    hits: NDArray[np.bool_], clusters: NDArray[np.int64], weights: NDArray[np.float64] | None
) -> tuple[float, float]:
    """Return the share of True and its design effect; without weights everything can be counted, with no rounding."""
    if weights is not None:
        values = hits.astype(np.float64)
        return weighted_mean(values, weights), design_effect(values, clusters, weights)
    found = counts_of_hits(hits, clusters)
    if found[-1] == UNSORTED:
        order = np.argsort(clusters, kind="stable")
        found = counts_of_hits(hits[order], clusters[order])
    n, (total, squares, mixed, sizes, _) = len(hits), found
    # Whole numbers of Python, which never overflow: clusters of one row have an effect of 1 to the last bit.
    alone = n * total * (n - total)
    together = n * n * squares - 2 * n * total * mixed + total * total * sizes
    return total / n, max(1.0, together / alone) if alone > 0 else 1.0


def wilson(p: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share `p` seen in `n` (possibly effective, so fractional) trials."""
    z2 = Z95 * Z95
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return (0.0 if p == 0 else max(0.0, middle - half), 1.0 if p == 1 else min(1.0, middle + half))


def mean(
    values: NDArray[np.float64],
    clusters: NDArray[np.int64],
    floor: float = -math.inf,
    weights: NDArray[np.float64] | None = None,
) -> Estimate:
    """Return the (weighted) mean with a cluster-robust t interval; no interval from a single cluster.

    `floor` is the least that the mean can be (0 for a time): the interval is cut off there.

    The variance is that of the ratio mean, G/(G-1) · Σ(Σ weighted residuals of a cluster)² / (Σ weights)² (Cochran
    1977, ratio estimators), with G-1 degrees of freedom; G is the number of clusters.
    """
    n = len(values)
    if n == 0:
        return NOTHING
    middle = weighted_mean(values, weights)
    variance, groups = variance_of_mean(values, clusters, weights)
    if groups < 2:
        return Estimate(middle, n)
    half = float(stdtrit(groups - 1, 1 - TAIL)) * math.sqrt(variance)
    return Estimate(middle, n, max(floor, middle - half), middle + half)


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    """Return the mean of values, each counted as often as its weight says."""
    return float(values.mean() if weights is None else values @ weights / weights.sum())


def variance_of_mean(
    values: NDArray[np.float64], clusters: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> tuple[float, int]:
    """Return the cluster-robust variance of the (weighted) mean of `values` and the number of clusters."""
    together, _, groups = _squares(values, clusters, weights)
    correction = groups / (groups - 1) if groups > 1 else 1.0
    total = float(len(values) if weights is None else weights.sum())
    return correction * together / total**2, groups


def _squares(
    values: NDArray[np.float64], clusters: NDArray[np.int64], weights: NDArray[np.float64] | None
) -> tuple[float, float, int]:
    """Return Σ over clusters of (Σ weight · residual)², Σ weight · residual² and how many clusters there are.

    Residuals are from the (weighted) mean.
    """
    middle = weighted_mean(values, weights)
    found = squares(values, clusters, middle, weights)
    if found[-1] == UNSORTED:
        order = np.argsort(clusters, kind="stable")
        other = None if weights is None else weights[order]
        found = squares(values[order], clusters[order], middle, other)
    return found


def distinct(clusters: NDArray[np.int64]) -> int:
    """Return how many clusters there are."""
    found = count_clusters(clusters)
    return len(np.unique(clusters)) if found == UNSORTED else found


def quantile(
    times: NDArray[np.float64], q: float, clusters: NDArray[np.int64], seen: NDArray[np.bool_] | None = None
) -> Estimate:
    """Return the q-quantile; see `quantiles`."""
    return quantiles(times, (q,), clusters, seen)[0]


def quantiles(
    times: NDArray[np.float64],
    qs: Iterable[float],
    clusters: NDArray[np.int64],
    seen: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> list[Estimate]:
    """Return quantiles, each with the interval from order statistics at its effective sample size.

    `seen` False marks a lower bound: a page whose shopper left after `times` without seeing it. Such quantiles come
    from the product-limit curve (Kaplan & Meier 1958), so that hopeless pages cannot make a shop look fast; the value
    is None where the curve never gets there. Without lower bounds it is the smallest observation such that a (weighted)
    share of at least q is not above it. Lower bounds and weights do not come together.
    """
    if len(times) == 0:
        return [NOTHING for _ in qs]
    if weights is not None:
        curve, known = weighted_curve(times, weights), len(times)
    else:
        all_seen = np.ones(len(times), np.bool_) if seen is None else seen
        curve, known = product_limit(times, all_seen), int(all_seen.sum())
    return [_quantile(times, q, clusters, weights, curve, known) for q in qs]


def _quantile(
    times: NDArray[np.float64],
    q: float,
    clusters: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    curve: Curve,
    known: int,
) -> Estimate:
    value = at_share(curve, q)
    if value is None or known == 0:
        return Estimate(None, len(times))
    effective = known / _share_and_effect(times <= value, clusters, weights)[1]
    low, high = (None if end is None else at_share(curve, end) for end in rank_shares(q, effective))
    return Estimate(value, len(times), low, high)


Curve = tuple["NDArray[np.float64]", "NDArray[np.float64]"]
"""Sorted times, and the share of observations that are over by each."""


def product_limit(times: NDArray[np.float64], seen: NDArray[np.bool_]) -> Curve:
    """Return the product-limit curve; at equal times what was seen comes before what was not."""
    if np.any(times < 0):
        order = np.lexsort((~seen, times))
        return times[order], limit_shares(seen[order])
    # The bits of numbers that are not negative stand in their order, with the highest one free: so one sort of whole
    # numbers does for both keys, and needs no permutation.
    keys = times.astype(np.float64).view(np.uint64) << np.uint64(1)
    keys |= ~seen
    keys.sort()
    in_order = (keys & np.uint64(1)) == 0
    keys >>= np.uint64(1)
    return keys.view(np.float64), limit_shares(in_order)


def weighted_curve(times: NDArray[np.float64], weights: NDArray[np.float64]) -> Curve:
    """Return sorted times and the weighted share that is not above each."""
    order = np.argsort(times, kind="stable")
    running = np.cumsum(weights[order])
    return times[order], (running / running[-1]).astype(np.float64)


def at_share(curve: Curve, q: float) -> float | None:
    """Return the smallest time by which a share of at least `q` is over, or None where it never is."""
    times, shares = curve
    place = int(np.searchsorted(shares, q - 1e-12))
    return float(times[place]) if place < len(times) else None


def rank_shares(q: float, n: float) -> tuple[float | None, float | None]:
    """Return the shares between whose order statistics the true q-quantile lies with 95 % (at least) confidence.

    Distribution-free, from the binomial distribution of the number below it (Conover 1999, section 3.2); a bound is
    None where no order statistic of `n` reaches far enough.
    """
    whole = max(1, math.floor(n))
    low, high = binomial_point(TAIL, whole, q), binomial_point(1 - TAIL, whole, q) + 1
    return (low / whole if low >= 1 else None, high / whole if high <= whole else None)


def binomial_point(probability: float, n: int, p: float) -> int:
    """Return the smallest k whose cumulative binomial probability is at least `probability`."""
    k = max(0, math.ceil(float(bdtrik(probability, n, p)) - 1e-9))
    # The inverse is continuous in k and rounds; the cumulative itself decides.
    while k > 0 and bdtr(k - 1, n, p) >= probability:
        k -= 1
    while k < n and bdtr(k, n, p) < probability:
        k += 1
    return k


def design_effect(
    values: NDArray[np.float64], clusters: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """Return how many times clusters and weights widen the variance of a mean; never below 1."""
    together, alone, _ = _squares(values, clusters, weights)
    if weights is not None:
        alone *= float(weights.sum()) / len(values)
    return max(1.0, together / alone) if alone > 0 else 1.0
