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
PACKED = ("shopper", "visit", "step", "nth", "at_us", "start_at_us", "pages", "product", "price_cents", "cart_items")
"""Integers that differ little from row to row: as differences they take less room and less time than by snappy."""
LINE = b"json_line"
"""Key of a schema's metadata: its value names the column whose texts are the lines of a JSON Lines file."""
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
    """Write Parquet as fast as it goes: names as dictionaries, integers that differ little as differences.

    Other columns are plain, with snappy over them. Dictionaries for numbers that hardly repeat cost three times the
    time and save a tenth of the size.
    """
    named = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    sought = [name for name in SOUGHT if name in table.column_names]
    packed = [field.name for field in table.schema if field.name in PACKED and pa.types.is_integer(field.type)]
    pa.parquet.write_table(
        table,
        path,
        use_dictionary=named,
        column_encoding=dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
        compression={name: "none" if name in packed or name in named else "snappy" for name in table.column_names},
        write_statistics=sought,
    )


def plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionaries decoded to strings."""
    fields = [
        pa.field(f.name, f.type.value_type) if pa.types.is_dictionary(f.type) else pa.field(f.name, f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _write_json_lines(table: pa.Table, path: Path) -> None:
    line = (table.schema.metadata or {}).get(LINE)
    if line is not None:
        with path.open("wb") as file:
            file.writelines(f"{text}\n".encode() for text in table[line.decode()].to_pylist())
        return
    with path.open("wb") as file:
        file.writelines(json_lines(batch) for batch in table.to_batches(max_chunksize=JSON_ROWS))
