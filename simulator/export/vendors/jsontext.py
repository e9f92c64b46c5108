"""JSON put together as text, a column at a time: for schemas in which a field that says nothing must not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """Return a value as JSON."""
    return orjson.dumps(value).decode()


def texts(values: Iterable[Any]) -> pa.Array:
    """Return values as a column of JSON; None is null."""
    return pa.array([None if value is None else text(value) for value in values], pa.string())


def joined(*pieces: pa.Array | str) -> pa.Array:
    """Return the pieces put together in each row; null where one is."""
    return pc.binary_join_element_wise(*pieces, "")


def optional(*pieces: pa.Array | str) -> pa.Array:
    """Return the pieces put together, empty where one is null: a field that may be absent, with its comma."""
    return pc.fill_null(joined(*pieces), "")


def where(present: NDArray[np.bool_], *pieces: pa.Array | str) -> pa.Array:
    """Return the pieces put together, empty where not `present`."""
    return pc.if_else(pa.array(present), joined(*pieces), "")


def number(values: NDArray[Any] | pa.Array) -> pa.Array:
    """Return whole numbers as text."""
    return pc.cast(values if isinstance(values, pa.Array) else pa.array(values), pa.string())


def cents(values: NDArray[np.int64]) -> pa.Array:
    """Return hundredths as a decimal number with two places, exactly."""
    rest = number(values % 100)
    return joined(number(values // 100), ".", pc.utf8_lpad(rest, 2, "0"))


def array(count: NDArray[np.int64], values: pa.Array) -> pa.Array:
    """Return JSON arrays of the values in order, `count` of them in each row."""
    offsets = np.zeros(len(count) + 1, np.int32)
    np.cumsum(count, out=offsets[1:])
    return joined("[", pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), values), ","), "]")


def rfc3339(at_us: NDArray[np.int64]) -> pa.Array:
    """Return instants since 1970 as RFC 3339, UTC, to the microsecond."""
    return joined(pc.strftime(pa.array(at_us, pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%S"), "Z")
