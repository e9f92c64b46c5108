"""Requests to GA4's Measurement Protocol against its documented shape and limits."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from jsonschema import Draft202012Validator

from simulator.export.vendors.ga4 import ga4_table
from simulator.export.vendors.ga4_mp import PART, requests
from simulator.model.faults import FileFaults
from simulator.runfolder.tables import write_table

MOST_BYTES = 130_000


@pytest.fixture(scope="module")
def sent(shard):
    """Return the demo's requests as text and as dictionaries."""
    told = requests(shard)["request"].to_pylist()
    return list(zip(told, map(json.loads, told), strict=True))


@pytest.fixture(scope="module")
def valid(published):
    """Return the validator of the published shape."""
    return Draft202012Validator(published("ga4_mp"), format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_every_request_is_of_the_documented_shape(sent, valid, walked):
    """Fields, types, reserved names, limits and each event's required parameters hold for all requests."""
    walk = [json.loads(text) for text in requests(walked)["request"].to_pylist()]
    assert [error.message for _, request in sent[:150] for error in valid.iter_errors(request)] == []
    assert [error.message for request in walk for error in valid.iter_errors(request)] == []
    assert all(len(text.encode()) < MOST_BYTES for text, _ in sent)


SPOILED = {
    "26 events": lambda r: r["events"].extend(r["events"] * 26),
    "a reserved name": lambda r: r["events"][0].update(name="session_start"),
    "a value without currency": lambda r: r["events"][-1]["params"].update(value=1.0),
    "a purchase without id": lambda r: r["events"][-1].update(name="purchase"),
    "a reserved parameter": lambda r: r["events"][0]["params"].update(ga_session_id=1),
    "a text that is too long": lambda r: r["events"][0]["params"].update(search_term="x" * 101),
    "no session": lambda r: r["events"][0]["params"].pop("session_id"),
    "a null": lambda r: r["events"][0]["params"].update(method=None),
    "an unknown consent": lambda r: r["consent"].update(ad_user_data="YES"),
    "a client id of letters": lambda r: r.update(client_id="abc"),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_the_written_down_shape_refuses_what_the_protocol_forbids(make, valid, fault):
    """The referee is no formality: each forbidden thing is an error."""
    source = make.source([make.shopper()], make.events(walk=[("home", None), ("content", None)]))
    (text,) = requests(source)["request"].to_pylist()
    request = json.loads(text)
    assert valid.is_valid(request)
    SPOILED[fault](request)
    assert not valid.is_valid(request)


def test_a_visit_goes_in_requests_of_at_most_25(walked):
    """A walk of 47 events is sent in two requests, each dated at its first event, in the order of time."""
    table = requests(walked)
    bodies = [json.loads(text) for text in table["request"].to_pylist()]
    assert table["events"].to_pylist() == [len(body["events"]) for body in bodies]
    assert [len(body["events"]) for body in bodies[:-1]] == [25] * (len(bodies) - 1)
    times = [event["params"]["timestamp_micros"] for body in bodies for event in body["events"]]
    assert times == sorted(times)
    assert [b["timestamp_micros"] for b in bodies] == [b["events"][0]["params"]["timestamp_micros"] for b in bodies]


def test_it_tells_what_the_export_tells(shard, sent):
    """Users, sessions and events are those of the BigQuery export but for the tag's own events."""
    renamed = {"view_search_results": "search"}
    mine, theirs = defaultdict(list), defaultdict(list)
    for _, request in sent:
        for event in request["events"]:
            mine[request["client_id"]].append((event["params"]["timestamp_micros"], event["name"]))
    for row in ga4_table(shard).select(["user_pseudo_id", "event_timestamp", "event_name"]).to_pylist():
        own = row["event_name"] in {"first_visit", "session_start", "user_engagement"}
        if row["user_pseudo_id"] and not own:
            name = renamed.get(row["event_name"], row["event_name"])
            theirs[row["user_pseudo_id"]].append((row["event_timestamp"], name))
    assert mine == theirs


def test_who_does_not_allow_analytics_is_not_sent(make):
    """A server that has no consent sends nothing."""
    assert requests(make.source([make.shopper(analytics=False)], make.events())).num_rows == 0


def test_consent_to_ads_is_passed_on(make):
    """The consent object says what the shopper allows."""
    for allowed, word in ((True, "GRANTED"), (False, "DENIED")):
        source = make.source([make.shopper(personalization=allowed)], make.events())
        bodies = [json.loads(text) for text in requests(source)["request"].to_pylist()]
        assert {value for body in bodies for value in body["consent"].values()} == {word}


def test_engagement_is_the_time_since_the_event_before(walked):
    """Together the events carry the time that pages were visible, all but that of the last page's end."""
    bodies = [json.loads(text) for text in requests(walked)["request"].to_pylist()]
    told = [e["params"]["engagement_time_msec"] for body in bodies for e in body["events"]]
    whole = [p["value"]["int_value"] for row in ga4_table(walked).to_pylist() for p in row["event_params"]
             if p["key"] == "engagement_time_msec"]  # fmt: skip
    last = whole[-1]
    assert sum(ms for ms in told if ms > 1) == sum(whole) - last


def test_json_lines_are_the_bodies_themselves(walked, tmp_path):
    """A line of the JSON Lines file is what is posted, nothing around it."""
    table = requests(walked)
    write_table(table, tmp_path / "t", "jsonl")
    assert (tmp_path / "t").read_text(encoding="utf-8").splitlines() == table["request"].to_pylist()


@pytest.mark.parametrize("kind", PART.formats)
def test_it_can_be_written_in_its_formats(walked, tmp_path, kind):
    """All formats take it, and an empty table too."""
    for place, table in enumerate((requests(walked), requests(walked).slice(0, 0))):
        write_table(table, tmp_path / f"{place}", kind)
    assert (tmp_path / "0").stat().st_size > (tmp_path / "1").stat().st_size


def test_a_missing_column_is_named(walked, make):
    """The error says which part needs the column."""
    source = make.with_tables(walked, events=walked.events.drop_columns(["page"]))
    with pytest.raises(FileFaults, match="events table: page is missing, but ga4_mp is made from it"):
        requests(source)


def test_nobody_came(make):
    """A shard without events is a table without rows."""
    assert requests(make.source([make.shopper()], [])).num_rows == 0
