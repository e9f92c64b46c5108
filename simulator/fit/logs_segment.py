"""Segment's calls as JSON Lines (or Parquet): track, page, screen.

Fields: segmentio/segment-docs, src/connections/spec/common.md. `timestamp` is corrected for the device's clock; a call
without it goes by `originalTimestamp`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from simulator.fit.logs_csv import Raw
from simulator.fit.reading import Fields, files_of, read_columns

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.fit.hits import Findings

FIELDS: Fields = {
    "user": ("anonymousId", "userId"),
    "time": ("timestamp", "originalTimestamp"),
    "event": ("event",),
    "type": ("type",),
    "path": ("properties.path", "context.page.path"),
    "country": ("context.location.country", "traits.address.country", "context.traits.address.country"),
    "os": ("context.os.name",),
    "model": ("context.device.model",),
    "timezone": ("context.timezone",),
    "wifi": ("context.network.wifi",),
    "cellular": ("context.network.cellular",),
    "channel": ("context.campaign.medium",),
    "category": ("properties.category",),
    "member": ("traits.rewards_member",),
}


def read_segment(path: Path, findings: Findings) -> Raw:
    """Return the calls of a log: a track call by its event, any other by its type. Raises `FileFaults`."""
    table = read_columns(files_of(path), FIELDS, findings)
    findings.unknown_columns.clear()
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    missing = pa.nulls(table.num_rows, pa.string())
    event, kind = columns.pop("event", missing), columns.pop("type", missing)
    columns["action"] = pc.coalesce(event, kind)
    wifi, cellular = columns.pop("wifi", missing), columns.pop("cellular", missing)
    if wifi.null_count < len(wifi) or cellular.null_count < len(cellular):
        none = pa.scalar(None, pa.string())
        mobile = pc.if_else(pc.fill_null(pc.equal(cellular, "true"), False), "cellular", none)
        columns["network"] = pc.if_else(pc.fill_null(pc.equal(wifi, "true"), False), "wifi", mobile)
    return Raw(pa.table({name: _of_user(columns, name) for name in columns}), None, 0)


OF_USER = ("country", "member")
"""Traits, which an identify call tells once for all calls of a user."""


def _of_user(columns: dict[str, pa.Array], name: str) -> pa.Array:
    """Return a column; a trait that some call of the user tells stands at all of them."""
    column = columns[name]
    if name not in OF_USER or "user" not in columns:
        return column
    told = pc.and_(pc.is_valid(column), pc.is_valid(columns["user"]))
    first = pc.index_in(columns["user"], columns["user"].filter(told))
    return pc.coalesce(column, column.filter(told).take(first))
