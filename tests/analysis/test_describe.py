"""What is said of a data set: every count against the tables themselves, every format, broken data."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.analysis import datafiles
from simulator.analysis.describe import describe
from simulator.analysis.localtime import local_week
from simulator.analysis.sketch import Grid, Sketches
from simulator.analysis.theory import theory_of
from simulator.export.dataset import write_dataset
from simulator.journey.closed_form import expectations, pages_at_most
from simulator.journey.tables import TABLES
from simulator.model.faults import FileFaults
from simulator.model.persona import find_persona, load_persona
from simulator.model.population import compile_population
from simulator.runfolder.tables import plain, write_table
from simulator.scenario.load import load_scenario

KINDS = ("csv", "jsonl", "csv.gz", "jsonl.gz", "csv.zst", "jsonl.zst")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a data set of 300 shoppers with a further part."""
    folder = tmp_path_factory.mktemp("described") / "data"
    folder.mkdir()
    write_dataset(load_scenario("demo", {"shoppers": 300}), folder, "parquet", also=("relational",))
    return folder


@pytest.fixture(scope="module")
def tables(folder):
    """Return its three tables with plain columns."""
    return {name: plain(pq.read_table(folder / name)) for name in TABLES}


@pytest.fixture(scope="module")
def found(folder):
    """Return what is said of it."""
    return describe(folder)


@pytest.fixture
def copy(tables, tmp_path):
    """Return a function that writes the three tables in a format, without a manifest, and returns their folder."""

    def write(kind="parquet", parts=2, **changed):
        folder = tmp_path / f"{kind}-{len(list(tmp_path.iterdir()))}"
        for name, table in (tables | changed).items():
            size = -(-table.num_rows // parts) or 1
            for part in range(parts):
                path = folder / name / f"part-{part:05d}.{kind}"
                squeezed = {"gz": "gzip", "zst": "zstd"}.get(kind.partition(".")[2])
                write_table(table.slice(part * size, size), path, kind.partition(".")[0], squeezed)
        return folder

    return write


def faults_of(folder):
    """Return the texts of all faults of a folder."""
    with pytest.raises(FileFaults) as raised:
        describe(folder)
    return [str(fault) for fault in raised.value.faults]


def test_counts_are_those_of_the_tables(found, folder, tables):
    """Rows, bytes and columns of every table, also of parts; the three that every world writes come first."""
    assert found.counts == {name: table.num_rows for name, table in tables.items()}
    assert [table.name for table in found.tables[:3]] == list(TABLES)
    manifest = json.loads((folder / "manifest.json").read_text())
    for table in found.tables:
        files = [folder / entry["file"] for entry in manifest["tables"][table.name]]
        assert table.rows == sum(pq.read_metadata(path).num_rows for path in files)
        assert table.bytes == sum(path.stat().st_size for path in files)
        assert table.columns == len(pq.read_schema(files[0]).names)
        assert table.also == (table.name not in TABLES)
    assert {"orders", "order_lines", "products"} <= {table.name for table in found.tables}


def test_funnel_counts_visits_that_saw_each_page(found, tables):
    """A step counts the visits with such a page that loaded, came without error and was waited for."""
    rows = tables["events"].to_pylist()
    for step, page in zip(found.funnel[1:], ("product", "add_to_cart", "checkout", "payment", "purchase"), strict=True):
        seen = {
            (r["shopper"], r["visit"])
            for r in rows
            if r["page"] == page and r["ok"] and r["load_us"] is not None and r["cause"] != "impatient"
        }
        assert step.visits == len(seen)
        assert step.of_all == pytest.approx(len(seen) / tables["visits"].num_rows)
    assert found.funnel[-1].visits > 0


@pytest.mark.parametrize("rows", [64, 1_013])
def test_batches_do_not_show(folder, found, monkeypatch, rows):
    """A visit that two batches share is one visit, and every figure is the same however rows are batched."""
    monkeypatch.setattr(datafiles, "ROWS", rows)
    assert describe(folder) == found


@pytest.mark.parametrize("kind", KINDS)
def test_formats_say_the_same(copy, kind):
    """CSV and JSON lines, compressed or not, in several files, say what Parquet says but for sizes and order."""
    expected, other = describe(copy()), describe(copy(kind))
    strip = {"folder": "", "tables": []}
    assert replace(other, **strip) == replace(expected, **strip)
    assert [table.rows for table in other.tables] == [table.rows for table in expected.tables]
    assert {table.kind for table in other.tables} == {kind.partition(".")[0]}


def test_sessions_and_causes_are_counted(found, tables):
    """Visits a day, and the shares of causes overall and of each persona, are those of the visits."""
    visits = tables["visits"].to_pydict()
    days = np.array(visits["start_at_us"]) // 86_400_000_000
    assert found.spacing == "day"
    assert found.sessions == np.bincount(days).tolist()
    assert found.causes["done"] == pytest.approx(visits["cause"].count("done") / len(visits["cause"]))
    for persona in found.personas:
        causes = [c for c, p in zip(visits["cause"], visits["persona"], strict=True) if p == persona.name]
        assert persona.visits == len(causes)
        assert persona.disturbed == pytest.approx(1 - causes.count("done") / len(causes))


@pytest.mark.parametrize(("length_s", "spacing"), [(90, "second"), (3_000, "minute"), (100_000, "hour")])
def test_short_runs_are_counted_finer(copy, tables, length_s, spacing):
    """A run of minutes is counted by the second, of hours by the minute, of few days by the hour; none is lost."""
    visits = tables["visits"]
    starts = np.linspace(0, length_s * 1e6, visits.num_rows, endpoint=False).astype(np.int64)
    place = visits.column_names.index("start_at_us")
    found = describe(copy(visits=visits.set_column(place, "start_at_us", pa.array(starts))))
    width = {"second": 1, "minute": 60, "hour": 3600}[spacing]
    assert found.spacing == spacing
    assert found.sessions == np.bincount(starts // (width * 1_000_000)).tolist()


def test_hours_are_the_shoppers_own(found, tables):
    """The week is of local time: each first page at its city's clock, by zoneinfo, visit by visit."""
    zone = dict(zip(*(tables["shoppers"][name].to_pylist() for name in ("shopper", "timezone")), strict=True))
    begin = datetime.fromisoformat(found.reference)
    week = np.zeros((24, 7), int)
    for row in tables["events"].select(["shopper", "step", "at_us"]).to_pylist():
        if row["step"] == 0:
            local = (begin + timedelta(microseconds=row["at_us"])).astimezone(ZoneInfo(zone[row["shopper"]]))
            week[local.hour, local.weekday()] += 1
    assert found.week == week.tolist()


def test_week_follows_the_clock_when_it_changes():
    """On the Sunday on which Europe goes to summer time, noon in Berlin is 10:00 in UTC, the day before 11:00."""
    started = np.zeros((1, 2 * 96))
    started[0, [11 * 4, 96 + 10 * 4]] = 1
    week = local_week("2026-03-28T00:00:00+00:00", ["Berlin"], started)
    assert (week[12][5], week[12][6], np.sum(week)) == (1, 1, 2)
    assert local_week("2026-03-28T00:00:00+00:00", ["Nowhere"], started) is None


def test_devices_and_networks_sum_to_visits(found, tables):
    """Every visit is in one cell, by tier and by model; medians are within half a percent of the exact ones."""
    visits = tables["visits"].to_pylist()
    assert sum(cell.visits for cell in found.devices) == len(visits) == sum(cell.visits for cell in found.models)
    cell = max(found.devices, key=lambda cell: cell.visits)
    loads = [
        row["landing_load_us"] / 1e6
        for row in visits
        if f"{row['os']}, {row['tier']}" == cell.device
        and row["network"] == cell.network
        and row["landing_load_us"] is not None
    ]
    exact = np.quantile(loads, 0.5, method="inverted_cdf")
    assert cell.load_p50_s == pytest.approx(exact, rel=0.0051)


def test_figures_of_personas_are_those_of_their_visits(found, tables):
    """Pages, bounce, conversion, engaged time and abandonment are plain means; quantiles of pages are exact."""
    persona = found.personas[0]
    mine = [row for row in tables["visits"].to_pylist() if row["persona"] == persona.name]
    pages = [row["pages"] for row in mine]
    assert persona.figures["pages"] == pytest.approx(np.mean(pages))
    assert persona.figures["pages_sd"] == pytest.approx(np.std(pages))
    assert persona.figures["bounce"] == pytest.approx(np.mean([row["bounced"] for row in mine]))
    assert persona.figures["conversion"] == pytest.approx(np.mean([row["orders"] > 0 for row in mine]))
    assert persona.figures["engaged_s"] == pytest.approx(np.mean([row["engaged_us"] for row in mine]) / 1e6)
    assert persona.pages["p90"] == np.quantile(pages, 0.9, method="inverted_cdf")


def test_think_times_are_those_that_ended(found, tables):
    """Think times by persona and page leave out what the budget cut, and agree with the persona's distribution."""
    persona = max(found.personas, key=lambda persona: persona.visits)
    thinking = max(persona.thinking, key=lambda thinking: thinking.n)
    values = [
        row["think_us"] / 1e6
        for row in tables["events"].to_pylist()
        if (row["persona"], row["page"]) == (persona.name, thinking.page)
        and row["think_us"] > 0
        and row["cause"] in (None, "done")
    ]
    assert thinking.n == len(values)
    assert thinking.seen["p50"] == pytest.approx(np.quantile(values, 0.5, method="inverted_cdf"), rel=0.0051)
    # Order statistics of a sample this large lie within a third of the distribution's median, but for 1 in 10^6.
    assert thinking.seen["p50"] == pytest.approx(thinking.theory["p50"], rel=0.33)


def test_only_control_is_described_where_there_are_arms(tmp_path):
    """Of several arms the figures are of control, whose visits are the same number as each other's; it is said."""
    folder = tmp_path / "arms"
    folder.mkdir()
    scenario = {"shoppers": 150, "arms": [{"name": "slower", "share": 0.5, "delay": {"all": "1s"}}]}
    write_dataset(load_scenario("demo", scenario), folder, "parquet")
    found = describe(folder)
    assert (found.arm, set(found.arms)) == ("control", {"control", "slower"})
    assert sum(found.arms.values()) == found.counts["visits"]
    assert found.arms["control"] == found.funnel[0].visits == sum(persona.visits for persona in found.personas)
    assert any("control alone" in note for note in found.notes)


def test_no_manifest_is_said(copy):
    """Without a manifest the tables are described all the same; what only it knows is missing, and said so."""
    found = describe(copy())
    assert (found.reference, found.week, found.world) == (None, None, None)
    assert "There is no manifest.json" in found.notes[0]


def test_events_that_do_not_stand_together_are_noticed(copy, tables):
    """Rows of a visit torn apart would be counted as two visits; a note says so."""
    events = tables["events"]
    order = np.argsort(np.arange(events.num_rows) % 2, kind="stable")
    found = describe(copy(events=events.take(pa.array(order))))
    assert any("do not stand together" in note for note in found.notes)


def test_strange_personas_have_no_theory(copy, tables):
    """A persona without a file is counted, named, and has nothing beside it."""
    renamed = {}
    for name in TABLES:
        column = tables[name].column_names.index("persona")
        renamed[name] = tables[name].set_column(column, "persona", pa.array(["somebody"] * tables[name].num_rows))
    found = describe(copy(**renamed))
    assert [(persona.name, persona.theory) for persona in found.personas] == [("somebody", None)]
    assert any("somebody" in note for note in found.notes)


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_empty_tables_are_no_fault(copy, tables, kind):
    """A run that was over before it began has no visits; that is described, not refused."""
    found = describe(copy(kind, parts=1, **{name: table.slice(0, 0) for name, table in tables.items()}))
    assert found.counts == dict.fromkeys(TABLES, 0)
    assert (found.personas, found.sessions) == ([], [])


def test_folders_that_hold_nothing_of_ours_are_refused(tmp_path):
    """A folder that is missing, a file, empty, or unfinished is a fault that says what to do."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "begun" / "unfinished").mkdir(parents=True)
    assert "does not exist" in faults_of(tmp_path / "nowhere")[0]
    assert "is not a folder" in faults_of(tmp_path / "file")[0]
    assert "holds no tables shoppers, visits and events" in faults_of(tmp_path / "empty")[0]
    assert "Hint: finish it with footfall generate --resume" in faults_of(tmp_path / "begun")[0]


def test_missing_tables_and_columns_are_told_at_once(copy, tables):
    """All faults of all tables come together, each with the names that are missing."""
    folder = copy(
        visits=tables["visits"].drop_columns(["cause", "pages"]), events=tables["events"].drop_columns(["page"])
    )
    for path in (folder / "shoppers").iterdir():
        path.unlink()
    told = "\n".join(faults_of(folder))
    assert "has no table shoppers" in told
    assert "visits has no column pages, cause" in told
    assert "events has no column page" in told


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("parquet", lambda data: data[: len(data) // 2]),
        ("parquet", lambda _data: b"not parquet at all"),
        ("csv", lambda data: data.replace(b"\n", b"\n,,,\n", 2)),
        ("csv", lambda data: data[:2_000].replace(b"0", b"x") + data[2_000:]),
        ("jsonl", lambda data: data[:-20]),
        ("jsonl", lambda data: data.replace(b'"shopper":', b'"shopper":"', 1)),
        ("jsonl.gz", lambda data: data[:-30]),
        ("csv.gz", lambda data: gzip.compress(gzip.decompress(data)[:4_000])[:-9]),
    ],
)
def test_broken_files_are_refused(copy, kind, spoil):
    """A file that was cut, is of another kind or has values of another type is a fault with its name, never a trace."""
    folder = copy(kind)
    path = folder / "events" / f"part-00001.{kind}"
    path.write_bytes(spoil(path.read_bytes()))
    assert path.name in faults_of(folder)[0]


def test_files_of_two_formats_are_refused(copy, tables):
    """A table in Parquet and in CSV at once would be counted twice."""
    folder = copy()
    write_table(tables["events"], folder / "events" / "part-00009.csv", "csv")
    assert "is no parquet file" in faults_of(folder)[0]


def test_what_the_manifest_lists_must_be_there(tmp_path):
    """A listed file that is missing, and rows that are not as many as listed, are faults."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_dataset(load_scenario("demo", {"shoppers": 40}), folder, "parquet", also=("people",))
    listed = json.loads((folder / "manifest.json").read_text())
    [entry] = listed["tables"]["people"]
    (folder / entry["file"]).rename(folder / "people" / "part-00001.parquet")
    assert "is missing" in faults_of(folder)[0]
    (folder / "people" / "part-00001.parquet").rename(folder / entry["file"])
    entry["rows"] += 1
    (folder / "manifest.json").write_text(json.dumps(listed))
    assert "people has 40 rows, manifest.json says 41" in faults_of(folder)[0]


def test_progress_reaches_all_bytes(copy):
    """The last thing that a progress bar hears is that every byte was read, whatever the format."""
    for kind in ("parquet", "csv", "jsonl.gz"):
        told = []
        describe(copy(kind), lambda done, total: told.append((done, total)))  # noqa: B023 - called at once
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1] > 0


def test_sketches_are_within_half_a_percent():
    """Quantiles of a histogram lie within half a percent of numpy's, over nine decades."""
    values = np.exp(np.linspace(np.log(2e3), np.log(1e12), 5_001))
    sketch = Sketches()
    for part in np.array_split(values[::-1], 7):
        sketch.add(np.full(len(part), 3), part)
    shares = (0.001, 0.1, 0.5, 0.9, 1.0)
    exact = np.quantile(values, shares, method="inverted_cdf")
    assert sketch.quantiles(3, shares) == pytest.approx(exact, rel=0.0051)
    assert sketch.count(3) == 5_001
    assert sketch.quantiles(2, (0.5,)) == [None]


def test_grids_add_up():
    """A grid that grows keeps what it had."""
    grid = Grid()
    grid.add(np.array([0, 2]), np.array([1, 1]))
    grid.add(np.array([2, 5]), np.array([1, 9]), np.array([0.5, 2.0]))
    assert (grid.at(0, 1), grid.at(2, 1), grid.at(5, 9), grid.at(9, 9)) == (1.0, 1.5, 2.0, 0.0)
    assert grid.values.sum() == 4.5


def test_pages_at_most_belongs_to_the_expectations(everybody):
    """Of every shipped persona: Σ P(N > n) is the expected number of pages, P(N ≤ 1) is bounce."""
    population, _ = compile_population(everybody)
    for index in range(0, len(population.personas), 4):
        at_most = pages_at_most(population, index, 600)
        expected = expectations(population, index)
        assert (1.0 - at_most).sum() == pytest.approx(expected.pages, rel=1e-9)
        assert at_most[1] == pytest.approx(expected.bounce, rel=1e-9)
        assert at_most[0] == pytest.approx(0.0, abs=1e-12)


def test_theory_has_quantiles_of_pages_and_think_times():
    """A persona's theory holds the smallest number of pages with the share, and quantiles as the file gives them."""
    persona = load_persona(find_persona("tourist"))
    theory = theory_of(persona)
    assert theory.pages["p50"] <= theory.pages["p90"] <= theory.pages["p99"]
    for page, quantiles in theory.thinking.items():
        dist = persona.spec.tempo.get(page, persona.spec.tempo["default"])
        assert quantiles["p50"] == pytest.approx(dist.quantile(0.5), rel=1e-3)
