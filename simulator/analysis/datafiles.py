"""The tables of a data set or run folder as files, whatever their format, and their rows a batch at a time."""

from __future__ import annotations

import csv
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from simulator.model.faults import Fault, FileFaults, one_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_NAME = re.compile(r"(?P<table>[^.].*?)\.(?P<kind>parquet|csv|jsonl)(?:\.(?P<squeezed>gz|zst))?")
SQUEEZED = {"gz": "gzip", "zst": "zstd"}
UNFINISHED = "unfinished"
"""The folder in which generated data keeps what it needs to be resumed."""
ROWS = 1 << 17
"""Rows of a batch of Parquet."""
BLOCK = 1 << 24
"""Bytes of text that become a batch; also the longest line."""
UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, EOFError)


@dataclass(frozen=True, slots=True)
class TableFiles:
    """One table: its format and its files, in order."""

    name: str
    kind: str
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(path.stat().st_size for path in self.files)


def find_tables(folder: Path) -> dict[str, TableFiles]:
    """Return the tables of a folder by name: `table.parquet`, or the files in the folder `table/`.

    Raises `FileFaults` when there is no folder, when it is unfinished, or when a table has files of two formats.
    """
    if not folder.is_dir():
        found = "is not a folder" if folder.exists() else "does not exist"
        raise one_fault(str(folder), found, "the folder of a data set or of a run is needed")
    if (folder / UNFINISHED).is_dir():
        raise one_fault(str(folder), "is unfinished", "", "finish it with footfall generate --resume")
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        match = _NAME.fullmatch(path.name)
        if match and path.is_file() and not any(part.startswith(".") for part in inside):
            files.setdefault(match["table"] if len(inside) == 1 else inside[0], []).append(path)
    tables = {name: TableFiles(name, kind_of(paths[0]), tuple(paths)) for name, paths in files.items()}
    if faults := [fault for table in tables.values() for fault in _mixed(table)]:
        raise FileFaults(faults)
    return tables


def _mixed(table: TableFiles) -> Iterator[Fault]:
    """Yield a fault where files of a table have different formats: their rows would be counted twice."""
    if strange := [path for path in table.files if kind_of(path) != table.kind]:
        found = f"is no {table.kind} file as {table.files[0].name} is"
        yield Fault(str(strange[0]), 0, "", found, "a table has one format", "keep one of them, or describe them apart")


def kind_of(path: Path) -> str:
    """Return parquet, csv or jsonl, as the name of a file of a table says."""
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return match["kind"]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into `FileFaults`."""
    try:
        yield
    except UNREADABLE as error:
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = "the file was changed, or its copying was cut short"
        raise one_fault(str(path), f"cannot be read ({why.rstrip('.')})", "", hint) from None


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Callable[[], int]]]:
    """Yield a file's text as a stream, decompressed, and a function that says how many bytes of the file were read."""
    match = _NAME.fullmatch(path.name)
    squeezed = match["squeezed"] if match else None
    with path.open("rb") as raw:
        if squeezed is None:
            yield raw, raw.tell
        else:
            with pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), SQUEEZED[squeezed]) as stream:
                yield stream, raw.tell


def column_names(table: TableFiles) -> list[str]:
    """Return the columns of a table, by its first file. Raises `FileFaults`."""
    path = table.files[0]
    with readable(path):
        if table.kind == "parquet":
            return list(pq.read_schema(path).names)
        with opened(path) as (stream, _):
            line = _first_line(stream)
        if table.kind == "csv":
            return next(csv.reader([line]), [])
        first = json.loads(line) if line.strip() else {}
        return list(first) if isinstance(first, dict) else []


def _first_line(stream: Any) -> str:  # noqa: ANN401 - a file or arrow's stream
    """Return the text up to the first end of line."""
    found = b""
    while b"\n" not in found and (more := stream.read(1 << 16)):
        found += more
    return found.partition(b"\n")[0].decode("utf-8").rstrip("\r")


def batches(
    table: TableFiles, columns: Sequence[str], schema: pa.Schema, read: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a table, a batch at a time; of text, columns get the types of `schema`.

    `read` is told the bytes read since it was last told. Raises `FileFaults`.
    """
    for path in table.files:
        with readable(path):
            told, size = 0, path.stat().st_size
            for batch, position in _of_file(path, table.kind, columns, schema):
                yield batch
                now = min(int(position), size)
                read(now - told)
                told = now
            read(size - told)


def _of_file(
    path: Path, kind: str, columns: Sequence[str], schema: pa.Schema
) -> Iterator[tuple[pa.RecordBatch, float]]:
    if kind == "parquet":
        with pq.ParquetFile(path) as file:
            rows, done, size = max(file.metadata.num_rows, 1), 0, path.stat().st_size
            for batch in file.iter_batches(ROWS, columns=list(columns)):
                done += batch.num_rows
                yield batch, size * done / rows
        return
    types = {name: _plain(schema.field(name).type) for name in columns}
    with opened(path) as (stream, position):
        reader = _csv(stream, types) if kind == "csv" else _jsonl(stream, types)
        if reader is not None:
            for batch in reader:
                yield batch, position()


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _csv(stream: Any, types: dict[str, pa.DataType]) -> pa.RecordBatchReader:  # noqa: ANN401 - as above
    convert = pa.csv.ConvertOptions(column_types=types, include_columns=list(types), strings_can_be_null=True)
    return pa.csv.open_csv(stream, pa.csv.ReadOptions(block_size=BLOCK), convert_options=convert)


def _jsonl(stream: Any, types: dict[str, pa.DataType]) -> pa.RecordBatchReader | None:  # noqa: ANN401 - as above
    """Return a reader of lines, or nothing where there is no line."""
    parse = pa.json.ParseOptions(explicit_schema=pa.schema(list(types.items())), unexpected_field_behavior="ignore")
    try:
        return pa.json.open_json(stream, pa.json.ReadOptions(block_size=BLOCK), parse)
    except pa.ArrowInvalid as error:
        if "Empty JSON" in str(error):
            return None
        raise


def count_rows(table: TableFiles, read: Callable[[int], None]) -> int:
    """Return the rows of a table; Parquet says them itself, text is read. Raises `FileFaults`."""
    return sum(_rows_of(path, table.kind, read) for path in table.files)


def _rows_of(path: Path, kind: str, read: Callable[[int], None]) -> int:
    with readable(path):
        size = path.stat().st_size
        if kind == "parquet":
            read(size)
            return int(pq.read_metadata(path).num_rows)
        rows, told = 0, 0
        with opened(path) as (stream, position):
            for count in _csv_counts(stream) if kind == "csv" else _line_counts(stream):
                rows += count
                read(position() - told)
                told = position()
        read(size - told)
        return rows


def _csv_counts(stream: Any) -> Iterator[int]:  # noqa: ANN401 - as above
    """Yield the rows of each block; a quoted end of line is none."""
    options = pa.csv.ParseOptions(newlines_in_values=True)
    for batch in pa.csv.open_csv(stream, pa.csv.ReadOptions(block_size=BLOCK), options):
        yield batch.num_rows


def _line_counts(stream: Any) -> Iterator[int]:  # noqa: ANN401 - as above
    last = b"\n"
    while block := stream.read(1 << 20):
        yield block.count(b"\n")
        last = block[-1:]
    if last != b"\n":
        yield 1
