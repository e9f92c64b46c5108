"""Causal order in the data of any persona that the files allow: shipped ones perturbed in rows, guards and tempo.

`test_causal_order` proves the kernel with any pages and errors; here whole persona files go through everything that
`footfall generate` does, with several arms, and the tables that come out are judged.
"""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from simulator.export.relational import relational
from simulator.export.source import Source
from simulator.journey.arms import compile_arms
from simulator.journey.plan import DAY_US, calendar_plan
from simulator.journey.tables import Names, events_table, shoppers_table, visits_table
from simulator.model.faults import FileFaults
from simulator.model.persona import PopulationSpec, complete_personas, load_persona
from simulator.model.population import compile_population
from simulator.model.states import STATE_NAMES, STATES
from simulator.scenario.schema import ScenarioFile
from simulator.worlds.crowd import World, play

SHOPPERS, HORIZON_US = 25, 2 * DAY_US
REFERENCE = ScenarioFile.model_fields["reference"].default
ARMS = (
    ("control", 0.4, {}, {}),
    ("slower", 0.3, {"all": 3.0}, {}),
    ("pushy", 0.3, {"home": 1.0}, {"checkout": 4.0, "purchase": 6.0, "exit": 0.4}),
)
CHOICES = settings(deadline=None, derandomize=True, max_examples=25, database=None)
WAY = ("product", "add_to_cart", "checkout", "payment", "purchase")
"""The way to an order: every persona can go it, so that there is something to judge."""
GUARDS = ("logged_in", "not_logged_in", "item_seen", "not_cart_not_empty", "location_shared", "personalization_allowed")
SHARES = st.integers(0, 9).map(lambda weight: max(0, weight - 5))
DURATIONS = st.sampled_from(["1ms", "40ms", "700ms", "3s", "20s", "90s", "10min"])


@st.composite
def rows(draw):
    """Draw a row for each state: any shares that sum to 1, leaving and going on to an order always possible."""
    found = {}
    for name in STATE_NAMES:
        weights = {there: draw(SHARES) for there in draw(st.sets(st.sampled_from(STATE_NAMES), max_size=5))}
        weights["exit"] = 1 + weights.get("exit", 0)
        if name in WAY[:-1]:
            weights[WAY[WAY.index(name) + 1]] = 6
        else:
            weights["product"] = weights.get("product", 0) + 2
        found[name] = shares(weights)
    return found


def shares(weights):
    """Return weights as shares that sum to 1, those of none left out."""
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items() if weight}


@st.composite
def tempos(draw):
    """Draw a think time of any sort."""
    median = draw(DURATIONS)
    return draw(
        st.sampled_from(
            [
                {"dist": "lognormal", "median": median, "sigma": draw(st.sampled_from([0.1, 1.0, 2.5]))},
                {"dist": "weibull", "scale": median, "shape": draw(st.sampled_from([0.5, 1.0, 3.0]))},
                {"dist": "constant", "value": median},
            ]
        )
    )


@st.composite
def persona_files(draw):
    """Draw the text of a persona file that extends a shipped persona."""
    free = [name for name in STATE_NAMES if name not in WAY]
    entry = {"product": 3, **{name: draw(SHARES) for name in ("home", "search", "cart", "offers")}}
    persona = {
        "persona": "perturbed",
        "describe": "A shipped persona with other habits.",
        "extends": draw(st.sampled_from(sorted(complete_personas()))),
        "tempo": draw(st.dictionaries(st.sampled_from(("default", *STATE_NAMES)), tempos(), max_size=4)),
        "consent": {name: draw(st.sampled_from([0.0, 0.6, 1.0])) for name in ("push", "location", "personalization")},
        "loyalty": {"member": 0.5, "logged_in": draw(st.sampled_from([0.0, 0.4, 1.0]))},
        "patience": {"hazard_per_s": draw(st.sampled_from([0.0, 0.02, 0.3]))},
        "journey": {
            "entry": shares(entry),
            "rows": draw(rows()),
            "guards": draw(
                st.dictionaries(
                    st.sampled_from(free), st.lists(st.sampled_from(GUARDS), max_size=2, unique=True), max_size=4
                )
            ),
        },
    }
    return json.dumps(persona)


@pytest.fixture(scope="module")
def data(cards, tmp_path_factory):
    """Return a function that makes the data of a persona file: its source and the relational tables, as rows."""
    folder, made = tmp_path_factory.mktemp("personas"), {}

    def generate(text):
        if text not in made:
            made.clear()
            path = folder / "perturbed.yaml"
            spec = PopulationSpec("mine", (valid(json.loads(text), path),), (1.0,))
            made[text] = Data(spec, cards)
        return made[text]

    return generate


def valid(file, path):
    """Return the persona of a file, having taken out of its journey what the files do not allow, fault by fault."""
    journey = file["journey"]
    for _ in range(20):
        path.write_text(json.dumps(file), encoding="utf-8")
        try:
            return load_persona(path)
        except FileFaults as error:
            for fault in error.faults:
                take_out(journey, fault.path.split(".")[1:])
    return reject()


def take_out(journey, keys):
    """Take what a fault's path below `journey` names out: a guard, or a way, whose share goes to another."""
    match keys:
        case ["guards", state, *_] if state in journey["guards"]:
            del journey["guards"][state]
        case ["rows", state, following] if following in journey["rows"].get(state, {}):
            row = journey["rows"][state]
            row["exit"] = row.get("exit", 0) + row.pop(following)
        case ["entry", state] if state in journey["entry"]:
            journey["entry"]["product"] += journey["entry"].pop(state)
        case ["buys"]:
            journey.pop("buys")
        case _:
            journey["buys"] = "never"


class Data:
    """What one persona's shoppers do in two days and three arms."""

    def __init__(self, spec, cards):
        population, roster = compile_population(spec, REFERENCE)
        arms, seed = compile_arms(ARMS), 5
        plan = calendar_plan(population, seed, 0, SHOPPERS, HORIZON_US, REFERENCE.weekday(), len(arms))
        played = play(World(population, cards, arms, seed), plan)
        names = Names(roster, [name for name, *_ in ARMS])
        tables = (
            shoppers_table(played.shoppers, names),
            visits_table(played.visits, played.shoppers, played.events, names),
            events_table(played.events, names),
        )
        self.source = Source(seed, REFERENCE, *tables, horizon_us=HORIZON_US, name="mine", arms=arms)
        self.shoppers, self.visits, self.events = (table.to_pylist() for table in tables)
        self.parts = {name: table.to_pylist() for name, table in relational(self.source).items()}

    def each_visit(self):
        """Yield (visit, its events)."""
        ends = np.cumsum([visit["pages"] for visit in self.visits])
        for visit, end in zip(self.visits, ends, strict=True):
            yield visit, self.events[end - visit["pages"] : end]


def came(event):
    """Return whether the page came, and well, before the shopper gave up."""
    return event["ok"] and event["cause"] != "impatient"


@CHOICES
@given(persona_files())
def test_time_strictly_increases_within_a_visit(data, text):
    """Each event is later than the one before it and none is before the visit began."""
    for visit, events in data(text).each_visit():
        times = [event["at_us"] for event in events]
        assert times[0] == visit["start_at_us"]
        assert all(earlier < later for earlier, later in pairwise(times))
        assert times[-1] <= visit["start_at_us"] + visit["wall_us"]


AFTER = {
    "add_to_cart": "product", "ar_preview": "product", "share": "product", "payment": "checkout", "purchase": "payment",
    "checkout": "add_to_cart",
}  # fmt: skip
"""State → the state whose page must have come well before it in the visit; the last three since the last purchase."""


@CHOICES
@given(persona_files())
def test_nothing_comes_before_its_cause(data, text):
    """Nobody adds, previews or shares what they have not seen, pays unchecked, or buys unpaid."""
    assert {name for name, cause in AFTER.items() if cause == "product"} == {
        state.name for state in STATES if "item_seen" in state.needs
    }
    bought = 0
    for _, events in data(text).each_visit():
        done = set()
        for event in events:
            if event["page"] in AFTER:
                assert AFTER[event["page"]] in done
            if came(event):
                done.add(event["page"])
                if event["page"] == "purchase":
                    bought += 1
                    done -= {"add_to_cart", "checkout", "payment"}
    assert bought == len(data(text).parts["orders"])


@CHOICES
@given(persona_files())
def test_members_pages_come_after_the_login(data, text):
    """Rewards and plans are for who arrived logged in, or has logged in on an earlier page of the visit."""
    members = [state.name for state in STATES if "logged_in" in state.needs]
    arrived = {row["shopper"]: row["logged_in"] for row in data(text).shoppers}
    for visit, events in data(text).each_visit():
        inside = arrived[visit["shopper"]]
        for event in events:
            assert event["page"] not in members or inside
            assert event["page"] not in {"login", "biometric_login"} or not inside
            inside = inside or (came(event) and event["page"] in {"login", "biometric_login"})
    assert set(members) == {"rewards", "plan"}


@CHOICES
@given(persona_files())
def test_nobody_checks_out_with_an_empty_cart(data, text):
    """The cart of the page before holds something wherever somebody checks out, pays or buys."""
    for _, events in data(text).each_visit():
        before = 0
        for event in events:
            assert event["page"] not in {"checkout", "payment", "purchase"} or before > 0
            before = event["cart_items"]


@CHOICES
@given(persona_files())
def test_orders_follow_their_visits_and_refunds_their_orders(data, text):
    """An order lies within its visit, its lines sum to it, visits count the same; a refund is later and not more."""
    made = data(text)
    visits = {(v["shopper"], v["visit"], v["arm"]): v for v in made.visits}
    sums, revenue, count = {}, dict.fromkeys(visits, 0), dict.fromkeys(visits, 0)
    for line in made.parts["order_lines"]:
        amount = line["quantity"] * line["unit_price_cents"]
        sums[line["order_id"]] = sums.get(line["order_id"], 0) + amount
    for order in made.parts["orders"]:
        key = (order["shopper"], order["visit"], order["arm"])
        visit = visits[key]
        assert visit["start_at_us"] < order["ordered_at_us"] <= visit["start_at_us"] + visit["wall_us"]
        assert order["total_cents"] == sums[order["order_id"]]
        revenue[key] += order["total_cents"]
        count[key] += 1
        if order["refund_cents"] is not None:
            assert order["refunded_at_us"] > order["ordered_at_us"]
            assert 0 < order["refund_cents"] <= order["total_cents"]
    for key, visit in visits.items():
        assert (count[key], revenue[key]) == (visit["orders"], visit["revenue_cents"])


@CHOICES
@given(persona_files())
def test_messages_follow_the_visits_that_caused_them(data, text):
    """No message leaves before its visit is over, and none after the shopper opted out of that arm's."""
    made = data(text)
    ends = {(v["shopper"], v["visit"], v["arm"]): v["start_at_us"] + v["wall_us"] for v in made.visits}
    allowed = {row["shopper"]: row["push"] for row in made.shoppers}
    gone = {}
    for message in made.parts["push_messages"]:
        who = (message["shopper"], message["arm"])
        assert allowed[message["shopper"]]
        if message["visit"] is not None:
            assert message["sent_at_us"] > ends[message["shopper"], message["visit"], message["arm"]]
        assert message["sent_at_us"] <= gone.get(who, HORIZON_US)
        gone[who] = min(message["opted_out_at_us"] or HORIZON_US, gone.get(who, HORIZON_US))


def test_there_is_something_to_judge(data):
    """The laws above are not empty: the plainest of these personas orders, pays back and is written to."""
    weights = {name: {"product": 0.7, "exit": 0.3} for name in STATE_NAMES}
    for here, there in pairwise(WAY):
        weights[here] = {there: 0.8, "rewards": 0.1, "exit": 0.1}
    weights["rewards"] = {"ar_preview": 0.3, "exit": 0.7}
    journey = {"entry": {"product": 1.0}, "rows": weights, "guards": {}}
    consent = {"push": 1.0}
    made = data(
        json.dumps(
            {"persona": "p", "describe": "Buys.", "extends": "loyal_member", "journey": journey, "consent": consent}
        )
    )
    pages = {event["page"] for event in made.events}
    assert {*WAY, "rewards"} <= pages
    assert len(made.parts["orders"]) > 20
    assert any(order["refund_cents"] for order in made.parts["orders"])
    assert {message["reason"] for message in made.parts["push_messages"]} >= {"reward", "abandoned_cart"}
