"""`footfall demo`, end to end: a shop, shoppers, a report, and nothing left behind."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest

from simulator.runfolder.files import sha256
from simulator.scenario.load import load_scenario
from simulator.worlds.crowd import World
from simulator.worlds.live.run import LiveRun
from simulator.worlds.replay import replay, rows_from_tables

OPTIONS = ("demo", "--rate", "6/s")
TABLES = ("shoppers", "visits", "events", "requests", "latency")
FILES = {*(f"{name}.parquet" for name in TABLES), "report.html", "report.md", "junit.xml", "summary.json"}
PLAN = ("shopper", "visit", "arm", "persona", "start_at_us")


@pytest.fixture(scope="module")
def demo(running, tmp_path_factory):
    """Run the demo for four seconds; return its folder and how it ended."""
    return running.run_once(tmp_path_factory, "demo", *OPTIONS, "--duration", "4s")


@pytest.fixture(scope="module")
def again(running, tmp_path_factory):
    """Run it once more, for two seconds, with the same seed."""
    return running.run_once(tmp_path_factory, "demo-again", *OPTIONS, "--duration", "2s", "--seed", "7")


def read(folder, name, columns=None):
    """Return a table of a run as rows."""
    return pq.read_table(folder / f"{name}.parquet", columns=columns).to_pylist()


def manifest_of(folder):
    """Return a run's manifest."""
    return json.loads((folder / "manifest.json").read_text())


def test_it_passes_and_says_where_the_report_is(demo):
    """The demo ends with 0 or, four seconds being short, with thresholds that had too few values; nothing else."""
    folder, ended = demo
    assert ended.code in {0, 1}, ended.err
    assert f"report: {folder / 'report.html'}\n" in ended.err
    results = json.loads((folder / "summary.json").read_text())["verdict"]
    assert results["state"] == ("passed" if ended.code == 0 else "failed")
    assert "errors < 1%" not in [line[3:14] for line in ended.err.splitlines() if line.startswith(" ✗")]


def test_data_goes_to_stdout_and_messages_do_not(demo):
    """The demo has no data to print: stdout is empty, and everything that is said is said on stderr."""
    _, ended = demo
    assert ended.out == ""
    assert ended.err.startswith("demo: ")


def test_the_folder_holds_the_run_and_nothing_else(demo):
    """Report, verdict for machines, manifest and tables are there, each with the digest the manifest gives."""
    folder, _ = demo
    assert {path.name for path in folder.iterdir()} == FILES | {"manifest.json"}
    for entries in manifest_of(folder)["tables"].values():
        for entry in entries:
            assert sha256(folder / entry["file"]) == entry["sha256"]
    ET.parse(folder / "junit.xml")
    assert "https://" not in (folder / "report.html").read_text().replace("https://www.w3.org", "")


def test_no_process_is_left(running, demo):
    """Shop and load generator are gone when the command is."""
    folder, ended = demo
    assert running.left_of(ended.pid, folder) == []


def test_at_least_five_kinds_of_shoppers_come(demo):
    """Even the first seconds bring five personas or more."""
    folder, _ = demo
    assert len({row["persona"] for row in read(folder, "shoppers")}) >= 5


def test_every_visit_of_the_plan_was_started(demo):
    """What was planned was started, on time, and the manifest says how late at worst."""
    folder, _ = demo
    generator = manifest_of(folder)["generator"]
    assert generator["planned"] == generator["started"]
    assert generator["started"] - 1 <= len(read(folder, "visits")) <= generator["started"]
    assert generator["dropped"] == 0
    assert generator["start_lag_ms"]["p50"] < 100


def test_the_manifest_says_what_was_assumed_and_what_was_measured(demo):
    """Seed, versions, digest, host and both kinds of figures stand in the manifest."""
    manifest = manifest_of(demo[0])
    assert manifest["world"] == "live"
    assert manifest["seed"] == 7
    assert manifest["interrupted"] is False
    assert manifest["host"].startswith("http://127.0.0.1:")
    assert manifest["assumed"]
    assert manifest["measured"]
    assert {"python", "numpy", "numba"} <= set(manifest["versions"])


def test_the_same_seed_sends_the_same_visits(demo, again):
    """A shorter run of the same seed is the beginning of the longer one: same times, shoppers and personas."""
    long, short = (read(folder, "visits", list(PLAN)) for folder, _ in (demo, again))
    assert len(short) >= 5
    assert short == long[: len(short)]


def test_the_same_seed_brings_the_same_people(demo, again):
    """Every column of a shopper follows from the seed: place, phone, consents, taste."""
    long, short = (read(folder, "shoppers") for folder, _ in (demo, again))
    assert short == long[: len(short)]


def test_another_seed_sends_others():
    """With `--seed 8` other visits come, at other times."""
    seven, eight = (LiveRun(load_scenario("demo", {"seed": seed}), "http://127.0.0.1:1", "x").plan() for seed in (7, 8))
    assert seven.start_us[:20].tolist() != eight.start_us[:20].tolist()


def test_the_recorded_load_times_replay_the_same_journeys(demo):
    """With the load times that were seen, the journeys follow from the seed alone: replayed offline, row for row."""
    folder, _ = demo
    scenario = load_scenario("demo", {"duration": "4s"})
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES[:3]}
    recorded = rows_from_tables(tables, scenario.names)
    world = World(scenario.population, scenario.pages, scenario.arms, scenario.spec.seed)
    played = replay(world, *recorded)
    visits, events = tables["visits"], tables["events"]
    for column, field in (("wall_us", "elapsed_us"), ("engaged_us", "engaged_us"), ("pages", "pages")):
        assert played.visits[field].tolist() == visits[column].to_pylist()
    for column in ("step", "at_us", "waited_us", "think_us", "patience_us", "price_cents"):
        assert played.events[column].tolist() == events[column].to_pylist()


def test_three_clocks(demo):
    """Every request of a real run was due before it was sent and sent before it was done."""
    rows = read(demo[0], "requests")
    assert rows
    assert all(row["due_us"] <= row["sent_us"] <= row["done_us"] for row in rows)


def test_what_was_measured_is_part_of_the_load_time(demo):
    """A load time has a measured part, which is never more than the whole."""
    events = [row for row in read(demo[0], "events") if row["load_us"] is not None]
    assert events
    assert all(0 <= row["measured_us"] <= row["load_us"] for row in events)


def test_its_report_is_rendered_again_byte_for_byte(running, demo):
    """`footfall report` makes the same four files of the same tables, with the same exit code."""
    folder, ended = demo
    names = ("report.html", "report.md", "junit.xml", "summary.json")
    before = {name: (folder / name).read_bytes() for name in names}
    assert running.footfall("report", folder).code == ended.code
    assert {name: (folder / name).read_bytes() for name in names} == before
