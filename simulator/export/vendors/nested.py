"""Nested arrow columns made of whole numpy columns: structs, and lists of key and value."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.export.reading import nullable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

KINDS = {"string": pa.string(), "int": pa.int64(), "float": pa.float64(), "double": pa.float64()}
"""The typed values of a GA4 parameter; `float` is never used, by GA4 neither."""


class Param(NamedTuple):
    """A parameter: which rows have it, and its value in every row; for strings `value` is the place in `words`."""

    key: str
    kind: str
    present: NDArray[np.bool_]
    value: NDArray[Any]
    words: pa.Array | None = None


def struct(
    fields: pa.StructType, rows: int, given: dict[str, Any], present: NDArray[np.bool_] | None = None
) -> pa.Array:
    """Return a column of `fields`; those not given are null, and so is the whole where not `present`."""
    arrays = [_column(given.get(field.name), field.type, rows) for field in fields]
    absent = None if present is None or present.all() else pa.array(~present)
    return pa.StructArray.from_arrays(arrays, fields=list(fields), mask=absent)


def _column(given: Any, kind: pa.DataType, rows: int) -> pa.Array:  # noqa: ANN401 - numpy, arrow, one value or nothing
    if given is None:
        return nothing(rows, kind)
    if isinstance(given, str):
        return pa.repeat(pa.scalar(given, kind), rows)
    return given if isinstance(given, pa.Array) else pa.array(given, kind)


def nothing(rows: int, kind: pa.DataType) -> pa.Array:
    """Return a column of nulls. All such columns share one buffer of zeros, for most fields of a vendor are empty."""
    zeros = _zeros(1 << (8 * (rows + 1)).bit_length())
    if pa.types.is_struct(kind):
        inner = [nothing(rows, field.type) for field in kind]
        return pa.Array.from_buffers(kind, rows, [zeros], children=inner)
    buffers = [zeros, zeros, zeros] if pa.types.is_string(kind) else [zeros, zeros]
    return pa.Array.from_buffers(kind, rows, buffers)


@lru_cache(2)
def _zeros(size: int) -> pa.Buffer:
    return pa.py_buffer(bytes(size))


def taken(words: pa.Array, places: NDArray[Any], present: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return the words at `places`, null where not `present` or where the place is negative."""
    absent = places < 0 if present is None else ~present | (places < 0)
    return words.take(pa.array(places, mask=absent if absent.any() else None))


def lists(count: NDArray[np.int64], values: pa.Array, kind: pa.ListType) -> pa.Array:
    """Return lists of the values in order, `count` of them in each row."""
    offsets = np.zeros(len(count) + 1, np.int32)
    np.cumsum(count, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=kind)


def key_values(params: Sequence[Param], kind: pa.ListType, extra: dict[str, NDArray[Any]] | None = None) -> pa.Array:
    """Return a list of (key, typed value) for each row, in the order of `params`.

    `extra` are further fields of the value with one number a row, such as the time when it was set.
    """
    present = np.stack([param.present for param in params])
    count = present.sum(axis=0)
    begin = (np.cumsum(count) - count).astype(np.int32)
    before = np.zeros(len(count), np.int8)
    total = int(count.sum())
    key = np.empty(total, np.int32)
    values = {
        name: np.zeros(total, of) for name, of in (("string", np.int32), ("int", np.int64), ("double", np.float64))
    }
    which = np.empty(total, np.int8)
    pool, used = [], 0
    for number, param in enumerate(params):
        here = begin[param.present] + before[param.present]
        before += param.present
        key[here] = number
        value = param.value[param.present]
        if param.words is not None:
            value, used = value + used, used + len(param.words)
            pool.append(param.words)
        values[param.kind][here] = value
        which[here] = _KIND[param.kind]
    words = pa.concat_arrays(pool) if pool else pa.array([], pa.string())
    fields: dict[str, Any] = {
        "string_value": taken(words, values["string"], which == _KIND["string"]),
        "int_value": nullable(values["int"], which == _KIND["int"]),
        "double_value": nullable(values["double"], which == _KIND["double"]),
    }
    fields |= {name: np.repeat(column, count) for name, column in (extra or {}).items()}
    item = kind.value_type
    value = struct(item.field("value").type, total, fields)
    keys = pa.array([param.key for param in params], pa.string()).take(pa.array(key))
    return lists(count, pa.StructArray.from_arrays([keys, value], fields=list(item)), kind)


_KIND = {name: code for code, name in enumerate(KINDS)}
