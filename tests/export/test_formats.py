"""Every format, compressed or not, in parts or as one file: the same rows in the same order, readable by others."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys

import click
import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from simulator.analysis.runs import read_run
from simulator.cli.generate import command
from simulator.export import parts
from simulator.export.finish import finish
from simulator.export.output import Output
from simulator.export.source import Part
from simulator.model.faults import FileFaults
from simulator.runfolder.files import CannotWrite, prepare_folder
from simulator.runfolder.tables import csv_header, plain

TABLES = ("shoppers", "visits", "events")
TEXT = [(kind, how) for kind in ("csv", "jsonl") for how in ("none", "gzip", "zstd")]
PARQUET = [("parquet", how) for how in (None, "none", "gzip", "zstd")]
ENDINGS = {"gzip": ".gz", "zstd": ".zst", "none": ""}
MAGIC = {"gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "zstd": b"\x28\xb5\x2f\xfd"}
"""First bytes: of gzip with no name, and no time in its header (RFC 1952); of zstd (RFC 8878)."""


@pytest.fixture(scope="session")
def made(scaling, tmp_path_factory):
    """Return a function that makes the data set in a format once and returns its folder."""
    known = {}

    def make(kind="parquet", compression=None, single_file=False):
        key = (kind, compression, single_file)
        if key not in known:
            known[key] = tmp_path_factory.mktemp("made") / "data"
            scaling.make_all(scaling.job(known[key], Output(kind, compression, (), single_file)))
        return known[key]

    return make


@pytest.fixture(scope="session")
def rows(made):
    """Return a function that gives all rows of a table as the usual Parquet parts have them."""

    def of(table):
        files = sorted((made() / table).glob("*.parquet"))
        return pa.concat_tables([plain(pq.read_table(file)) for file in files])

    return of


def text_of(path):
    """Return the text of a file, uncompressed by a library that did not write it."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    if path.suffix == ".zst":
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            return stream.read().decode()
    return path.read_text()


@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
@pytest.mark.parametrize(("kind", "how"), TEXT)
def test_text_has_the_same_rows(made, rows, kind, how, single):
    """Each CSV and JSON Lines holds the rows of the Parquet parts, in their order, whatever it is compressed by."""
    folder = made(kind, how, single)
    ending = f"{kind}{ENDINGS[how]}"
    for table in TABLES:
        paths = [folder / f"{table}.{ending}"] if single else sorted((folder / table).glob(f"part-*.{ending}"))
        assert len(paths) == (1 if single else 9)
        assert all(path.read_bytes().startswith(MAGIC.get(how, b"")) for path in paths)
        lines = [line for path in paths for line in text_of(path).splitlines()]
        expected = rows(table)
        if kind == "jsonl":
            assert [json.loads(line) for line in lines] == expected.to_pylist()
            continue
        header = csv_header(expected.schema).rstrip("\n")
        assert lines.count(header) == len(paths)
        assert lines[0] == header
        found = [row for row in csv.reader(lines) if row != expected.schema.names]
        sink = pa.BufferOutputStream()
        pa.csv.write_csv(expected, sink)
        assert found == list(csv.reader(sink.getvalue().to_pybytes().decode().splitlines()))[1:]


@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
@pytest.mark.parametrize(("kind", "how"), PARQUET)
def test_parquet_has_the_same_rows_and_types(made, rows, kind, how, single):
    """Every codec, in parts or as one file: the same rows and types, names as dictionaries, the codec asked for."""
    folder = made(kind, how, single)
    for table in TABLES:
        paths = [folder / f"{table}.parquet"] if single else sorted((folder / table).glob("part-*.parquet"))
        tables = [pq.read_table(path) for path in paths]
        assert pa.concat_tables(map(plain, tables)).equals(rows(table))
        usual = pq.read_schema(made() / table / "part-00000.parquet")
        assert all(one.schema.equals(usual, check_metadata=True) for one in tables)
        codecs = {
            group.column(column).compression
            for path in paths
            for group in map(pq.read_metadata(path).row_group, range(pq.read_metadata(path).num_row_groups))
            for column in range(group.num_columns)
        }
        expected = {None: "SNAPPY", "none": "UNCOMPRESSED", "gzip": "GZIP", "zstd": "ZSTD"}[how]
        assert expected in codecs
        assert codecs <= {expected, "UNCOMPRESSED"}


def test_compression_makes_it_smaller(made):
    """Of the same rows, gzip and zstd take less room than none, in every format."""
    for kind in ("parquet", "csv", "jsonl"):
        size = {
            how: sum(path.stat().st_size for path in made(kind, how).rglob("*.*")) for how in ("none", "gzip", "zstd")
        }
        assert size["gzip"] < size["none"]
        assert size["zstd"] < size["none"]


@pytest.mark.parametrize(("kind", "how"), [("csv", "gzip"), ("jsonl", "gzip"), ("csv", "zstd"), ("parquet", "zstd")])
@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
def test_the_bytes_are_those_of_any_day(scaling, made, tmp_path, monkeypatch, kind, how, single):
    """The same data set made once more, with the clock elsewhere and half of it by another run, is the same bytes."""
    monkeypatch.setattr("time.time", lambda: 1.0)
    one = scaling.job(tmp_path / "data", Output(kind, how, (), single))
    scaling.make_some(one, range(4, 9))
    scaling.make_all(one)
    assert scaling.files(tmp_path / "data") == scaling.files(made(kind, how, single))


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_others_read_a_single_file(made, rows, how):
    """DuckDB reads the single CSV and JSON Lines, compressed or not, to their last row."""
    for table in TABLES:
        for kind, reader in (("csv", "read_csv"), ("jsonl", "read_json")):
            path = made(kind, how, single_file=True) / f"{table}.{kind}{ENDINGS[how]}"
            found = duckdb.sql(f"SELECT shopper FROM {reader}('{path}')").fetchall()
            assert [shopper for (shopper,) in found] == rows(table)["shopper"].to_pylist()


def test_the_manifest_knows_the_single_files(scaling, made):
    """The manifest lists one file a table with all its rows and its digest, and nothing else is in the folder."""
    for kind in ("parquet", "csv"):
        folder = made(kind, None, single_file=True)
        manifest = json.loads((folder / "manifest.json").read_text())
        listed = [entry for entries in manifest["tables"].values() for entry in entries]
        assert sorted(scaling.files(folder)) == sorted([*(entry["file"] for entry in listed), "manifest.json"])
        assert [len(entries) for entries in manifest["tables"].values()] == [1, 1, 1]
        assert manifest["tables"]["shoppers"][0]["rows"] == scaling.SHOPPERS
        assert manifest["data"]["single_file"]


@pytest.mark.parametrize("how", [None, "zstd"])
@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
def test_reports_read_it(made, rows, how, single):
    """What `footfall report` reads of a compressed or single-file Parquet is what it reads of any."""
    run = read_run(made("parquet", how, single))
    assert (len(run.shoppers), len(run.visits), len(run.events)) == tuple(rows(table).num_rows for table in TABLES)


@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
def test_reports_refuse_compressed_text_with_a_way_out(made, single):
    """Compressed CSV is no run to report on, and is named as what it is."""
    with pytest.raises(FileFaults, match="has its events table as csv only") as refused:
        read_run(made("csv", "gzip", single))
    assert "generate with --format parquet" in str(refused.value)


NESTED = pa.schema([pa.field("shopper", pa.int64()), pa.field("items", pa.list_(pa.int32()))])


def carts(source):
    """Return a table with a list in it."""
    shoppers = source.shoppers["shopper"]
    return {"carts": pa.table([shoppers, pa.array([[1, 2]] * len(shoppers), pa.list_(pa.int32()))], schema=NESTED)}


def late(source):
    """Return a table that only the third shard has, as one that is the same for all would stand in one only."""
    return {"late": source.shoppers.select(["shopper"])} if source.shoppers["shopper"][0].as_py() == 120 else {}


class Module:
    """A module with a part."""

    def __init__(self, part):
        self.PART = part


@pytest.fixture
def two_parts(monkeypatch):
    """Register two parts, `nested` without CSV and `late`, for the length of a test."""
    made = {
        "nested": Module(Part("nested", "Lists.", carts, ("parquet", "jsonl"))),
        "late": Module(Part("late", "In one shard.", late)),
    }
    monkeypatch.setattr(parts, "MODULES", dict.fromkeys(made, ""))
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, f"parts_of_tests.{name}", module)
        parts.MODULES[name] = f"parts_of_tests.{name}"
    also = next(option for option in command.params if option.name == "also")
    monkeypatch.setattr(also, "type", click.Choice(sorted(made)))


@pytest.mark.usefixtures("two_parts")
def test_a_nested_part_has_no_csv(footfall, tmp_path):
    """A part without CSV is refused before anything is written, with its formats, and with every other fault."""
    words = ("--format", "csv", "--also", "nested", "--also", "late", "--to-duckdb", tmp_path / "no" / "x.duckdb")
    code, err = footfall("generate", "nowhere", "--out", tmp_path / "data", *words)
    assert code == 2
    said = (
        "also nested cannot be written as csv, it has parquet and jsonl. Hint: leave it out, or give --format parquet"
    )
    assert f"error: command line: {said}\n" in err
    assert "error: command line: to-duckdb needs Parquet, which keeps the types" in err
    assert f"to-duckdb {tmp_path}/no is no folder" in err
    assert "error: nowhere: is not a shipped scenario" in err
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("two_parts")
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
def test_parts_are_written_in_every_format_they_have(scaling, tmp_path, kind, single):
    """`--also` works with parts and single files; its tables stand in the manifest behind the three."""
    one = scaling.job(tmp_path / "data", Output(kind, None, ("nested", "late"), single))
    tables = scaling.make_all(one)["tables"]
    assert list(tables) == [*TABLES, "carts", "late"]
    assert sum(entry["rows"] for entry in tables["carts"]) == scaling.SHOPPERS
    assert [entry["rows"] for entry in tables["late"]] == [scaling.SHARD]


@pytest.mark.usefixtures("two_parts")
def test_a_table_of_one_shard_still_has_its_header(scaling, tmp_path):
    """As one CSV, a table that begins in a later shard begins with its columns' names all the same."""
    scaling.make_all(scaling.job(tmp_path / "data", Output("csv", None, ("late",), single_file=True)))
    lines = (tmp_path / "data" / "late.csv").read_text().splitlines()
    assert lines == ['"shopper"', *map(str, range(120, 180))]


def test_single_files_are_cleared_by_what_the_manifest_lists(scaling, tmp_path):
    """--overwrite removes the single files of a data set, complete or about to be, though no pattern knows them."""
    one = scaling.job(tmp_path / "data", Output("csv", "zstd", (), single_file=True), shoppers=100)
    scaling.make_all(one)
    prepare_folder(tmp_path / "data", overwrite=True)
    assert list((tmp_path / "data").iterdir()) == []
    scaling.make_some(one, range(2))
    one.receipts.note_table({"table": "events", "file": "events.csv.zst"})
    (tmp_path / "data" / "events.csv.zst").touch()
    prepare_folder(tmp_path / "data", overwrite=True)
    assert not list((tmp_path / "data").rglob("*.*"))


@pytest.mark.parametrize("file", ["notes.md", "../diary.csv", "sub/table.csv", "other.csv"])
def test_a_manifest_makes_no_file_ours_that_is_no_table(tmp_path, file):
    """A manifest that lists what cannot be a table, or does not list a file, takes nothing of the user's away."""
    (tmp_path / "data").mkdir()
    mine = tmp_path / "data" / file
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("precious")
    (tmp_path / "data" / "notes.txt").write_text("precious")
    listed = [{"file": name} for name in (file, "notes.txt") if name != "other.csv"]
    (tmp_path / "data" / "manifest.json").write_text(json.dumps({"tables": {"x": listed}}))
    with pytest.raises(CannotWrite, match="which no run wrote"):
        prepare_folder(tmp_path / "data", overwrite=True)
    assert mine.read_text() == "precious"


FLAT = """
import resource, sys
from pathlib import Path
from simulator.export.output import Output
from simulator.export.receipts import Receipts
from simulator.export.single import put_together

for count in (4, 100):
    for kind in ("csv", "parquet"):
        parts = [{"table": "t", "file": f"part.{kind}", "rows": 20_000, "header": "names"}] * count
        put_together(Receipts(Path(sys.argv[1]), {}), parts, Output(kind, None, (), True))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_putting_together_keeps_memory_flat(tmp_path):
    """A hundred parts as one file take no more memory than four: one is in memory at a time."""
    table = pa.table({f"c{i}": pa.array(range(i, 20_000 + i), pa.int64()) for i in range(10)})
    pa.csv.write_csv(table, tmp_path / "part.csv")
    pq.write_table(table, tmp_path / "part.parquet", use_dictionary=False, compression="none")
    words = [sys.executable, "-c", FLAT, str(tmp_path)]
    few, many = map(int, subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())
    for kind in ("csv", "parquet"):
        part, whole = ((tmp_path / f"{name}.{kind}").stat().st_size / 1024 for name in ("part", "t"))
        assert whole > 40 * part  # Parquet is compressed again, as it was not before
        assert many - few < 10 * part


def test_a_disk_that_fills_up_while_putting_together_can_be_gone_on_with(scaling, made, tmp_path, monkeypatch):
    """When the last step breaks off there is no manifest, and doing it again needs no shard to be made again."""
    one = scaling.job(tmp_path / "data", Output(single_file=True))
    scaling.make_some(one, range(9))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        with pytest.raises(Exception, match="No space left"):
            finish(one)
    assert not (tmp_path / "data" / "manifest.json").exists()
    assert scaling.make_some(one, range(9)) == []
    finish(one)
    assert scaling.files(tmp_path / "data") == scaling.files(made("parquet", None, single_file=True))


def _full(_file):
    raise OSError(28, "No space left on device")
