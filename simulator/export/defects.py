"""The list of what is wrong with a delivery, and the repair that undoes all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.columns import may_be_empty, put_column
from simulator.journey.tables import SCHEMAS

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("dropped", "late", "clock", "out_of_order", "null", "natural_duplicate", "synthetic_duplicate")
_CODE = pa.dictionary(pa.int8(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), metadata={"meaning": "truth: which event"}),
        pa.field("kind", _CODE, metadata={"meaning": f"truth: what is wrong: {', '.join(KINDS)}"}),
        pa.field(
            "amount_us",
            pa.int64(),
            metadata={
                "meaning": "truth: late: sent this much later; clock: the device's clock is this much ahead; "
                "out_of_order and duplicates: arrives this much later than it would, or than its original; "
                "null for the others"
            },
        ),
        pa.field("received_at_us", pa.int64(), metadata={"meaning": "truth: of a duplicate, when the copy arrived"}),
        pa.field("column", pa.string(), metadata={"meaning": "truth: of a null, the column that came empty"}),
        pa.field("was", pa.string(), metadata={"meaning": "truth: of a null, the value that it should have, as text"}),
    ]
)


class Defects:
    """Collects the defects of one delivery."""

    def __init__(self) -> None:
        self._parts: list[pa.Table] = []

    def add(self, kind: str, ids: pa.ChunkedArray, amounts_us: NDArray[np.int64] | None = None) -> None:
        """Note the events whose amount is not zero; all of them where there are no amounts."""
        if amounts_us is None:
            self._note(kind, ids)
            return
        there = pa.array(amounts_us != 0)
        self._note(kind, ids.filter(there), amount_us=pa.array(amounts_us).filter(there))

    def add_nulls(self, column: str, events: pa.Table) -> None:
        """Note that `column` comes empty in `events`, which still have their values."""
        was = _text(events[column])
        self._note("null", events["event_id"], column=pa.array([column] * len(events), pa.string()), was=was)

    def add_copies(self, kind: str, copies: pa.Table, after_us: NDArray[np.int64]) -> None:
        """Note copies that arrive `after_us` later than their originals."""
        self._note(kind, copies["event_id"], amount_us=pa.array(after_us), received_at_us=copies["received_at_us"])

    def table(self) -> pa.Table:
        """Return all of them, by kind in the order of `KINDS`, then by event as the events arrive or would have."""
        return pa.concat_tables([SCHEMA.empty_table(), *self._parts]).combine_chunks()

    def _note(self, kind: str, ids: pa.ChunkedArray, **columns: Any) -> None:  # noqa: ANN401 - arrow arrays
        rows = len(ids)
        codes = pa.array(np.full(rows, KINDS.index(kind), np.int8))
        made = {"event_id": ids, "kind": pa.DictionaryArray.from_arrays(codes, pa.array(KINDS)), **columns}
        arrays = [made.get(field.name, pa.nulls(rows, field.type)) for field in SCHEMA]
        self._parts.append(pa.Table.from_arrays(arrays, schema=SCHEMA))


def repaired(delivered: pa.Table, defects: pa.Table, lost: pa.Table) -> pa.Table:
    """Return the delivery as it would have been if nothing had gone wrong, in the order of the events.

    Copies are left out, nulls filled in, clocks set right, lost events put back and all waits undone. The tables are
    those of one data set, `delivered`, `truth_defects` and `truth_lost`, whole or of one shard.
    """
    rows = _without_copies(delivered, defects)
    for column in _of_kind(defects, "null")["column"].unique().to_pylist():
        rows = _filled(rows, column, defects)
    skew = _amounts(rows["event_id"], _of_kind(defects, "clock"))
    rows = put_column(rows, "at_us", pc.subtract(rows["at_us"], skew))
    rows = pa.concat_tables([rows, lost.cast(rows.schema)]).unify_dictionaries()
    at_us = rows["at_us"]
    travel = pc.multiply(rows["rtt_ms"].cast(pa.float32()), pa.scalar(500.0, pa.float32()))
    arrived = pc.add(at_us, pc.trunc(travel).cast(pa.int64()))
    for name, values in {"device_at_us": at_us, "sent_at_us": at_us, "received_at_us": arrived}.items():
        rows = put_column(rows, name, values)
    arm = rows["arm"].combine_chunks().indices.to_numpy()
    order = np.lexsort([rows["step"].to_numpy(), arm, rows["visit"].to_numpy(), rows["shopper"].to_numpy()])
    always = {field.name for field in SCHEMAS["events"] if not field.nullable}
    return may_be_empty(rows.take(order).combine_chunks(), always, may=False)


def _of_kind(defects: pa.Table, *kinds: str) -> pa.Table:
    return defects.filter(pc.is_in(_text(defects["kind"]), pa.array(kinds)))


def _without_copies(delivered: pa.Table, defects: pa.Table) -> pa.Table:
    """Return the rows that are no copies: a copy is told from its original by when it arrived."""
    copies = _of_kind(defects, "natural_duplicate", "synthetic_duplicate")
    place = pc.index_in(delivered["event_id"], copies["event_id"].combine_chunks())
    is_copy = pc.equal(delivered["received_at_us"], copies["received_at_us"].combine_chunks().take(place))
    return delivered.filter(pc.invert(pc.fill_null(is_copy, False)))


def _filled(rows: pa.Table, column: str, defects: pa.Table) -> pa.Table:
    nulls = _of_kind(defects, "null")
    nulls = nulls.filter(pc.equal(nulls["column"], column))
    place = pc.index_in(rows["event_id"], nulls["event_id"].combine_chunks())
    was = nulls["was"].combine_chunks().take(place.combine_chunks())
    values = rows[column].unify_dictionaries().combine_chunks()
    if not isinstance(values, pa.DictionaryArray):
        return put_column(rows, column, pc.coalesce(values, was.cast(values.type)))
    codes = pc.index_in(was, values.dictionary).cast(values.indices.type)
    return put_column(
        rows, column, pa.DictionaryArray.from_arrays(pc.coalesce(values.indices, codes), values.dictionary)
    )


def _amounts(ids: pa.ChunkedArray, listed: pa.Table) -> pa.ChunkedArray:
    """Return the listed amount of each event, 0 where it is not listed."""
    place = pc.index_in(ids, listed["event_id"].combine_chunks())
    return pc.fill_null(listed["amount_us"].combine_chunks().take(place.combine_chunks()), 0)


def _text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values as text that reads back to the same value."""
    decoded = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    return decoded.cast(pa.string())
