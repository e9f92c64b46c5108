"""GA4's and Segment's published shapes are read, from JSON Lines and from Parquet alike."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.fit.clean import hits_of
from simulator.fit.logs_csv import read_csv
from simulator.fit.logs_ga4 import read_ga4
from simulator.fit.logs_segment import read_segment
from simulator.fit.names import GA4, OWN, SEGMENT
from simulator.fit.sessions import cut
from simulator.model.states import STATE_NAMES


def ga4_row(at_s, name, path, user="1234567.1700000000", session=1):
    """Return an event of GA4's BigQuery export (support.google.com/analytics/answer/7029846), abridged."""
    return {
        "event_date": "20260301",
        "event_timestamp": 1_772_359_200_000_000 + at_s * 1_000_000,
        "event_name": name,
        "event_params": [
            {"key": "ga_session_id", "value": {"string_value": None, "int_value": session}},
            {"key": "page_location", "value": {"string_value": f"https://shop.example{path}", "int_value": None}},
        ],
        "user_pseudo_id": user,
        "privacy_info": {"analytics_storage": "Yes"},
        "device": {
            "category": "mobile",
            "operating_system": "iOS",
            "mobile_model_name": "iPhone",
            "time_zone_offset_seconds": 3600,
        },
        "geo": {"country": "Germany", "city": "Berlin"},
    }


GA4_ROWS = [
    ga4_row(0, "session_start", "/"),
    ga4_row(0, "page_view", "/"),
    ga4_row(9, "page_view", "/search?q=shoes"),
    ga4_row(9, "view_search_results", "/search?q=shoes"),
    ga4_row(9, "view_item_list", "/search?q=shoes"),
    ga4_row(20, "page_view", "/c/shoes"),
    ga4_row(20, "view_item_list", "/c/shoes"),
    ga4_row(40, "select_item", "/c/shoes"),
    ga4_row(41, "view_item", "/p/1"),
    ga4_row(60, "add_to_cart", "/p/1"),
    ga4_row(80, "begin_checkout", "/checkout"),
    ga4_row(90, "add_payment_info", "/checkout/payment"),
    ga4_row(99, "purchase", "/checkout/done"),
    ga4_row(5, "page_view", "/", user=None),
]
GA4_STATES = ["home", "search", "category", "product", "add_to_cart", "checkout", "payment", "purchase"]


def states(hits):
    """Return the names of the hits' states."""
    return [STATE_NAMES[state] for state in hits.state]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_ga4(lines, tmp_path, findings, kind):
    """A GA4 visit is read page by page: one state a page, home by its path, country, system and clock beside it."""
    path = lines(GA4_ROWS)
    if kind == "parquet":
        path = tmp_path / "log.parquet"
        pq.write_table(pa.Table.from_pylist(GA4_ROWS), path)
    hits = hits_of(read_ga4(path, findings), GA4, None, findings)
    assert states(hits) == GA4_STATES
    assert hits.users == ("1234567.1700000000",)
    country, system = hits.kinds["country"], hits.kinds["os"]
    assert {country.words[code] for code in country.codes} == {"DE"}
    assert {system.words[code] for code in system.codes} == {"ios"}
    assert set(hits.offset_s.tolist()) == {3600}
    assert set(hits.facts["analytics"].tolist()) == {1}
    assert findings.dropped == {"user is missing": 1}
    assert findings.ignored == {"session_start": 1, "page_view": 2, "select_item": 1}
    assert sum("list views tell of the same page" in note for note in findings.notes) == 1


def segment_call(at, event=None, kind="track", path="/p/1", **more):
    """Return a call of Segment's spec (segment-docs, connections/spec/common.md), abridged."""
    call = {
        "anonymousId": "507f191e810c19729de860ea",
        "context": {
            "network": {"bluetooth": False, "carrier": "x", "cellular": True, "wifi": False},
            "os": {"name": "iPhone OS", "version": "18.1"},
            "timezone": "America/New_York",
            "page": {"path": path},
        },
        "messageId": f"ajs-{at}",
        "timestamp": f"2026-03-01T15:00:{at:02d}.000Z",
        "originalTimestamp": f"2026-03-01T15:00:{at:02d}.500Z",
        "type": kind,
        "version": 2,
    }
    return call | ({"event": event} if event else {}) | more


def test_segment(lines, findings):
    """Track calls of the e-commerce spec and pages by path become states; the network is only known as cellular."""
    rows = [
        segment_call(0, kind="page", path="/", name="Home"),
        segment_call(1, kind="identify", traits={"address": {"country": "US"}, "rewards_member": True}),
        segment_call(5, "Products Searched", path="/search"),
        segment_call(5, "Product List Viewed", path="/search"),
        segment_call(9, "Product Viewed", properties={"category": "shoes", "product_id": "1"}),
        segment_call(12, "Product Added"),
        segment_call(20, "Cart Viewed", path="/cart"),
        segment_call(25, "Video Playback Started"),
    ]
    hits = hits_of(read_segment(lines(rows), findings), SEGMENT, None, findings)
    assert states(hits) == ["home", "search", "product", "add_to_cart", "cart"]
    network = hits.kinds["network"]
    assert {network.words[code] for code in network.codes} == {"cellular"}
    assert set(hits.offset_s.tolist()) == {-5 * 3600}
    assert findings.unmapped["Video Playback Started"]["rows"] == 1
    assert findings.unknown_values["os"] == {"iPhone OS": 5}
    assert {hits.kinds["country"].words[code] for code in hits.kinds["country"].codes} == {"US"}
    assert set(hits.facts["member"].tolist()) == {1}
    assert hits.kinds["category"].words[hits.kinds["category"].codes[2]] == "shoes"


def test_a_data_set_of_ours_with_its_shoppers(footfall, tmp_path, findings):
    """A generated data set is read with what its shoppers table adds, from its reference instant, without its truth."""
    data = tmp_path / "data"
    for kind in ("parquet", "csv", "jsonl"):
        made = footfall("generate", "demo", "--shoppers", 40, "--out", data / kind, "--format", kind)
        assert made.code == 0
    read = {
        k: hits_of(read_csv(data / k, {}, None, findings), OWN, None, findings) for k in ("parquet", "csv", "jsonl")
    }
    told = {kind: (states(h), h.at_us.tolist(), h.users, h.load_us.tolist()) for kind, h in read.items()}
    assert told["csv"] == told["parquet"] == told["jsonl"]
    hits = read["parquet"]
    assert {"analytics", "location", "member", "logged_in"} <= set(hits.facts)
    assert hits.at_us.min() >= 1_767_571_200_000_000
    assert {"persona", "think_us", "cause"} <= set(findings.unknown_columns)
    visits = pq.read_table(data / "parquet" / "visits")
    assert len(cut(hits)) == visits.num_rows


def test_our_own_times_need_their_manifest(lines, findings):
    """Events without the manifest that says when they begin are read; the report says that weekdays may be wrong."""
    path = lines([{"shopper": 1, "at_us": 7_000_000, "page": "home"}])
    for named in ({}, {"time": "at_us"}):
        assert hits_of(read_csv(path, named, None, findings), OWN, None, findings).at_us.tolist() == [7_000_000]
    assert any("weekdays may be wrong" in note for note in findings.notes)


def test_a_fit_from_the_command_line(footfall, tmp_path):
    """Generate, fit, check, generate again: personas and population are valid, the report says what was done."""
    assert footfall("generate", "demo", "--shoppers", 1500, "--out", tmp_path / "data").code == 0
    out = tmp_path / "mine"
    said = footfall("persona", "fit", tmp_path / "data", "--out", out, "--personas", 3)
    assert said.code == 0
    assert said.out.splitlines()[2].split()[:3] == ["persona", "share", "users"]
    assert "columns not used: " in said.out
    assert footfall("persona", "check", *sorted(out.glob("*.yaml"))).code == 0
    assert footfall("generate", out / "scenarios" / "fitted.yaml", "--shoppers", 100, "--out", tmp_path / "b").code == 0
    report = json.loads((out / "fit.json").read_text(encoding="utf-8"))
    assert list(report["kinds"]) == ["fitted_1", "fitted_2", "fitted_3"]
    assert report["files"] == [
        "fitted_1.yaml", "fitted_2.yaml", "fitted_3.yaml", "population.yaml", "scenarios/fitted.yaml",
    ]  # fmt: skip
    assert sum(kind["share"] for kind in report["kinds"].values()) == pytest.approx(1, abs=1e-3)
    assert (out / "fit.md").read_text(encoding="utf-8").startswith("# Personas from a log\n")
