"""Generated data as files: shards that never show, formats that say the same, a manifest written last."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from simulator.export import dataset
from simulator.export.dataset import Shard, play_shard, shards, write_dataset
from simulator.journey.tables import COLUMNS, SCHEMAS
from simulator.runfolder.files import CannotWrite
from simulator.runfolder.manifest import write_manifest
from simulator.runfolder.tables import FORMATS, plain, write_table
from simulator.scenario.load import load_scenario

TABLES = ("shoppers", "visits", "events")


@pytest.fixture(scope="module")
def scenario():
    """Return the demo's scenario with 300 shoppers."""
    return load_scenario("demo", {"shoppers": 300})


@pytest.fixture(scope="module")
def whole(scenario):
    """Return the tables of all of them at once."""
    return play_shard(scenario, Shard(0, 0, 300))


SIZES = {
    1: [(0, 1)],
    16_384: [(0, 16_384)],
    16_385: [(0, 16_384), (16_384, 16_385)],
    40_000: [(0, 16_384), (16_384, 32_768), (32_768, 40_000)],
}


@pytest.mark.parametrize("shoppers", SIZES)
def test_shards_cover_every_shopper_once(shoppers):
    """Shards are numbered ranges of 16,384 shoppers, without a gap, the last one shorter."""
    found = shards(shoppers)
    assert [(shard.first, shard.last) for shard in found] == SIZES[shoppers]
    assert [shard.number for shard in found] == list(range(len(found)))


def test_a_shard_is_a_part_of_the_whole(scenario, whole):
    """Shoppers 100 to 199 are the same people with the same visits, alone or among all others."""
    part = play_shard(scenario, Shard(1, 100, 200))
    for name in TABLES:
        column = whole[name]["shopper"].to_numpy()
        mask = pa.array((column >= 100) & (column < 200))
        assert part[name].equals(whole[name].filter(mask).cast(part[name].schema))


def test_the_tables_are_those_of_the_schema(whole):
    """Columns, order and types of the tables are those that the documentation lists, each with its meaning."""
    for name in TABLES:
        assert whole[name].schema.equals(SCHEMAS[name])
        for field, column in zip(SCHEMAS[name], COLUMNS[name], strict=True):
            assert field.metadata[b"meaning"].decode() == column.meaning


def test_the_tables_belong_together(whole):
    """Every visit has its shopper, every event its visit, every visit as many events as it has pages."""
    visits, events = whole["visits"], whole["events"]
    assert set(visits["shopper"].to_pylist()) == set(whole["shoppers"]["shopper"].to_pylist())
    pages = visits["pages"].to_numpy()
    keys = [events["shopper"].to_numpy(), events["visit"].to_numpy()]
    expected = [np.repeat(visits[name].to_numpy(), pages) for name in ("shopper", "visit")]
    assert all(np.array_equal(*pair) for pair in zip(keys, expected, strict=True))
    assert np.array_equal(events["step"].to_numpy(), np.concatenate([np.arange(count) for count in pages]))


@pytest.mark.parametrize("kind", FORMATS)
def test_many_small_shards_hold_the_same_rows(scenario, whole, tmp_path, monkeypatch, kind):
    """However small the shards are, together they hold the rows of one large one, in the same order."""
    monkeypatch.setattr(dataset, "SHARD_SHOPPERS", 90)
    manifest = write_dataset(scenario, tmp_path, kind)
    for name in TABLES:
        files = [tmp_path / entry["file"] for entry in manifest["tables"][name]]
        assert [file.name for file in files] == [f"part-{number:05d}.{kind}" for number in range(4)]
        assert sum(entry["rows"] for entry in manifest["tables"][name]) == whole[name].num_rows
        if kind == "parquet":
            assert pa.concat_tables(map(plain, map(pq.read_table, files))).equals(plain(whole[name]))
        elif kind == "jsonl":
            rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
            assert rows == whole[name].to_pylist()
        else:
            assert sum(pa.csv.read_csv(file).num_rows for file in files) == whole[name].num_rows


def test_progress_counts_every_shopper_and_event(scenario, whole, tmp_path, monkeypatch):
    """The progress display is told of each shard when it is written, and its numbers add up."""
    monkeypatch.setattr(dataset, "SHARD_SHOPPERS", 90)
    told = []
    write_dataset(scenario, tmp_path, "parquet", progress=lambda *counts: told.append(counts))
    assert [shoppers for shoppers, _ in told] == [90, 90, 90, 30]
    assert sum(events for _, events in told) == whole["events"].num_rows


def test_the_manifest_holds_no_clock(scenario, tmp_path):
    """A manifest of generated data holds nothing that differs between two equal runs."""
    first, second = (write_dataset(scenario, tmp_path / name, "parquet") for name in "ab")
    assert first == second
    write_manifest(first, tmp_path / "a")
    assert json.loads((tmp_path / "a" / "manifest.json").read_text()) == first


def test_text_of_every_language_survives(whole, tmp_path):
    """Names of cities outside ASCII stand in CSV and JSON lines as UTF-8."""
    cities = set(whole["shoppers"]["city"].to_pylist())
    table = whole["shoppers"].append_column("note", pa.array(['Ålesund "東京", São Paulo\nnew line'] * 300))
    for kind in ("csv", "jsonl"):
        write_table(table, tmp_path / f"t.{kind}", kind)
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["city"] for row in rows} == cities
    assert {row["note"] for row in rows} == {'Ålesund "東京", São Paulo\nnew line'}
    read = pa.csv.read_csv(tmp_path / "t.csv", parse_options=pa.csv.ParseOptions(newlines_in_values=True))
    assert read["note"].to_pylist() == table["note"].to_pylist()


@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_table_is_a_file_with_its_columns(tmp_path, kind):
    """A table without rows is written all the same; CSV still names the columns."""
    empty = SCHEMAS["visits"].empty_table()
    write_table(empty, tmp_path / "t", kind)
    text = (tmp_path / "t").read_bytes()
    if kind == "parquet":
        assert pq.read_table(tmp_path / "t").schema.names == empty.schema.names
    elif kind == "csv":
        assert text.decode().strip().replace('"', "").split(",") == empty.schema.names
    else:
        assert text == b""


def test_a_table_that_cannot_be_written_leaves_nothing(whole, tmp_path):
    """Where a folder stands in the way the error names the file, and no temporary file is left."""
    (tmp_path / "visits.csv").mkdir()
    with pytest.raises(CannotWrite, match=r"cannot write .*visits\.csv: "):
        write_table(whole["visits"], tmp_path / "visits.csv", "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["visits.csv"]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_table_is_the_same_bytes(whole, tmp_path, kind):
    """Writing a table twice gives the same file, bit for bit."""
    for name in "ab":
        write_table(whole["events"], tmp_path / name, kind)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
