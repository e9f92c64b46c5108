"""Law 1: the same seed gives the same bytes, however the work is cut, ordered and placed."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.export import dataset
from simulator.export.output import Output
from simulator.runfolder.manifest import write_manifest
from simulator.runfolder.tables import plain
from simulator.scenario.load import load_scenario

SCENARIO = "black_friday"
OVERRIDES = {"shoppers": 400, "horizon": "2d"}
SHARD = 60
ALSO = ("relational", "people", "truth", "positions", "ga4", "segment")
"""Parts with keys, answers, places and vendors' shapes; their bytes are promised like those of the three tables."""
ELSEWHERE = [
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1", "LC_ALL": "C"},
    {"TZ": "America/St_Johns", "PYTHONHASHSEED": "4242", "LC_ALL": "C.UTF-8"},
]
WRITE = """
import json, sys
from pathlib import Path
from simulator.export import dataset
from simulator.scenario.load import load_scenario
dataset.SHARD_SHOPPERS = int(sys.argv[2])
scenario = load_scenario(sys.argv[3], json.loads(sys.argv[4]))
print(json.dumps(dataset.write_dataset(scenario, Path(sys.argv[1]), "parquet", also=sys.argv[5].split(","))))
"""


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    """Cut the data set into seven shards."""
    monkeypatch.setattr(dataset, "SHARD_SHOPPERS", SHARD)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Return (folder, manifest) of the data set that one process wrote, shard after shard."""
    folder = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SHARD_SHOPPERS", SHARD)
        return folder, dataset.write_dataset(load_scenario(SCENARIO, OVERRIDES), folder, "parquet", also=ALSO)


def same_files(folder, other):
    """Assert that two folders hold the same files with the same bytes."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert len(names) >= 7 * (3 + len(ALSO))
    for name in names:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize("workers", [2, 8])
def test_many_workers_write_the_same_bytes(reference, tmp_path, workers):
    """Two processes, or one a shard, write the same files of every part and the same manifest as one."""
    folder, manifest = reference
    scenario = load_scenario(SCENARIO, OVERRIDES)
    assert dataset.write_dataset(scenario, tmp_path, "parquet", also=ALSO, workers=workers) == manifest
    same_files(folder, tmp_path)


@pytest.mark.parametrize("environment", ELSEWHERE, ids=lambda environment: environment["TZ"])
def test_the_host_does_not_show(reference, tmp_path, environment):
    """Another time zone, locale and PYTHONHASHSEED of the host write the same bytes."""
    folder, manifest = reference
    command = [sys.executable, "-c", WRITE, str(tmp_path), str(SHARD), SCENARIO, json.dumps(OVERRIDES)]
    command.append(",".join(ALSO))
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(manifest))
    same_files(folder, tmp_path)


def test_shards_may_be_written_in_any_order(reference, tmp_path):
    """Shards written in a shuffled order, each twice, are the same files."""
    scenario = load_scenario(SCENARIO, OVERRIDES)
    order = np.random.default_rng(5).permutation(dataset.shards(scenario.spec.shoppers))
    for number, first, last in ((s.number, s.first, s.last) for s in [*order, *order[:2]]):
        dataset.write_shard(scenario, dataset.Shard(number, first, last), tmp_path, Output(also=ALSO))
    write_manifest(reference[1], tmp_path)
    shutil.copy(reference[0] / "truth.json", tmp_path)  # of the whole run, like the manifest
    same_files(reference[0], tmp_path)


def test_the_size_of_shards_does_not_change_the_rows(reference, monkeypatch, tmp_path):
    """Larger shards cut the files elsewhere, and the rows of every table stay the same: no row knows of other shoppers.

    What a push message, an order or a vendor's event says of a shopper does so too, whoever else is in the shard.
    """
    monkeypatch.setattr(dataset, "SHARD_SHOPPERS", 512)
    dataset.write_dataset(load_scenario(SCENARIO, OVERRIDES), tmp_path, "parquet", also=ALSO)
    tables = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert len(tables) >= 3 + len(ALSO)
    for table in tables:
        small, large = (rows_of(folder / table) for folder in (reference[0], tmp_path))
        assert small.num_rows > 0, table
        assert small.equals(large), table


def rows_of(folder):
    """Return the rows of all files of a table; calls, which stand in the order of delivery, by their ids."""
    table = pa.concat_tables([plain(pq.read_table(path)) for path in sorted(folder.glob("*.parquet"))])
    return table.sort_by("messageId") if "messageId" in table.column_names else table


@pytest.mark.parametrize("block", [1, 7, 1_000])
def test_the_number_of_visits_played_at_a_time_does_not_show(week, block):
    """Any block size plays the same rows, byte for byte."""
    for mine, usual in zip(week(300, block=block), week(300), strict=True):
        assert mine.tobytes() == usual.tobytes()


def test_a_full_buffer_does_not_show(week, monkeypatch):
    """Where the buffer for events must grow again and again, the rows stay the same."""
    usual = week(300)
    monkeypatch.setattr("simulator.worlds.crowd.EVENTS_A_VISIT", 0)
    for mine, all_ in zip(week(300), usual, strict=True):
        assert mine.tobytes() == all_.tobytes()


def test_another_seed_gives_other_rows(week):
    """What is equal above is so because of the seed: another one gives other people and other visits."""
    one, other = week(300, seed=1), week(300, seed=2)
    assert not (one.shoppers["latitude_deg"] == other.shoppers["latitude_deg"]).any()
    assert one.events.tobytes() != other.events.tobytes()
