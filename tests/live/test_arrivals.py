"""Arrivals of a whole run: a cap and what it cost, a warm-up in no figure, the closed model, the highest rate."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.analysis.runs import read_run
from simulator.journey.plan import open_starts

HERE = Path(__file__).parent
SCENARIO = HERE / "files" / "single_scenario.yaml"
SERVICE_S = 0.05
SERVERS = 4


def table(folder, name, *columns):
    """Return columns of a run's table as numpy arrays."""
    found = pq.read_table(folder / f"{name}.parquet", columns=list(columns))
    return [found[column].to_numpy(zero_copy_only=False) for column in columns]


def at_once(begins, ends):
    """Return the most that were open at the same moment."""
    moments = np.concatenate([begins, ends])
    steps = np.repeat([1, -1], len(begins))
    return int(np.cumsum(steps[np.lexsort((steps, moments))]).max())


@pytest.fixture(scope="module")
def capped(recording, running, tmp_path_factory):
    """Play twice the visits that a cap lets through, with a warm-up; return (folder, Ended)."""
    folder = tmp_path_factory.mktemp("arrivals") / "capped"
    with recording.Shop() as shop:
        shop.always = recording.slow(0.5)
        options = ("--duration", "4s", "--warmup", "1s", "--max-open-visits", 5)
        return folder, running.footfall("load", SCENARIO, "--host", shop.url, "--out", folder, *options)


def test_a_cap_is_never_passed(capped):
    """At no moment were more visits open than the cap lets in."""
    sent, done = table(capped[0], "requests", "sent_us", "done_us")
    assert at_once(sent, done) <= 5


def test_waiting_for_room_is_charged_and_counted(capped):
    """Who had to wait started late, which stands in latency from due and in the cap's cost, not in the generator's."""
    folder, ended = capped
    generator = json.loads((folder / "manifest.json").read_text())["generator"]
    cap = generator["cap"]
    lag_s = table(folder, "visits", "lag_us")[0] / 1e6
    assert (lag_s > 0.3).sum() > 10
    assert cap["delayed"] == pytest.approx((lag_s > 0.02).sum(), abs=6)
    # Visits that the end cut before their first page waited as well, and stand in no table.
    assert lag_s.max() - 0.05 <= cap["waited_s"]["max"] <= lag_s.max() + 0.6
    assert cap["dropped"] == generator["dropped"] == generator["planned"] - generator["started"] > 10
    assert generator["start_lag_ms"]["p99"] < 250
    due, sent = (read_run(folder).histograms.merged(clock).percentile_s(0.95) for clock in ("due", "sent"))
    assert due > sent + 0.5
    assert ended.code == 3
    assert "max_open_visits: for" in ended.err
    assert "started late for want of room" in ended.err.replace("\n", " ")


def test_warm_up_is_in_the_tables_and_in_no_figure(capped):
    """Rows of the warm-up are marked by their own moment; visits, pages, requests and histograms leave them out."""
    folder, _ = capped
    run = read_run(folder)
    for name, moment, frame in (
        ("visits", "start_at_us", run.visits),
        ("events", "at_us", run.events),
        ("requests", "due_us", run.requests),
    ):
        at, early = table(folder, name, moment, "warmup")
        assert (early == (at < 1_000_000)).all()
        assert 0 < early.sum() < len(early)
        assert len(frame) == (~early).sum()
    assert run.histograms.merged("due").n == len(run.requests)
    assert run.histograms.merged("load").n == run.events.present("load_us").sum()
    assert json.loads((folder / "summary.json").read_text())["generator"]["warmup_visits"] > 0
    for name in ("report.html", "report.md"):
        assert "were warm-up" in (folder / name).read_text()


def test_a_closed_run_says_so(recording, running, tmp_path):
    """So many shoppers are there at once and no more, each next visit follows the one before, and the report warns."""
    with recording.Shop() as shop:
        shop.always = recording.slow(0.2)
        options = ("--closed", 4, "--duration", "3s", "--out", tmp_path / "run")
        ended = running.footfall("load", SCENARIO, "--host", shop.url, *options)
    sent, done = table(tmp_path / "run", "requests", "sent_us", "done_us")
    generator = json.loads((tmp_path / "run" / "manifest.json").read_text())["generator"]
    assert at_once(sent, done) == 4
    assert 20 <= len(sent) <= 62
    assert generator["dropped"] == 0
    assert "Closed model" in ended.err
    assert "asked less often" in (tmp_path / "run" / "report.html").read_text()


REFUSED = {
    "two ways to arrive": (("--closed", 4, "--rate", "5/s"), "both say when visits start"),
    "a closed search": (("--closed", 4, "--find-capacity"), "is searched with arrivals that have one"),
    "a search by a master": (("--master", "--find-capacity"), "--master leads one"),
    "a time without a unit": (("--find-capacity", "--within", "5"), "--within 5: must be a duration"),
    "a rate without a unit": (("--find-capacity", "--up-to", "5"), "--up-to 5: must be a rate"),
    "a warm-up without an end": (("--warmup", "1h"), "warmup must be shorter than the duration"),
    "a closed run with a cap": (("--closed", 4, "--max-open-visits", 3), "max_open_visits"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused(what, footfall, tmp_path):
    """Options that contradict each other are a usage error before anything is sent or written."""
    options, text = REFUSED[what]
    said = footfall("load", SCENARIO, "--host", "http://127.0.0.1:1", "--out", tmp_path / "run", *options)
    assert said.code == 2
    assert text in " ".join(said.err.split())
    assert not (tmp_path / "run").exists()


def test_a_search_needs_a_threshold(footfall, tmp_path):
    """Without anything that must hold there is no highest rate."""
    bare = tmp_path / "bare.yaml"
    text = SCENARIO.read_text().split("thresholds")[0]
    for name in ("single_population", "single_target"):
        text = text.replace(name, str(SCENARIO.with_name(f"{name}.yaml")))
    bare.write_text(text)
    said = footfall("load", bare, "--host", "http://127.0.0.1:1", "--find-capacity", "--out", tmp_path / "run")
    assert said.code == 2
    assert "no thresholds" in said.err


@contextmanager
def queueing():
    """Open a server of four places that serves for 50 ms; yield its address."""
    command = [sys.executable, str(HERE / "queueing.py"), str(SERVERS), str(SERVICE_S)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=10)


def expected_p95_s(probe, duration_s):
    """Return the p95 that theory's queue gives for the very arrivals of a probe: first come, first served.

    What is not answered when the run ends is cut, and has no latency.
    """
    rate = probe["rate_per_s"]
    free, spent = [0.0] * SERVERS, []
    for start in open_starts([(0.0, rate), (duration_s, rate)], probe["seed"]) / 1e6:
        place = free.index(min(free))
        free[place] = max(start, free[place]) + SERVICE_S
        if free[place] <= duration_s:
            spent.append(free[place] - start)
    return float(np.quantile(spent, 0.95))


def test_the_highest_rate_of_a_real_server_is_theorys(running, tmp_path):
    """Against four places of 50 ms (80/s at most) the search ends below that and near it, and each probe is right.

    Each probe's p95 is compared with the queue's own for the same arrivals, and its outcome with what that p95 means.
    """
    target = SCENARIO.read_text().replace("80ms", "200ms").replace("single_", f"{SCENARIO.parent}/single_")
    scenario = tmp_path / "single.yaml"
    scenario.write_text(target.replace("_population", "_population.yaml").replace("_target", "_target.yaml"))
    with queueing() as url:
        options = ("--find-capacity", "--rate", "30/s", "--duration", "6s", "--precision", 10, "--settle", "1s")
        process = running.start("load", scenario, "--host", url, "--out", tmp_path / "run", *options)
        _, err = process.communicate(timeout=400)
    found = json.loads((tmp_path / "run" / "search.json").read_text())
    assert process.returncode == 0, err
    assert found["found"]["stopped"] == "precise"
    assert found["found"]["held_times"] >= 2
    for probe in found["probes"]:
        theory_s, p95_s = expected_p95_s(probe, 6.0), probe["latency_s"]["p95"]
        assert p95_s > theory_s - 0.005
        assert (probe["outcome"] == "held") == (p95_s < 0.2)
        assert (tmp_path / "run" / probe["folder"] / "report.html").exists()
    held, beyond = found["found"]["held_per_s"], found["found"]["beyond_per_s"]
    assert 45 <= held < SERVERS / SERVICE_S * 1.1
    assert beyond <= held * 1.12
    assert f"{held:g} visits/s" in (tmp_path / "run" / "report.html").read_text()
