"""OpenTelemetry: lines that OTLP's own protocol buffers read, events of the conventions, ratings by web.dev."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from simulator.export.vendors.otel import VITALS, otel

CLICK, START, VITAL, END = "app.widget.click", "session.start", "browser.web_vital", "session.end"


@pytest.fixture(scope="module")
def lines(shard, rows_of):
    """Return the exports of 300 shoppers as JSON."""
    return rows_of(shard, "otel")


def attributes_of(holder):
    """Return attributes as a dict of plain values."""
    return {a["key"]: next(iter(a["value"].values())) for a in holder["attributes"]}


def records_of(line):
    """Return the records of a line as (event, time in nanoseconds, attributes)."""
    (resource,) = line["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    return [(r["eventName"], int(r["timeUnixNano"]), attributes_of(r)) for r in scope["logRecords"]]


def folded(value):
    """Return a line with its lists of attributes as objects, whose keys must be different."""
    if isinstance(value, list):
        return [folded(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {key: folded(inner) for key, inner in value.items()}
    if "attributes" in value:
        pairs = [(a["key"], a["value"]) for a in value["attributes"]]
        assert len(dict(pairs)) == len(pairs)
        made["attributes"] = dict(pairs)
    return made


def test_every_line_has_the_shape_of_the_conventions(part_of_shard, rows_of, validator_of):
    """Events, their attributes and the values these may have are those of the semantic conventions."""
    check = validator_of("otel")
    lines = rows_of(part_of_shard, "otel")
    faults = [error.json_path for line in lines for error in check.iter_errors(folded(line))]
    assert not faults, faults[:3]
    assert len(lines) > 300


def test_the_schema_finds_what_is_wrong(lines, validator_of):
    """A missing session, an unknown rating, a number as a time: the referee is not asleep."""
    check = validator_of("otel")
    text = json.dumps(next(line for line in lines if VITAL in str(line)), default=float)
    assert check.is_valid(folded(json.loads(text)))
    for good, bad in (("session.id", "session.name"), ('"fcp"', '"first paint"'), ("browser.web_vital.delta", "delta")):
        assert not check.is_valid(folded(json.loads(text.replace(good, bad))))


def test_otlp_reads_every_line(part_of_shard, rows_of):
    """The protocol buffers of OpenTelemetry take each line as LogsData, know every field, and find every record."""
    for line in rows_of(part_of_shard, "otel"):
        message = Parse(json.dumps(line, default=float), LogsData(), ignore_unknown_fields=False)
        (scope,) = message.resource_logs[0].scope_logs
        names = [record.event_name for record in scope.log_records]
        assert names == [event for event, _, _ in records_of(line)]
        assert all(record.time_unix_nano > 10**18 for record in scope.log_records)
        assert all(a.value.WhichOneof("value") for record in scope.log_records for a in record.attributes)


def test_a_session_starts_once_and_ends_once(lines):
    """Every session has one start, its first record, and at most one end, its last; it names the one before it."""
    sessions = defaultdict(list)
    for line in lines:
        for event, time, attributes in records_of(line):
            sessions[attributes["session.id"]].append((time, event, attributes))
    for records in sessions.values():
        ordered = [event for _, event, _ in sorted(records, key=lambda record: record[0])]
        assert ordered[0] == START
        assert ordered.count(START) == 1
        assert END not in ordered[:-1]
        assert all(a["session.id"] != a.get("session.previous_id") for _, _, a in records)
    linked = [a for records in sessions.values() for _, _, a in records if "session.previous_id" in a]
    assert linked
    assert sum(END in [event for _, event, _ in records] for records in sessions.values()) == len(sessions)


def test_vitals_are_those_of_the_table(shard, lines):
    """Each painted page reports its first paint and each page that came its load time, in ms, rated by web.dev."""
    found = Counter()
    for line in lines:
        for event, _, a in records_of(line):
            if event == VITAL:
                name, value = a["browser.web_vital.name"], a["browser.web_vital.value"]
                good, bad = VITALS[name]
                rating = "good" if value <= good else "needs-improvement" if value <= bad else "poor"
                assert a["browser.web_vital.rating"] == rating
                assert a["browser.web_vital.delta"] == value
                found[name, round(value * 1000)] += 1
    overlays = {"add_to_cart", "ar_preview", "share"}
    expected = Counter()
    for row in shard.events.to_pylist():
        for name, column in (("fcp", "fcp_us"), ("lcp", "load_us")):
            if row["page"] not in overlays and row[column] is not None and row[column] <= row["waited_us"]:
                expected[name, row[column]] += 1
    assert found == expected


def test_thresholds_are_web_devs(by_hand, rows_of):
    """A value on a threshold belongs to the better class, one microsecond more to the worse."""
    for name, column in (("fcp", "fcp_us"), ("lcp", "load_us")):
        for bound, rating, worse in zip(
            VITALS[name], ("good", "needs-improvement"), ("needs-improvement", "poor"), strict=True
        ):
            for added, expected in ((0, rating), (1, worse)):
                took = round(bound * 1000) + added
                page = {"load_us": 9_000_000, "waited_us": 9_000_000} | {column: took}
                records = records_of(rows_of(by_hand(("home", page)), "otel")[0])
                assert expected in {
                    a["browser.web_vital.rating"] for _, _, a in records if a.get("browser.web_vital.name") == name
                }


def test_ids_are_unique(lines):
    """No two web vitals share an id."""
    ids = Counter(a["browser.web_vital.id"] for line in lines for e, _, a in records_of(line) if e == VITAL)
    assert max(ids.values()) == 1


def test_everything_says_that_it_is_a_test(lines):
    """Every resource is marked as synthetic, and only Chromium tells brands and platform."""
    for line in lines:
        resource = attributes_of(line["resourceLogs"][0]["resource"])
        assert resource["user_agent.synthetic.type"] == "test"
        chromium = "Chrome/" in resource["user_agent.original"]
        assert ("browser.brands" in resource) == ("browser.platform" in resource) == chromium


def test_taps_are_on_the_page_before(by_hand, rows_of):
    """A click names the screen it happened on and where it led, and comes before the page it opened."""
    records = [record for line in rows_of(by_hand("home", "category", "login"), "otel") for record in records_of(line)]
    clicks = [(a["app.screen.id"], a["app.widget.id"]) for event, _, a in records if event == CLICK]
    assert clicks == [("home", "category"), ("category", "login")]
    assert [time for _, time, _ in records] == sorted(time for _, time, _ in records)
    assert Counter(event for event, _, _ in records) == {START: 1, CLICK: 2, VITAL: 6, END: 1}


@pytest.mark.parametrize(
    ("network", "expected"),
    [("wifi", ("wifi", None)), ("5g", ("cell", "nrnsa")), ("lte", ("cell", "lte")), ("hspa", ("cell", "hspap")),
     (None, ("unavailable", None))],
)  # fmt: skip
def test_networks_have_the_conventions_names(by_hand, rows_of, network, expected):
    """Each technology is a connection type and, for a cell, the subtype that it was measured on."""
    (line,) = rows_of(by_hand(("home", {"network": network})), "otel")
    for _, _, a in records_of(line):
        assert (a["network.connection.type"], a.get("network.connection.subtype")) == expected


def test_without_consent_nothing_links_two_sessions(shard, by_hand, rows_of):
    """Who refuses analytics is measured, but neither named nor linked to an earlier visit."""
    again = {"visit": 3}
    for analytics in (True, False):
        rows = rows_of(by_hand(("home", again), logged_in=True, analytics=analytics), "otel")
        keys = {key for line in rows for _, _, a in records_of(line) for key in a}
        assert ({"user.id", "session.previous_id"} <= keys) == analytics
        assert analytics or not {"user.id", "session.previous_id"} & keys
    assert otel(shard)["otel"].num_rows > 0


def test_a_page_nobody_saw_reports_nothing(by_hand):
    """A visit given up before the first paint leaves no record: no script ever ran."""
    unseen = {"fcp_us": 5_000_000, "load_us": 9_000_000, "waited_us": 2_000_000, "cause": "impatient"}
    assert otel(by_hand(("home", unseen)))["otel"].num_rows == 0
