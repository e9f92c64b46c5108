"""Columns of arrow tables, replaced without losing what the schema says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


def put_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """Return the table with a column's values replaced; its field stays as it is."""
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)


def put(table: pa.Table, **columns: NDArray[np.int64] | NDArray[np.int32]) -> pa.Table:
    """Return the table with several columns of numbers replaced."""
    for name, values in columns.items():
        table = put_column(table, name, pa.array(values))
    return table


def codes(column: pa.ChunkedArray, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the position in `names` of each value of a column of names without nulls."""
    whole = (column if pa.types.is_dictionary(column.type) else column.dictionary_encode()).combine_chunks()
    index = np.array([names.index(name) for name in whole.dictionary.to_pylist()], np.int64)
    found: NDArray[np.int64] = index[whole.indices.to_numpy()]
    return found


def blanked(column: pa.ChunkedArray, blank: NDArray[np.bool_]) -> pa.Array:
    """Return a column with nulls where `blank`, and where there were any."""
    values = column.combine_chunks()
    absent = blank | ~pc.is_valid(values).to_numpy(zero_copy_only=False)
    if isinstance(values, pa.DictionaryArray):
        indices = pa.array(values.indices.fill_null(0).to_numpy(), mask=absent)
        return pa.DictionaryArray.from_arrays(indices, values.dictionary)
    return pa.array(values.fill_null(0).to_numpy(zero_copy_only=False), mask=absent)
