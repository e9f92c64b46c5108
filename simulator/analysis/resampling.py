"""The bootstrap by shopper: what figures of several runs would have been had other shoppers come.

Shoppers are drawn anew with replacement, each with everything they did, because what one shopper does is not
independent (the cluster bootstrap, Davison & Hinkley 1997, section 3.8). Runs of one seed had the same shoppers, so
they share each draw: what a shopper brings to both sides of a comparison cancels out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr, ndtri, stdtr, stdtrit
from scipy.stats import bootstrap

from simulator.analysis.estimates import TAIL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.analysis.figures import Figure
    from simulator.analysis.metrics import Sample

RESAMPLES = 1_999
MOST_GROUPS = 4_000
"""More shoppers than that are drawn in groups, which is as right, and bounds the work."""
SEED = 20_260_105
"""Of the draws: the same tables give the same intervals."""
GRID, REACH = 256, 0.05
"""Quantiles are drawn from a grid of so many order statistics over all values, and as many within this share of q."""
BATCH = 128

Multiplicities: TypeAlias = Any
"""How often each group was drawn: an array of (resamples, groups)."""
Statistic: TypeAlias = Callable[[Multiplicities], "NDArray[np.float64]"]


@dataclass(frozen=True)
class Shoppers:
    """The shoppers of each seed, sorted, and which seed's each run had."""

    families: tuple[NDArray[np.int64], ...]
    of_run: tuple[int, ...]

    @property
    def sizes(self) -> list[int]:
        """The number of groups that are drawn from each family."""
        return [min(len(family), MOST_GROUPS) for family in self.families]

    def groups(self, run: int, clusters: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the group of each value of a run."""
        family = self.families[self.of_run[run]]
        places: NDArray[np.int64] = np.searchsorted(family, clusters) % MOST_GROUPS
        return places


def shoppers_of(runs: Sequence[tuple[int, NDArray[np.int64]]]) -> Shoppers:
    """Return the families of runs that are given as (seed, shoppers)."""
    seeds = list(dict.fromkeys(seed for seed, _ in runs))
    families = (np.unique(np.concatenate([who for other, who in runs if other == seed])) for seed in seeds)
    return Shoppers(tuple(families), tuple(seeds.index(seed) for seed, _ in runs))


def resampled(shoppers: Shoppers, parts: Sequence[tuple[int, Statistic]], resamples: int) -> NDArray[np.float64]:
    """Return what each of `parts` (run, statistic) would have been, an array of (parts, resamples).

    Every part sees the same draws. Needs two groups in every family.
    """

    def together(*drawn: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:
        del axis  # the last, as asked for below
        counts = [_multiplicities(np.atleast_2d(one), size) for one, size in zip(drawn, shoppers.sizes, strict=True)]
        return np.stack([statistic(counts[shoppers.of_run[run]]) for run, statistic in parts])

    found = bootstrap(
        [np.arange(size) for size in shoppers.sizes],
        together,
        n_resamples=resamples,
        batch=BATCH,
        vectorized=True,
        axis=-1,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    return cast("NDArray[np.float64]", found.bootstrap_distribution)


def _multiplicities(drawn: NDArray[np.int64], size: int) -> Multiplicities:
    rows = len(drawn)
    flat: NDArray[np.int64] = (drawn + size * np.arange(rows)[:, None]).ravel()
    return np.bincount(flat, minlength=rows * size).reshape(rows, size).astype(np.float64)


def statistic_of(figure: Figure, found: Sample, groups: NDArray[np.int64], size: int) -> Statistic:
    """Return the function that gives a figure for each row of multiplicities."""
    if figure.q is not None:
        return _quantile(found, figure.q, groups, size)
    values = (found.values > 0).astype(np.float64) if figure.metric.kind == "share" else found.values
    weights = np.ones(len(values)) if found.weights is None else found.weights
    if found.seen is not None and figure.metric.kind != "share":
        weights = weights * found.seen
    sums = np.bincount(groups, weights * values, size)
    counts = np.bincount(groups, weights, size)

    def ratio(times: Multiplicities) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return cast("NDArray[np.float64]", (times @ sums) / (times @ counts))

    return ratio


def _quantile(found: Sample, q: float, groups: NDArray[np.int64], size: int) -> Statistic:
    """Return the product-limit quantile (see `estimates.quantiles`), on a grid of order statistics."""
    edges = _grid(found.values, q)
    places = np.searchsorted(edges, found.values)
    seen = np.ones(len(places), np.bool_) if found.seen is None else found.seen
    weights = np.ones(len(places)) if found.weights is None else found.weights

    def table(rows: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - scipy's sparse arrays
        # Sparse, since most shoppers have few values; and dense products would wake every core for small matrices.
        return csr_array((weights[rows], (groups[rows], places[rows])), shape=(size, len(edges)))

    over, lost = table(seen), None if seen.all() else table(~seen)

    def shares(times: Multiplicities) -> NDArray[np.float64]:
        """Return the share that is over by each edge."""
        ended: NDArray[np.float64] = times @ over
        with np.errstate(invalid="ignore", divide="ignore"):
            if lost is None:
                running = np.cumsum(ended, 1)
                return running / running[:, -1:]
            gone = ended + times @ lost
            at_risk = gone.sum(1, keepdims=True) - np.cumsum(gone, 1) + gone
            return cast("NDArray[np.float64]", 1.0 - np.cumprod(1.0 - np.where(at_risk > 0, ended / at_risk, 0.0), 1))

    def quantile(times: Multiplicities) -> NDArray[np.float64]:
        reached = shares(times) >= q - 1e-9
        found_at: NDArray[np.float64] = np.where(reached.any(1), edges[reached.argmax(1)], np.inf)
        return found_at

    return quantile


def _grid(values: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    near = np.clip(q + np.linspace(-REACH, REACH, GRID), 0.0, 1.0)
    ranks = np.concatenate([np.linspace(0.0, 1.0, GRID), near])
    return np.unique(np.quantile(values, ranks, method="inverted_cdf"))


def percentile_interval(draws: NDArray[np.float64], groups: int) -> tuple[float, float]:
    """Return the 95 % interval of resampled figures, widened for small samples.

    The expanded percentile interval (Hesterberg 2015, section 5.2): as wide as Student's where a figure is a mean.
    """
    tail = ndtr(math.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, TAIL))
    low, high = np.quantile(draws, (tail, 1 - tail))
    return float(low), float(high)


def p_value(draws: NDArray[np.float64], groups: int) -> float:
    """Return the two-sided p of "no change" for resampled changes: what the interval that just holds 0 leaves out."""
    side = min(np.count_nonzero(draws <= 0), np.count_nonzero(draws >= 0))
    raw = min(1.0, 2 * (side + 1) / (len(draws) + 1))
    return float(2 * stdtr(groups - 1, ndtri(raw / 2) * math.sqrt((groups - 1) / groups)))
