"""Files of a log as columns of text, whatever they are: JSON Lines, CSV or Parquet, plain or gzipped."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from simulator.model.faults import Fault, FileFaults, one_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from simulator.fit.hits import Findings

Fields = dict[str, tuple[str, ...]]
"""What a column means → where it stands, the first place that holds something: `device.operating_system`, and
`event_params[page_location]` for a list of keys and values as GA4 has it."""
SUFFIXES = (".csv", ".parquet", ".jsonl", ".ndjson", ".json", ".csv.gz", ".jsonl.gz", ".ndjson.gz", ".json.gz")
VALUES = ("string_value", "int_value", "double_value", "float_value")


def files_of(path: Path) -> list[Path]:
    """Return the file, or the log files of a folder in the order of their names. Raises `FileFaults` for none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise one_fault(str(path), "does not exist", "a file or folder of logs is needed")
    found = sorted(
        p for p in path.rglob("*") if p.is_file() and p.name.endswith(SUFFIXES) and p.name != "manifest.json"
    )
    if not found:
        raise one_fault(str(path), "holds no log", f"files end in {', '.join(SUFFIXES[:4])}, or those with .gz")
    return found


def read_columns(files: Sequence[Path], fields: Fields, findings: Findings) -> pa.Table:
    """Return a table of text columns, one for each field that any file has. Raises `FileFaults` for files it cannot."""
    tables, faults = [], []
    for file in files:
        try:
            tables.append(_read(file, fields, findings))
        except FileFaults as error:
            faults += error.faults
        except (OSError, pa.ArrowException, EOFError, UnicodeError) as error:
            faults += one_fault(str(file), f"cannot be read ({str(error).splitlines()[0]})").faults
    if faults:
        raise FileFaults(faults)
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def _read(file: Path, fields: Fields, findings: Findings) -> pa.Table:
    if file.name.endswith(".parquet"):
        return _parquet(file, fields, findings)
    if file.name.endswith((".csv", ".csv.gz")):
        return _csv(file, fields, findings)
    return _json(file, fields, findings)


def _csv(file: Path, fields: Fields, findings: Findings) -> pa.Table:
    broken: list[str] = []

    def on_broken(row: Any) -> str:  # noqa: ANN401 - arrow's InvalidRow
        broken.append(f"{file.name}: {' '.join((row.text or '').split())[:60]}")
        return "skip"

    delimiter = _delimiter(file)
    with pa.input_stream(str(file), compression="detect") as stream:
        parse = pa.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=lambda _: "skip")
        names = pa.csv.open_csv(stream, parse_options=parse).schema.names
    _once_each(names, fields, file, findings)
    with pa.input_stream(str(file), compression="detect") as stream:
        table = pa.csv.read_csv(
            stream,
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=on_broken),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    findings.rows += table.num_rows + len(broken)
    findings.drop("row has another number of columns than the header", len(broken), broken)
    _unused(names, fields, findings)
    wanted = {place for places in fields.values() for place in places}
    columns = {name: table.column(at).combine_chunks() for at, name in enumerate(names) if name in wanted}
    texts, rows = _texts(columns, file, findings, table.num_rows)
    return _chosen(texts, fields, rows)


def _delimiter(file: Path) -> str:
    """Return what stands between the columns of the first line, most often: a comma, a semicolon or a tab."""
    with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as lines:
        header = lines.readline()
    return max((b",", b";", b"\t"), key=header.count).decode()


def _once_each(names: Sequence[str], fields: Fields, file: Path, findings: Findings) -> None:
    """Raise for columns that stand twice, and note where a meaning has more than one column."""
    faults = [
        Fault(str(file), 1, "", f"has the column {place} {names.count(place)} times", "names of columns must differ")
        for places in fields.values()
        for place in places
        if names.count(place) > 1
    ]
    if faults:
        raise FileFaults(dict.fromkeys(faults))
    for field, places in fields.items():
        first, *others = [place for place in places if place in names] or [""]
        if others:
            findings.note(f"The {field} is the column {first}, and where that is empty {' or '.join(others)}.")


def _texts(
    columns: Mapping[str, pa.Array], file: Path, findings: Findings, rows: int
) -> tuple[dict[str, pa.Array], int]:
    """Return columns of bytes as text, without the rows that are no UTF-8, and how many rows are left."""
    keep = np.ones(rows, np.bool_)
    for column in columns.values():
        try:
            column.cast(pa.string())
        except pa.ArrowInvalid:
            keep &= np.array([_is_text(value) for value in column.to_pylist()])
    bad = np.flatnonzero(~keep)
    findings.drop("row is not UTF-8 text", len(bad), [f"{file.name}: row {int(row) + 1}" for row in bad[:10]])
    kept = {name: column.filter(pa.array(keep)).cast(pa.string()) for name, column in columns.items()}
    return kept, int(keep.sum())


def _is_text(value: bytes | None) -> bool:
    try:
        return value is None or value.decode() is not None
    except UnicodeDecodeError:
        return False


def _parquet(file: Path, fields: Fields, findings: Findings) -> pa.Table:
    reader = pa.parquet.ParquetFile(file)
    names = reader.schema_arrow.names
    _unused(names, fields, findings)
    wanted = sorted({_top(place) for places in fields.values() for place in places} & set(names))
    parts = []
    for batch in reader.iter_batches(batch_size=65_536, columns=wanted):
        columns = {place: _at(batch, place) for places in fields.values() for place in places}
        known = {place: column for place, column in columns.items() if column is not None}
        parts.append(_chosen(known, fields, batch.num_rows))
        findings.rows += batch.num_rows
    return pa.concat_tables(parts, promote_options="default") if parts else pa.table({})


def _top(place: str) -> str:
    return place.partition(".")[0].partition("[")[0]


def _at(batch: pa.RecordBatch, place: str) -> pa.Array | None:
    """Return the column at a place as text, or nothing where the file has none."""
    head, _, key = place.partition("[")
    steps = head.split(".")
    if steps[0] not in batch.schema.names:
        return None
    column = batch[steps[0]]
    for step in steps[1:]:
        if not pa.types.is_struct(column.type) or column.type.get_field_index(step) < 0:
            return None
        column = pc.struct_field(column, step)
    return _keyed(column, key.removesuffix("]"), batch.num_rows) if key else _text(column)


def _keyed(column: pa.Array, key: str, rows: int) -> pa.Array | None:
    if not pa.types.is_list(column.type) or not pa.types.is_struct(column.type.value_type):
        return None
    entries, parents = pc.list_flatten(column), pc.list_parent_indices(column)
    here = pc.equal(pc.struct_field(entries, "key"), key)
    values, parents = pc.struct_field(entries, "value").filter(here), parents.filter(here)
    texts = [_text(pc.struct_field(values, kind)) for kind in VALUES if values.type.get_field_index(kind) >= 0]
    places = pc.index_in(pa.array(range(rows), parents.type), parents)
    return pc.coalesce(*texts).take(places) if texts else None


def _text(column: pa.Array) -> pa.Array | None:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        return None
    if pa.types.is_timestamp(column.type):
        zone = "Z" if column.type.tz else ""
        plain = (
            column.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us")) if zone else column.cast(pa.timestamp("us"))
        )
        return pc.binary_join_element_wise(plain.cast(pa.string()), zone, "")
    return column.cast(pa.string())


def _json(file: Path, fields: Fields, findings: Findings) -> pa.Table:
    places = sorted({place for found in fields.values() for place in found})
    taken: list[list[str | None]] = [[] for _ in places]
    getters = [(_getter(place), column) for place, column in zip(places, taken, strict=True)]
    with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as lines:
        for row in _rows(lines, file.name, findings):
            for get, column in getters:
                column.append(get(row))
    columns = {place: pa.array(column, pa.string()) for place, column in zip(places, taken, strict=True)}
    known = {place: column for place, column in columns.items() if column.null_count < len(column)}
    return _chosen(known, fields, len(taken[0]) if taken else 0)


def _rows(lines: Any, name: str, findings: Findings) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a file
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        findings.rows += 1
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            findings.drop("line is not JSON", 1, [f"{name}:{number}"])
            continue
        if isinstance(row, dict):
            yield row
        else:
            findings.drop("line is JSON but no object", 1, [f"{name}:{number}"])


def _getter(place: str) -> Any:  # noqa: ANN401 - a function of one row
    head, _, key = place.partition("[")
    steps, key = head.split("."), key.removesuffix("]")
    first, rest = steps[0], steps[1:]

    def get(row: Mapping[str, Any]) -> str | None:
        value: Any = row.get(first)
        for step in rest:
            value = value.get(step) if isinstance(value, dict) else None
        if key and isinstance(value, list):
            value = _of_key(value, key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int | float) else None

    return get


def _of_key(entries: list[Any], key: str) -> Any:  # noqa: ANN401 - JSON
    for entry in entries:
        if isinstance(entry, dict) and entry.get("key") == key:
            value = entry.get("value")
            if not isinstance(value, dict):
                return value
            return next((value[kind] for kind in VALUES if value.get(kind) is not None), None)
    return None


def _unused(names: Sequence[str], fields: Fields, findings: Findings) -> None:
    used = {_top(place) for places in fields.values() for place in places}
    findings.unknown_columns += [name for name in names if name not in used and name not in findings.unknown_columns]


def _chosen(columns: Mapping[str, pa.Array], fields: Fields, rows: int) -> pa.Table:
    """Return a column for each field: the first place that holds a value in each row; no empty text."""
    made = {}
    for field, places in fields.items():
        found = [columns[place] for place in places if place in columns]
        if found:
            whole = pc.coalesce(*found) if len(found) > 1 else found[0]
            made[field] = pc.if_else(pc.equal(whole, ""), pa.scalar(None, pa.string()), whole)
    return pa.table(made) if made else pa.table({"_": pa.nulls(rows)})
