"""The same shoppers under plain Locust: `locust -f locustfiles/shoppers.py --host URL`."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.storefront import running_storefront

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def storefront():
    """Open the embedded shop for this file."""
    with running_storefront() as shop:
        yield shop


def locust(url, folder, *options):
    """Run Locust without its web UI; return how it ended and the rows of its statistics by (type, name)."""
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfiles" / "shoppers.py"), "--headless"]
    command += ["--host", url, "--csv", str(folder / "found"), "--only-summary", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    path = folder / "found_stats.csv"
    text = path.read_text() if path.exists() else ""
    return ended, {(row["Type"], row["Name"]): row for row in csv.DictReader(text.splitlines())}


def test_locusts_own_users_play_visit_after_visit(storefront, tmp_path):
    """In Locust's closed model each user plays visits; pages and operations stand in its statistics, all good."""
    ended, rows = locust(storefront.url, tmp_path, "-u", "3", "-r", "3", "-t", "4s")
    assert ended.returncode == 0, ended.stderr
    total = rows["", "Aggregated"]
    assert int(total["Request Count"]) > 3
    assert int(total["Failure Count"]) == 0
    assert {name for kind, name in rows if kind} >= {"session"}
    assert "Traceback" not in ended.stderr


def test_with_open_visits_arrive_by_the_scenarios_plan(storefront, tmp_path):
    """With `--open` and no users of its own, Locust sends the plan's visits: five a second, whatever the shop does."""
    ended, rows = locust(storefront.url, tmp_path, "--open", "-u", "0", "-t", "4s")
    assert ended.returncode == 0, ended.stderr
    sessions = sum(int(row["Request Count"]) for (kind, name), row in rows.items() if kind and name == "session")
    assert 8 <= sessions <= 20
    assert int(rows["", "Aggregated"]["Failure Count"]) == 0
    assert "Traceback" not in ended.stderr


def test_with_open_on_several_workers_the_plan_is_split(recording, files, tmp_path):
    """Two workers of plain Locust send the plan's forty visits in once between them, and the master sends none."""
    scenario = ("--scenario", str(files / "hurried_scenario.yaml"))
    with recording.Shop() as shop:
        ended, rows = locust(shop.url, tmp_path, "--open", "-u", "0", "-t", "20s", "--processes", "2", *scenario)
        sessions = len(shop.of("session"))
    assert ended.returncode == 0, ended.stderr
    assert sessions == 40
    assert sum(int(row["Request Count"]) for (kind, name), row in rows.items() if kind and name == "session") == 40
    assert int(rows["", "Aggregated"]["Failure Count"]) == 0
    assert "Traceback" not in ended.stderr


def test_several_workers_share_the_ceiling(recording, files, tmp_path):
    """Users of two workers together begin no more visits than the scenario's `max_rate` lets one begin."""
    ways = ("-u", "40", "-r", "40", "-t", "8s", "--processes", "2", "--scenario", str(files / "held_scenario.yaml"))
    with recording.Shop() as shop:
        ended, _ = locust(shop.url, tmp_path, *ways)
        visits = len(shop.asked)
    assert ended.returncode == 0, ended.stderr
    # Eight seconds and the burst of two, at five a second; each worker alone would let as many in.
    assert 10 <= visits <= 55


def test_a_target_that_is_not_ready_is_said_and_ends_locust(tmp_path):
    """Where the target does not answer its setup call, Locust stops and says so instead of failing every visit."""
    ended, _ = locust("http://127.0.0.1:1", tmp_path, "-u", "3", "-r", "3", "-t", "10s")
    assert ended.returncode == 4
    assert "setup.popular GET /api/recommendations?limit=24: connection refused" in ended.stderr
