"""Google Retail user events against the API's published message, its required fields and its rules for each type."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from jsonschema import Draft202012Validator

from simulator.export.products import product_facts
from simulator.export.vendors.google_retail import PART, user_events
from simulator.export.vendors.vocabulary import WORDS
from simulator.model.faults import FileFaults
from simulator.runfolder.tables import write_table


@pytest.fixture(scope="module")
def valid(published):
    """Return the validator of the published message."""
    return Draft202012Validator(published("google_retail"), format_checker=Draft202012Validator.FORMAT_CHECKER)


def told(source):
    """Return a source's user events as dictionaries."""
    return [json.loads(text) for text in user_events(source)["user_event"].to_pylist()]


@pytest.fixture(scope="module")
def events(shard):
    """Return the demo's user events."""
    return told(shard)


def test_every_event_is_of_the_published_message(events, valid, walked):
    """Required fields, types, limits, and what may or must be set for a type hold for all events."""
    assert [error.message for event in [*events[:1_000], *told(walked)] for error in valid.iter_errors(event)] == []


SPOILED = {
    "no visitor": lambda e: e.pop("visitorId"),
    "a visitor id that is too long": lambda e: e.update(visitorId="x" * 129),
    "an unknown type": lambda e: e.update(eventType="view"),
    "a product page without product": lambda e: e.update(eventType="detail-page-view"),
    "a search without words": lambda e: e.update(eventType="search"),
    "words without search": lambda e: e.update(searchQuery="shoes"),
    "an order without transaction": lambda e: e.update(
        eventType="purchase-complete", productDetails=[{"product": {"id": "A"}, "quantity": 1}]
    ),
    "a transaction without order": lambda e: e.update(purchaseTransaction={"revenue": 1, "currencyCode": "USD"}),
    "a cart on the home page": lambda e: e.update(cartId="1"),
    "a local time": lambda e: e.update(eventTime="2026-01-05 10:00:00"),
    "a null": lambda e: e.update(attributionToken=None),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_the_written_down_message_refuses_what_the_api_refuses(make, valid, fault):
    """The referee is no formality: each forbidden thing is an error."""
    (event,) = told(make.source([make.shopper()], make.events(walk=[("home", None)])))
    assert valid.is_valid(event)
    SPOILED[fault](event)
    assert not valid.is_valid(event)


def test_every_state_that_the_api_knows_has_its_event(walked, make):
    """A walk through all states sends one event for each that has a type, and none for the others."""
    expected = Counter(WORDS[state].retail for state, _ in make.walk() if WORDS[state].retail)
    assert Counter(event["eventType"] for event in told(walked)) == expected


def test_an_order_is_worth_what_was_in_the_cart(events, shard):
    """Revenue is the sum of price times quantity, in total what the visits table says of those who are in it."""
    price = {fact["sku"]: fact["price_cents"] for fact in product_facts().to_pylist()}
    total = 0
    for event in events:
        if event["eventType"] == "purchase-complete":
            cents = sum(price[d["product"]["id"]] * d["quantity"] for d in event["productDetails"])
            assert round(event["purchaseTransaction"]["revenue"] * 100) == cents
            total += cents
    known = set(shard.shoppers.filter(shard.shoppers["personalization"])["shopper"].to_pylist())
    visits = shard.visits.select(["shopper", "revenue_cents"]).to_pylist()
    assert total == sum(visit["revenue_cents"] for visit in visits if visit["shopper"] in known)


def test_a_token_leads_from_the_answer_to_the_cart(walked):
    """A search carries its token, the product tapped in it too, and so does putting that product into the cart."""
    events = told(walked)
    tokens = [(e["eventType"], e.get("attributionToken")) for e in events]
    search = next(token for kind, token in tokens if kind == "search")
    assert [kind for kind, token in tokens if token == search] == [
        "search", "detail-page-view", "add-to-cart", "add-to-cart",
    ]  # fmt: skip
    others = [(kind, token) for kind, token in tokens if token not in {None, search}]
    assert [kind for kind, _ in others] == ["detail-page-view", "add-to-cart"]
    assert len({token for _, token in others}) == 1


def test_a_new_cart_begins_after_an_order(walked):
    """What is put into the cart up to the order has one cart id, what comes after another."""
    events = told(walked)
    ids = [event["cartId"] for event in events if "cartId" in event]
    order = next(
        place for place, e in enumerate(e for e in events if "cartId" in e) if e["eventType"] == "purchase-complete"
    )
    assert len(set(ids[: order + 1])) == 1
    assert set(ids[order + 1 :]).isdisjoint(ids[: order + 1])


def test_times_are_rfc_3339(walked):
    """The walk's first page is usable two seconds after one o'clock on the reference day."""
    assert told(walked)[0]["eventTime"] == "2026-01-05T01:00:02.000000Z"


def test_several_arms_are_experiments(make):
    """Where arms are compared each event says its arm, and arms are different visitors."""
    walk = [("home", None)]
    source = make.source([make.shopper()], [*make.events(walk=walk), *make.events(walk=walk, arm="slow")])
    assert [event["experimentIds"] for event in told(source)] == [["control"], ["slow"]]
    assert len({event["visitorId"] for event in told(source)}) == 2
    assert "experimentIds" not in told(make.source([make.shopper()], make.events(walk=walk)))[0]


def test_who_does_not_allow_personalization_is_not_in_it(make):
    """No consent, no user events."""
    assert told(make.source([make.shopper(personalization=False)], make.events())) == []


def test_a_phone_that_is_not_in_the_table_has_no_user_agent(make):
    """An unknown model leaves its fields out rather than empty."""
    home = make.events(walk=[("home", None)])
    (event,) = told(make.source([make.shopper(device="Brick 1")], home))
    assert "userInfo" not in event
    (event,) = told(make.source([make.shopper(device="Brick 1", logged_in=True)], home))
    assert event["userInfo"] == {"userId": "ff-7-0"}


@pytest.mark.parametrize("kind", PART.formats)
def test_it_can_be_written_in_its_formats(walked, tmp_path, kind):
    """All formats take it; a line of JSON Lines is the event itself."""
    table = user_events(walked)
    write_table(table, tmp_path / "t", kind)
    if kind == "jsonl":
        assert (tmp_path / "t").read_text(encoding="utf-8").splitlines() == table["user_event"].to_pylist()


def test_a_missing_column_is_named(walked, make):
    """The error says which part needs the column."""
    source = make.with_tables(walked, shoppers=walked.shoppers.drop_columns(["personalization"]))
    with pytest.raises(FileFaults, match="shoppers table: personalization is missing, but google_retail is made"):
        user_events(source)


def test_nobody_came(make):
    """A shard without events is a table without rows."""
    assert user_events(make.source([make.shopper()], [])).num_rows == 0
