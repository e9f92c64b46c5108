"""One arrow table as one file of a given format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from simulator.runfolder.files import whole_file
from simulator.runfolder.jsontext import json_lines

if TYPE_CHECKING:
    from pathlib import Path

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
JSON_ROWS = 10_000
SOUGHT = ("shopper", "at_us", "start_at_us")
"""Columns by which readers skip row groups; minima and maxima of the others would tell them nothing."""


def write_table(table: pa.Table, path: Path, kind: Format) -> None:
    """Write `table` to `path`. Raises `CannotWrite`; no half-written file is left."""
    with whole_file(path) as partial:
        if kind == "parquet":
            write_parquet(table, partial)
        elif kind == "csv":
            pa.csv.write_csv(plain(table), partial)
        else:
            _write_json_lines(table, partial)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write Parquet as fast as it goes: names as dictionaries, numbers plain, snappy over both.

    Dictionaries for numbers that hardly repeat cost three times the time and save a tenth of the size.
    """
    named = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    sought = [name for name in SOUGHT if name in table.column_names]
    pa.parquet.write_table(table, path, use_dictionary=named, compression="snappy", write_statistics=sought)


def plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionaries decoded to strings."""
    fields = [
        pa.field(f.name, f.type.value_type) if pa.types.is_dictionary(f.type) else pa.field(f.name, f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _write_json_lines(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(json_lines(batch) for batch in table.to_batches(max_chunksize=JSON_ROWS))
