"""One arrow table as one file of a given format, compressed or not."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from simulator.runfolder.files import whole_file
from simulator.runfolder.jsontext import json_lines
from simulator.target.redaction import any_known, redacted, redacted_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
Compression = Literal["none", "snappy", "gzip", "zstd"]
ENDINGS = {"gzip": ".gz", "zstd": ".zst"}
"""What a compressed text file's name ends with; Parquet compresses inside the file."""
GZIP_LEVEL = 6
JSON_ROWS = 10_000
PACKED = ("shopper", "visit", "step", "nth", "at_us", "start_at_us", "pages", "product", "price_cents", "cart_items")
"""Integers that differ little from row to row: as differences they take less room and less time than by snappy."""
LINE = b"json_line"
"""Key of a schema's metadata: its value names the column whose texts are the lines of a JSON Lines file."""
SOUGHT = ("shopper", "at_us", "start_at_us")
"""Columns by which readers skip row groups; minima and maxima of the others would tell them nothing."""


def usual_compression(kind: Format) -> Compression:
    """Return how a format is compressed when nothing else is said: Parquet with snappy, text not at all."""
    return "snappy" if kind == "parquet" else "none"


def suffix(kind: Format, compression: Compression) -> str:
    """Return what the names of such files end with, as `parquet` or `csv.gz`."""
    return kind if kind == "parquet" else f"{kind}{ENDINGS.get(compression, '')}"


def write_table(
    table: pa.Table, path: Path, kind: Format, compression: Compression | None = None, *, header: bool = True
) -> None:
    """Write `table` to `path`, without secrets; `header` is the names of a CSV's columns.

    Raises `CannotWrite`; no half-written file is left.
    """
    table = redacted_table(table)
    squeezed = compression or usual_compression(kind)
    with whole_file(path) as partial:
        if kind == "parquet":
            write_parquet(table, partial, squeezed)
            return
        with text_file(partial, squeezed) as file:
            if kind == "csv":
                pa.csv.write_csv(plain(table), file, pa.csv.WriteOptions(include_header=header))
            else:
                _write_json_lines(table, file)


def redacted_table(table: pa.Table) -> pa.Table:
    """Return a table without the secrets that this process has read; whoever writes one by other means asks for it."""
    if not any_known():
        return table
    columns = [_redacted_column(column) for column in table.columns]
    return pa.table(columns, schema=table.schema)


def _redacted_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([_redacted_array(chunk) for chunk in column.chunks], type=column.type)


def _redacted_array(array: pa.Array) -> pa.Array:
    """Return an array without secrets. Of a dictionary the words alone are looked at; lists of texts are rebuilt."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        words = _redacted_array(array.dictionary)
        return array if words is array.dictionary else pa.DictionaryArray.from_arrays(array.indices, words)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = array.to_pylist()
        clean = [value if value is None else redacted(value) for value in values]
        return array if clean == values else pa.array(clean, kind)
    return pa.array(redacted_tree(array.to_pylist()), kind) if pa.types.is_nested(kind) else array


def write_parquet(table: pa.Table, path: Path, compression: Compression = "snappy") -> None:
    """Write a table as Parquet, laid out as `parquet_options` says."""
    pa.parquet.write_table(table, path, **parquet_options(table.schema, compression))


def parquet_options(schema: pa.Schema, compression: Compression) -> dict[str, Any]:
    """Return the layout that is written fastest: names as dictionaries, integers that differ little as differences.

    Other columns are plain, with snappy over them. Dictionaries for numbers that hardly repeat cost three times the
    time and save a tenth of the size. Any other compression is for those who want small files, and is over everything.
    """
    named = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    packed = [field.name for field in schema if field.name in PACKED and pa.types.is_integer(field.type)]
    small = {*named, *packed} if compression == "snappy" else set()
    by_column: Compression | dict[str, str] = {name: "none" if name in small else compression for name in schema.names}
    # By name only the top of a nested column could be reached, and what is inside would not be compressed.
    nested = any(pa.types.is_nested(field.type) for field in schema)
    return {
        "use_dictionary": named,
        "column_encoding": dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
        "compression": compression if nested else by_column,
        "write_statistics": [name for name in SOUGHT if name in schema.names],
    }


@contextmanager
def text_file(path: Path, compression: Compression) -> Iterator[IO[bytes]]:
    """Yield a file for bytes, which compresses them; the same bytes in give the same bytes out, on any day.

    Such files can be put together end to end: gzip's members and zstd's frames are read on as one text.
    """
    with path.open("wb") as file:
        if compression == "gzip":
            with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as squeezed:
                yield cast("IO[bytes]", squeezed)
        elif compression == "zstd":
            with pa.CompressedOutputStream(file, "zstd") as squeezed:
                yield squeezed
        else:
            yield file


def csv_header(schema: pa.Schema) -> str:
    """Return the first line of a CSV file of this schema, with its end of line."""
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(plain(schema.empty_table()), sink)
    return str(sink.getvalue().to_pybytes(), "utf-8")


def plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionaries decoded to strings."""
    fields = [
        pa.field(f.name, f.type.value_type) if pa.types.is_dictionary(f.type) else pa.field(f.name, f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _write_json_lines(table: pa.Table, file: IO[bytes]) -> None:
    line = (table.schema.metadata or {}).get(LINE)
    for batch in table.to_batches(max_chunksize=JSON_ROWS):
        if line is None:
            file.write(json_lines(batch))
        else:
            file.write("".join(f"{text}\n" for text in batch.column(line.decode()).to_pylist()).encode())
