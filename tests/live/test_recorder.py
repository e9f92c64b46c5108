"""What a live run writes down: histograms that agree with the rows, and tables of a run in which nothing happened."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hdrh.histogram import HdrHistogram

from simulator.journey.records import EVENT, NEVER_US, SHOPPER, VISIT
from simulator.journey.tables import Names
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS
from simulator.report import write_reports
from simulator.runfolder.manifest import base_manifest, write_manifest, write_tables
from simulator.worlds.live.recorder import ABANDONED, HOUR_US, Recorder, Stamp
from simulator.worlds.live.run import LiveRun, judge_generator

SAMPLES = 5_000
HOME, TRACK = OPERATIONS.index("home"), OPERATIONS.index("track")


@pytest.fixture(scope="module")
def names(everyday):
    """Return the dictionaries of a run of everyday shoppers."""
    return Names(everyday[1], ["control"])


def stamp(persona=0, state=0, step=0):
    """Return the page that a request belongs to."""
    return Stamp(1, 0, step, persona, state)


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


@pytest.mark.parametrize("clock", ["due", "sent"])
@pytest.mark.parametrize("percentile", [50, 90, 95, 99, 99.9])
def test_histograms_agree_with_the_rows(recorded, names, clock, percentile):
    """Any percentile of a page and persona in latency.parquet is the rows' own to 0.1 %, on both clocks."""
    tables = recorded.tables(names)
    requests = tables["requests"].to_pydict()
    rows = [row for row in tables["latency"].to_pylist() if row["clock"] == clock]
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


def test_every_request_is_in_the_histograms_of_both_clocks(recorded, names):
    """Counts of the histograms add up to the number of requests, on each clock."""
    rows = recorded.tables(names)["latency"].to_pylist()
    for clock in ("due", "sent"):
        assert sum(row["count"] for row in rows if row["clock"] == clock) == SAMPLES
        assert all(row["count"] == decoded(row).get_total_count() for row in rows)


def test_latency_from_due_is_never_below_latency_from_sent(recorded, names):
    """At every percentile, waiting for the generator is part of the honest figure and not of the service's."""
    rows = recorded.tables(names)["latency"].to_pylist()
    for due in (row for row in rows if row["clock"] == "due"):
        sent = next(
            r for r in rows if r["clock"] == "sent" and (r["page"], r["persona"]) == (due["page"], due["persona"])
        )
        for percentile in (1, 50, 99, 100):
            assert decoded(due).get_value_at_percentile(percentile) >= decoded(sent).get_value_at_percentile(percentile)


@pytest.mark.parametrize(("took_us", "kept_us"), [(0, 1), (-5, 1), (2 * HOUR_US, HOUR_US)])
def test_times_outside_the_histogram_are_kept_at_its_ends(names, took_us, kept_us):
    """Nothing is lost for being too short or too long: it counts at the nearest end."""
    recorder = Recorder()
    recorder.request(stamp(), HOME, 0, 10_000, (10_000, 10_000 + took_us, 200, 0, ""))
    for row in recorder.tables(names)["latency"].to_pylist():
        assert decoded(row).get_max_value() == pytest.approx(kept_us, rel=1e-3)


def test_errors_are_named_and_counted(names):
    """Each error stands beside its request by name, a good one has none, and only errors are counted as failed."""
    recorder = Recorder()
    for error in ("", "status 500", "", "timeout", "status 500"):
        recorder.request(stamp(), HOME, 0, 0, (0, 5, 500, 1, error))
    assert recorder.failed == 3
    assert recorder.tables(names)["requests"]["error"].to_pylist() == [
        None,
        "status 500",
        None,
        "timeout",
        "status 500",
    ]


def test_what_a_shopper_left_is_abandoned_and_no_error(names):
    """A request whose shopper has left stands in the table as abandoned, without an error, and is not counted."""
    recorder = Recorder()
    recorder.request(stamp(), HOME, 0, 0, (0, 5, 0, 0, ABANDONED))
    (row,) = recorder.tables(names)["requests"].to_pylist()
    assert (row["abandoned"], row["error"], recorder.failed) == (True, None, 0)


def test_a_page_that_was_never_seen_is_in_no_histogram(names):
    """A load time that never came is no load time: it is counted as left, not as a time."""
    recorder = Recorder()
    recorder.page(stamp(), np.zeros(1, EVENT), NEVER_US)
    recorder.page(stamp(), np.zeros(1, EVENT), 250_000)
    assert recorder.pages == 2
    rows = recorder.tables(names)["latency"].to_pylist()
    assert [(row["clock"], row["count"]) for row in rows] == [("load", 1)]


def test_rows_stand_in_the_order_of_shoppers_whatever_the_order_of_ending(names):
    """Visits end in any order; the tables are sorted by shopper, visit and step, and each shopper stands once."""
    recorder = Recorder()
    for number in (5, 2, 9, 2):
        shopper, visit, event = np.zeros(1, SHOPPER), np.zeros(1, VISIT), np.zeros(1, EVENT)
        shopper["shopper"] = visit["shopper"] = event["shopper"] = number
        visit["visit"] = event["visit"] = len(recorder._visits)  # noqa: SLF001 - a number that grows
        visit["pages"], visit["cause"] = 1, 1
        recorder.page(stamp(), event, 1_000)
        recorder.visit(shopper, visit)
    tables = recorder.tables(names)
    assert tables["shoppers"]["shopper"].to_pylist() == [2, 5, 9]
    assert tables["visits"]["shopper"].to_pylist() == tables["events"]["shopper"].to_pylist() == [2, 2, 5, 9]
    assert recorder.causes == {1: 4}


def test_a_run_in_which_nothing_happened_has_empty_tables(names):
    """A run that was interrupted before its first page has all its tables, with their columns and without rows."""
    tables = Recorder().tables(names)
    assert {name: table.num_rows for name, table in tables.items()} == dict.fromkeys(tables, 0)
    assert set(tables) == {"shoppers", "visits", "events", "requests", "latency"}


def test_a_run_in_which_nothing_happened_can_be_reported(scenario, tmp_path):
    """Interrupted before the first visit, a run still has a report that says so."""
    run = LiveRun(scenario("hurried"), "http://127.0.0.1:1", "run-1")
    entries = write_tables(run.recorder.tables(run.scenario.names), tmp_path)
    manifest = base_manifest(run.scenario, "live", entries)
    write_manifest(manifest | {"interrupted": True, "generator": judge_generator(run, 0.0, interrupted=True)}, tmp_path)
    verdict = write_reports(tmp_path)
    assert (verdict.state, verdict.exit_code) == ("invalid", 130)
    assert "interrupted" in (tmp_path / "report.md").read_text()


def test_words_are_dictionaries(recorded, names):
    """Names stand in the tables as words, not as codes."""
    requests = recorded.tables(names)["requests"]
    for column in ("persona", "page", "operation", "placement", "error"):
        assert pa.types.is_dictionary(requests.schema.field(column).type)
    assert set(requests["page"].to_pylist()) <= set(STATE_NAMES)
    assert set(requests["operation"].to_pylist()) == {"home"}
