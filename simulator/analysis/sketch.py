"""Quantiles of any number of values in little memory: histograms whose bins are 1 % wide.

A value is off by half a bin at most, 0.5 %; the idea is DDSketch's (Masson, Rim and Lee 2019).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

RATIO = 1.01
LOG = math.log(RATIO)
LEAST, LARGEST = 1e3, 1e13
"""µs; what is below a millisecond counts as 0, what is above about a hundred days as that."""
BINS = 2 + math.floor(math.log(LARGEST / LEAST) / LOG)


class Sketches:
    """A histogram for each of a growing number of groups. Values are microseconds, from `LEAST` to `LARGEST`."""

    def __init__(self) -> None:
        self._counts = np.zeros((0, BINS), np.int64)

    def add(self, groups: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Count values, each in its group."""
        if not len(groups):
            return
        logs = np.log(np.clip(values.astype(np.float64), LEAST, LARGEST) / LEAST) / LOG
        bins = np.where(values < LEAST, 0, 1 + np.floor(logs).astype(np.int64))
        rows = max(int(groups.max()) + 1, len(self._counts))
        found = np.bincount(groups * BINS + bins, minlength=rows * BINS).reshape(rows, BINS)
        found[: len(self._counts)] += self._counts
        self._counts = found

    def count(self, group: int) -> int:
        """Return how many values a group has."""
        return int(self._of(group).sum())

    def quantiles(self, group: int, shares: tuple[float, ...]) -> list[float | None]:
        """Return values that these shares of a group are not above; None without values."""
        counts = self._of(group)
        total = counts.sum()
        if total == 0:
            return [None] * len(shares)
        below = np.cumsum(counts)
        places = [int(np.searchsorted(below, max(1, math.ceil(share * total - 1e-9)))) for share in shares]
        return [0.0 if place == 0 else LEAST * RATIO ** (place - 0.5) for place in places]

    def _of(self, group: int) -> NDArray[np.int64]:
        counts: NDArray[np.int64] = self._counts[group] if group < len(self._counts) else np.zeros(BINS, np.int64)
        return counts


class Grid:
    """Sums by two growing numbers, rows × columns."""

    def __init__(self) -> None:
        self.values = np.zeros((0, 0))

    def add(self, rows: NDArray[np.int64], columns: NDArray[np.int64], weights: NDArray[Any] | None = None) -> None:
        """Add weights (or ones) at places; none is negative."""
        if not len(rows):
            return
        height = max(int(rows.max()) + 1, self.values.shape[0])
        width = max(int(columns.max()) + 1, self.values.shape[1])
        if (height, width) != self.values.shape:
            # Twice as wide as needed where it grows, so that a long run does not copy it at each batch.
            wide = width if width == self.values.shape[1] else max(width, 2 * self.values.shape[1])
            grown = np.zeros((height, wide))
            grown[: self.values.shape[0], : self.values.shape[1]] = self.values
            self.values = grown
        size = self.values.size
        found = np.bincount(rows * self.values.shape[1] + columns, weights, minlength=size)
        self.values += found.reshape(self.values.shape)

    def row(self, row: int) -> NDArray[np.float64]:
        """Return one row; nothing was added to a row that is not there."""
        if row < len(self.values):
            found: NDArray[np.float64] = self.values[row]
            return found
        return np.zeros(self.values.shape[1])

    def at(self, row: int, column: int) -> float:
        """Return one sum."""
        inside = row < self.values.shape[0] and column < self.values.shape[1]
        return float(self.values[row, column]) if inside else 0.0
