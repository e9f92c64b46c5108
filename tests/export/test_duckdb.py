"""`--to-duckdb`: all tables in one file, types kept, keys declared; whole or not there."""

from __future__ import annotations

import importlib.util

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.export.duckdb_file import KEYS, write_database
from simulator.export.finish import finish
from simulator.export.output import Output
from simulator.runfolder.files import CannotWrite
from simulator.runfolder.tables import plain

TABLES = ("shoppers", "visits", "events")
EXPECTED_KEYS = {
    ("shoppers", "PRIMARY KEY", ("shopper",), None),
    ("visits", "PRIMARY KEY", ("shopper", "visit", "arm"), None),
    ("visits", "FOREIGN KEY", ("shopper",), "shoppers"),
    ("events", "PRIMARY KEY", ("shopper", "visit", "arm", "step"), None),
    ("events", "FOREIGN KEY", ("shopper", "visit", "arm"), "visits"),
}


@pytest.fixture(scope="module")
def database(scaling, whole, tmp_path_factory):
    """Return the database of the whole data set, opened to be read."""
    file = tmp_path_factory.mktemp("duckdb") / "shop.duckdb"
    write_database(whole, finish(scaling.job(whole)), file)
    with duckdb.connect(file, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_there_in_order(database, whole, table):
    """A table holds what the Parquet parts hold: rows, order, columns, values."""
    expected = pa.concat_tables(plain(pq.read_table(path)) for path in sorted((whole / table).glob("*.parquet")))
    found = database.sql(f"SELECT * FROM {table}").to_arrow_table()
    assert found.column_names == expected.column_names
    assert plain(found).cast(expected.schema).equals(expected)


@pytest.mark.parametrize("table", TABLES)
def test_types_are_kept(database, whole, table):
    """Numbers and truth values have the type they have in Parquet, names are ENUMs of the names that occur."""
    schema = pq.read_schema(whole / table / "part-00000.parquet")
    described = dict(
        database.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]).fetchall()
    )
    found = database.sql(f"SELECT * FROM {table} LIMIT 0").to_arrow_table().schema
    for field in schema:
        if pa.types.is_dictionary(field.type):
            assert described[field.name].startswith("ENUM(")
        else:
            assert found.field(field.name).type == field.type
    assert list(described) == schema.names


def test_a_name_is_one_type_everywhere(database):
    """A column that several tables have is of the same type in each, so that they join without a cast."""
    for column in ("country", "persona", "arm"):
        types = database.execute(
            "SELECT DISTINCT data_type FROM duckdb_columns() WHERE column_name = ? AND NOT internal", [column]
        ).fetchall()
        assert len(types) == 1


def test_keys_are_declared(database):
    """Primary and foreign keys of the three tables are known to the database, which has checked them."""
    found = {
        (table, kind, tuple(columns), other)
        for table, kind, columns, other in database.execute(
            "SELECT table_name, constraint_type, constraint_column_names, referenced_table FROM duckdb_constraints()"
        ).fetchall()
        if kind.endswith("KEY")
    }
    assert {row[:3] for row in found} >= {row[:3] for row in EXPECTED_KEYS}
    assert {row for row in found if row[1] == "FOREIGN KEY"} == {row for row in EXPECTED_KEYS if row[3]}


def test_keys_name_tables_that_stand_before_them():
    """Every table that a key refers to is made before the one that has the key, and by its own primary key."""
    for place, keys in enumerate(KEYS.values()):
        for other, columns in keys.foreign.items():
            assert other in list(KEYS)[:place]
            assert KEYS[other].primary == columns


def test_keys_that_do_not_hold_are_an_error(scaling, tmp_path):
    """Two shoppers of one number cannot be put into the database, and no file is left."""
    one = scaling.job(tmp_path / "data", shoppers=100)
    manifest = scaling.make_all(one)
    manifest["tables"]["shoppers"].append(manifest["tables"]["shoppers"][0])
    with pytest.raises(CannotWrite, match=r"cannot write .*x\.duckdb: Constraint Error"):
        write_database(tmp_path / "data", manifest, tmp_path / "x.duckdb")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_command_writes_both(footfall, scaling, whole, tmp_path):
    """`--to-duckdb` leaves the data set as it is without, and says where the database is; single files work too."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data")
    code, err = footfall(*words, "--to-duckdb", tmp_path / "it's [mine].duckdb")
    assert code == 0, err
    assert err.endswith(f" in {tmp_path}/data and {tmp_path}/it's [mine].duckdb\n")
    assert scaling.files(tmp_path / "data") == scaling.files(whole)
    code, err = footfall(*words[:-1], tmp_path / "o'ne", "--single-file", "--to-duckdb", tmp_path / "single.duckdb")
    assert code == 0, err
    counts = []
    for name in ("it's [mine].duckdb", "single.duckdb"):
        with duckdb.connect(tmp_path / name, read_only=True) as opened:
            counts.append([opened.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES])
    assert counts[0] == counts[1]
    assert counts[0][0] == (scaling.SHOPPERS,)


def test_a_database_is_made_of_what_is_there(footfall, scaling, tmp_path):
    """`--resume --to-duckdb` on a whole data set makes the database only."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data")
    assert footfall(*words)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    assert footfall(*words, "--resume", "--to-duckdb", tmp_path / "x.duckdb")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")} == before
    assert (tmp_path / "x.duckdb").exists()


def test_an_existing_file_is_never_lost(footfall, tmp_path):
    """A database that exists is refused without --overwrite; any other file is refused with it, too."""
    words = ("generate", "--shoppers", 20, "--out", tmp_path / "data", "--to-duckdb", tmp_path / "x.duckdb")
    assert footfall(*words)[0] == 0
    first = (tmp_path / "x.duckdb").read_bytes()
    code, err = footfall(*words)
    hint = "Hint: choose another name, or give --overwrite"
    assert (code, err) == (2, f"error: command line: to-duckdb {tmp_path}/x.duckdb exists. {hint}\n")
    assert (tmp_path / "x.duckdb").read_bytes() == first
    assert footfall(*words, "--overwrite")[0] == 0
    (tmp_path / "x.duckdb").write_text("a precious diary")
    code, err = footfall(*words, "--overwrite")
    said = f"to-duckdb {tmp_path}/x.duckdb is no DuckDB file, it is not overwritten. Hint: choose another name"
    assert (code, err) == (2, f"error: command line: {said}\n")
    assert (tmp_path / "x.duckdb").read_text() == "a precious diary"


def test_without_the_library_it_says_what_to_install(footfall, tmp_path, monkeypatch):
    """Where DuckDB is not installed that is an error before anything is generated, with the command that mends it."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "simulator.export.duckdb_file.find_spec", lambda name: None if name == "duckdb" else found(name)
    )
    code, err = footfall("generate", "--out", tmp_path / "data", "--to-duckdb", tmp_path / "x.duckdb")
    hint = "Hint: pip install 'footfall[duckdb]'"
    assert (code, err) == (2, f"error: command line: to-duckdb needs the library duckdb. {hint}\n")
    assert not (tmp_path / "data").exists()


def test_text_has_lost_its_types(footfall, tmp_path):
    """A database is made of Parquet only: text would have to be guessed at."""
    words = ("--format", "csv", "--to-duckdb", tmp_path / "x.duckdb")
    code, err = footfall("generate", "--out", tmp_path / "data", *words)
    assert code == 2
    assert "to-duckdb needs Parquet, which keeps the types, the format is csv. Hint: leave out --format" in err


def test_output_knows_its_formats():
    """What the three tables are written as has every format."""
    assert Output("csv").faults() == []
