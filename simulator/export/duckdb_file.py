"""All tables of a data set in one DuckDB file: types kept, names as ENUMs, keys that the database has checked."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from simulator.model.faults import COMMAND_LINE, Fault
from simulator.runfolder.files import CannotWrite, whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from simulator.export.output import Output

MAGIC = b"DUCK"
"""Bytes 8 to 11 of a DuckDB file."""
TYPE = "_name"
"""What the name of an ENUM has after its column's."""
MOST_NAMES = 16
"""Bits of the index of a dictionary that becomes an ENUM; wider ones stay text."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A table's primary key, and which of its columns are the primary key of which other table."""

    primary: tuple[str, ...]
    foreign: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


VISIT = ("shopper", "visit", "arm")
KEYS: dict[str, Keys] = {
    "shoppers": Keys(("shopper",)),
    "visits": Keys(VISIT, {"shoppers": ("shopper",)}),
    "events": Keys((*VISIT, "step"), {"visits": VISIT}),
    "people": Keys(("shopper",), {"shoppers": ("shopper",)}),
    "devices": Keys(("device_id",), {"shoppers": ("shopper",)}),
    "products": Keys(("product",)),
    "orders": Keys(("order_id",), {"shoppers": ("shopper",), "visits": VISIT, "events": (*VISIT, "step")}),
    "order_lines": Keys(("order_id", "line"), {"orders": ("order_id",), "products": ("product",)}),
    "push_messages": Keys(
        ("message_id",), {"shoppers": ("shopper",), "orders": ("order_id",), "products": ("product",)}
    ),
    "experiments": Keys(("experiment", "shopper", "arm"), {"shoppers": ("shopper",)}),
    "past_orders": Keys(("order_id",), {"shoppers": ("shopper",)}),
}
"""By table, those that others refer to first; a table that is not here, or lacks a column, gets no keys."""


def faults_of(file: Path, output: Output, *, overwrite: bool) -> list[Fault]:
    """Return everything for which `file` cannot be made, before anything is generated."""
    checks = (
        (find_spec("duckdb") is None, "needs the library duckdb", "", "pip install 'footfall[duckdb]'"),
        (output.kind != "parquet", "needs Parquet, which keeps the types", f"the format is {output.kind}",
         "leave out --format"),
        (file.exists() and not overwrite, f"{file} exists", "", "choose another name, or give --overwrite"),
        (file.exists() and overwrite and not _is_database(file), f"{file} is no DuckDB file",
         "it is not overwritten", "choose another name"),
        (not file.parent.is_dir(), f"{file.parent} is no folder", "", "make it first"),
    )  # fmt: skip
    return [
        Fault(COMMAND_LINE, 0, "to-duckdb", found, allowed, hint) for wrong, found, allowed, hint in checks if wrong
    ]


def write_database(folder: Path, manifest: Mapping[str, Any], file: Path) -> None:
    """Write the tables of the data set in `folder` to `file`, which is whole or not there. Raises `CannotWrite`."""
    import duckdb  # noqa: PLC0415 - an extra, which most installations lack

    tables = {name: [folder / entry["file"] for entry in entries] for name, entries in manifest["tables"].items()}
    with whole_file(file) as partial:
        try:
            # Closed before the file is renamed: DuckDB empties its write-ahead log into the file then.
            with closing(duckdb.connect(partial)) as database:
                _fill(database, tables)
        except duckdb.Error as error:
            raise CannotWrite(f"cannot write {file}: {error}") from error
        finally:
            partial.with_name(f"{partial.name}.wal").unlink(missing_ok=True)


def _fill(database: DuckDBPyConnection, tables: Mapping[str, list[Path]]) -> None:
    """Make and fill the tables.

    A primary key is added when its table is full, which takes a tenth of the time of checking row by row; DuckDB has no
    such way to add a foreign key.
    """
    schemas = {name: pq.read_schema(files[0]) for name, files in tables.items()}
    named = _named_columns(schemas)
    for column, users in named.items():
        selects = (f"SELECT {_id(column)} AS name FROM {_rows(tables[user])}" for user in users)  # noqa: S608 - quoted
        rows = " UNION ALL ".join(selects)
        names = f"SELECT DISTINCT name FROM ({rows}) WHERE name IS NOT NULL ORDER BY name"  # noqa: S608 - quoted
        database.execute(f"CREATE TYPE {_id(column + TYPE)} AS ENUM ({names})")
    for table in [*(name for name in KEYS if name in tables), *sorted(set(tables) - set(KEYS))]:
        enums = [column for column in schemas[table].names if table in named.get(column, ())]
        casts = ", ".join(f"CAST({_id(name)} AS {_id(name + TYPE)}) AS {_id(name)}" for name in enums)
        chosen = f"SELECT * {f'REPLACE ({casts})' if casts else ''} FROM {_rows(tables[table])}"  # noqa: S608 - quoted
        described = database.execute(f"DESCRIBE {chosen}").fetchall()
        types = {str(row[0]): _id(f"{row[0]}{TYPE}") if row[0] in enums else str(row[1]) for row in described}
        keys = _kept(KEYS.get(table), types, schemas)
        database.execute(f"CREATE TABLE {_id(table)} ({_columns(types, keys)})")
        database.execute(f"INSERT INTO {_id(table)} {chosen}")
        if keys.primary:
            database.execute(f"ALTER TABLE {_id(table)} ADD PRIMARY KEY ({_ids(keys.primary)})")


def _named_columns(schemas: Mapping[str, pa.Schema]) -> dict[str, list[str]]:
    """Return the columns that become ENUMs, one type a name of a column, and the tables that have them."""
    users: dict[str, list[str]] = {}
    for table, schema in schemas.items():
        for one in schema:
            if pa.types.is_dictionary(one.type) and one.type.index_type.bit_width <= MOST_NAMES:
                users.setdefault(one.name, []).append(table)
    return users


def _kept(keys: Keys | None, columns: Iterable[str], tables: Iterable[str]) -> Keys:
    """Return the keys whose columns and tables are there."""
    if keys is None:
        return Keys(())
    there, known = set(columns), set(tables)
    foreign = {table: of for table, of in keys.foreign.items() if set(of) <= there and table in known}
    return Keys(keys.primary if set(keys.primary) <= there else (), foreign)


def _columns(types: Mapping[str, str], keys: Keys) -> str:
    columns = [f"{_id(name)} {type_}" for name, type_ in types.items()]
    references = [f"FOREIGN KEY ({_ids(of)}) REFERENCES {_id(to)} ({_ids(of)})" for to, of in keys.foreign.items()]
    return ", ".join(columns + references)


def _rows(files: Iterable[Path]) -> str:
    """Return the rows of Parquet files, in their order, as SQL."""
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"read_parquet([{names}])"


def _ids(names: Iterable[str]) -> str:
    return ", ".join(map(_id, names))


def _id(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_database(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(12)[8:] == MAGIC
    except OSError:
        return False
