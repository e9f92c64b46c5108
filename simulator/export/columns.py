"""Columns of arrow tables, replaced without losing what the schema says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray


def put_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """Return the table with a column's values replaced; its field stays as it is."""
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)


def put(table: pa.Table, **columns: NDArray[np.int64] | NDArray[np.int32]) -> pa.Table:
    """Return the table with several columns of numbers replaced."""
    for name, values in columns.items():
        table = put_column(table, name, pa.array(values))
    return table


def may_be_empty(table: pa.Table, names: Collection[str], *, may: bool = True) -> pa.Table:
    """Return the table with columns that its schema lets be null from now on, or no longer."""
    fields = [field.with_nullable(may) if field.name in names else field for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, table.schema.metadata))


def codes(column: pa.ChunkedArray, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the position in `names` of each value of a column of names. Raises `ValueError` for any other and null."""
    found = places(column, names)
    if (found < 0).any():
        raise ValueError(f"a column of names holds one that is none of {', '.join(names)}")
    return found


def places(column: pa.ChunkedArray, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the position in `names` of each value of a column of names; −1 for null and for what is not among them."""
    whole = column.combine_chunks()
    if not isinstance(whole, pa.DictionaryArray):
        whole = whole.dictionary_encode()
    place = {name: number for number, name in enumerate(names)}
    known = np.array([*(place.get(word, -1) for word in whole.dictionary.to_pylist()), -1], np.int64)
    found: NDArray[np.int64] = known[pc.fill_null(whole.indices, len(whole.dictionary)).to_numpy().astype(np.int64)]
    return found


def blanked(column: pa.ChunkedArray, blank: NDArray[np.bool_]) -> pa.Array:
    """Return a column with nulls where `blank`, and where there were any."""
    values = column.combine_chunks()
    absent = blank | ~pc.is_valid(values).to_numpy(zero_copy_only=False)
    if isinstance(values, pa.DictionaryArray):
        indices = pa.array(values.indices.fill_null(0).to_numpy(), mask=absent)
        return pa.DictionaryArray.from_arrays(indices, values.dictionary)
    return pa.array(values.fill_null(0).to_numpy(zero_copy_only=False), mask=absent)
