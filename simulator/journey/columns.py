"""Structured rows as columns, each contiguous: what arrow takes without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[Any] | Mapping[str, NDArray[Any]]
    """Structured rows, or their columns by name: both give a column by its name."""

BLOCK = 8_192
"""Rows turned into columns at a time: they stay in the processor's cache while each column takes its part."""


class Gathered:
    """Columns of structured rows that come block by block; `rows` is a guess at how many there will be."""

    def __init__(self, dtype: np.dtype[Any], rows: int) -> None:
        names = [name for name in dtype.names or () if not dtype[name].shape]
        self._columns = {name: np.empty(rows, dtype[name]) for name in names}
        self._room, self._used = rows, 0

    def add(self, rows: NDArray[Any]) -> None:
        """Append rows."""
        end = self._used + len(rows)
        if end > self._room:
            self._room = max(2 * self._room, end)
            self._columns = {name: np.resize(column, self._room) for name, column in self._columns.items()}
        for name, column in self._columns.items():
            column[self._used : end] = rows[name]
        self._used = end

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return what was added, by name."""
        return {name: column[: self._used] for name, column in self._columns.items()}


def columns_of(rows: Rows) -> dict[str, NDArray[Any]]:
    """Return rows as contiguous columns; those that are columns already as they are."""
    if not isinstance(rows, np.ndarray):
        return dict(rows)
    gathered = Gathered(rows.dtype, len(rows))
    for begin in range(0, len(rows), BLOCK):
        gathered.add(rows[begin : begin + BLOCK])
    return gathered.columns()
