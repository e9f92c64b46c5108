"""Outcomes by load time in narrow bins, by shopper: what curves are fitted to, and drawn anew a thousand times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from simulator.analysis.influence import groups_of
from simulator.analysis.resampling import MOST_GROUPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins at `load_s` (B,), ascending, the mean load of each; sparse (shoppers, B) sums of rows and of outcomes.

    More than MOST_GROUPS shoppers are put together in so many groups, which is as right and bounds the work.
    """

    load_s: NDArray[np.float64]
    rows: Any
    outcomes: Any

    @property
    def shoppers(self) -> int:
        """The number of shoppers, or groups of them."""
        return int(self.rows.shape[0])

    @property
    def counts(self) -> NDArray[np.float64]:
        """The rows of each bin."""
        return np.asarray(self.rows.sum(0), np.float64)

    @property
    def sums(self) -> NDArray[np.float64]:
        """The outcomes of each bin, summed."""
        return np.asarray(self.outcomes.sum(0), np.float64)


def binned(load_s: Floats, outcome: Floats, clusters: NDArray[np.int64], bins: int) -> Bins:
    """Return at most `bins` bins of equal size; equal loads stay together."""
    edges = np.unique(np.quantile(load_s, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    place = np.searchsorted(edges, load_s, side="left")
    used, place = np.unique(place, return_inverse=True)
    counts = np.bincount(place, minlength=len(used))
    middles = np.bincount(place, load_s, len(used)) / counts
    _, group = groups_of(clusters)
    group = group % MOST_GROUPS
    shape = (int(group.max()) + 1, len(used))
    rows = csr_array((np.ones(len(place)), (group, place)), shape=shape)
    return Bins(middles, rows, csr_array((outcome, (group, place)), shape=shape))


def redrawn(bins: Bins, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Return (resamples, B) rows and outcomes had other shoppers come (the cluster bootstrap)."""
    groups = bins.shoppers
    rng = np.random.default_rng(seed)
    counts, sums = np.empty((resamples, len(bins.load_s))), np.empty((resamples, len(bins.load_s)))
    for begin in range(0, resamples, 128):
        end = min(begin + 128, resamples)
        drawn = rng.integers(0, groups, (end - begin, groups)) + groups * np.arange(end - begin)[:, None]
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        counts[begin:end], sums[begin:end] = times @ bins.rows, times @ bins.outcomes
    return counts, sums
