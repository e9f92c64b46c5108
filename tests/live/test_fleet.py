"""One run played by several workers, over Locust's protocol on loopback: shared out, merged, and short of one."""

from __future__ import annotations

import csv
import json
import os
import pickle
import signal
import socket
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest

from simulator.report import write_reports
from simulator.scenario.load import load_scenario
from simulator.worlds.live.run import share_of

pytestmark = pytest.mark.timeout(300)
WORKER = "simulator.worlds.live.worker"
FILES = Path(__file__).parent / "files"
HURRIED = FILES / "hurried_scenario.yaml"
VIEWS = ("--csv", "--requests", 1, "--har", 1)


def manifest_of(folder):
    """Return a run's manifest."""
    return json.loads((folder / "manifest.json").read_text())


def table(folder, name):
    """Return the rows of a run's table, whichever files hold it."""
    entries = manifest_of(folder)["tables"][name]
    return [row for entry in entries for row in pq.read_table(folder / entry["file"]).to_pylist()]


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("again", [{}, {"returning": {"share": 0.6, "after": "100ms"}}], ids=["once", "again"])
@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_shares_are_the_plan(workers, again):
    """Each visit of the plan is in one worker's share, and all visits of a shopper in the same."""
    plan = load_scenario(str(HURRIED), again).plan()
    assert bool((plan.visit > 0).any()) == bool(again)
    shares = [share_of(plan, worker, workers) for worker in range(workers)]
    rows = sorted(row for share in shares for row in zip(*(column.tolist() for column in share), strict=True))
    assert rows == sorted(zip(*(column.tolist() for column in plan), strict=True))
    owners = [set(share.shopper.tolist()) for share in shares]
    assert sum(map(len, owners)) == len(set().union(*owners))
    assert max(map(len, owners)) - min(map(len, owners)) <= 1


def test_cookies_come_back_with_two_workers(recording, running, tmp_path):
    """Who returns comes to the worker that keeps their cookies: every later visit's first call has one, no other's."""
    text = (FILES / "hurried_scenario.yaml").read_text()
    for name in ("hurried_population", "shop"):
        text = text.replace(f" {name}\n", f" {FILES / name}.yaml\n")
    scenario = tmp_path / "again_scenario.yaml"
    scenario.write_text(text.replace("duration: 2s", "duration: 4s\nreturning: {share: 0.6, after: 1s}"))
    with recording.Shop() as shop:
        ended = running.footfall("load", scenario, "--host", shop.url, "--out", tmp_path / "run", "--workers", 2)
        opened = shop.of("session")
    assert ended.code in (0, 3), ended.err
    visits = table(tmp_path / "run", "visits")
    later = sum(row["visit"] > 0 for row in visits)
    assert later > 10
    # Of visits that the end cuts before their first page the tables know nothing.
    assert later <= sum("cookie" in asked.headers for asked in opened) <= later + len(opened) - len(visits)


def test_a_scenario_travels():
    """What a worker unpacks is the scenario that its master has: same digest, same requests."""
    scenario = load_scenario(str(HURRIED))
    other = pickle.loads(pickle.dumps(scenario))
    assert other.digest() == scenario.digest()
    assert other.target.operations == scenario.target.operations


@pytest.fixture(scope="module")
def two(recording, running, tmp_path_factory):
    """Play the scenario with two workers; return the folder, how it ended, and which requests the shop saw."""

    def make(folder):
        with recording.Shop() as shop:
            ended = running.footfall("load", HURRIED, "--host", shop.url, "--out", folder, "--workers", 2, *VIEWS)
            return [*ended[:3], len(shop.asked), running.left_of(ended.pid, folder)]

    return running.once(tmp_path_factory, "two_workers", make)


def test_two_workers_play_the_plan_once(two):
    """All forty visits are made, each once, and every request is written down once."""
    folder, (code, _, err, asked, left) = two
    assert code in (0, 3), err
    assert "Traceback" not in err
    generator = manifest_of(folder)["generator"]
    assert (generator["planned"], generator["started"], generator["dropped"]) == (40, 40, 0)
    visits = table(folder, "visits")
    assert len({row["shopper"] for row in visits}) == len(visits) >= 39
    requests = table(folder, "requests")
    assert len(requests) - sum(row["abandoned"] for row in requests) <= asked <= len(requests)
    assert left == []


def test_two_workers_start_the_visits_that_one_would(two):
    """Who comes when in which arm is the scenario's plan, as for one process."""
    folder, _ = two
    plan = load_scenario(str(HURRIED)).plan()
    due = dict(zip(plan.shopper.tolist(), plan.start_us.tolist(), strict=True))
    assert all(row["start_at_us"] == due[row["shopper"]] for row in table(folder, "visits"))


def test_histograms_of_two_workers_hold_every_request(two):
    """Both clocks' counts are the number of requests, and load times that of pages seen."""
    folder, _ = two
    latency, events = table(folder, "latency"), table(folder, "events")
    counts = {c: sum(row["count"] for row in latency if row["clock"] == c) for c in ("due", "sent", "load")}
    assert counts["due"] == counts["sent"] == len(table(folder, "requests"))
    assert counts["load"] == sum(row["load_us"] is not None for row in events)


def test_the_views_of_two_workers_are_of_the_whole_run(two):
    """Time line, request lines and HAR files of two workers hold each visit and request of the run once."""
    folder, _ = two
    rows = list(csv.DictReader((folder / "timeline.csv").read_text().splitlines()))
    requests, visits = table(folder, "requests"), table(folder, "visits")
    assert sum(int(row["started"]) for row in rows) == 40
    assert sum(int(row["ended"]) for row in rows) == sum(row["cause"] != "ongoing" for row in visits)
    assert sum(int(row["requests"]) for row in rows) == len(requests)
    lines = [
        json.loads(line) for part in (0, 1) for line in (folder / f"requests-{part}.jsonl").read_text().splitlines()
    ]
    keys = ("shopper", "visit", "step", "sent_us")
    assert sorted(tuple(line[k] for k in keys) for line in lines) == sorted(tuple(r[k] for k in keys) for r in requests)
    assert {path.name for path in (folder / "har").iterdir()} == {f"{row['shopper']}-0.har" for row in requests}
    assert manifest_of(folder)["generator"]["notes"] == []


@pytest.fixture(scope="module")
def killed(recording, running, tmp_path_factory):
    """Play twenty seconds with three workers and kill one on the way, as a machine that fails would."""

    def make(folder):
        with recording.Shop() as shop:
            process = running.start(
                "load", HURRIED, "--host", shop.url, "--out", folder, "--workers", 3, "--duration", "20s"
            )
            try:
                assert running.within(120, lambda: len(shop.of("session")) > 60)
                os.kill(running.children_of(process.pid, WORKER)[0], signal.SIGKILL)
                before = len(shop.asked)
            finally:
                ended = running.finish(process)
            return [*ended[:3], before, len(shop.asked), running.left_of(ended.pid, folder)]

    return running.once(tmp_path_factory, "one_killed", make)


def test_a_killed_worker_makes_the_run_invalid(killed):
    """The others play on to the end; the verdict is invalid with exit code 3 and names the lost worker."""
    folder, (code, _, err, _, _, left) = killed
    assert code == 3, err
    assert "was lost after" in err
    assert "Traceback" not in err
    assert left == []
    generator = manifest_of(folder)["generator"]
    assert generator["lost"]["workers"] == 1
    assert any("was lost after" in reason for reason in generator["saturated"])


def test_what_a_killed_worker_had_measured_is_kept(killed):
    """Requests and pages that it had handed on stand in the tables: all but those of its last second."""
    folder, (_, _, _, before, asked, _) = killed
    rows = table(folder, "requests")
    lost_worker = {row["worker"] for row in table(folder, "lost")}
    assert len(lost_worker) == 1
    (worker,) = lost_worker
    assert sum(row["shopper"] % 3 == worker for row in rows) > 0.5 * before / 3
    assert asked - len(rows) <= 0.25 * before


def test_lost_visits_are_marked(killed):
    """Each visit of the lost worker stands in `lost` or has ended, and none of the others' stands there."""
    folder, _ = killed
    plan = load_scenario(str(HURRIED), {"duration": "20s"}).plan()
    lost, visits = table(folder, "lost"), table(folder, "visits")
    (worker,) = {row["worker"] for row in lost}
    ended = {row["shopper"] for row in visits if row["cause"] != "ongoing" and row["shopper"] % 3 == worker}
    marked = {row["shopper"] for row in lost}
    assert marked | ended == {shopper for shopper in plan.shopper.tolist() if shopper % 3 == worker}
    assert not marked & ended
    assert manifest_of(folder)["generator"]["lost"]["visits"] == pytest.approx(len(lost), abs=10)


def test_others_end_all_their_visits(killed):
    """The workers that stayed started every visit of theirs."""
    folder, _ = killed
    (worker,) = {row["worker"] for row in table(folder, "lost")}
    plan = load_scenario(str(HURRIED), {"duration": "20s"}).plan()
    theirs = {shopper for shopper in plan.shopper.tolist() if shopper % 3 != worker}
    seen = {row["shopper"] for row in table(folder, "visits") if row["shopper"] % 3 != worker}
    assert seen <= theirs
    assert len(theirs - seen) <= 3


def test_a_run_short_of_a_worker_can_be_reported(killed):
    """Its report is read and judged like any other, and says what was lost."""
    folder, _ = killed
    verdict = write_reports(folder)
    assert (verdict.state, verdict.exit_code) == ("invalid", 3)


def test_each_probe_of_a_search_is_played_by_all_workers(recording, footfall, monkeypatch, tmp_path):
    """`--find-capacity --workers 2` hands every probe to two workers."""
    asked = []

    def play(*_given, workers, **_more):
        asked.append((workers.local, workers.expect))
        raise click.UsageError("enough")

    monkeypatch.setattr("simulator.cli.live.play_live", play)
    with recording.Shop() as shop:
        ways = ("--find-capacity", "--workers", 2, "--out", tmp_path / "found")
        ended = footfall("load", HURRIED, "--host", shop.url, *ways)
    assert (ended.code, asked) == (2, [(2, 2)]), ended.err


def test_a_master_leads_workers_that_come_to_it(recording, running, tmp_path):
    """`load --master` waits for `worker`, which knows nothing but where the master is, and ends with the run."""
    port, folder = free_port(), tmp_path / "run"
    with recording.Shop() as shop:
        ways = ("--master", "--expect-workers", 1, "--bind-host", "127.0.0.1", "--bind-port", port)
        master = running.start("load", HURRIED, "--host", shop.url, "--out", folder, *ways)
        worker = running.start("worker", "--master-host", "127.0.0.1", "--master-port", port)
        ended, other = running.finish(master), running.finish(worker)
    assert ended.code in (0, 3), ended.err
    assert other.code == 0, other.err
    assert manifest_of(folder)["generator"]["started"] == 40
    assert "Traceback" not in ended.err + other.err


def test_a_target_that_is_not_ready_is_said_by_the_workers(recording, running, files, tmp_path):
    """A setup call that a worker cannot make ends the run with 4 before any visit, in one line."""
    text = (files / "shop.yaml").read_text()
    setup = 'setup:\n  popular: {path: /api/popular, extract: {sku: "$.items[*].sku"}}\noperations:\n'
    (tmp_path / "set_up.yaml").write_text(text.replace("operations:\n", setup))
    with recording.Shop() as shop:
        shop.behave["popular"] = recording.status(503)
        ways = ("--target", tmp_path / "set_up.yaml", "--workers", 1)
        ended = running.footfall("load", HURRIED, "--host", shop.url, "--out", tmp_path / "run", *ways)
        assert {asked.path for asked in shop.asked} == {"/api/popular"}
    assert ended.code == 4, ended.err
    assert ended.err.splitlines()[-1] == "error: setup.popular GET /api/popular: status 503"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--workers", 2, "--master"), "--workers and --master exclude each other"),
        (("--expect-workers", 2), "--expect-workers needs --master"),
        (("--workers", 0), "0 is not in the range x>=1"),
        (("--master", "--har", 0.5), "--requests and --har write where visits are played, and --master plays none"),
        (("--find-capacity", "--csv"), "--find-capacity makes many runs, and views show one"),
    ],
)
def test_ways_that_exclude_each_other_are_refused(footfall, given, said):
    """What cannot be meant is a usage error, before anything is called."""
    ended = footfall("load", HURRIED, "--host", "http://127.0.0.1:1", *given)
    assert ended.code == 2
    assert said in ended.err
