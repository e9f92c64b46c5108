"""Snowplow's events: atomic fields within their limits, entities that match their Iglu schemas, clocks that add up."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pytest

from simulator.export.products import product_facts
from simulator.export.vendors.feed import Call, blocks, feed_of
from simulator.export.vendors.snowplow import CALLS, snowplow
from simulator.export.vendors.tracked import tracked

ECOMMERCE = "com.snowplowanalytics.snowplow.ecommerce"
BUYING = (("product", {"product": 5}), "add_to_cart", "add_to_cart", "cart", "checkout", "payment", "purchase")
WANTED = {
    "list_click": {"product"},
    "list_view": {"product"},
    "product_view": {"product"},
    "add_to_cart": {"product", "cart"},
    "checkout_step": {"checkout_step"},
    "transaction": {"product", "transaction"},
    "trns_error": {"product", "transaction", "transaction_error"},
    None: set(),
}
"""Action → entities that docs.snowplow.io attaches to it."""


@pytest.fixture(scope="module")
def events(shard, rows_of):
    """Return every event of 300 shoppers as JSON."""
    return rows_of(shard, "snowplow")


def read(text):
    """Return JSON with exact decimals."""
    return json.loads(text, parse_float=Decimal)


def action_of(event):
    """Return the type of an event's e-commerce action; None of a page view."""
    return read(event["unstruct_event"])["data"]["data"]["type"] if "unstruct_event" in event else None


def entities_of(event):
    """Return the event's entities as (name, data)."""
    return [(entity["schema"].split("/")[1], entity["data"]) for entity in read(event["contexts"])["data"]]


def test_every_event_keeps_the_limits_of_the_atomic_schema(events, validator_of):
    """Types, lengths and required fields are those that enrichment checks before it lets an event through."""
    check = validator_of("snowplow")
    faults = [error.message for event in events for error in check.iter_errors(event)]
    assert not faults, faults[:3]
    assert len(events) > 500


def test_every_entity_matches_its_schema(part_of_shard, by_hand, rows_of, validator_of):
    """Actions and entities, with the envelopes they are in, are valid under the schema that their own URI names."""
    checks = defaultdict(dict)
    failed = by_hand(*BUYING[:-1], ("purchase", {"ok": False}), "purchase")
    for event in (event for source in (part_of_shard, failed) for event in rows_of(source, "snowplow")):
        for text in filter(None, (event.get("unstruct_event"), event["contexts"])):
            checks[text] = read(text)
    counts = Counter()
    for whole in checks.values():
        inner = whole["data"] if isinstance(whole["data"], list) else [whole["data"]]
        for described in [whole, *inner]:
            uri = described["schema"]
            assert uri.startswith("iglu:")
            check = validator_of("snowplow", uri.removeprefix("iglu:"))
            faults = [error.message for error in check.iter_errors(described["data"])]
            assert not faults, (uri, faults[:2])
            counts[uri.split("/")[1]] += 1
    schemas = validator_of("snowplow").schema["$defs"]
    assert counts.keys() == {name.split("/")[1] for name in schemas}


def test_the_schema_finds_what_is_wrong(validator_of):
    """A third decimal, a currency of two letters, an unknown action: the referee is not asleep."""
    product = validator_of("snowplow", f"{ECOMMERCE}/product/jsonschema/1-0-0")
    good = {"id": "A-1", "category": "shoes", "price": Decimal("19.99"), "currency": "USD"}
    assert product.is_valid(good)
    assert not product.is_valid(good | {"price": Decimal("19.999")})
    assert not product.is_valid(good | {"currency": "US"})
    assert not validator_of("snowplow", f"{ECOMMERCE}/snowplow_ecommerce_action/jsonschema/1-0-2").is_valid(
        {"type": "buy"}
    )


def test_every_action_has_its_entities(events):
    """Each kind of action carries the entities that the e-commerce plugin attaches to it, and page views none."""
    found = defaultdict(set)
    for event in events:
        action = action_of(event)
        ours = {name for name, _ in entities_of(event)} & set().union(*WANTED.values())
        assert ours == WANTED[action], action
        found[action] = ours
    assert found.keys() >= {"list_view", "product_view", "add_to_cart", "checkout_step", "transaction", None}


def test_the_event_says_what_it_is(events):
    """Vendor, name, format and version of each row are those of the event in it."""
    for event in events:
        named = (event["event_vendor"], event["event_name"], event["event_format"], event["event_version"])
        if event["event"] == "page_view":
            assert named == ("com.snowplowanalytics.snowplow", "page_view", "jsonschema", "1-0-0")
        else:
            inner = read(event["unstruct_event"])["data"]["schema"].removeprefix("iglu:").split("/")
            assert event["event"] == "unstruct"
            assert named == tuple(inner)


def test_the_derived_timestamp_is_corrected_for_the_devices_clock(events):
    """derived_tstamp = collector_tstamp − (dvce_sent_tstamp − dvce_created_tstamp), to the millisecond."""
    for event in events:
        derived, collector, sent, created = (
            datetime.fromisoformat(event[f"{name}_tstamp"])
            for name in ("derived", "collector", "dvce_sent", "dvce_created")
        )
        assert derived == collector - (sent - created)


def test_ids_are_unique_and_belong_together(events):
    """No event id comes twice; a session has one visitor, one index, and names the one before it."""
    assert max(Counter(event["event_id"] for event in events).values()) == 1
    sessions = {}
    for event in events:
        entity = dict(entities_of(event))["client_session"]
        assert (entity["userId"], entity["sessionId"]) == (event["domain_userid"], event["domain_sessionid"])
        assert entity["sessionIndex"] == event["domain_sessionidx"]
        sessions[event["domain_userid"], event["domain_sessionidx"]] = entity
    linked = [(key, entity) for key, entity in sessions.items() if "previousSessionId" in entity]
    assert linked
    for (user, index), entity in linked:
        before = sessions.get((user, index - 1))
        assert before is None or before["sessionId"] == entity["previousSessionId"]


def test_no_transaction_without_payment_and_worth_its_lines(events):
    """In each session a transaction follows the second checkout step; its revenue is the sum of its products."""
    paid, orders = set(), Counter()
    for event in sorted(events, key=lambda event: event["dvce_created_tstamp"]):
        entities = entities_of(event)
        if action_of(event) == "checkout_step" and dict(entities)["checkout_step"]["step"] == 2:
            paid.add(event["domain_sessionid"])
        if action_of(event) == "transaction":
            assert event["domain_sessionid"] in paid
            order = dict(entities)["transaction"]
            lines = [data for name, data in entities if name == "product"]
            assert order["revenue"] == sum(line["price"] * line["quantity"] for line in lines)
            assert order["total_quantity"] == sum(line["quantity"] for line in lines)
            orders[order["transaction_id"]] += 1
    assert len(orders) > 3
    assert max(orders.values()) == 1


def test_only_a_known_user_is_named(events, by_hand, rows_of):
    """`user_id` and the user entity come together, only after logging in, and never for guests."""
    for event in events:
        assert ("user_id" in event) == ("user" in dict(entities_of(event)))
    assert 0 < sum("user_id" in event for event in events) < len(events)
    named = [("user_id" in event) for event in rows_of(by_hand("home", "login", "home"), "snowplow")]
    assert named == [False, False, True]


def test_who_refuses_analytics_sends_nothing(by_hand):
    """No consent, no event: not even an anonymous one."""
    assert snowplow(by_hand(*BUYING, analytics=False))["snowplow"].num_rows == 0
    assert snowplow(by_hand(*BUYING))["snowplow"].num_rows == 11


def test_safari_sends_no_client_hints(events):
    """The hints' entity comes from Chromium only, and says the version that its user agent says."""
    for event in events:
        hints = dict(entities_of(event)).get("http_client_hints")
        assert (hints is not None) == ("Chrome/" in event["useragent"])
        if hints:
            chromium = next(brand for brand in hints["brands"] if brand["brand"] == "Chromium")
            assert f"Chrome/{chromium['version']}." in event["useragent"]


def test_a_failed_purchase_is_a_transaction_error(by_hand, rows_of):
    """The thank-you page that came with an error reports the order that was not placed, and no transaction."""
    last = rows_of(by_hand(*BUYING[:-1], ("purchase", {"ok": False})), "snowplow")[-1]
    assert action_of(last) == "trns_error"
    entities = dict(entities_of(last))
    assert entities["transaction_error"] == {"error_type": "soft"}
    assert entities["transaction"]["revenue"] == Decimal(2 * product_facts()["price_cents"].to_pylist()[5]) / 100


def test_a_cart_grows_by_what_is_added(by_hand, rows_of):
    """The cart entity holds the value after the product was added, in one cart until it is bought."""
    added = [e for e in rows_of(by_hand(*BUYING, *BUYING[:2]), "snowplow") if action_of(e) == "add_to_cart"]
    carts = [dict(entities_of(event))["cart"] for event in added]
    price = Decimal(product_facts()["price_cents"].to_pylist()[5]) / 100
    assert [cart["total_value"] for cart in carts] == [price, 2 * price, price]
    assert carts[0]["cart_id"] == carts[1]["cart_id"] != carts[2]["cart_id"]


def test_blocks_do_not_show(shard):
    """However few calls are made into columns at a time, together they are the same feed; deliveries stay whole."""
    whole = feed_of(tracked(shard, "snowplow"), CALLS)
    for calls in (1, 97, 10**6):
        parts = list(blocks(whole, calls))
        for name in ("code", "row", "parcel", "device_us"):
            assert [x for part in parts for x in getattr(part, name).tolist()] == getattr(whole, name).tolist()
        edges = [part.parcel[[0, -1]] for part in parts]
        assert all(left[1] != right[0] for left, right in pairwise(edges))


def test_arms_are_different_users(shard_of, rows_of):
    """A visit played in two arms is two users' visit: no id of one is in the other."""
    arms = [{"name": "slower", "share": 0.5, "delay": {"all": "1s"}}]
    users = defaultdict(set)
    source = shard_of(40, arms=arms)
    for arm in ("control", "slower"):
        events = source.events.filter(pa.array([name == arm for name in source.events["arm"].to_pylist()]))
        for event in rows_of(replace(source, events=events), "snowplow"):
            users[arm] |= {event["event_id"], event["domain_userid"], event["domain_sessionid"], event.get("user_id")}
    assert users["control"] & users["slower"] <= {None}
    both = rows_of(source, "snowplow")
    assert {event["event_id"] for event in both} <= users["control"] | users["slower"]


def test_a_campaign_is_on_the_page_it_led_to(by_hand, rows_of):
    """The landing page of a first visit has the campaign's fields and where it was found; the next one is internal."""
    first, second = rows_of(by_hand("home", "support", channel="paid_search"), "snowplow")
    assert (first["mkt_source"], first["mkt_medium"], first["refr_medium"]) == ("google", "cpc", "search")
    assert first["page_urlquery"].startswith("utm_source=google&utm_medium=cpc")
    assert second["refr_medium"] == "internal"
    assert not second.keys() & {"mkt_source", "mkt_medium", "mkt_campaign", "page_urlquery"}


def test_a_condition_nobody_knows_is_an_error(shard):
    """A call that names a condition which does not exist fails at once."""
    with pytest.raises(AttributeError, match="nonsense"):
        feed_of(tracked(shard, "x"), [Call("x", ("home",), only="nonsense")])
