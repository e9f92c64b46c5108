"""What a live run writes down: histograms that agree with the rows, tables that grow on disk, and full disks."""

from __future__ import annotations

import errno
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hdrh.histogram import HdrHistogram

from simulator.journey.records import EVENT, NEVER_US, SHOPPER, VISIT
from simulator.journey.tables import Names
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS
from simulator.report import write_reports
from simulator.runfolder import parts
from simulator.worlds.live import tables as growing
from simulator.worlds.live.gauge import Gauge, judge_generator, report_of
from simulator.worlds.live.recorder import ABANDONED, ROW, Chunk, Recorder, Stamp
from simulator.worlds.live.run import LiveRun
from simulator.worlds.live.tables import RunTables
from simulator.worlds.live.writing import live_facts, write_run

SAMPLES = 5_000
HOUR_US = 3_600_000_000
HOME, TRACK = OPERATIONS.index("home"), OPERATIONS.index("track")


@pytest.fixture(scope="module")
def names(everyday):
    """Return the dictionaries of a run of everyday shoppers."""
    return Names(everyday[1], ["control"])


def stamp(persona=0, state=0, step=0):
    """Return the page that a request belongs to."""
    return Stamp(1, 0, step, persona, state)


class Walking(NamedTuple):
    """A visit as the recorder sees it, and the load times of its pages."""

    shopper: np.ndarray
    visit: np.ndarray
    event: np.ndarray
    loads_us: tuple[int, ...]


def walking(number, *loads_us, visit=0):
    """Return a visit that has yet to show pages of these load times."""
    rows = Walking(np.zeros(1, SHOPPER), np.zeros(1, VISIT), np.zeros(1, EVENT), loads_us)
    rows.shopper["shopper"] = rows.visit["shopper"] = rows.event["shopper"] = number
    rows.visit["visit"] = rows.event["visit"] = visit
    return rows


def show(recorder, walk, *, ends=True):
    """Show the pages of a visit, and end it."""
    for step, load_us in enumerate(walk.loads_us):
        walk.event["step"], walk.event["load_us"], walk.visit["pages"] = step, load_us, step + 1
        recorder.page(walk)
    if ends:
        walk.visit["cause"] = 1
        recorder.visit(walk)


def decoded(row):
    """Return the histogram of a row of the latency table."""
    return HdrHistogram.decode(row["hdr"])


@pytest.fixture(scope="module")
def latencies():
    """Return times from below a millisecond to minutes, each at a due and a sent clock."""
    dice = np.random.default_rng(11)
    service_us = np.exp(dice.normal(11.0, 1.6, SAMPLES)).astype(np.int64) + 1
    return service_us, dice.integers(0, 50_000, SAMPLES)


@pytest.fixture(scope="module")
def recorded(latencies):
    """Return a recorder that has seen them, on two pages of two personas."""
    recorder = Recorder()
    for number, (service_us, late_us) in enumerate(zip(*(column.tolist() for column in latencies), strict=True)):
        due_us = 1_000 * number
        reply = (due_us + late_us, due_us + late_us + service_us, 200, 10, "")
        recorder.request(stamp(number % 2, number // 2 % 2), HOME, 0, due_us, reply)
    return recorder


@pytest.fixture(scope="module")
def found(recorded, written, names):
    """Return the tables of these requests."""
    return written(recorded, names)


@pytest.mark.parametrize("clock", ["due", "sent"])
@pytest.mark.parametrize("percentile", [50, 90, 95, 99, 99.9])
def test_histograms_agree_with_the_rows(found, clock, percentile):
    """Any percentile of a page and persona in latency.parquet is the rows' own to 0.1 %, on both clocks."""
    requests = found["requests"].to_pydict()
    rows = [row for row in found["latency"].to_pylist() if row["clock"] == clock]
    assert len(rows) == 4
    for row in rows:
        took = sorted(
            done - begun
            for page, persona, begun, done in zip(
                requests["page"], requests["persona"], requests[f"{clock}_us"], requests["done_us"], strict=True
            )
            if (page, persona) == (row["page"], row["persona"])
        )
        exact = took[int(np.ceil(percentile / 100 * len(took))) - 1]
        assert decoded(row).get_value_at_percentile(percentile) == pytest.approx(exact, rel=1e-3, abs=1)


def test_every_request_is_in_the_histograms_of_both_clocks(found):
    """Counts of the histograms add up to the number of requests, on each clock."""
    rows = found["latency"].to_pylist()
    for clock in ("due", "sent"):
        assert sum(row["count"] for row in rows if row["clock"] == clock) == SAMPLES
        assert all(row["count"] == decoded(row).get_total_count() for row in rows)


def test_latency_from_due_is_never_below_latency_from_sent(found):
    """At every percentile, waiting for the generator is part of the honest figure and not of the service's."""
    rows = found["latency"].to_pylist()
    for due in (row for row in rows if row["clock"] == "due"):
        sent = next(
            r for r in rows if r["clock"] == "sent" and (r["page"], r["persona"]) == (due["page"], due["persona"])
        )
        for percentile in (1, 50, 99, 100):
            assert decoded(due).get_value_at_percentile(percentile) >= decoded(sent).get_value_at_percentile(percentile)


@pytest.mark.parametrize(("took_us", "kept_us"), [(0, 1), (-5, 1), (2 * HOUR_US, HOUR_US)])
def test_times_outside_the_histogram_are_kept_at_its_ends(written, names, took_us, kept_us):
    """Nothing is lost for being too short or too long: it counts at the nearest end."""
    recorder = Recorder()
    recorder.request(stamp(), HOME, 0, 10_000, (10_000, 10_000 + took_us, 200, 0, ""))
    for row in written(recorder, names)["latency"].to_pylist():
        assert decoded(row).get_max_value() == pytest.approx(kept_us, rel=1e-3)


def test_errors_are_named_and_counted(written, names):
    """Each error stands beside its request by name, a good one has none, and only errors are counted as failed."""
    recorder = Recorder()
    for error in ("", "status 500", "", "timeout", "status 500"):
        recorder.request(stamp(), HOME, 0, 0, (0, 5, 500, 1, error))
    assert recorder.failed == 3
    assert written(recorder, names)["requests"]["error"].to_pylist() == [
        None,
        "status 500",
        None,
        "timeout",
        "status 500",
    ]


def test_what_a_shopper_left_is_abandoned_and_no_error(written, names):
    """A request whose shopper has left stands in the table as abandoned, without an error, and is not counted."""
    recorder = Recorder()
    recorder.request(stamp(), HOME, 0, 0, (0, 5, 0, 0, ABANDONED))
    (row,) = written(recorder, names)["requests"].to_pylist()
    assert (row["abandoned"], row["error"], recorder.failed) == (True, None, 0)


def test_a_page_that_was_never_seen_is_in_no_histogram(written, names):
    """A load time that never came is no load time: it is counted as left, not as a time."""
    recorder = Recorder()
    walk = walking(1, NEVER_US, 250_000)
    show(recorder, walk)
    assert recorder.pages == 2
    rows = written(recorder, names)["latency"].to_pylist()
    assert [(row["clock"], row["count"]) for row in rows] == [("load", 1)]


def test_rows_stand_in_the_order_of_shoppers_whatever_the_order_of_ending(written, names):
    """Visits end in any order; the tables are sorted by shopper, visit and step, and each shopper stands once."""
    recorder = Recorder()
    for visit, number in enumerate((5, 2, 9, 2)):
        show(recorder, walking(number, 1_000, visit=visit))
    tables = written(recorder, names)
    assert tables["shoppers"]["shopper"].to_pylist() == [2, 5, 9]
    assert tables["visits"]["shopper"].to_pylist() == tables["events"]["shopper"].to_pylist() == [2, 2, 5, 9]
    assert recorder.causes == {1: 4}


def test_a_run_in_which_nothing_happened_has_empty_tables(written, names):
    """A run that was interrupted before its first page has all its tables, with their columns and without rows."""
    tables = written(Recorder(), names)
    assert {name: table.num_rows for name, table in tables.items()} == dict.fromkeys(tables, 0)
    assert set(tables) == {"shoppers", "visits", "events", "requests", "latency"}


def test_a_run_in_which_nothing_happened_can_be_reported(scenario, tmp_path):
    """Interrupted before the first visit, a run still has a report that says so."""
    run = LiveRun(scenario("hurried"), "http://127.0.0.1:1", "run-1")
    write_run(
        RunTables(tmp_path, run.scenario.names),
        run.scenario,
        tmp_path,
        live_facts(run, interrupted=True, breach=None),
        lambda told: judge_generator([report_of(run, Gauge())], interrupted=True, failures=told),
    )
    verdict = write_reports(tmp_path)
    assert (verdict.state, verdict.exit_code) == ("invalid", 130)
    assert "interrupted" in (tmp_path / "report.md").read_text()


def test_words_are_dictionaries(found):
    """Names stand in the tables as words, not as codes."""
    requests = found["requests"]
    for column in ("persona", "page", "arm", "network", "tier", "operation", "placement", "error"):
        assert pa.types.is_dictionary(requests.schema.field(column).type)
    assert set(requests["page"].to_pylist()) <= set(STATE_NAMES)
    assert set(requests["operation"].to_pylist()) == {"home"}


def chunks(visits, pages=4, every=3):
    """Return chunks of a run of so many visits that overlap: each page comes in another chunk."""
    recorder, found = Recorder(), []
    walks = [walking(number, *(1_000 * (number + 1) for _ in range(pages))) for number in range(visits)]
    for round_ in range(visits + pages):
        for number, walk in enumerate(walks):
            step = round_ - number
            if not 0 <= step < pages:
                continue
            walk.event["step"], walk.event["load_us"], walk.visit["pages"] = step, walk.loads_us[step], step + 1
            recorder.page(walk)
            for call in range(2):
                at_us = 1_000 * round_ + call
                asked = Stamp(number, 0, step, 0, 0)
                recorder.request(asked, HOME, 0, at_us, (at_us, at_us + 500, 200, 1, "late" if number % 7 == 0 else ""))
            if step == pages - 1:
                walk.visit["cause"] = 1
                recorder.visit(walk)
        if round_ % every == 0:
            found.append(recorder.take())
    return [*found, recorder.take()]


def read(folder, entries):
    """Return the rows of each table of a run."""
    return {
        name: [row for entry in files for row in pq.read_table(folder / entry["file"]).to_pylist()]
        for name, files in entries.items()
    }


def test_a_run_of_many_parts_is_the_run_of_one(names, tmp_path, monkeypatch):
    """Tables written in many small parts, put together, are those written at once: the same rows in the same order."""
    given = chunks(60)
    whole = RunTables(tmp_path / "whole", names)
    for chunk in given:
        whole.add(chunk)
    expected = read(tmp_path / "whole", whole.finish())
    monkeypatch.setattr(growing, "PART_ROWS", 40)
    monkeypatch.setattr(parts, "PIECE_ROWS", 16)
    monkeypatch.setattr(parts, "GROUP_ROWS", 50)
    grown = RunTables(tmp_path / "grown", names)
    for chunk in given:
        grown.add(chunk)
    assert len(list((tmp_path / "grown" / "events").glob("part-*.parquet"))) > 3
    assert read(tmp_path / "grown", grown.finish()) == expected
    assert not (tmp_path / "grown" / "events").exists()
    assert len(expected["events"]) == 240
    assert len(expected["requests"]) == 480
    assert pq.ParquetFile(tmp_path / "grown" / "requests.parquet").num_row_groups > 5


def test_rows_leave_memory_while_the_run_goes_on(names, tmp_path, monkeypatch):
    """What waits in memory is the open visits and less than a part; a visit's pages go with it."""
    monkeypatch.setattr(growing, "PART_ROWS", 40)
    into = RunTables(tmp_path, names)
    for chunk in chunks(200):
        into.add(chunk)
        assert len(into.open) <= 4 + 3
        assert into.waiting <= 2 * 40 + 8 * 7
    assert into.finish()["events"][0]["rows"] == 800


def test_chunks_of_several_workers_merge_exactly(names, tmp_path):
    """Whether one process measured it or three, the tables and every histogram are the same."""
    given = chunks(30)
    one, three = (RunTables(tmp_path / name, names) for name in ("one", "three"))
    for chunk in given:
        one.add(chunk)
    for worker in range(3):
        for chunk in given:
            three.add(share(chunk, worker, 3))
    assert read(tmp_path / "one", one.finish()) == read(tmp_path / "three", three.finish())


def share(chunk, worker, workers):
    """Return what one of several workers has measured of a chunk."""
    events = np.frombuffer(chunk.events, EVENT)
    visits, shoppers = np.frombuffer(chunk.visits, VISIT), np.frombuffer(chunk.shoppers, SHOPPER)
    ended, asked = np.frombuffer(chunk.ended, np.uint8), np.frombuffer(chunk.requests, np.int64).reshape(-1, len(ROW))
    mine = visits["shopper"] % workers == worker
    return Chunk(
        events[events["shopper"] % workers == worker].tobytes(),
        visits[mine].tobytes(),
        shoppers[mine].tobytes(),
        ended[mine].tobytes(),
        asked[asked[:, 0] % workers == worker].tobytes(),
        chunk.errors,
    )


def test_a_full_disk_loses_rows_and_says_so(names, tmp_path, monkeypatch):
    """From the part on that cannot be written a table takes no more; what was written stays and can be read."""
    monkeypatch.setattr(growing, "PART_ROWS", 40)
    into, given = RunTables(tmp_path, names), chunks(60)
    for chunk in given[:10]:
        into.add(chunk)
    with monkeypatch.context() as full:
        full.setattr(parts.pq, "write_table", no_space)
        for chunk in given[10:]:
            into.add(chunk)
    found = read(tmp_path, into.finish())
    assert 0 < len(found["visits"]) < 60
    assert {row["shopper"] for row in found["events"]} == {row["shopper"] for row in found["visits"]}
    assert {row["shopper"] for row in found["shoppers"]} == {row["shopper"] for row in found["visits"]}
    assert len(found["visits"]) * 4 == len(found["events"])
    assert [text.partition(":")[0].split(",")[0] for text in into.failures] == [
        f"{table} is not whole" for table in ("shoppers", "visits", "events", "requests")
    ]
    assert all("No space left on device" in text for text in into.failures)
    assert sum(row["count"] for row in found["latency"] if row["clock"] == "due") == 480


def no_space(*_, **__):
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")
