"""What can be seen of a live run: the tally against the run's own tables, and each view against its own format."""

from __future__ import annotations

import csv
import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
import orjson
import pytest
from jsonschema import Draft7Validator
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from prometheus_client.parser import text_string_to_metric_families
from referencing import Registry, Resource

from simulator.model.schema import TECHNOLOGIES
from simulator.worlds.live.views.otel import Pusher, endpoint_of
from simulator.worlds.live.views.prometheus import metrics_app
from simulator.worlds.live.views.samples import Sample
from simulator.worlds.live.views.show import Views
from simulator.worlds.live.views.spread import Spread
from simulator.worlds.live.views.tally import Tally
from simulator.worlds.live.views.timeline import COLUMNS
from simulator.worlds.live.views.wanted import Wanted, parse_address, refuse_taken
from simulator.worlds.live.views.webui import csv_text, rows

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def seen(recording, play, written, tmp_path_factory):
    """Play visits with every file wanted; return (run, tally, folder, tables)."""
    folder, kept = tmp_path_factory.mktemp("views"), []

    def prepare(run):
        views = Views(Wanted(csv=True, requests=1.0, har=0.5), run, folder)
        views.open(None)
        kept.append(views)

    with recording.Shop() as shop:
        run = play(shop.url, shoppers=24, prepare=prepare)
    kept[0].close()
    assert kept[0].failures == []
    return run, kept[0].tally, folder, written(run.recorder, run.scenario.names)


def test_the_tally_is_what_the_tables_say(seen):
    """Counts by network, cause, page and outcome are those of the run's tables, which are made another way."""
    _, tally, _, tables = seen
    visits, events, requests = (tables[name].to_pylist() for name in ("visits", "events", "requests"))
    network, cause = TECHNOLOGIES.index, ("ongoing", "done", "impatient", "put_off", "error", "budget").index
    assert tally.counts["ended"] == Counter((network(row["network"]), cause(row["cause"])) for row in visits)
    assert tally.count("bounced") == sum(row["bounced"] for row in visits)
    assert tally.count("pages") == sum(row["load_us"] is not None for row in events)
    assert tally.count("given_up") == sum(row["load_us"] is None for row in events)
    assert tally.count("requests") == len(requests)
    assert (tally.count("started"), tally.open) == (24, 0)
    assert tally.spread("wall").total_us == sum(row["wall_us"] for row in visits)
    assert tally.spread("engaged").total_us == sum(row["engaged_us"] for row in visits)
    assert tally.spread("latency", "due").total_us == sum(row["done_us"] - row["due_us"] for row in requests)


def test_quantiles_are_within_one_percent():
    """Quantiles are off by 1 % at most, over eight decades, against numpy's of the same values."""
    values_us = [round(value) for value in 10 ** np.random.default_rng(7).uniform(0.5, 9, 4_000)]
    spread = Spread()
    for value_us in values_us:
        spread.add(value_us)
    for share in (0.01, 0.1, 0.5, 0.9, 0.99, 0.999):
        exact_s = np.quantile(values_us, share, method="inverted_cdf") / 1e6
        assert spread.quantile_s(share) == pytest.approx(exact_s, rel=0.0101)
    assert spread.count == len(values_us)
    for bound_s, below in zip((0.001, 1.0, 100.0), spread.below_s((0.001, 1.0, 100.0)), strict=True):
        assert sum(v <= bound_s * 1e6 / 1.02 for v in values_us) <= below
        assert below <= sum(v <= bound_s * 1e6 * 1.02 for v in values_us)


def test_workers_add_up():
    """What workers took and a master added is what one process would have counted; nothing is counted twice."""
    whole, master, workers = Tally(), Tally(), [Tally(), Tally()]
    for number in range(100):
        for one in (whole, workers[number % 2]):
            one.started(number * 1_000)
        if number % 30 == 7:
            for worker in workers:
                master.add(orjson.loads(orjson.dumps(worker.take())))
    for worker in workers:
        master.add(worker.take())
    assert master.counts == whole.counts
    assert master.spread("lag").cells == whole.spread("lag").cells
    assert master.spread("lag").total_us == whole.spread("lag").total_us


def test_resetting_keeps_who_is_there():
    """Locust's reset button forgets what has been, not the visits that go on."""
    tally = Tally()
    tally.started(5)
    tally.started(5)
    tally.counts["cut"][()] += 1
    tally.reset()
    assert (tally.open, tally.count("cut"), tally.spread("lag").count) == (1, 0, 0)


def scrape(tally):
    """Return what `/metrics` answers."""
    said = []
    body = b"".join(
        metrics_app(tally)({"PATH_INFO": "/metrics", "REQUEST_METHOD": "GET"}, lambda *told: said.append(told))
    )
    assert said[0][0] == "200 OK"
    return body.decode()


def test_prometheus_can_read_it(seen):
    """Prometheus' own parser reads the answer; counters and histograms are the tally's, buckets only grow."""
    _, tally, _, _ = seen
    families = {family.name: family for family in text_string_to_metric_families(scrape(tally))}
    assert families["footfall_visits_started"].samples[0].value == 24
    ended = {(s.labels["network"], s.labels["cause"]): s.value for s in families["footfall_visits_ended"].samples}
    assert sum(ended.values()) == 24
    load = families["footfall_load_time_seconds"].samples
    count = sum(sample.value for sample in load if sample.name.endswith("_count"))
    assert count == tally.count("pages")
    by_place = {}
    for sample in load:
        if sample.name.endswith("_bucket"):
            by_place.setdefault((sample.labels["page"], sample.labels["network"]), []).append(sample.value)
    assert by_place
    for values in by_place.values():
        assert values == sorted(values)


def test_every_metric_is_in_the_docs(seen):
    """The page on live runs has each metric with its labels, and each column of the time line."""
    page = (HERE.parents[1] / "docs" / "live.md").read_text()
    for family in text_string_to_metric_families(scrape(seen[1])):
        shown = family.name + ("_total" if family.type == "counter" else "")
        row = re.search(rf"^\| `{shown}` \| (.*?) \|", page, re.MULTILINE)
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert set(re.findall(r"`(\w+)`", row[1])) == labels or not family.samples
    for column in COLUMNS:
        assert f"`{column}`" in page


def test_only_metrics_are_answered(seen):
    """Any other path than `/metrics` is not found."""
    said = []
    metrics_app(seen[1])({"PATH_INFO": "/", "REQUEST_METHOD": "GET"}, lambda *told: said.append(told))
    assert said[0][0].startswith("404")


def test_opentelemetry_can_encode_it(seen):
    """OpenTelemetry's own encoder takes the metrics; sums are monotonic, buckets sum to their count."""
    _, tally, _, _ = seen
    pusher = Pusher(tally, "http://127.0.0.1:1", "run-1", exporter=object())
    sent = encode_metrics(pusher.data()).resource_metrics[0]
    assert {one.key: one.value.string_value for one in sent.resource.attributes}["footfall.run.id"] == "run-1"
    metrics = {metric.name: metric for metric in sent.scope_metrics[0].metrics}
    started = metrics["footfall.visits.started"]
    assert (started.unit, started.sum.is_monotonic) == ("{visit}", True)
    assert started.sum.data_points[0].as_int == 24
    for name in ("footfall.load.time", "footfall.visit", "footfall.request", "footfall.start.lag"):
        for point in metrics[name].histogram.data_points:
            assert sum(point.bucket_counts) == point.count > 0
            assert len(point.bucket_counts) == len(point.explicit_bounds) + 1


def test_a_collectors_url():
    """OTLP's own path is put behind a collector's URL, and stands where one is given."""
    assert endpoint_of("http://127.0.0.1:4318/") == "http://127.0.0.1:4318/v1/metrics"
    assert endpoint_of("http://127.0.0.1/x/v1/metrics") == "http://127.0.0.1/x/v1/metrics"


def test_the_time_line_adds_up(seen):
    """The rows of `timeline.csv` add up to the run."""
    _, tally, folder, _ = seen
    found = list(csv.DictReader((folder / "timeline.csv").read_text().splitlines()))
    for name in ("started", "ended", "bounced", "pages", "requests", "bytes"):
        assert sum(int(row[name]) for row in found) == tally.count(name)
    assert found[-1]["open"] == "0"
    assert float(found[-1]["latency_p99_ms"]) > 0


def test_request_lines_are_the_requests(seen):
    """With a share of 1, `requests.jsonl` has a line for each request of the table, with the same times."""
    _, _, folder, tables = seen
    lines = [json.loads(line) for line in (folder / "requests.jsonl").read_text().splitlines()]
    same = ("shopper", "visit", "step", "persona", "page", "operation", "due_us", "sent_us", "done_us", "error")

    def told(row):
        return tuple(str(row[name]) for name in same)

    assert sorted(map(told, lines)) == sorted(map(told, tables["requests"].to_pylist()))
    assert all(line["url"].startswith("/") for line in lines)


def test_samples_are_keyed():
    """Each visit of a smaller sample is in a larger one; shares are kept within five standard deviations."""
    small, large = Sample(7, 0.1), Sample(7, 0.4)
    visits = [(shopper, visit) for shopper in range(2_000) for visit in range(2)]
    few, many = ({one for one in visits if sample.has(*one)} for sample in (small, large))
    assert few < many
    assert len(few) == pytest.approx(400, abs=5 * (4_000 * 0.1 * 0.9) ** 0.5)
    assert len(many) == pytest.approx(1_600, abs=5 * (4_000 * 0.4 * 0.6) ** 0.5)
    assert not any(Sample(7, 0.0).has(*one) for one in visits)
    assert all(Sample(7, 1.0).has(*one) for one in visits)


@pytest.fixture(scope="module")
def har_schema():
    """Return the validator of HAR's published schema (har-schema 2.0.0)."""
    folder = HERE / "files" / "har_schema"
    parts = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    for schema in parts.values():
        schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    registry = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in parts.items())
    registry = registry.with_resources((s["$id"], Resource.from_contents(s)) for s in parts.values())
    return Draft7Validator(parts["har.json"], registry=registry)


def test_har_files_fit_the_schema(seen, har_schema):
    """Each sampled visit has a HAR file of the published schema, with its requests and pages, and no credentials."""
    run, _, folder, tables = seen
    sample = Sample(run.scenario.spec.seed, 0.5)
    requests = Counter((row["shopper"], row["visit"]) for row in tables["requests"].to_pylist())
    files = {tuple(map(int, path.stem.split("-"))): path for path in (folder / "har").iterdir()}
    assert set(files) == {visit for visit in requests if sample.has(*visit)}
    for visit, path in files.items():
        har = json.loads(path.read_text())
        assert list(har_schema.iter_errors(har)) == []
        assert len(har["log"]["entries"]) == requests[visit]
        assert {entry["pageref"] for entry in har["log"]["entries"]} <= {page["id"] for page in har["log"]["pages"]}
        pages = [row for row in tables["events"].to_pylist() if (row["shopper"], row["visit"]) == visit]
        loads = [page["pageTimings"]["onLoad"] for page in har["log"]["pages"]]
        assert loads == [-1 if row["load_us"] is None else row["load_us"] / 1e3 for row in pages]
        for entry in har["log"]["entries"]:
            spent = [entry["timings"][part] for part in ("dns", "connect", "send", "wait", "receive")]
            assert sum(part for part in spent if part > 0) <= entry["time"] + 0.001
        assert not re.search(r"token-\d+|sid=s\d+", path.read_text())


def test_har_files_say_what_was_spoken(h2server, recording, trusted, play, tmp_path):
    """The version of HTTP in a HAR file is that of the answer: over HTTP/2 another than over HTTP/1.1."""
    spoken = {}
    for shop, transport in ((h2server.H2Shop(trusted), "httpx"), (recording.Shop(), "fast")):
        folder = tmp_path / transport
        with shop:
            prepare = lambda run, folder=folder: Views(Wanted(har=1.0), run, folder).open(None)  # noqa: E731 - one use
            play(shop.url, shoppers=2, prepare=prepare, transport=transport)
        logs = [json.loads(path.read_text())["log"] for path in (folder / "har").iterdir()]
        entries = [entry for log in logs for entry in log["entries"] if entry["response"]["status"]]
        spoken[transport] = {entry[side]["httpVersion"] for entry in entries for side in ("request", "response")}
    assert spoken == {"httpx": {"HTTP/2"}, "fast": {"HTTP/1.1"}}


def test_the_schema_can_refuse(seen, har_schema):
    """The schema is no yes-man: an entry without its response does not fit."""
    har = json.loads(next((seen[2] / "har").iterdir()).read_text())
    del har["log"]["entries"][0]["response"]
    assert list(har_schema.iter_errors(har))


def test_the_tabs_rows(seen):
    """The tab has a row for all networks and one for each, whose visits add up; the CSV is the same table."""
    _, tally, _, _ = seen
    found = rows(tally)
    assert found[0]["network"] == "all networks"
    assert int(found[0]["ended"]) == sum(int(row["ended"]) for row in found[1:]) == 24
    assert list(csv.DictReader(csv_text(tally).splitlines())) == found


def test_a_view_that_breaks_is_left_out(recording, play, tables, tmp_path):
    """A view that fails, as on a full disk, hears no more; the run and its tables go on without it."""
    kept = []

    def prepare(run):
        (tmp_path / "har").write_text("a file where the folder should be")
        views = Views(Wanted(har=1.0, csv=True), run, tmp_path)
        views.open(None)
        kept.append(views)

    with recording.Shop() as shop:
        run = play(shop.url, shoppers=4, prepare=prepare)
    kept[0].close()
    assert run.defects == {}
    assert len(tables(run)["visits"]) == 4
    assert [failure.partition(":")[0] for failure in kept[0].failures] == ["Visits"]
    assert "cannot write" in kept[0].failures[0]
    assert (tmp_path / "timeline.csv").exists()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8089", ("127.0.0.1", 8089)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:9", ("::1", 9)),
        ("box:9646", ("box", 9646)),
    ],
)
def test_addresses(text, address):
    """A port alone is this machine's loopback; anything else has to be asked for."""
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "0", "65536", "smoke", ":80", "1.5", "127.0.0.1:", "-1"])
def test_what_is_no_address(text):
    """What is no address says what one looks like."""
    with pytest.raises(ValueError, match="must be a port, as 8089"):
        parse_address(text)


def test_a_taken_address_is_said():
    """Where somebody listens already, that is said before a run begins."""
    said = pytest.raises(ValueError, match=r"cannot listen at 127\.0\.0\.1:\d+: address already in use")
    with socket.create_server(("127.0.0.1", 0)) as taken, said:
        refuse_taken(str(taken.getsockname()[1]))


def free_port():
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def page(running):
    """Serve Locust's web UI with the tab over planted visits; return its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(HERE / "webui_page.py"), str(port)])
    url = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return urllib.request.urlopen(f"{url}/stats/requests", timeout=5).status == 200
        except OSError:
            return False

    try:
        assert running.within(60, answers)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed; the web UI is not seen in a browser")
@pytest.mark.parametrize("width", [500, 1280])
def test_the_tab_in_a_browser(page, width, tmp_path):
    """In Chromium Locust's own page shows the Footfall tab with every figure of the planted visits."""
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom",
            "--virtual-time-budget=6000", f"--window-size={width},900", f"{page}/?tab=footfall",
        ],
        capture_output=True, timeout=90, check=True, text=True,
    )  # fmt: skip
    table = re.search(r"<table.*?</table>", done.stdout, re.DOTALL)[0]
    cells = [re.findall(r"<t[hd][^>]*>(?:<[^>]*>)*([^<]*)", row) for row in table.split("</tr>")[:-1]]
    assert re.search(r'aria-selected="true"[^>]*>\s*(<[^>]*>)*Footfall', done.stdout)
    heads, *found = cells
    assert heads[:6] == ["Network", "Session p50", "Bounce", "Load p50", "Load p95", "Start lag p99"]
    assert [row[0] for row in found] == ["all networks", "wifi", "lte"]
    assert found[0][1:6] == ["60.1 s", "30.0%", "1.2 s", "3.4 s", "40 ms"]
    assert found[2][1:6] == ["12.1 s", "50.0%", "3.4 s", "3.4 s", "–"]


def test_nobody_starts_users_from_there(page):
    """The plan says who comes: starting users from the page is refused with the reason."""
    request = urllib.request.Request(f"{page}/swarm", data=b"user_count=5&spawn_rate=5", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        told = json.load(answer)
    assert told["success"] is False
    assert "plan" in told["message"]


def test_the_pages_csv(page):
    """The table can be downloaded."""
    with urllib.request.urlopen(f"{page}/footfall/csv", timeout=10) as answer:
        assert answer.read().decode().startswith("network,length,bounce")
