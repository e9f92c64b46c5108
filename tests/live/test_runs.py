"""`footfall load`, end to end, before a shop that is well, ill, slow to start, or not there."""

from __future__ import annotations

import json
import re
import resource
import shutil
import signal
import socket
import subprocess

import pyarrow.parquet as pq
import pytest

from simulator.report import write_reports
from simulator.runfolder.parts import RESERVE_BYTES
from simulator.scenario.load import load_scenario
from simulator.worlds.crowd import World
from simulator.worlds.replay import replay, rows_from_tables

STOPS_S = 12.0
"""A stopped command has written its report by then, on a slow and busy machine too."""


@pytest.fixture(scope="module")
def load(running, files):
    """Return a function that plays a scenario of these tests against a URL, into a folder."""

    def loaded(url, folder, *options, name="hurried", **how):
        scenario = files / f"{name}_scenario.yaml"
        return running.footfall("load", scenario, "--host", url, "--out", folder, *options, **how)

    return loaded


def manifest_of(folder):
    """Return a run's manifest."""
    return json.loads((folder / "manifest.json").read_text())


def rows_of(folder, name):
    """Return a table of a run as rows."""
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


@pytest.fixture(scope="module")
def healthy(recording, load, running, tmp_path_factory):
    """Play two seconds before a healthy shop; return the folder and how it ended."""

    def make(folder):
        with recording.Shop() as shop:
            ended = load(shop.url, folder)
            return [*ended[:3], len(shop.asked), len({asked.connection for asked in shop.asked})]

    return running.once(tmp_path_factory, "healthy", make)


def test_a_healthy_shop_passes(healthy):
    """With every threshold held the exit code is 0, and the console says so."""
    folder, (code, out, err, _, _) = healthy
    assert code == 0, err
    assert out == ""
    assert "passed All 2 thresholds held.\n" in err
    assert manifest_of(folder)["generator"]["errors"] == 0


def test_every_request_is_written_down(healthy):
    """The shop was asked as often as the requests table says, over one connection a visit."""
    folder, (*_, asked, connections) = healthy
    requests = rows_of(folder, "requests")
    # What the end of the run cuts may not have reached the shop any more, or may have shown its shopper no page yet.
    assert len(requests) - sum(row["abandoned"] for row in requests) <= asked <= len(requests)
    started = manifest_of(folder)["generator"]["started"]
    assert started - 1 <= connections <= started
    assert started - 1 <= len(rows_of(folder, "visits")) <= started


def test_visits_arrive_evenly_where_the_scenario_says_so(healthy):
    """`spacing: even` at 20/s plans a visit every 50 ms, and starts each close to its time."""
    visits = rows_of(healthy[0], "visits")
    assert manifest_of(healthy[0])["generator"]["started"] == 40
    assert [row["start_at_us"] for row in visits][:39] == [25_000 + 50_000 * number for number in range(39)]
    late_us = sorted(row["lag_us"] for row in visits)
    assert late_us[len(late_us) // 2] < 50_000


def test_arms_share_the_visits_and_only_one_is_delayed(healthy):
    """Both arms are played in one run; the delay is in the slower one's load times alone."""
    events = [row for row in rows_of(healthy[0], "events") if row["load_us"] is not None]
    added = {arm: {r["load_us"] - r["measured_us"] for r in events if r["arm"] == arm} for arm in ("control", "slower")}
    assert added == {"control": {0}, "slower": {50_000}}


def test_a_generator_that_could_not_keep_up_makes_the_run_invalid(healthy, tmp_path):
    """A run whose generator says that it was saturated ends with 3, whatever the thresholds say."""
    folder = shutil.copytree(healthy[0], tmp_path / "run")
    manifest = manifest_of(folder)
    manifest["generator"]["saturated"] = ["the generator took 99% of its core"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    verdict = write_reports(folder)
    assert (verdict.state, verdict.exit_code) == ("invalid", 3)
    assert "the generator took 99% of its core" in verdict.reasons


def test_many_pages_of_two_arms_replay_row_for_row(healthy, files):
    """The recorded load times and the seed give the same journeys offline, carts and orders included."""
    folder, _ = healthy
    scenario = load_scenario(str(files / "hurried_scenario.yaml"))
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in ("shoppers", "visits", "events")}
    world = World(scenario.population, scenario.pages, scenario.arms, scenario.spec.seed)
    played = replay(world, *rows_from_tables(tables, scenario.names))
    assert len(played.events) == len(tables["events"]) > 100
    for column in ("at_us", "nth", "waited_us", "think_us", "patience_us", "product", "price_cents", "cart_items"):
        expected = tables["events"][column].fill_null(-1).to_pylist()
        assert played.events[column].tolist() == expected, column
    for column, field in (("wall_us", "elapsed_us"), ("ga_us", "ga_us"), ("orders", "orders")):
        assert played.visits[field].tolist() == tables["visits"][column].to_pylist(), column


def test_an_ill_shop_fails_by_its_thresholds(recording, load, tmp_path):
    """Hang-ups, resets, garbage, 500s and half answers are counted by name; the run ends in time, with exit code 1."""
    with recording.Shop() as shop:
        shop.behave |= {
            "recommend": recording.reset,
            "track": recording.garbage,
            "offers": recording.close,
            "category": recording.status(500),
            "search": recording.truncated,
            "home": recording.no_json,
            "cart": recording.hang,
        }
        ended = load(shop.url, tmp_path / "run")
    assert ended.code == 1, ended.err
    assert "✗ errors < 1%" in ended.err
    errors = {row["error"] for row in rows_of(tmp_path / "run", "requests")} - {None}
    assert {"connection closed", "answer cut short", "status 500", "not json"} <= errors
    manifest = manifest_of(tmp_path / "run")
    assert manifest["generator"]["errors"] > 20
    assert manifest["generator"]["duration_s"] < 4.0


def test_nobody_there_is_said_at_once_and_nothing_is_written(load, tmp_path):
    """A target that does not listen ends the command with 4 within seconds, before there is a folder."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ended = load(f"http://127.0.0.1:{port}", tmp_path / "run")
    assert ended.code == 4
    assert ended.took_s < 6.0
    assert ended.err == f"error: http://127.0.0.1:{port} is unreachable: connection refused\n"
    assert not (tmp_path / "run").exists()


def test_an_unreachable_target_costs_no_earlier_run(load, tmp_path):
    """With --overwrite an earlier run is removed when its successor begins, not when it cannot."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")
    ended = load("http://127.0.0.1:1", tmp_path / "run", "--overwrite")
    assert ended.code == 4
    assert (tmp_path / "run" / "manifest.json").read_text() == "{}"


@pytest.fixture(scope="module")
def needs_setup(files, tmp_path_factory):
    """Return a target file whose visits need what a setup call tells."""
    text = (files / "shop.yaml").read_text()
    setup = 'setup:\n  popular: {path: /api/popular, extract: {sku: "$.items[*].sku"}}\noperations:\n'
    path = tmp_path_factory.mktemp("target") / "set_up.yaml"
    path.write_text(text.replace("operations:\n", setup))
    return path


def test_a_setup_call_that_fails_ends_the_run_before_it_begins(recording, load, needs_setup, tmp_path):
    """What went wrong is said in one line with the request, the exit code is 4, and no visit was sent."""
    with recording.Shop() as shop:
        shop.behave["popular"] = recording.status(503)
        ended = load(shop.url, tmp_path / "run", "--target", needs_setup)
        assert [asked.path for asked in shop.asked] == ["/api/popular"]
    assert ended.code == 4
    assert ended.err.splitlines()[-1] == "error: setup.popular GET /api/popular: status 503"
    assert "Traceback" not in ended.err
    assert list((tmp_path / "run").iterdir()) == []


def test_a_full_disk_is_said_and_leaves_no_run(recording, load, tmp_path):
    """When the tables do not fit, the command says so with exit code 2, and the folder is no run: no manifest."""
    with recording.Shop() as shop:
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096))  # noqa: E731 - one line, one use
        ended = load(shop.url, tmp_path / "run", "--duration", "1s", preexec_fn=limit)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert re.fullmatch(r"error: cannot write .*\.parquet: .*File too large", ended.err.splitlines()[-1])
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert not left & {"manifest.json", "report.html", "job.json", "live.log"}
    assert not any(name.endswith(".partial") for name in left)


@pytest.fixture
def small_disk(running, files, tmp_path):
    """Return a function that plays a scenario on a disk of so many bytes, and copies the run's folder off it."""
    place = tmp_path / "disk"
    place.mkdir()
    inside = "mount -t tmpfs -o size=$1 tmpfs $2 && shift 2 || exit 99"
    if subprocess.run(["unshare", "-m", "sh", "-c", inside, "sh", "4096", place], check=False).returncode:
        pytest.skip("this user may not mount a disk of memory")

    def played(size_bytes, url, *options):
        scenario = str(files / "hurried_scenario.yaml")
        load = [*running.COMMAND, "load", scenario, "--host", url, "--out", str(place / "run"), *options]
        script = f'{inside}; "$@"; code=$?; cp -r {place}/run {tmp_path}/run; exit $code'
        command = ["unshare", "-m", "sh", "-c", script, "sh", str(size_bytes), str(place), *load]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=running.LONGEST_S, check=False)
        return ended, tmp_path / "run"

    return played


def test_a_disk_that_fills_up_makes_the_run_invalid(recording, small_disk):
    """Visits go on while nothing can be written any more; the verdict says what is missing, and reports are there."""
    room_bytes = 16_384
    with recording.Shop() as shop:
        ended, folder = small_disk(RESERVE_BYTES + room_bytes, shop.url, "--requests", "1")
        visits = len(shop.of("session"))
    assert (ended.returncode, visits) == (3, 40), ended.stderr
    assert "Traceback" not in ended.stderr
    told = re.findall(r"(\w+) is not whole, ([\d,]+) rows are missing: .*No space left on device", ended.stderr)
    assert ("visits", "40") in told
    assert {name for name, _ in told} == {"shoppers", "visits", "events", "requests"}
    assert all("No space left" in (folder / name).read_text() for name in ("report.html", "report.md", "summary.json"))


def test_a_certificate_nobody_trusts_takes_a_word(tls_shop, running, files, tmp_path):
    """A shop with a certificate of its own is refused; with --insecure it is called, and each report says so."""
    url, scenario = tls_shop.url.replace("http:", "https:"), files / "hurried_scenario.yaml"
    ways = ("load", scenario, "--host", url, "--out", tmp_path / "run", "--duration", "1s")
    refused = running.footfall(*ways)
    assert (tls_shop.asked, refused.code) == ([], 1), refused.err
    assert "certificate not trusted" in (tmp_path / "run" / "report.html").read_text()
    ended = running.footfall(*ways, "--insecure", "--overwrite")
    assert ended.code in (0, 3), ended.err
    assert len(tls_shop.of("session")) == 20
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["run"]["permission"]["verify"] is False
    for said in (ended.err, *((tmp_path / "run" / name).read_text() for name in ("report.html", "report.md"))):
        assert "certificates were not looked at" in " ".join(said.replace("\\", "").split())


def children(running, pid):
    """Return the ids of the load generator's process of a command."""
    return running.children_of(pid, "simulator.worlds.live")


def test_an_interrupted_run_reports_what_was_measured(recording, running, files, tmp_path):
    """Ctrl-C in the middle of a run: exit code 130, a report, `interrupted` in the manifest, and no process left."""
    folder = tmp_path / "run"
    scenario = files / "hurried_scenario.yaml"
    with recording.Shop() as shop:
        process = running.start("load", scenario, "--host", shop.url, "--out", folder, "--duration", "60s", "--seed", 8)
        assert running.within(40, lambda: len(shop.asked) > 100)
        process.send_signal(signal.SIGINT)
        ended = running.finish(process)
    assert ended.code == 130, ended.err
    assert ended.took_s < STOPS_S
    assert "The run was interrupted" in ended.err
    manifest = manifest_of(folder)
    assert manifest["interrupted"] is True
    assert manifest["seed"] == 8
    assert len(rows_of(folder, "requests")) > 50
    assert "interrupted" in (folder / "report.md").read_text()
    assert not {"job.json", "live.log"} & {path.name for path in folder.iterdir()}
    assert running.left_of(ended.pid, folder) == []


def test_a_demo_that_is_told_to_end_closes_its_shop_too(running, tmp_path):
    """SIGTERM in the middle of a demo: exit code 130 with a report, and neither shop nor load generator is left."""
    folder = tmp_path / "run"
    process = running.start("demo", "--out", folder, "--duration", "60s")
    assert running.within(40, lambda: running.is_calling(children(running, process.pid)))
    assert running.children_of(process.pid, "simulator.storefront")
    process.send_signal(signal.SIGTERM)
    ended = running.finish(process)
    assert ended.code == 130, ended.err
    assert ended.took_s < STOPS_S
    assert manifest_of(folder)["interrupted"] is True
    assert (folder / "report.html").exists()
    assert running.left_of(ended.pid, folder) == []


def test_an_interrupt_before_the_first_visit_is_an_interrupt(recording, running, files, needs_setup, tmp_path):
    """Interrupted while it is still getting ready, the command has nothing to report: it says so and exits with 130."""
    folder = tmp_path / "run"
    scenario = files / "hurried_scenario.yaml"
    with recording.Shop() as shop:
        shop.behave["popular"] = recording.hang
        process = running.start("load", scenario, "--host", shop.url, "--target", needs_setup, "--out", folder)
        assert running.within(40, lambda: len(shop.asked) == 1)
        process.send_signal(signal.SIGINT)
        ended = running.finish(process)
    assert ended.code == 130
    assert ended.took_s < STOPS_S
    assert ended.err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in ended.err
    assert running.left_of(ended.pid, folder) == []


def test_a_command_that_is_killed_takes_its_processes_along(recording, running, files, tmp_path):
    """Even where nothing can be cleaned up (SIGKILL), the load generator notices and ends by itself."""
    folder = tmp_path / "run"
    scenario = files / "hurried_scenario.yaml"
    with recording.Shop() as shop:
        process = running.start("load", scenario, "--host", shop.url, "--out", folder, "--duration", "60s")
        assert running.within(40, lambda: len(shop.asked) > 20)
        assert children(running, process.pid)
        process.kill()
        running.finish(process)
        assert running.within(STOPS_S, lambda: not running.left_of(process.pid, folder))
