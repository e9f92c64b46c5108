"""The relational set: keys that hold, money that adds up, and nothing before its cause, for several seeds and arms."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.export.dataset import Shard, play_shard, source_of
from simulator.export.local_time import offsets_us
from simulator.export.orders import LINES, ORDERS, RETURNED, orders_and_lines
from simulator.export.products import CURRENCY, product_facts
from simulator.export.push import COLUMNS, OPEN_MEDIAN_US, OPENED_ABANDONED, push_messages
from simulator.export.push_causes import DAY_US
from simulator.export.relational import DEVICES, EXPERIMENTS, PART
from simulator.export.source import Source
from simulator.journey.arms import choose_arm, control_arm
from simulator.journey.kernel import S
from simulator.journey.records import EVENT, NEVER_US, NOT_SEEN, SHOPPER, VISIT
from simulator.journey.tables import Names, events_table, shoppers_table, visits_table
from simulator.model.devices import device_table
from simulator.model.persona import base_messages
from simulator.model.places import city_table
from simulator.model.states import STATE_INDEX
from simulator.runfolder.tables import plain
from simulator.scenario.load import load_scenario
from simulator.worlds.crowd import World
from simulator.worlds.replay import replay

SLOWER = {"name": "slower", "share": 0.3, "delay": {"all": "1s"}}
SAME = {"name": "same", "share": 0.2}
BUYING = {
    "name": "buying",
    "share": 0.3,
    "pull": {"add_to_cart": 8, "checkout": 8, "payment": 8, "purchase": 8, "exit": 0.3},
}
RUNS = {
    "one arm": ("demo", {"shoppers": 3_000}),
    "all arms": ("demo", {"shoppers": 1_500, "seed": 11, "arms": [SLOWER, SAME, BUYING], "horizon": "14d"}),
    "campaign": ("black_friday", {"shoppers": 2_000}),
    "clocks change": (
        "demo",
        {"shoppers": 1_500, "seed": 3, "reference": "2026-10-22T17:30:00+02:00", "arms": [BUYING], "horizon": "14d"},
    ),
}


class Set:
    """One run: its source, and the part's tables, by name and as rows."""

    def __init__(self, name):
        scenario = load_scenario(*RUNS[name])
        self.scenario = scenario
        tables = play_shard(scenario, Shard(0, 0, scenario.spec.shoppers))
        self.source = source_of(scenario, tables)
        self.tables = PART.make(self.source)
        self.all = {"shoppers": self.source.shoppers, "visits": self.source.visits, "events": self.source.events}
        self.all |= self.tables
        self.rows = {name: table.to_pylist() for name, table in self.all.items()}


@cache
def played(name):
    """Return a run, made once."""
    return Set(name)


@pytest.fixture(scope="module", params=RUNS)
def run(request):
    """Return each run."""
    return played(request.param)


@pytest.fixture(scope="module")
def arms():
    """Return the run with four arms."""
    return played("all arms")


PRIMARY = {
    "shoppers": ("shopper",),
    "visits": ("shopper", "visit", "arm"),
    "events": ("shopper", "visit", "arm", "step"),
    "devices": ("device_id",),
    "orders": ("order_id",),
    "order_lines": ("order_id", "line"),
    "products": ("product",),
    "push_messages": ("message_id",),
    "experiments": ("experiment", "shopper", "arm"),
}
FOREIGN = [
    ("devices", ("shopper",), "shoppers"),
    ("orders", ("shopper", "visit", "arm"), "visits"),
    ("orders", ("shopper", "visit", "arm", "step"), "events"),
    ("order_lines", ("order_id",), "orders"),
    ("order_lines", ("product",), "products"),
    ("push_messages", ("shopper",), "shoppers"),
    ("push_messages", ("shopper", "visit", "arm"), "visits"),
    ("push_messages", ("product",), "products"),
    ("push_messages", ("order_id",), "orders"),
    ("experiments", ("shopper",), "shoppers"),
]


def keys(run, table, columns):
    """Return the keys of a table's rows, those with a null left out."""
    found = (tuple(row[name] for name in columns) for row in run.rows[table])
    return [key for key in found if None not in key]


def test_primary_keys_are_unique(run):
    """No table has two rows with one key, and no key is null."""
    for table, columns in PRIMARY.items():
        found = keys(run, table, columns)
        assert len(set(found)) == len(found) == len(run.rows[table])
    assert len({row["shopper"] for row in run.rows["devices"]}) == len(run.rows["devices"])
    assert len(set(keys(run, "orders", ("shopper", "visit", "arm", "step")))) == len(run.rows["orders"])


@pytest.mark.parametrize(("table", "columns", "parent"), FOREIGN)
def test_foreign_keys_hold(run, table, columns, parent):
    """Every reference that is not null leads to a row; visits are told apart by arm."""
    assert set(keys(run, table, columns)) <= set(keys(run, parent, columns))


SCHEMAS = {
    "devices": DEVICES,
    "orders": ORDERS,
    "order_lines": LINES,
    "push_messages": COLUMNS,
    "experiments": EXPERIMENTS,
}


def test_every_column_has_its_type_and_meaning(run):
    """The tables are those that the part declares."""
    for name, columns in SCHEMAS.items():
        assert [(f.name, f.type) for f in run.tables[name].schema] == [(c.name, c.type) for c in columns]
        assert all(f.metadata[b"meaning"].decode() for f in run.tables[name].schema)


def bought(events):
    """Return what every visit bought, by walking its events: (visit key, step) → the products in their order."""
    orders, cart = {}, defaultdict(list)
    for event in events:
        key = (event["shopper"], event["visit"], event["arm"])
        if not event["ok"] or event["cause"] == "impatient":
            continue
        if event["page"] == "add_to_cart":
            cart[key].append((event["product"], event["price_cents"]))
        if event["page"] == "purchase":
            orders[*key, event["step"]] = (cart.pop(key), event["at_us"] + event["waited_us"])
    return orders


def test_orders_are_what_the_events_bought(run):
    """Each purchase is an order of exactly what was put into the cart since the last, line by line."""
    expected = bought(run.rows["events"])
    lines = defaultdict(list)
    for line in run.rows["order_lines"]:
        lines[line["order_id"]].append(line)
    assert len(run.rows["orders"]) == len(expected) > 0
    skus = product_facts()["sku"].to_pylist()
    for order in run.rows["orders"]:
        items, at_us = expected[order["shopper"], order["visit"], order["arm"], order["step"]]
        mine = lines[order["order_id"]]
        assert [line["line"] for line in mine] == list(range(1, len(mine) + 1))
        assert [line["product"] for line in mine] == list(dict.fromkeys(product for product, _ in items))
        for line in mine:
            assert line["quantity"] == sum(product == line["product"] for product, _ in items)
            assert (line["product"], line["unit_price_cents"]) in items
            assert line["sku"] == skus[line["product"]]
        assert order["items"] == len(items)
        assert order["total_cents"] == sum(price for _, price in items)
        assert order["ordered_at_us"] == at_us


@pytest.mark.parametrize("failing", [0.0, 0.3])
def test_pages_that_fail_order_nothing(everyday, cards, failing):
    """With errors, pages that never come and shoppers who give up, orders are still what the events bought."""
    population, roster = everyday
    rows = np.full((S, S + 1), 0.1)
    way = [STATE_INDEX[name] for name in ("product", "add_to_cart", "checkout", "payment", "purchase", "product")]
    for here, there in pairwise(way):
        rows[here, there] += 20.0
    rows[STATE_INDEX["add_to_cart"], STATE_INDEX["product"]] += 10.0
    personas = population.personas.copy()
    personas["entry"], personas["transition"] = np.eye(S)[way[0]], rows / rows.sum(axis=1, keepdims=True)
    world = World(population._replace(personas=personas), cards, control_arm(), 1)
    played = replay(world, *recorded(np.random.default_rng(4), failing))
    names = Names(roster, ["control"])
    visits = visits_table(played.visits, played.shoppers, played.events, names)
    events = events_table(played.events, names)
    source = Source(1, datetime(2026, 1, 5, tzinfo=UTC), shoppers_table(played.shoppers, names), visits, events)
    orders, lines = (table.to_pylist() for table in orders_and_lines(source))
    expected = bought(events.to_pylist())
    assert len(expected) > 50
    assert failing == 0 or sum(not event["ok"] for event in events.to_pylist()) > 100
    for order in orders:
        items, at_us = expected.pop((order["shopper"], order["visit"], order["arm"], order["step"]))
        mine = [line for line in lines if line["order_id"] == order["order_id"]]
        assert sorted(p for line in mine for p in [line["product"]] * line["quantity"]) == sorted(p for p, _ in items)
        assert (order["total_cents"], order["ordered_at_us"]) == (sum(price for _, price in items), at_us)
    assert not expected
    assert sum(order["total_cents"] for order in orders) == played.visits["revenue_cents"].sum()


def recorded(dice, failing, visits_=400, pages=25):
    """Return a record of pages with any load time, some failed, some never seen."""
    shoppers, visits = np.zeros(visits_, SHOPPER), np.zeros(visits_, VISIT)
    shoppers["shopper"] = visits["shopper"] = np.arange(visits_)
    visits["pages"], visits["start_us"] = pages, np.arange(visits_) * 1_000_000
    events = np.zeros(visits_ * pages, EVENT)
    events["load_us"] = 500_000 + dice.exponential(1e6, len(events)).astype(int)
    events["load_us"][dice.random(len(events)) < 0.02] = NEVER_US
    events["ok"], events["relevance"] = dice.random(len(events)) >= failing, NOT_SEEN
    return shoppers, visits, events


def test_orders_agree_with_the_visits(run):
    """Orders and revenue of each visit are those of its row in `visits`; nobody orders without a cart."""
    orders, revenue = defaultdict(int), defaultdict(int)
    for order in run.rows["orders"]:
        key = (order["shopper"], order["visit"], order["arm"])
        orders[key] += 1
        revenue[key] += order["total_cents"]
    for visit in run.rows["visits"]:
        key = (visit["shopper"], visit["visit"], visit["arm"])
        assert (orders[key], revenue[key]) == (visit["orders"], visit["revenue_cents"])
        assert visit["carted"] or not orders[key]


def test_refunds_come_after_orders_and_never_exceed_them(run):
    """A refund is later than its order and the sum of the lines that came back; without one both columns are null."""
    back = defaultdict(int)
    for line in run.rows["order_lines"]:
        back[line["order_id"]] += line["refunded"] * line["quantity"] * line["unit_price_cents"]
    statuses = {order["status"] for order in run.rows["orders"]}
    assert "completed" in statuses
    for order in run.rows["orders"]:
        refund = back[order["order_id"]]
        if refund == 0:
            assert (order["status"], order["refunded_at_us"], order["refund_cents"]) == ("completed", None, None)
            continue
        assert order["refund_cents"] == refund <= order["total_cents"]
        assert order["refunded_at_us"] > order["ordered_at_us"]
        assert order["status"] == ("refunded" if refund == order["total_cents"] else "partly_refunded")


def test_refund_rates_are_those_declared(arms):
    """Over all categories, as many lines come back as the rates say, within 4 standard errors."""
    back = [line["refunded"] for line in arms.rows["order_lines"] if line["order_id"] is not None]
    categories = product_facts()["category"].to_pylist()
    rates = np.array([RETURNED[categories[line["product"]]] for line in arms.rows["order_lines"]])
    # Arms share their draws, so one visit's lines count as one observation: at most four.
    error = np.sqrt(4 * (rates * (1 - rates)).sum())
    assert len(back) > 500
    assert abs(sum(back) - rates.sum()) < 4 * error


def test_an_order_has_the_currency_of_the_shop(run):
    """Prices are the same everywhere, so every order is in the one currency that they are in."""
    assert {order["currency"] for order in run.rows["orders"]} == {CURRENCY}


def test_devices_say_what_the_device_table_says(run):
    """Each shopper's device has all facts of its model; iOS and Firefox report no memory."""
    known = {row.model: row for row in device_table().devices}
    for device, shopper in zip(run.rows["devices"], run.rows["shoppers"], strict=True):
        row = known[shopper["device"]]
        assert device["shopper"] == shopper["shopper"]
        for name in (
            "model",
            "os",
            "os_version",
            "browser",
            "browser_version",
            "user_agent",
            "memory_gb",
            "cores",
            "tier",
        ):
            assert device[name] == getattr(row, name)
        assert (device["screen_width"], device["screen_height"]) == row.screen
        assert device["os"] != "ios" or device["memory_gb"] is None


def local(run, row, at_us):
    """Return an instant on a shopper's own clock."""
    instant = run.source.reference.astimezone(UTC) + timedelta(microseconds=at_us)
    return instant.astimezone(ZoneInfo(row["timezone"]))


def test_messages_go_to_those_who_allow_them_in_their_waking_hours(run):
    """Only shoppers with consent get messages, after the shop has seen them, between 8 and 22 h where they live."""
    shoppers = {row["shopper"]: row for row in run.rows["shoppers"]}
    known = {}
    for visit in run.rows["visits"]:
        key = (visit["shopper"], visit["arm"])
        known[key] = min(known.get(key, visit["start_at_us"]), visit["start_at_us"])
    assert len(run.rows["push_messages"]) > 50
    for message in run.rows["push_messages"]:
        shopper = shoppers[message["shopper"]]
        assert shopper["push"]
        assert 8 <= local(run, shopper, message["sent_at_us"]).hour < 22
        assert message["sent_at_us"] < run.source.horizon_us
        been_before = (shopper.get("tenure_days") or 0) > 0
        assert been_before or message["sent_at_us"] > known[message["shopper"], message["arm"]]


def test_no_message_after_opting_out(run):
    """After a shopper forbade messages in an arm, none is sent there; and each forbids at most once."""
    gone = {(m["shopper"], m["arm"]): m["opted_out_at_us"] for m in run.rows["push_messages"] if m["opted_out_at_us"]}
    assert len(gone) == sum(m["opted_out_at_us"] is not None for m in run.rows["push_messages"])
    for message in run.rows["push_messages"]:
        assert message["sent_at_us"] <= gone.get((message["shopper"], message["arm"]), np.inf)


def test_some_do_opt_out():
    """The law above is not empty: over the runs, several shoppers have had too many messages."""
    opted_out = [m for name in RUNS for m in played(name).rows["push_messages"] if m["opted_out_at_us"]]
    assert len(opted_out) >= 5


def test_what_happens_to_a_message_happens_after_it_was_sent(run):
    """Opened, swiped away and forbidden come later than sent, only if it was delivered, and one excludes the other."""
    for message in run.rows["push_messages"]:
        times = [message[name] for name in ("opened_at_us", "dismissed_at_us", "opted_out_at_us")]
        assert all(time is None or time > message["sent_at_us"] for time in times)
        assert message["delivered"] or times == [None, None, None]
        assert message["opened_at_us"] is None or times[1:] == [None, None]
        assert message["opted_out_at_us"] in (None, message["dismissed_at_us"])


def test_messages_of_a_shopper_are_in_order(run):
    """Within shopper and arm, messages stand by time."""
    for one, other in pairwise(run.rows["push_messages"]):
        if (one["shopper"], one["arm"]) == (other["shopper"], other["arm"]):
            assert one["sent_at_us"] <= other["sent_at_us"]


def test_every_message_has_its_cause_before_it(run):
    """A reminder follows a visit that left a cart, news a look at the product, a reward an order; all were over."""
    visits = {(v["shopper"], v["visit"], v["arm"]): v for v in run.rows["visits"]}
    ends, looks, left = {}, defaultdict(set), {}
    added = defaultdict(set)
    for event in run.rows["events"]:
        key = (event["shopper"], event["visit"], event["arm"])
        ends[key], left[key] = visits[key]["start_at_us"] + visits[key]["wall_us"], event["cart_items"]
        if event["page"] == "product":
            looks[key].add(event["product"])
        if event["page"] == "add_to_cart":
            added[key].add(event["product"])
    orders = {order["order_id"]: order for order in run.rows["orders"]}
    ordered = defaultdict(list)
    for order in run.rows["orders"]:
        ordered[order["shopper"], order["arm"]].append(order["ordered_at_us"])
    member = {row["shopper"]: row["member"] for row in run.rows["shoppers"]}
    counts = defaultdict(int)
    for message in run.rows["push_messages"]:
        counts[message["reason"]] += 1
        key = (message["shopper"], message["visit"], message["arm"])
        if message["reason"] == "campaign":
            assert message["visit"] is message["product"] is message["order_id"] is None
            continue
        assert message["sent_at_us"] > ends[key] or message["reason"] == "reward"
        if message["reason"] == "abandoned_cart":
            assert left[key] > 0
            assert message["product"] in added[key]
            since = ordered[message["shopper"], message["arm"]]
            assert not any(ends[key] < at_us <= ends[key] + 3_600_000_000 for at_us in since)
        elif message["reason"] == "reward":
            order = orders[message["order_id"]]
            assert (order["shopper"], order["visit"], order["arm"]) == key
            assert message["sent_at_us"] > order["ordered_at_us"]
            assert member[message["shopper"]]
        else:
            assert message["product"] in looks[key]
            assert visits[key]["orders"] == 0
    wanted = {"abandoned_cart"} if run.scenario.spec.campaigns else {"campaign", "abandoned_cart"}
    assert wanted <= set(counts)


def test_a_reminder_is_not_sent_to_who_ordered_meanwhile(arms):
    """An order after the visit that left a cart, but before the reminder, takes that reminder back and no other."""

    def reminded(orders):
        rows = push_messages(arms.source, orders).to_pylist()
        return {(m["shopper"], m["visit"], m["arm"]): m for m in rows if m["reason"] == "abandoned_cart"}

    none = arms.tables["orders"].slice(0, 0)
    before = reminded(none)
    visits = {(v["shopper"], v["visit"], v["arm"]): v for v in arms.rows["visits"]}
    for key, message in list(before.items())[:5]:
        ended = visits[key]["start_at_us"] + visits[key]["wall_us"]
        order = arms.rows["orders"][0] | {"shopper": key[0], "visit": key[1], "arm": key[2]}
        for at_us, gone in ((ended, set()), (ended + 1, {key}), (message["sent_at_us"] + DAY_US, set())):
            orders = pa.Table.from_pylist([order | {"ordered_at_us": at_us}], schema=plain(none).schema)
            after = reminded(orders.cast(none.schema))
            assert set(before) - set(after) == gone


def test_messages_are_opened_as_often_and_as_late_as_declared(arms):
    """Open rates by system and reason, and the median of 48 minutes, within 4 standard errors; one arm, fixed seed."""
    system = {row["shopper"]: row["os"] for row in arms.rows["shoppers"]}
    sent = [m for m in arms.rows["push_messages"] if m["delivered"] and m["arm"] == "buying"]
    rates = np.array(
        [
            OPENED_ABANDONED
            if m["reason"] == "abandoned_cart"
            else getattr(base_messages().opened, system[m["shopper"]])
            for m in sent
        ]
    )
    after = np.array([m["opened_at_us"] - m["sent_at_us"] for m in sent if m["opened_at_us"]])
    assert len(after) > 30
    assert abs(len(after) - rates.sum()) < 4 * np.sqrt((rates * (1 - rates)).sum())
    assert abs((after < OPEN_MEDIAN_US).mean() - 0.5) < 4 * 0.5 / np.sqrt(len(after))


def test_experiments_say_who_met_which_arm(run):
    """Each shopper meets each arm; one is the arm a live run assigns; first exposure is the first visit's start."""
    names = run.scenario.arm_names
    first, count = {}, defaultdict(int)
    for visit in run.rows["visits"]:
        key = (visit["shopper"], visit["arm"])
        first[key] = min(first.get(key, visit["start_at_us"]), visit["start_at_us"])
        count[key] += 1
    rows = run.rows["experiments"]
    assert {(row["shopper"], row["arm"]) for row in rows} == set(first)
    assert len(rows) == run.scenario.spec.shoppers * len(names)
    for row in rows:
        key = (row["shopper"], row["arm"])
        assert (row["first_exposure_at_us"], row["visits"]) == (first[key], count[key])
        assert row["experiment"] == run.scenario.spec.scenario
        mine = choose_arm(run.scenario.arms, run.source.seed, row["shopper"])
        assert row["assigned"] == (row["arm"] == names[mine])


def test_an_arm_without_effect_changes_nothing(arms):
    """What follows from the visits of an arm that does nothing is what follows from control's, refunds included."""
    for name, own in (("orders", {"order_id", "arm"}), ("push_messages", {"message_id", "order_id", "arm"})):
        control, same = (
            [{k: v for k, v in row.items() if k not in own} for row in arms.rows[name] if row["arm"] == arm]
            for arm in ("control", "same")
        )
        assert control == same != []


def test_a_shopper_has_the_same_rows_in_any_shard(arms):
    """Shoppers 300 to 399 alone have the rows they have among all; products stand with shopper 0 only."""
    part = PART.make(source_of(arms.scenario, play_shard(arms.scenario, Shard(5, 300, 400))))
    assert "products" not in part
    mine = {row["order_id"] for row in arms.rows["orders"] if 300 <= row["shopper"] < 400}
    for name, table in part.items():
        whole = arms.rows[name]
        expected = (
            [row for row in whole if row["order_id"] in mine]
            if name == "order_lines"
            else [row for row in whole if 300 <= row["shopper"] < 400]
        )
        assert table.to_pylist() == expected


def test_a_shard_in_which_nothing_happens_has_empty_tables(arms):
    """Where nobody orders and nobody allows messages, the tables are there, of the same types, without rows."""
    source = source_of(arms.scenario, play_shard(arms.scenario, Shard(0, 1, 2)))
    quiet = source.events.filter(pc.not_equal(source.events["page"].cast(pa.string()), "no such page")).slice(0, 0)
    visits = source.visits.slice(0, 0)
    silent = type(source)(source.seed, source.reference, source.shoppers, visits, quiet, None, DAY_US, "n", source.arms)
    for name in ("orders", "order_lines", "push_messages", "experiments"):
        table = PART.make(silent)[name]
        assert table.num_rows == 0
        assert table.schema.equals(arms.tables[name].schema)


def test_a_run_without_horizon_or_arms():
    """Where the horizon is not known, messages end with the last visit; where shares are not, nobody is assigned."""
    whole = played("one arm").source
    run = type(whole)(whole.seed, whole.reference, whole.shoppers, whole.visits, whole.events)
    tables = PART.make(run)
    ends = whole.visits["start_at_us"].to_numpy() + whole.visits["wall_us"].to_numpy()
    assert tables["push_messages"]["sent_at_us"].to_numpy().max() <= ends.max()
    assert tables["experiments"]["assigned"].null_count == tables["experiments"].num_rows


ZONES = sorted({city.timezone for city in city_table()})
INSTANTS = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
)


@settings(deadline=None, derandomize=True, database=None, max_examples=30)
@given(st.lists(st.tuples(INSTANTS, st.integers(0, len(ZONES) - 1)), max_size=20))
def test_local_clocks_are_those_of_the_time_zone_database(asked):
    """The offset of any instant in any shipped city's zone is what Python's zoneinfo says."""
    at_us, zone = np.array([(s * 1_000_000, z) for s, z in asked], np.int64).reshape(-1, 2).T
    expected = [datetime.fromtimestamp(s, ZoneInfo(ZONES[z])).utcoffset() / timedelta(microseconds=1) for s, z in asked]
    assert offsets_us(at_us, zone, ZONES).tolist() == expected


def test_two_hundred_thousand_events_a_second(arms):
    """The part is made at 200,000 events a second and more on one core."""
    begin = time.perf_counter()
    PART.make(arms.source)
    assert arms.source.events.num_rows / (time.perf_counter() - begin) > 200_000
