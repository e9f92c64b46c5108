"""What parts of a data set read of the three tables, as plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from simulator.export.source import Source
    from simulator.journey.tables import Column


def codes(table: pa.Table, name: str) -> NDArray[np.int64]:
    """Return a dictionary column's codes, −1 for null."""
    found: NDArray[np.int64] = table[name].combine_chunks().indices.fill_null(-1).to_numpy().astype(np.int64)
    return found


def words(table: pa.Table, name: str) -> list[str]:
    """Return what a dictionary column's codes stand for."""
    return list(table[name].combine_chunks().dictionary.to_pylist())


def flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    """Return a column of booleans."""
    return np.asarray(table[name].to_numpy(), np.bool_)


def is_word(table: pa.Table, name: str, word: str) -> NDArray[np.bool_]:
    """Return where a dictionary column holds a word."""
    known = words(table, name)
    return np.asarray(codes(table, name) == (known.index(word) if word in known else len(known)))


def seen(events: pa.Table) -> NDArray[np.bool_]:
    """Return which pages came, and well, before the shopper gave up: only those have an effect."""
    return flags(events, "ok") & ~is_word(events, "cause", "impatient")


def visit_of_event(source: Source) -> NDArray[np.int64]:
    """Return the row of the visit each event belongs to; both tables stand in the same order."""
    pages = source.visits["pages"].to_numpy()
    return np.repeat(np.arange(len(pages)), pages)


def place_of(source: Source, shoppers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of shoppers in the shoppers' table."""
    return np.searchsorted(source.shoppers["shopper"].to_numpy(), shoppers)


def nullable(values: NDArray[Any], valid: NDArray[np.bool_]) -> pa.Array:
    """Return the values, null where not valid."""
    return pa.array(values, mask=None if valid.all() else ~valid)


def made(columns: Sequence[Column], values: Mapping[str, Any]) -> pa.Table:
    """Return a table of these columns; each field's metadata holds its meaning."""
    schema = pa.schema([pa.field(c.name, c.type, metadata={"meaning": c.meaning}) for c in columns])
    return pa.table([_typed(values[c.name], c.type) for c in columns], schema=schema)


def named(values: NDArray[np.int64], known: Sequence[str]) -> pa.DictionaryArray:
    """Return codes as a dictionary column of those words."""
    return pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int8)), pa.array(list(known), pa.string()))


def _typed(values: Any, kind: pa.DataType) -> pa.Array:  # noqa: ANN401 - numpy or arrow
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return array if array.type == kind else pc.cast(array, kind)
