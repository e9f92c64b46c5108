"""The warm-up of a run: rows of it stay in the tables, marked, and are in no figure and no verdict."""

from __future__ import annotations

import pyarrow as pa

WARMUP = "warmup"
MOMENTS = {"visits": "start_at_us", "events": "at_us", "requests": "due_us"}
"""By which moment each table's rows are of the warm-up: a visit's start, a page's tap, when a request was due.

Each row by its own, so that a page tapped after the warm-up counts though its visit began in it: that is what the
target was asked then.
"""


def with_mark(schema: pa.Schema, table: str) -> pa.Schema:
    """Return a table's schema with the mark, where it has one."""
    return schema.append(pa.field(WARMUP, pa.bool_())) if table in MOMENTS else schema


def marked(rows: pa.Table, table: str, warmup_us: int) -> pa.Table:
    """Return rows of a table with the mark of the warm-up, which ends after `warmup_us` of the run."""
    early = rows[MOMENTS[table]].to_numpy() < warmup_us
    return rows.append_column(pa.field(WARMUP, pa.bool_()), pa.array(early))
