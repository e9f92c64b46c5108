"""Sums over clusters in one pass over rows that stand by cluster: the inner loops of estimates, compiled.

A report asks for thousands of figures of millions of rows, and numpy would write an array of them at every step.
Nothing compiled here calls anything of another file (see `simulator.model.compiled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.model.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

UNSORTED = -1
"""The number of clusters that a pass returns when rows do not stand by cluster."""


@compiled
def squares(values: Floats, clusters: Ints, middle: float, weights: Floats | None) -> tuple[float, float, int]:
    """Return Σ over clusters of (Σ weight · residual)², Σ weight · residual², and the number of clusters.

    All arrays are (n,); residuals are from `middle`, and without weights each counts one.
    """
    together, alone, inside, groups = 0.0, 0.0, 0.0, 0
    for row in range(len(values)):
        if row == 0 or clusters[row] != clusters[row - 1]:
            if row > 0 and clusters[row] < clusters[row - 1]:
                return 0.0, 0.0, UNSORTED
            together += inside * inside
            inside = 0.0
            groups += 1
        residual = values[row] - middle
        weight = 1.0 if weights is None else weights[row]
        inside += weight * residual
        alone += weight * residual * residual
    return together + inside * inside, alone, groups


@compiled
def counts_of_hits(hits: Flags, clusters: Ints) -> tuple[int, int, int, int, int]:
    """Return the hits h, and over clusters Σ h², Σ h·n and Σ n² with n rows each, and the number of clusters."""
    total, squares, mixed, sizes, groups = 0, 0, 0, 0, 0
    own, size = 0, 0
    for row in range(len(hits)):
        if row == 0 or clusters[row] != clusters[row - 1]:
            if row > 0 and clusters[row] < clusters[row - 1]:
                return 0, 0, 0, 0, UNSORTED
            total += own
            squares += own * own
            mixed += own * size
            sizes += size * size
            own, size = 0, 0
            groups += 1
        own += hits[row]
        size += 1
    return total + own, squares + own * own, mixed + own * size, sizes + size * size, groups


@compiled
def count_clusters(clusters: Ints) -> int:
    """Return how many clusters there are, or `UNSORTED`."""
    groups = 0
    for row in range(len(clusters)):
        if row == 0 or clusters[row] != clusters[row - 1]:
            if row > 0 and clusters[row] < clusters[row - 1]:
                return UNSORTED
            groups += 1
    return groups


@compiled
def limit_shares(seen: Flags) -> Floats:
    """Return the product-limit share that is over by each row, rows standing by time, `seen` (n,) False where cut."""
    shares, left = np.empty(len(seen)), 1.0
    for row in range(len(seen)):
        if seen[row]:
            left *= 1.0 - 1.0 / (len(seen) - row)
        shares[row] = 1.0 - left
    return shares
