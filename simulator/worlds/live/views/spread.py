"""How values spread, in little memory and with next to no work a value: counts of cells that are 2 % wide.

A quantile is off by at most 1 %. That is for looking while a run goes on; what a run is judged by are its histograms.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RATIO = 1.02
_PER_LOG = 1 / log(RATIO)
LARGEST_US = 10**11
"""28 hours; what is more counts as that."""
CELLS = int(log(LARGEST_US) * _PER_LOG) + 2


class Spread:
    """Durations in microseconds; cell 0 holds what is less than 1, cell i from `RATIO`^(i−1) to `RATIO`^i."""

    __slots__ = ("cells", "total_us")

    def __init__(self, cells: Mapping[int, int] | None = None, total_us: int = 0) -> None:
        self.cells: dict[int, int] = dict(cells or {})
        self.total_us = total_us

    def add(self, value_us: int) -> None:
        """Count a value."""
        cell = 1 + int(log(min(value_us, LARGEST_US)) * _PER_LOG) if value_us >= 1 else 0
        self.cells[cell] = self.cells.get(cell, 0) + 1
        self.total_us += value_us

    def merge(self, other: Spread) -> None:
        """Count the values of another as well."""
        for cell, count in other.cells.items():
            self.cells[cell] = self.cells.get(cell, 0) + count
        self.total_us += other.total_us

    def since(self, before: Spread) -> Spread:
        """Return the values that were added since it was as `before`."""
        added = {cell: count - before.cells.get(cell, 0) for cell, count in self.cells.items()}
        return Spread({cell: count for cell, count in added.items() if count}, self.total_us - before.total_us)

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.cells.values())

    def quantile_s(self, share: float) -> float | None:
        """Return the seconds that a share of the values is not above, or None without values."""
        if not self.cells:
            return None
        cells = sorted(self.cells)
        below = np.cumsum([self.cells[cell] for cell in cells])
        cell = cells[int(np.searchsorted(below, max(1.0, share * float(below[-1]) - 1e-9)))]
        return 0.0 if cell == 0 else RATIO ** (cell - 0.5) / 1e6

    def below_s(self, bounds_s: Sequence[float]) -> list[int]:
        """Return how many values are at most each bound, to the cell that the bound lies in."""
        cells = np.array(sorted(self.cells), np.int64)
        counts = np.cumsum([self.cells[int(cell)] for cell in cells])
        edges = [1 + int(log(bound_s * 1e6) * _PER_LOG) for bound_s in bounds_s]
        places = np.searchsorted(cells, edges, side="left")
        return [int(counts[place - 1]) if place else 0 for place in places]


def merged(spreads: Iterable[Spread]) -> Spread:
    """Return all values together."""
    whole = Spread()
    for one in spreads:
        whole.merge(one)
    return whole
