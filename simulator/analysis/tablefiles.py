"""Tables of a data set, whatever their format: Parquet, CSV or JSON lines, compressed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENDINGS = ("parquet", "csv", "jsonl")


def kind_of(path: Path) -> str | None:
    """Return the format that a file's name tells, its compression left aside."""
    return next((kind for kind in ENDINGS if f".{kind}" in "".join(path.suffixes[-2:])), None)


def table_files(folder: Path, table: str) -> list[Path]:
    """Return the files of a table of a data set, in order: `table/part-…`, or the one file `table.…`."""
    parts = [path for path in sorted((folder / table).glob("part-*")) if kind_of(path)]
    return parts or [path for path in sorted(folder.glob(f"{table}.*")) if kind_of(path)]


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Return some columns of a file of any format.

    Raises `KeyError` with the name of a column that is missing, `OSError` and `pyarrow.ArrowInvalid` for what cannot
    be read.
    """
    kind = kind_of(path)
    if kind == "parquet":
        missing = [name for name in columns if name not in pa.parquet.read_schema(path).names]
        table = pa.parquet.read_table(path, columns=[name for name in columns if name not in missing])
    else:
        table = pa.csv.read_csv(path) if kind == "csv" else pa.json.read_json(path)
        missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise KeyError(missing[0])
    return table.select(list(columns))
