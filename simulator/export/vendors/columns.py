"""Column operations that the vendors' schemas share: instants as text, ids made from ids, ranges of lists, structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.ids import UUID_LENGTH, uuids
from simulator.export.products import product_facts
from simulator.export.reading import nullable
from simulator.runfolder.jsontext import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_DASHES = (8, 13, 18, 23)
_HEX = np.array([index for index in range(UUID_LENGTH) if index not in _DASHES])
_NIBBLE = np.zeros(256, np.uint64)
_NIBBLE[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_SHIFTS = np.arange(60, -1, -4, dtype=np.uint64)


def iso_text(at_us: NDArray[np.int64], unit: str = "ms") -> pa.Array:
    """Return instants, in microseconds since 1970, as RFC 3339 text in UTC, cut to `ms` or `us`."""
    divisor = {"ms": 1_000, "us": 1}[unit]
    arrow = pa.array(at_us // divisor).cast(pa.timestamp(unit)).cast(pa.string())
    if not len(arrow):
        return arrow
    plain = np.frombuffer(arrow.buffers()[2], np.uint8)
    width = len(plain) // len(arrow)
    assert len(plain) == width * len(arrow), "years have four digits"
    text = np.empty((len(arrow), width + 1), np.uint8)
    text[:, :-1] = plain.reshape(len(arrow), width)
    text[:, 10], text[:, -1] = ord("T"), ord("Z")
    return fixed_text(text)


def fixed_text(text: NDArray[np.uint8]) -> pa.Array:
    """Return rows of ASCII bytes, all of one length, as strings."""
    offsets = np.arange(len(text) + 1, dtype=np.int32) * text.shape[1]
    return pa.StringArray.from_buffers(len(text), pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))


def ids_from(seed: int, kind: str, ids: pa.Array, *columns: NDArray[Any]) -> pa.Array:
    """Return UUIDs that follow from other UUIDs: equal ids, such as a duplicate's, give equal ids."""
    if not len(ids):
        return pa.array([], pa.string())
    start = ids.offset * UUID_LENGTH
    raw = np.frombuffer(ids.buffers()[2], np.uint8)[start : start + len(ids) * UUID_LENGTH]
    nibbles = _NIBBLE[raw.reshape(-1, UUID_LENGTH)[:, _HEX]]
    high, low = ((nibbles[:, half] << _SHIFTS).sum(axis=1) for half in (slice(0, 16), slice(16, 32)))
    return uuids(seed, kind, high.view(np.int64), low.view(np.int64), *columns)


def lists(rows: NDArray[np.int64], total: int, values: pa.Array) -> pa.ListArray:
    """Return values, which stand in the order of the `rows` they belong to, as one list for each of `total` rows."""
    lengths = np.bincount(rows, minlength=total)
    return pa.ListArray.from_arrays(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32), values)


def struct(columns: Mapping[str, Any], missing: NDArray[np.bool_] | None = None) -> pa.StructArray:
    """Return columns as one struct column, null where `missing`."""
    arrays = [column if isinstance(column, pa.Array) else pa.array(column) for column in columns.values()]
    mask = pa.array(missing) if missing is not None and missing.any() else None
    return pa.StructArray.from_arrays(arrays, list(columns), mask=mask)


def labelled(columns: Mapping[str, Any], meanings: Mapping[str, str]) -> pa.Table:
    """Return columns as a table whose schema holds the meaning of each, and that their nulls are absent in JSON."""
    arrays = [column if isinstance(column, pa.Array) else pa.array(column) for column in columns.values()]
    fields = [
        pa.field(name, array.type, metadata={"meaning": meanings[name]})
        for name, array in zip(columns, arrays, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=ABSENT))


def named(codes: NDArray[Any], words: Sequence[str | None]) -> pa.Array:
    """Return one of a few words a row by code; null where the code is negative or the word is None."""
    numbers = np.asarray(codes).astype(np.int32)
    return pa.array(words, pa.string()).take(pa.array(numbers, mask=numbers < 0))


def where(present: NDArray[np.bool_], values: Any) -> pa.Array:  # noqa: ANN401 - numpy or arrow
    """Return the values, null where not present."""
    if isinstance(values, np.ndarray):
        return nullable(values, present)
    return pc.if_else(pa.array(present), values, None)


def spread(present: NDArray[np.bool_], values: pa.Array) -> pa.Array:
    """Return values, of which there is one for each present row, at their rows; null elsewhere."""
    place = np.cumsum(present, dtype=np.int32) - 1
    return values.take(pa.array(place, mask=~present))


def fact(product: NDArray[np.int64], name: str) -> pa.Array:
    """Return a fact of each product (a column of `product_facts`, or `price` in whole units of the currency)."""
    facts, product = product_facts(), np.maximum(product, 0)
    if name == "price":
        return pa.array(facts["price_cents"].to_numpy()[product] / 100)
    return facts[name].combine_chunks().take(pa.array(product))
