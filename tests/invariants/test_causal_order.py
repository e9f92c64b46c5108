"""Causal order: whatever the persona, the load times and the errors, a visit makes sense."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from simulator.journey.arms import control_arm
from simulator.journey.kernel import S
from simulator.journey.records import (
    BUDGET,
    CAUSES,
    EVENT,
    MAX_STEPS,
    NEVER_US,
    NOT_SEEN,
    ONGOING,
    SHOPPER,
    VISIT,
)
from simulator.model.population import set_journey
from simulator.model.states import FLAGS, STATE_INDEX, STATE_NAMES, STATES, bits
from simulator.worlds.crowd import World
from simulator.worlds.replay import replay

VISITS, MOST_PAGES, SEED = 60, 25, 9
ADD, CHECKOUT, PAYMENT, PURCHASE, LOGIN = (
    STATE_INDEX[name] for name in ("add_to_cart", "checkout", "payment", "purchase", "login")
)
CHOICES = settings(deadline=None, derandomize=True, max_examples=40, database=None)
WEIGHTS = st.integers(0, 5).map(lambda weight: max(0, weight - 1))
TRAITS = {
    "logged_in": "logged_in",
    "location": "location_shared",
    "personalization": "personalization_allowed",
    "push": "push_allowed",
    "ar": "ar_capable",
    "biometric": "biometric_enrolled",
}
"""Columns of shoppers, and the flags that their visits begin with."""


@st.composite
def journeys(draw):
    """Draw (entry, transitions): any weights at all, exit always possible, buying likely."""
    entry = draw(hnp.arrays(np.float64, S, elements=WEIGHTS))
    rows = draw(hnp.arrays(np.float64, (S, S + 1), elements=WEIGHTS))
    rows[:, S] += 0.2
    for here, there in ((ADD, CHECKOUT), (CHECKOUT, PAYMENT), (PAYMENT, PURCHASE)):
        rows[here, there] += 3.0
    entry[ADD - 1] += 1.0
    return entry / entry.sum(), rows / rows.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def walked(everyday, cards):
    """Return a function that plays visits of a random persona, with random pages seen; gives (rows, first flags)."""

    def play(journey, seed, failing):
        population, _ = everyday
        personas = population.personas.copy()
        for persona in personas:
            set_journey(persona, *journey)
        world = World(population._replace(personas=personas), cards, control_arm(), SEED)
        rows = replay(world, *any_pages(np.random.default_rng(seed), failing))
        return rows, sum(rows.shoppers[trait] * FLAGS[flag] for trait, flag in TRAITS.items()).astype(int)

    return play


def any_pages(dice, failing):
    """Return a record of pages with any load time, some failed, some never seen, some relevant."""
    shoppers, visits = np.zeros(VISITS, SHOPPER), np.zeros(VISITS, VISIT)
    shoppers["shopper"] = visits["shopper"] = np.arange(VISITS)
    visits["pages"], visits["start_us"] = MOST_PAGES, np.arange(VISITS) * 1_000_000
    events = np.zeros(VISITS * MOST_PAGES, EVENT)
    events["fcp_us"] = dice.exponential(3e5, len(events))
    events["load_us"] = events["fcp_us"] + dice.exponential(1e6, len(events)).astype(int)
    events["load_us"][dice.random(len(events)) < 0.01] = NEVER_US
    events["ok"] = dice.random(len(events)) >= failing
    events["relevance"] = np.where(dice.random(len(events)) < 0.5, dice.random(len(events)), NOT_SEEN)
    return shoppers, visits, events


def each_visit(rows, flags):
    """Yield (visit row, its events, flags it began with)."""
    ends = np.cumsum(rows.visits["pages"])
    for row, visit in enumerate(rows.visits):
        yield visit, rows.events[ends[row] - visit["pages"] : ends[row]], int(flags[row])


def seen_by(event):
    """Return whether the page came, and well: only then it has an effect."""
    return event["ok"] and event["load_us"] <= event["patience_us"]


anything = (journeys(), st.integers(0, 2**32), st.sampled_from([0.0, 0.3]))


@CHOICES
@given(*anything)
def test_no_purchase_without_payment(walked, journey, seed, failing):
    """Between any two purchases, and before the first, stand a checkout and a payment that came well, in this order."""
    for _, events, _ in each_visit(*walked(journey, seed, failing)):
        checked, paid = False, False
        for event in events:
            if event["state"] == PURCHASE:
                assert paid
            if event["state"] == PAYMENT:
                assert checked
            if seen_by(event):
                checked = event["state"] == CHECKOUT or (checked and event["state"] != PURCHASE)
                paid = event["state"] == PAYMENT or (paid and event["state"] != PURCHASE)


@CHOICES
@given(*anything)
def test_no_checkout_with_an_empty_cart(walked, journey, seed, failing):
    """Nobody checks out or pays with an empty cart, and nobody adds what they have not looked at."""
    for _, events, _ in each_visit(*walked(journey, seed, failing)):
        items, product_seen = 0, False
        for event in events:
            if event["state"] in {CHECKOUT, PAYMENT}:
                assert items > 0
            if event["state"] == ADD:
                assert product_seen
                assert event["product"] >= 0
            if seen_by(event):
                product_seen = product_seen or event["state"] == STATE_INDEX["product"]
                items = 0 if event["state"] == PURCHASE else items + (event["state"] == ADD)
            assert event["cart_items"] == items


@CHOICES
@given(*anything)
def test_guards_hold_at_every_page(walked, journey, seed, failing):
    """With the flags worked out anew from the states' own table, every page entered meets its guards."""
    rows, first = walked(journey, seed, failing)
    for _, events, flags in each_visit(rows, first):
        have = flags
        for event in events:
            state = STATES[event["state"]]
            assert have & bits(state.needs) == bits(state.needs)
            assert not have & bits(state.forbids)
            if seen_by(event):
                have = (have | bits(state.sets)) & ~bits(state.clears)


@CHOICES
@given(*anything)
def test_nobody_logs_in_twice(walked, journey, seed, failing):
    """Once a login page has come well, no other is entered in that visit."""
    for _, events, _ in each_visit(*walked(journey, seed, failing)):
        done = [place for place, event in enumerate(events) if event["state"] == LOGIN and seen_by(event)]
        assert len(done) <= 1
        assert not done or LOGIN not in events["state"][done[0] + 1 :]


@CHOICES
@given(*anything)
def test_time_moves_on(walked, journey, seed, failing):
    """Within a visit each tap is later than the last, by exactly the wait and the look in between."""
    for visit, events, _ in each_visit(*walked(journey, seed, failing)):
        assert (np.diff(events["at_us"]) > 0).all()
        spent = events["waited_us"].astype(np.int64) + events["think_us"]
        assert events["at_us"].tolist() == (visit["start_us"] + np.cumsum(spent) - spent).tolist()
        assert visit["elapsed_us"] == spent.sum() == visit["waited_us"] + visit["engaged_us"]
        assert visit["ga_us"] == events["at_us"][-1] - visit["start_us"] or visit["cause"] == ONGOING
        assert (events["waited_us"] <= np.minimum(events["load_us"], events["patience_us"])).all()


@CHOICES
@given(*anything)
def test_steps_and_repetitions_are_counted(walked, journey, seed, failing):
    """Steps count from 0 without a gap, and `nth` says how often the state was entered before."""
    for visit, events, _ in each_visit(*walked(journey, seed, failing)):
        assert events["step"].tolist() == list(range(visit["pages"]))
        states = events["state"].tolist()
        assert events["nth"].tolist() == [states[:place].count(state) for place, state in enumerate(states)]
        assert visit["entry"] == states[0]


@CHOICES
@given(*anything)
def test_a_visit_ends_once_and_for_one_cause(walked, journey, seed, failing):
    """Only the last page has a cause, it is the visit's, and after leaving nothing follows."""
    for visit, events, _ in each_visit(*walked(journey, seed, failing)):
        assert set(events["cause"][:-1]) <= {ONGOING}
        assert events["cause"][-1] == visit["cause"]
        assert 0 <= visit["cause"] < len(CAUSES)
        assert (visit["cause"] == ONGOING) <= (visit["pages"] == MOST_PAGES)


def orders_add_up(rows, flags):
    """Assert that each visit's orders and revenue are those of its events."""
    for visit, events, _ in each_visit(rows, flags):
        orders, revenue, cart = 0, 0, 0
        for event in events:
            if event["state"] == ADD and seen_by(event):
                cart += event["price_cents"]
            if event["state"] == PURCHASE and seen_by(event):
                orders, revenue, cart = orders + 1, revenue + cart, 0
        assert (visit["orders"], visit["revenue_cents"]) == (orders, revenue)
        assert visit["added_to_cart"] == sum(event["state"] == ADD and bool(seen_by(event)) for event in events)


@CHOICES
@given(*anything)
def test_orders_add_up(walked, journey, seed, failing):
    """Orders are purchases that came well, and revenue is the offline price of what was then in the cart."""
    orders_add_up(*walked(journey, seed, failing))


def test_purchases_do_happen(walked):
    """The laws above are not empty: a plain journey brings orders, several in a visit, each of its own cart."""
    rows = np.full((S, S + 1), 0.2)
    product = STATE_INDEX["product"]
    for here, there in ((product, ADD), (ADD, CHECKOUT), (CHECKOUT, PAYMENT), (PAYMENT, PURCHASE), (PURCHASE, product)):
        rows[here, there] += 30.0
    journey = np.eye(S)[product], rows / rows.sum(axis=1, keepdims=True)
    for failing in (0.0, 0.3):
        played, flags = walked(journey, 1, failing)
        assert (played.visits["orders"] > 1).sum() >= 3
        orders_add_up(played, flags)


def test_nobody_walks_for_ever(week, everyday, unhurried, instant):
    """A persona that never leaves is stopped after a thousand pages, with cause `budget`."""
    population = unhurried(everyday[0])
    personas = population.personas.copy()
    home = STATE_NAMES.index("home")
    for persona in personas:
        set_journey(persona, np.eye(S)[home], np.eye(S, S + 1))
    rows = week(100, population=population._replace(personas=personas), pages=instant)
    assert set(rows.visits["pages"]) == {MAX_STEPS}
    assert set(rows.visits["cause"]) == {BUDGET}
    assert rows.events["nth"].max() == MAX_STEPS - 1
