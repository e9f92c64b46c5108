"""Columns of a run's tables as numpy arrays, each converted once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of names: `codes` are positions in `names`, -1 where there is none.

    Codes are as short as they were stored; whoever calculates with them makes them long first.
    """

    codes: NDArray[np.signedinteger[Any]]
    names: tuple[str, ...]

    def are(self, name: str) -> NDArray[np.bool_]:
        """Return where the column says `name`; nowhere when no row does."""
        here: NDArray[np.bool_] = self.codes == (self.names.index(name) if name in self.names else -2)
        return here

    def counts(self) -> dict[str, int]:
        """Return the rows of each name that occurs."""
        known = self.codes if not len(self.codes) or self.codes.min() >= 0 else self.codes[self.codes >= 0]
        found = np.bincount(known, minlength=len(self.names))
        return {name: int(count) for name, count in zip(self.names, found, strict=True) if count}

    def take(self, rows: slice | NDArray[Any]) -> Labels:
        """Return the labels of `rows` (all, positions or a mask)."""
        return Labels(self.codes[rows], self.names)


class Frame:
    """A table of a run, as it was read in `table`. Columns come out whole, in the table's order."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table.unify_dictionaries().combine_chunks()
        self._made: dict[tuple[str, str], Any] = {}

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.table.column_names)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column as floating point; null is NaN."""
        return self._once("numbers", column, _floats)

    def integers(self, column: str) -> NDArray[np.int64]:
        """Return a column without nulls as integers."""
        return self._once("integers", column, lambda values: values.to_numpy().astype(np.int64))

    def flags(self, column: str) -> NDArray[np.bool_]:
        """Return a column of truth values; null is False."""
        return self._once("flags", column, lambda values: pc.fill_null(values, False).to_numpy().astype(np.bool_))

    def present(self, column: str) -> NDArray[np.bool_]:
        """Return where a column is not null."""
        return self._once("present", column, lambda values: pc.is_valid(values).to_numpy().astype(np.bool_))

    def labels(self, column: str) -> Labels:
        """Return a column of names."""
        return self._once("labels", column, _labels)

    def values(self, column: str) -> list[Any]:
        """Return a column as Python values."""
        return self._once("values", column, lambda values: values.to_pylist())

    def _once(self, kind: str, column: str, make: Callable[[pa.ChunkedArray], Made]) -> Made:
        if (kind, column) not in self._made:
            self._made[kind, column] = make(self.table.column(column))
        made: Made = self._made[kind, column]
        return made


class LateFrame(Frame):
    """A table that is read when it is first looked at, and not before."""

    def __init__(self, read: Callable[[], pa.Table]) -> None:
        self._read = read
        self._made: dict[tuple[str, str], Any] = {}

    @cached_property
    def table(self) -> pa.Table:
        """The whole table."""
        return self._read().unify_dictionaries().combine_chunks()

    @property
    def is_read(self) -> bool:
        """Whether anybody has looked at it."""
        return "table" in self.__dict__


def _floats(values: pa.ChunkedArray) -> NDArray[np.float64]:
    floats: NDArray[np.float64] = pc.fill_null(pc.cast(values, pa.float64()), float("nan")).to_numpy()
    return floats


def _labels(values: pa.ChunkedArray) -> Labels:
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    if encoded.num_chunks == 0:
        return Labels(np.zeros(0, np.int64), ())
    whole = encoded.chunk(0)
    # The index of a dictionary is signed in every table that is written here.
    short = whole.indices if pa.types.is_signed_integer(whole.indices.type) else whole.indices.cast(pa.int64())
    codes = pc.fill_null(short, -1).to_numpy(zero_copy_only=False)
    return Labels(codes, tuple(map(str, whole.dictionary.to_pylist())))


def without_repeats(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return keys without those that stand twice in a row."""
    return keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys


def among(values: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of the values are among the known ones, both (mostly) ascending as tables stand: a search each."""
    if not len(known):
        return np.zeros(len(values), np.bool_)
    if np.any(known[1:] < known[:-1]):
        known = np.sort(known)
    places = np.searchsorted(known, values)
    found: NDArray[np.bool_] = known[np.minimum(places, len(known) - 1)] == values
    return found
