"""Segment's calls: the spec's shape in every row, clocks that add up, no order unpaid, nobody who said no."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from simulator.export.parts import part
from simulator.export.products import product_facts
from simulator.export.vendors.segment import CALLS, PROPERTIES, segment
from simulator.model.faults import FileFaults
from simulator.runfolder.tables import write_table

TWO = (("product", {"product": 5}), "add_to_cart", "add_to_cart", ("product", {"product": 731}), "add_to_cart")
BUYING = (*TWO, "cart", "checkout", "payment", "purchase")


@pytest.fixture(scope="module")
def calls(shard, rows_of):
    """Return every call of 300 shoppers as JSON."""
    return rows_of(shard, "segment")


def visits_of(calls):
    """Return the calls by visitor, in the order in which they were made."""
    visits = defaultdict(list)
    for call in sorted(calls, key=lambda call: call["originalTimestamp"]):
        visits[call["anonymousId"]].append(call)
    return visits.values()


def test_every_call_has_the_shape_of_the_spec(part_of_shard, by_hand, rows_of, validator_of):
    """Each row is a call that Segment's documentation describes, with that event's properties and no others."""
    check = validator_of("segment")
    calls = [
        call for source in (part_of_shard, by_hand(*BUYING, "share", "login")) for call in rows_of(source, "segment")
    ]
    faults = [error.message for call in calls for error in check.iter_errors(call)]
    assert not faults, faults[:3]
    assert {call.get("event") or call["type"] for call in calls} == {call.event for call in CALLS}


def test_the_schema_finds_what_is_wrong(calls, validator_of):
    """A missing order id, a foreign property, a bare string as a timestamp: the referee is not asleep."""
    check = validator_of("segment")
    order = next(call for call in calls if call.get("event") == "Order Completed")
    without = {name: value for name, value in order["properties"].items() if name != "order_id"}
    assert check.is_valid(order)
    assert not check.is_valid(order | {"properties": without})
    assert not check.is_valid(order | {"properties": order["properties"] | {"mood": "good"}})
    assert not check.is_valid(order | {"properties": order["properties"] | {"products": []}})
    assert not check.is_valid(order | {"receivedAt": "yesterday"})
    assert not check.is_valid(order | {"event": "Completed Order"})


def test_the_timestamp_is_corrected_for_the_devices_clock(calls):
    """Timestamp = receivedAt − (sentAt − originalTimestamp), to the millisecond, in every call."""
    for call in calls:
        original, sent, received, stamp = (
            datetime.fromisoformat(call[name]) for name in ("originalTimestamp", "sentAt", "receivedAt", "timestamp")
        )
        assert stamp == received - (sent - original)
        assert timedelta(0) <= received - sent < timedelta(seconds=10)


def test_ids_are_unique(calls):
    """No message id comes twice, and no order is completed twice."""
    assert max(Counter(call["messageId"] for call in calls).values()) == 1
    orders = Counter(call["properties"]["order_id"] for call in calls if call.get("event") == "Order Completed")
    assert orders
    assert max(orders.values()) == 1


def test_no_order_without_payment_before_it(calls):
    """In every visitor's calls each order follows its checkout's start and payment, of the same checkout."""
    orders = 0
    for visit in visits_of(calls):
        paid = set()
        for call in visit:
            if call.get("event") == "Payment Info Entered":
                paid.add(call["properties"]["checkout_id"])
            elif call.get("event") == "Order Completed":
                assert call["properties"]["checkout_id"] in paid
                orders += 1
    assert orders > 3


def test_an_order_costs_what_its_lines_cost(calls):
    """Revenue and value are the sum of price × quantity, at the catalogue's prices, to the cent."""
    facts = {row["sku"]: row for row in product_facts().to_pylist()}
    seen = 0
    for call in calls:
        properties = call.get("properties", {})
        for line in properties.get("products", []):
            fact = facts[line["sku"]]
            assert (line["name"], line["category"]) == (fact["name"], fact["category"])
            assert line["price"] * 100 == fact["price_cents"]
        if call.get("event") in {"Order Completed", "Checkout Started"}:
            total = sum(line["price"] * line["quantity"] for line in properties["products"])
            assert properties["revenue"] == total
            seen += 1
    assert seen > 6


def test_orders_are_those_of_the_relational_set(shard, calls):
    """Each completed order is in the table of orders under the same id, with the same value."""
    orders, _ = pytest.importorskip("simulator.export.orders").orders_and_lines(shard)
    cents = dict(zip(orders["order_id"].to_pylist(), orders["total_cents"].to_pylist(), strict=True))
    completed = [call["properties"] for call in calls if call.get("event") == "Order Completed"]
    assert completed
    assert all(cents[order["order_id"]] == order["revenue"] * 100 for order in completed)


def test_only_who_is_logged_in_has_a_user_id(shard, calls):
    """A user id is there after an `identify` and never before it; guests have none."""
    logged_in = 0
    for visit in visits_of(calls):
        known = False
        for call in visit:
            known = known or call["type"] == "identify"
            assert "userId" not in call or known
        logged_in += any("userId" in call for call in visit)
    arriving = pc.sum(pc.and_(shard.shoppers["logged_in"], shard.shoppers["analytics"])).as_py()
    assert 0 < arriving <= logged_in < len(visits_of(calls))


def test_nobody_is_known_before_logging_in(by_hand, rows_of):
    """The log-in page itself is sent without a user id, `identify` and all that follows with it."""
    calls = rows_of(by_hand("home", "login", "home"), "segment")
    assert [(call["type"], "userId" in call) for call in calls] == [
        ("page", False), ("page", False), ("identify", True), ("page", True)
    ]  # fmt: skip


def test_who_refuses_analytics_sends_nothing(shard, calls, by_hand):
    """Shoppers without consent are in the events and not in the feed; all others who saw a page are."""
    assert segment(by_hand(*BUYING, analytics=False))["segment"].num_rows == 0
    assert segment(by_hand(*BUYING))["segment"].num_rows > 0
    assert all(call["context"]["consent"]["categoryPreferences"]["Analytics"] for call in calls)
    seen = pc.less_equal(shard.events["fcp_us"], shard.events["waited_us"])
    allowing = shard.shoppers.filter(shard.shoppers["analytics"])["shopper"]
    here = pc.and_(pc.fill_null(seen, fill_value=False), pc.is_in(shard.events["shopper"], allowing))
    assert (
        len({call["anonymousId"] for call in calls}) == pc.count_distinct(shard.events["shopper"].filter(here)).as_py()
    )


def test_a_browser_tells_only_what_it_can(calls):
    """Safari and Firefox carry no client hints, no network and no model; Chromium carries all three."""
    kinds = Counter()
    for call in calls:
        context = call["context"]
        chromium = "Chrome/" in context["userAgent"]
        assert ("userAgentData" in context) == chromium == ("network" in context)
        if "iPhone" in context["userAgent"]:
            assert context["device"] == {"type": "ios", "manufacturer": "Apple", "model": "iPhone"}
        elif chromium:
            assert context["device"]["model"] == context["userAgentData"]["model"]
            assert context["network"]["wifi"] != context["network"]["cellular"]
        kinds[chromium] += 1
    assert min(kinds.values()) > 50


def test_a_visit_by_hand_is_sent_as_the_spec_wants(by_hand, rows_of):
    """Two products, one of them twice: the cart has two lines, the order the same, and the calls come in this order."""
    calls = rows_of(by_hand(*BUYING), "segment")
    assert [call.get("event") or call["type"] for call in calls] == [
        "page", "Product Viewed", "Product Added", "Product Added", "page", "Product Viewed", "Product Added",
        "page", "Cart Viewed", "page", "Checkout Started", "Checkout Step Viewed",
        "page", "Checkout Step Completed", "Payment Info Entered", "page", "Checkout Step Completed", "Order Completed",
    ]  # fmt: skip
    order = calls[-1]["properties"]
    assert [(line["product_id"], line["quantity"], line["position"]) for line in order["products"]] == [
        ("5", 2, 1), ("731", 1, 2)
    ]  # fmt: skip
    prices = product_facts()["price_cents"].to_pylist()
    assert order["total"] == Decimal(2 * prices[5] + prices[731]) / 100
    assert calls[-1]["originalTimestamp"] < calls[-1]["receivedAt"]


def test_a_product_is_clicked_on_the_list_it_came_from(by_hand, rows_of):
    """The click carries the list's page, happens when it is tapped, and its list showed that product."""
    viewed, clicked = (
        call for call in rows_of(by_hand("category", ("product", {"product": 42})), "segment")
        if call.get("event") in {"Product List Viewed", "Product Clicked"}
    )  # fmt: skip
    assert clicked["properties"]["product_id"] == "42"
    assert clicked["context"]["page"]["path"] == viewed["context"]["page"]["path"] == "/c/shoes"
    assert clicked["originalTimestamp"].endswith("00:00:11.000Z")
    assert "42" in {line["product_id"] for line in viewed["properties"]["products"]}


def test_a_campaign_is_on_the_page_it_led_to(by_hand, rows_of):
    """Campaign words are in address and context of a first visit's landing page, and nowhere else."""
    first, second = rows_of(by_hand("home", "support", channel="email"), "segment")
    assert first["context"]["campaign"] == {"name": "weekly_letter", "source": "newsletter", "medium": "email"}
    assert first["properties"]["search"].startswith("?utm_source=newsletter&")
    assert "campaign" not in second["context"]
    assert second["properties"]["referrer"] == first["properties"]["url"]


@pytest.mark.parametrize("page", ["purchase", "payment", "cart"])
def test_what_failed_is_no_event(by_hand, rows_of, page):
    """A page that came with an error is a `page` and nothing more; one that was never painted is not even that."""
    failed = rows_of(by_hand(*BUYING[:-1], (page, {"ok": False})), "segment")
    assert failed[-1]["type"] == "page"
    unseen = {"fcp_us": 5_000_000, "load_us": 9_000_000, "waited_us": 2_000_000}
    assert rows_of(by_hand(*BUYING[:-1], (page, unseen)), "segment") == failed[:-1]


def test_the_mapping_names_only_what_the_spec_has(validator_of):
    """Every declared call has declared properties, and the schema knows its name."""
    tracks = {call.event for call in CALLS} - {"page", "identify"}
    assert tracks <= set(PROPERTIES)
    known = next(rule for rule in validator_of("segment").schema["allOf"] if "enum" in str(rule["then"]))
    assert tracks <= set(known["then"]["properties"]["event"]["enum"])


def test_parquet_says_the_same_as_json(shard, calls, tmp_path):
    """The nested Parquet file holds the same calls; what JSON leaves out is null there."""
    write_table(segment(shard)["segment"], tmp_path / "s.parquet", "parquet")
    rows = pq.read_table(tmp_path / "s.parquet").to_pylist()
    assert [bare(row) for row in rows] == [bare(call) for call in calls]
    assert "csv" not in part("segment").formats


def bare(value):
    """Return a value without nulls, decimals as floats."""
    if isinstance(value, dict):
        return {key: bare(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [bare(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value


def test_tables_without_needed_columns_are_refused_at_once(shard):
    """Every missing column is named, with the table it belongs to."""
    short = replace(shard, events=shard.events.drop_columns(["fcp_us", "network"]))
    with pytest.raises(FileFaults) as caught:
        segment(replace(short, shoppers=shard.shoppers.drop_columns(["timezone"])))
    assert {fault.path for fault in caught.value.faults} == {"fcp_us", "network", "timezone"}


def test_an_empty_shard_has_an_empty_table_of_the_same_columns(shard):
    """A shard without events gives no rows, and the columns and types of a full one."""
    tables = {name: getattr(shard, name).slice(0, 0) for name in ("shoppers", "visits", "events")}
    none = replace(shard, **tables)
    assert segment(none)["segment"].schema == segment(shard)["segment"].schema


def test_the_same_shard_is_the_same_bytes(shard):
    """Nothing in a call comes from a clock or a generator."""
    assert segment(shard)["segment"].equals(segment(shard)["segment"])
