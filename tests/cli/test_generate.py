"""`footfall generate`: the same data in every format, for any number of workers, or an error that says why not."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from simulator.runfolder.files import sha256

TABLES = ("shoppers", "visits", "events")
SHOPPERS = 150


@pytest.fixture
def generate(footfall, tmp_path):
    """Return a function that generates 150 shoppers into a folder below the test's own."""

    def generated(name, *options):
        folder = tmp_path / name
        said = footfall("generate", "--shoppers", SHOPPERS, "--out", folder, *options)
        assert said.code == 0, said.err
        return folder

    return generated


def files(folder):
    """Return the content of every file of a folder by its relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cell(value, like):
    """Return a text cell of a CSV file as a value of the kind that Parquet has there."""
    if value == "" and not isinstance(like, str):
        return None
    if isinstance(like, bool):
        return {"true": True, "false": False}[value]
    return type(like)(value) if like is not None else value


def test_it_says_how_much_it_wrote(footfall, tmp_path):
    """One line on stderr counts shoppers, visits and events as they stand in the tables; stdout is for data."""
    said = footfall("generate", "--shoppers", SHOPPERS, "--out", tmp_path / "data")
    counts = {name: pq.read_metadata(tmp_path / "data" / name / "part-00000.parquet").num_rows for name in TABLES}
    assert said.code == 0
    assert said.out == ""
    words = f"{SHOPPERS} shoppers, {counts['visits']:,} visits, {counts['events']:,} events in {tmp_path / 'data'}\n"
    assert said.err == words


def test_every_format_has_the_same_rows(generate):
    """CSV and JSON lines hold what Parquet holds: columns, order and values, with nothing lost."""
    folders = {kind: generate(kind, "--format", kind) for kind in ("parquet", "csv", "jsonl")}
    for name in TABLES:
        rows = pq.read_table(folders["parquet"] / name / "part-00000.parquet").to_pylist()
        lines = (folders["jsonl"] / name / "part-00000.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == rows
        with (folders["csv"] / name / "part-00000.csv").open(newline="") as file:
            for row, texts in zip(rows, csv.DictReader(file), strict=True):
                assert list(texts) == list(row)
                for key, value in row.items():
                    assert cell(texts[key], value) == (pytest.approx(value) if isinstance(value, float) else value), key


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_the_manifest_knows_every_file(generate, kind):
    """The manifest lists each file of each table with its rows and digest, and says which world wrote them."""
    folder = generate("data", "--format", kind)
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = [entry for entries in manifest["tables"].values() for entry in entries]
    assert {entry["file"] for entry in listed} | {"manifest.json"} == set(files(folder))
    assert all(sha256(folder / entry["file"]) == entry["sha256"] for entry in listed)
    assert (manifest["world"], manifest["seed"], manifest["interrupted"]) == ("crowd", 7, False)
    assert manifest["measured"] == []


def test_the_same_seed_is_the_same_bytes(generate):
    """Two runs with one seed write the same files, manifest included; another seed writes others."""
    first, second = files(generate("a", "--seed", "11")), files(generate("b", "--seed", "11"))
    assert first == second
    other = files(generate("c", "--seed", "12"))
    assert other["events/part-00000.parquet"] != first["events/part-00000.parquet"]


def test_the_seed_in_the_manifest_is_the_options(generate):
    """`--seed` overrides the scenario's, and the resolved scenario says so."""
    manifest = json.loads((generate("data", "--seed", "11") / "manifest.json").read_text())
    assert (manifest["seed"], manifest["scenario"]["seed"], manifest["scenario"]["shoppers"]) == (11, 11, SHOPPERS)


def test_a_shipped_scenario_and_its_file_are_the_same(generate):
    """A scenario can be named or given as a file."""
    path = Path(__file__).resolve().parents[2] / "personas" / "scenarios" / "smoke.yaml"
    assert files(generate("by-name", "smoke")) == files(generate("by-path", path))


def test_workers_never_show(footfall, tmp_path):
    """16,400 shoppers, in two shards, by one worker and by two: byte for byte the same folder."""
    for workers in ("1", "2"):
        said = footfall("generate", "--shoppers", "16400", "--out", tmp_path / workers, "--workers", workers)
        assert said.code == 0, said.err
    assert files(tmp_path / "1") == files(tmp_path / "2")
    assert len(list((tmp_path / "1" / "events").iterdir())) == 2


FULL = """
import contextlib, io, json, resource, signal, sys
from pathlib import Path
from simulator.cli import main
from simulator.scenario.load import load_scenario
from simulator.export.dataset import play_shard, Shard

play_shard(load_scenario("demo"), Shard(0, 0, 5))  # what is compiled or loaded once is there before the disk is full
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
found = {}
for kind in ("parquet", "csv", "jsonl"):
    folder = Path(sys.argv[1]) / kind
    words = ["footfall", "generate", "--shoppers", "400", "--out", str(folder), "--format", kind]
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            sys.argv[:], keep = words, list(sys.argv)
            main()
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.argv[:] = keep
    found[kind] = [int(code), said.getvalue()]
print(json.dumps(found))
"""


def test_a_full_disk_is_said_and_leaves_nothing_that_looks_whole(tmp_path):
    """In every format: exit code 2 and the reason, no manifest, no part that is cut short, no temporary file."""
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    for kind, (code, err) in json.loads(ended.stdout).items():
        assert code == 2
        assert err.startswith(f"error: cannot write {tmp_path / kind}/")
        assert err.rstrip().endswith("File too large. Hint: when that is mended, give the same command with --resume")
        assert "Traceback" not in err
        left = files(tmp_path / kind)
        assert "manifest.json" not in left
        assert not any(name.endswith(".partial") for name in left)
        assert not any(name.startswith("events/") for name in left)


def test_an_interrupt_stops_every_worker(running, tmp_path):
    """SIGTERM while two workers generate: exit code 130 within seconds, no manifest, and no process left."""
    process = running.start("generate", "--shoppers", 1_000_000, "--workers", 2, "--out", tmp_path / "data")
    assert running.within(50, lambda: list((tmp_path / "data").glob("events/part-*.parquet")))
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    ended = running.finish(process)
    assert ended.code == 130, ended.err
    assert ended.took_s < 15
    assert ended.err.splitlines()[-1] == "interrupted"
    assert not (tmp_path / "data" / "manifest.json").exists()
    assert running.within(5, lambda: not any(worker.is_running() for worker in workers))


def test_what_an_interrupt_left_can_be_overwritten(footfall, tmp_path):
    """Parts without a manifest are no run, and --overwrite takes them for what they are: ours."""
    for name in ("events/part-00000.parquet", "visits/.part-00003.parquet.partial", "shoppers/part-00001.csv"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    said = footfall("generate", "--shoppers", "20", "--out", tmp_path / "data", "--overwrite")
    assert said.code == 0
    expected = {f"{name}/part-00000.parquet" for name in TABLES}
    assert set(files(tmp_path / "data")) == expected | {"manifest.json"}


def test_truth_stands_beside_the_data(generate):
    """`--also truth` adds its tables and truth.json, and changes nothing of the others; --overwrite knows them."""
    plain, told = files(generate("plain")), files(generate("told", "--also", "truth"))
    added = {f"truth_{name}/part-00000.parquet" for name in ("shoppers", "visits", "steps")} | {"truth.json"}
    assert set(told) == set(plain) | added
    assert all(told[name] == plain[name] for name in plain if name != "manifest.json")
    assert set(files(generate("told", "--overwrite"))) == set(plain)


def test_no_truth_leaves_the_answers_out(generate, footfall, tmp_path):
    """`--no-truth` writes no answer, not even in the parts; asking for the answers as well is a usage error."""
    folder = generate("blind", "--no-truth", "--dirty", "nasty")
    assert {path.name for path in folder.iterdir()} == {*TABLES, "delivered", "manifest.json"}
    for table in (*TABLES, "delivered"):
        for field in pq.read_schema(folder / table / "part-00000.parquet"):
            assert field.name not in {"persona", "cause"}
            assert not (field.metadata or {}).get(b"meaning", b"").startswith(b"truth")
    said = footfall("generate", "--no-truth", "--also", "truth", "--out", tmp_path / "none")
    assert said.code == 2
    assert "generate twice with one --seed" in said.err
    assert not (tmp_path / "none").exists()


def test_dirty_delivery_stands_beside_the_clean_events(generate):
    """`--dirty` adds what the collector got and the list of what is wrong with it; the events stay as they were."""
    plain, dirty = files(generate("plain")), files(generate("dirty", "--dirty", "typical"))
    added = {f"{name}/part-00000.parquet" for name in ("delivered", "truth_defects", "truth_lost")}
    assert set(dirty) == set(plain) | added
    assert dirty["events/part-00000.parquet"] == plain["events/part-00000.parquet"]


def test_faults_of_scenario_and_delivery_are_told_together(footfall, file, tmp_path):
    """A scenario and a delivery file that are both wrong are told in one go, before anything is written."""
    name = file("wet.yaml", "delivery: wet\ndescribe: x\ndropped: {share: 2}\n")
    said = footfall("generate", "nowhere", "--dirty", name, "--out", tmp_path / "data")
    assert said.code == 2
    assert "nowhere" in said.err
    assert "wet.yaml:3: dropped.share" in said.err
    assert not (tmp_path / "data").exists()


def test_workers_never_show_in_truth_and_delivery(footfall, tmp_path):
    """Truth, its JSON, and a dirty delivery are the same bytes from one worker and from two."""
    for workers in ("1", "2"):
        options = ("--shoppers", "16800", "--also", "truth", "--dirty", "typical", "--workers", workers)
        said = footfall("generate", "black_friday", "--out", tmp_path / workers, *options)
        assert said.code == 0, said.err
    assert files(tmp_path / "1") == files(tmp_path / "2")
    assert len(list((tmp_path / "1" / "truth_defects").iterdir())) == 2
