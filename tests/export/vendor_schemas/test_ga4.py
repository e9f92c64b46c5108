"""GA4's BigQuery export against its published schema, and against how the Google tag and consent mode work."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest

from simulator.export.products import product_facts
from simulator.export.vendors.ga4 import PART, ga4_table
from simulator.export.vendors.ga4_hits import AUTOMATIC
from simulator.export.vendors.vocabulary import WORDS
from simulator.model.faults import FileFaults
from simulator.model.states import STATE_NAMES
from simulator.runfolder.tables import write_table

TYPES = {"STRING": pa.string(), "INTEGER": pa.int64(), "FLOAT": pa.float64(), "BOOLEAN": pa.bool_()}
NOT_OURS = {"sa360_campaign", "cm360_campaign", "dv360_campaign"}


def params(row):
    """Return an event's parameters by key; exactly one typed value is set."""
    found = {}
    for param in row["event_params"]:
        given = [value for value in param["value"].values() if value is not None]
        assert len(given) == 1
        assert param["key"] not in found
        found[param["key"]] = given[0]
    return found


@pytest.fixture(scope="module")
def rows(shard):
    """Return the demo's export as dictionaries, with the parameters by key."""
    return [row | {"params": params(row)} for row in ga4_table(shard).to_pylist()]


@pytest.fixture(scope="module")
def walk(walked):
    """Return the walk's export likewise."""
    return [row | {"params": params(row)} for row in ga4_table(walked).to_pylist()]


def assert_as_published(fields, type_):
    """Compare names, types and modes, all the way down."""
    ours = {field.name: field.type for field in type_}
    assert set(ours) == {field["name"] for field in fields} - NOT_OURS
    for field in fields:
        kind = ours.get(field["name"])
        if kind is None:
            continue
        if field["mode"] == "REPEATED":
            assert pa.types.is_list(kind)
            kind = kind.value_type
        if field["type"] == "RECORD":
            assert_as_published(field["fields"], kind)
        else:
            assert kind == TYPES[field["type"]], field["name"]


def test_columns_types_and_modes_are_those_published(published, walked):
    """Every field of the export is there under its name, with its type and mode, and no other."""
    table = ga4_table(walked)
    table.validate(full=True)
    assert_as_published(published("ga4_export")["fields"], table.schema)


def test_a_repeated_field_is_never_null(shard):
    """BigQuery's repeated fields are empty, never null, and so are items' own parameters."""
    table = ga4_table(shard)
    for name in ("event_params", "user_properties", "items"):
        assert table[name].null_count == 0
    assert table["items"].combine_chunks().values.field("item_params").null_count == 0


def test_names_and_limits_are_those_of_a_web_stream(rows):
    """Names have at most 40 characters, events at most 25 own parameters, values 100 characters, items 200."""
    longest = {"page_location": 1_000, "page_referrer": 420, "page_title": 300}
    for row in rows:
        assert len(row["event_name"]) <= 40
        assert len(row["params"]) <= 25
        assert len(row["items"]) <= 200
        for key, value in row["params"].items():
            assert len(key) <= 40
            assert not isinstance(value, str) or len(value) <= longest.get(key, 100)


def test_a_purchase_says_what_and_how_much(rows, shard):
    """A value has a currency; a purchase has a transaction id of its own, items, and the order's revenue."""
    facts = {fact["sku"]: fact for fact in product_facts().to_pylist()}
    bought = [row for row in rows if row["event_name"] == "purchase"]
    for row in rows:
        assert ("value" in row["params"]) == ("currency" in row["params"]) == (row["event_value_in_usd"] is not None)
    for row in bought:
        money = sum(facts[item["item_id"]]["price_cents"] * item["quantity"] for item in row["items"]) / 100
        assert row["params"]["value"] == row["ecommerce"]["purchase_revenue"] == pytest.approx(money)
        assert row["ecommerce"]["transaction_id"] == row["params"]["transaction_id"]
        assert row["ecommerce"]["total_item_quantity"] == sum(item["quantity"] for item in row["items"])
        assert sum(item["item_revenue"] for item in row["items"]) == pytest.approx(money)
    assert len({row["params"]["transaction_id"] for row in bought}) == len(bought)
    assert len(bought) == sum(shard.visits["orders"].to_pylist())
    revenue = sum(shard.visits["revenue_cents"].to_pylist()) / 100
    assert sum(row["params"]["value"] for row in bought) == pytest.approx(revenue)


def test_every_state_has_its_event(walk):
    """A walk through all states sends each state's own events, and a page view for each that opens a page."""
    counts = Counter(row["event_name"] for row in walk)
    assert {name for word in WORDS.values() for name in word.ga4} <= set(counts)
    states = [page for page, _ in pages(walk)]
    opened = [name for name in STATE_NAMES if WORDS[name].path is not None]
    assert set(states) == {WORDS[name].path.split("{")[0] for name in opened}
    assert counts["session_start"] == counts["first_visit"] == 1


def pages(rows):
    """Return path and referrer of the page views."""
    for row in rows:
        if row["event_name"] == "page_view":
            path = row["params"]["page_location"].removeprefix("https://shop.example")
            known = sorted((word.path.split("{")[0] for word in WORDS.values() if word.path), key=len, reverse=True)
            yield next(prefix for prefix in known if path.startswith(prefix)), row["params"].get("page_referrer")


def test_a_page_is_referred_by_the_one_before(walk):
    """Each page's referrer is the address of the page before; the first has none for who comes directly."""
    views = [row["params"] for row in walk if row["event_name"] == "page_view"]
    assert "page_referrer" not in views[0]
    assert [view["page_referrer"] for view in views[1:]] == [view["page_location"] for view in views[:-1]]
    assert [view.get("entrances") for view in views] == [1, *[None] * (len(views) - 1)]


def test_engagement_time_adds_up_to_the_visible_time(walk):
    """A visit's engagement is the time its pages were visible, from first paint to leaving, counted once."""
    opened = sum(row["event_name"] == "page_view" for row in walk)
    steps = 27
    assert sum(row["params"].get("engagement_time_msec", 0) for row in walk) == (steps * 20 - opened) * 1_000
    assert all(row["params"].get("engagement_time_msec", 1_000) >= 1 for row in walk)


def test_a_session_is_engaged_from_the_second_page_or_ten_seconds(walk):
    """At the first paint of the first page it is not, when that page is left after 19 seconds it is."""
    assert [row["params"]["session_engaged"] for row in walk[:3]] == ["0"] * 3
    assert {row["params"]["session_engaged"] for row in walk[3:]} == {"1"}


def test_sessions_number_and_name_themselves_as_in_ga4(rows):
    """A user's sessions count up, begin at their id's second, and only number 1 has a first visit."""
    sessions, first = defaultdict(dict), defaultdict(list)
    for row in rows:
        if row["user_pseudo_id"] is not None:
            user, told = row["user_pseudo_id"], row["params"]
            sessions[user].setdefault(told["ga_session_number"], set()).add(told["ga_session_id"])
            if row["event_name"] == "session_start":
                assert told["ga_session_id"] == row["event_timestamp"] // 1_000_000
            if row["event_name"] == "first_visit":
                first[user].append(told["ga_session_number"])
                assert row["user_first_touch_timestamp"] == row["event_timestamp"]
                assert user.endswith(f".{row['event_timestamp'] // 1_000_000}")
    for numbers in sessions.values():
        assert sorted(numbers) == list(range(min(numbers), min(numbers) + len(numbers)))
        assert all(len(ids) == 1 for ids in numbers.values())
    assert first == {user: [1] for user, numbers in sessions.items() if 1 in numbers}
    assert first


def test_without_consent_only_cookieless_pings_are_left(rows, shard):
    """Who does not allow analytics has no id, no session and no property; every page is a first visit."""
    denied = [row for row in rows if row["privacy_info"]["analytics_storage"] == "No"]
    assert denied
    for row in denied:
        assert row["user_pseudo_id"] is row["user_id"] is row["user_first_touch_timestamp"] is None
        assert row["traffic_source"] is row["session_traffic_source_last_click"] is row["user_ltv"] is None
        assert not {"ga_session_id", "ga_session_number", "session_engaged"} & set(row["params"])
        assert row["user_properties"] == []
    counts = Counter(row["event_name"] for row in denied)
    assert counts["first_visit"] == counts["session_start"] == counts["page_view"]
    assert {row["privacy_info"]["ads_storage"] for row in rows} == {"Yes", "No"}
    allowed = set(shard.shoppers.filter(shard.shoppers["analytics"])["shopper"].to_pylist())
    known = {int(row["user_id"].split("-")[-1]) for row in rows if row["user_id"]}
    assert known <= allowed


def test_who_logs_in_is_known_from_then_on(walk):
    """The user id is absent up to the page of the login, and there from the login itself to the end."""
    login = next(place for place, row in enumerate(walk) if row["event_name"] == "login")
    assert {row["user_id"] for row in walk[:login]} == {None}
    assert {row["user_id"] for row in walk[login:]} == {"ff-7-0"}


def test_pages_that_were_never_painted_leave_nothing(make):
    """Who leaves before the first paint is not seen by the tag; a visit of nothing else is no session."""
    events = make.events(walk=[("home", None), ("search", None)])
    events[1] |= {"fcp_us": 5_000_000, "load_us": 9_000_000, "waited_us": 3_000_000, "think_us": 0}
    first = ga4_table(make.source([make.shopper()], events))
    assert Counter(first["event_name"].to_pylist()) == dict.fromkeys(AUTOMATIC, 1)
    for event in events:
        event |= {"fcp_us": None, "load_us": None, "think_us": 0}
    assert ga4_table(make.source([make.shopper()], events)).num_rows == 0


def test_a_page_that_failed_is_viewed_but_does_nothing(make):
    """An error page is a page view; what the shopper wanted there did not happen."""
    events = make.events(walk=[("product", 7), ("add_to_cart", 7), ("cart", 7)])
    for event in events[1:]:
        event |= {"ok": False, "cart_items": 0}
    names = Counter(ga4_table(make.source([make.shopper()], events))["event_name"].to_pylist())
    assert names["page_view"] == 2
    assert names["view_item"] == 1
    assert not {"add_to_cart", "view_cart"} & set(names)


def test_the_cart_holds_what_was_put_into_it(walk):
    """Two of one product are one item of quantity 2; after the order the cart is empty."""
    carts = [
        [(item["item_id"], item["quantity"]) for item in row["items"]]
        for row in walk
        if row["event_name"] == "purchase"
    ]
    assert carts == [[("SHO-0007", 2), ("JAC-0050", 1)]]
    assert [row["params"]["value"] for row in walk if row["event_name"] == "add_to_cart"] == [
        product_facts()["price_cents"][product].as_py() / 100 for product in (7, 7, 250, 990)
    ]


def test_the_product_tapped_stood_in_the_list(rows):
    """What is selected was shown before on the same page, at the same place; lists show ten different products."""
    shown, chosen = {}, 0
    for row in rows:
        page = (row["user_pseudo_id"], row["params"].get("ga_session_id"), row["batch_page_id"])
        if row["event_name"] in {"view_item_list", "view_promotion"} and page[0]:
            shown[page] = {item["item_id"]: item["item_list_index"] for item in row["items"]}
            assert len(shown[page]) == 10
        elif row["event_name"] in {"select_item", "select_promotion"} and page[0]:
            (item,) = row["items"]
            assert shown[page][item["item_id"]] == item["item_list_index"]
            chosen += 1
    assert chosen > 0


def test_the_batch_fields_order_a_visit(rows):
    """Within a session (page, request, place in the request) is unique and goes with time."""
    sessions = defaultdict(list)
    for row in rows:
        if row["user_pseudo_id"]:
            place = (row["batch_page_id"], row["batch_ordering_id"], row["batch_event_index"])
            sessions[row["user_pseudo_id"], row["params"]["ga_session_id"]].append((place, row["event_timestamp"]))
    for events in sessions.values():
        places = [place for place, _ in events]
        assert len(set(places)) == len(places)
        times = [time for _, time in sorted(events)]
        assert times == sorted(times)


def test_dates_are_those_of_the_timestamp(rows):
    """event_date is the UTC day of event_timestamp."""
    for row in rows[::50]:
        day = np.datetime64(row["event_timestamp"], "us").astype("datetime64[D]")
        assert row["event_date"] == str(day).replace("-", "")


def test_a_campaign_is_collected_on_the_landing_page_only(make):
    """The landing page has the campaign's words; the session keeps them, and so does the next, direct one."""
    events = [*make.events(walk=WALK_TWO), *make.events(visit=1, walk=WALK_TWO)]
    visits = pa.table(
        {"shopper": [0, 0], "visit": [0, 1], "arm": ["control"] * 2, "channel": ["paid_search", "direct"]}
    )
    source = make.source([make.shopper()], events, visits)
    source = make.with_tables(source, shoppers=make.put(source.shoppers, "channel", ["paid_search"]))
    rows = [row | {"params": params(row)} for row in ga4_table(source).to_pylist()]
    landing = [row for row in rows if row["collected_traffic_source"]]
    assert {(row["params"]["ga_session_number"], row["batch_page_id"]) for row in landing} == {(1, 1)}
    assert {row["collected_traffic_source"]["manual_medium"] for row in landing} == {"cpc"}
    assert all("utm_medium=cpc" in row["params"]["page_location"] for row in landing)
    assert all(row["collected_traffic_source"]["gclid"] for row in landing)
    last = [row["session_traffic_source_last_click"]["cross_channel_campaign"] for row in rows]
    assert {(c["default_channel_group"], c["medium"]) for c in last} == {("Paid Search", "cpc")}
    assert {row["traffic_source"]["source"] for row in rows} == {"google"}


WALK_TWO = [("home", None), ("content", None)]


def test_a_known_shopper_has_no_first_visit(make):
    """Who was here before the run comes for a later session, and was first seen then."""
    source = make.source([make.shopper()], make.events(walk=WALK_TWO))
    source = make.with_tables(source, shoppers=make.put(source.shoppers, "tenure_days", [70.0]))
    rows = ga4_table(source).to_pylist()
    assert "first_visit" not in {row["event_name"] for row in rows}
    assert {params(row)["ga_session_number"] for row in rows} == {21}
    ago = rows[0]["event_timestamp"] - rows[0]["user_first_touch_timestamp"]
    assert ago == pytest.approx(70 * 86_400e6, abs=2 * 3_600e6)


def test_arms_are_different_users(make):
    """One shopper played in two arms is two browsers, and each says its arm."""
    events = [*make.events(walk=WALK_TWO), *make.events(walk=WALK_TWO, arm="slow")]
    rows = ga4_table(make.source([make.shopper(logged_in=True)], events)).to_pylist()
    seen = {
        (row["user_pseudo_id"], row["user_id"], p["value"]["string_value"])
        for row in rows
        for p in row["user_properties"]
        if p["key"] == "arm"
    }
    assert {(user, arm) for _, user, arm in seen} == {("ff-7-0", "control"), ("ff-7-0-slow", "slow")}
    assert len({client for client, _, _ in seen}) == 2


def test_a_missing_column_is_named(make):
    """Tables from elsewhere that lack columns are refused with all of them at once."""
    source = make.source([make.shopper()], make.events())
    source = make.with_tables(source, events=source.events.drop_columns(["cart_items", "fcp_us"]))
    source = make.with_tables(source, shoppers=source.shoppers.drop_columns(["analytics"]))
    with pytest.raises(FileFaults) as raised:
        ga4_table(source)
    assert [str(fault) for fault in raised.value.faults] == [
        f"{table} table: {column} is missing, but ga4 is made from it. Hint: generate the data anew"
        for table, column in (("events", "cart_items"), ("events", "fcp_us"), ("shoppers", "analytics"))
    ]


def test_an_empty_shard_is_an_empty_table(make):
    """Shoppers who never came leave a table without rows and with all columns."""
    table = ga4_table(make.source([make.shopper()], []))
    assert table.num_rows == 0
    assert len(table.schema) == 29


@pytest.mark.parametrize("kind", PART.formats)
def test_it_can_be_written_in_its_formats(walked, tmp_path, kind):
    """Nested rows are written as Parquet and as JSON Lines."""
    write_table(ga4_table(walked), tmp_path / "t", kind)
    assert (tmp_path / "t").stat().st_size > 1_000


def test_the_order_of_the_events_table_does_not_matter(make):
    """Rows of another order, as other worlds write them, give the same events."""
    events = [*make.events(), *make.events(visit=1)]
    shuffled = [events[place] for place in np.random.default_rng(5).permutation(len(events))]
    one, other = (ga4_table(make.source([make.shopper()], rows)) for rows in (events, shuffled))
    assert one.equals(other)
