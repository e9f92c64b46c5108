"""The parts of a table put together as one file, in the order of the shards, a part in memory at a time."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from simulator.runfolder.files import sha256, whole_file
from simulator.runfolder.tables import parquet_options, text_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simulator.export.output import Output
    from simulator.export.receipts import Entry, Receipts
    from simulator.runfolder.tables import Compression

COPIED = 1 << 20
"""Bytes copied at a time."""


def put_together(receipts: Receipts, parts: Sequence[Entry], output: Output) -> Entry:
    """Write the parts of one table as a single file and return its entry; the parts stay. Raises `CannotWrite`."""
    table = str(parts[0]["table"])
    name = output.table_file(table)
    entry = {"table": table, "file": name, "rows": sum(part["rows"] for part in parts)}
    receipts.note_table(entry)
    path, files = receipts.folder / name, [receipts.folder / part["file"] for part in parts]
    with whole_file(path) as partial:
        if output.kind == "parquet":
            _join_parquet(files, partial, output.squeezed)
        else:
            header = str(parts[0]["header"]) if output.kind == "csv" else ""
            _join_text(files, partial, output.squeezed, header)
    return entry | {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _join_parquet(files: Sequence[Path], path: Path, compression: Compression) -> None:
    """Write every row group of every part as one of the file's."""
    with pq.ParquetFile(files[0]) as first:
        schema = first.schema_arrow
    with pq.ParquetWriter(path, schema, **parquet_options(schema, compression)) as writer:
        for name in files:
            with pq.ParquetFile(name) as file:
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group))


def _join_text(files: Sequence[Path], path: Path, compression: Compression, header: str) -> None:
    """Write the parts end to end, compressed as they are, after the header."""
    with text_file(path, compression) as file:
        file.write(header.encode())
    with path.open("ab") as whole:
        for name in files:
            with name.open("rb") as part:
                shutil.copyfileobj(part, whole, COPIED)
