"""The kernel's small rules, one by one."""

import numpy as np
import pytest

from simulator.journey.arms import control_arm
from simulator.journey.kernel import (
    PRODUCTS_PER_CATEGORY,
    S,
    begin,
    choose_next,
    entry_weight,
    first_flags,
    next_weight,
    price_cents,
    step,
)
from simulator.journey.records import (
    BUDGET,
    DONE,
    ERROR,
    EVENT,
    IMPATIENT,
    NEVER_US,
    NOT_SEEN,
    ONGOING,
    PUT_OFF,
    SHOPPER,
    WALK,
)
from simulator.model.distributions import DIST, Constant, TableBook
from simulator.model.population import set_journey
from simulator.model.states import FLAGS, STATE_INDEX, STATE_NAMES
from simulator.worlds.crowd import World, play

NO_PULL = np.ones(S + 1)
HOME, PRODUCT, CHECKOUT = (STATE_INDEX[name] for name in ("home", "product", "checkout"))


def leads(persona, row):
    """Let every state of a persona be followed as `row` says."""
    set_journey(persona, persona["entry"].copy(), row)


@pytest.fixture
def personas(everyday):
    """Return a private copy of the everyday personas."""
    return everyday[0].personas.copy()


@pytest.fixture
def persona(personas):
    """Return a persona who goes from home to product or away, for ever patient, with a second a page."""
    one = personas[0]
    set_journey(one, np.eye(S)[HOME], 0.75 * np.eye(S + 1)[PRODUCT] + 0.25 * np.eye(S + 1)[S])
    one["think"] = np.array([TableBook().row(Constant(dist="constant", value="1s"))], DIST)
    one["budget"] = np.array([TableBook().row(None)], DIST)[0]
    one["hazard_per_s"], one["put_off"], one["memory"], one["refund_s"] = 0.0, 0.0, 0.0, 0.0
    return one


@pytest.fixture
def walk(persona, everyday):
    """Return a function that shows a shopper one page after another and gives (visit, events)."""

    def play(*pages, who=0, budget_s=None):
        shopper, visit, tables = np.zeros(1, SHOPPER)[0], np.zeros(1, WALK)[0], everyday[0].tables[0]
        if budget_s is not None:
            persona["budget"] = np.array([TableBook().row(Constant(dist="constant", value=budget_s))], DIST)[0]
        shopper["shopper"], shopper["frailty"] = who, 1.0
        begin(persona, tables, 3, shopper, 0, 0, 5_000_000, visit)
        events = []
        for fcp_us, load_us, ok, relevance in pages:
            if visit["cause"] != ONGOING:
                break
            event = np.zeros(1, EVENT)[0]
            step(persona, tables, control_arm()[0], 3, shopper, visit, event, fcp_us, load_us, ok, relevance)
            events.append(event)
        return visit, events

    return play


FINE = (100_000, 300_000, True, NOT_SEEN)


def test_weights_follow_the_row(persona):
    """Without guards, relevance and pull the weights are the persona's own row, and their sum its sum."""
    weights = [next_weight(persona, HOME, following, 0, NOT_SEEN, NO_PULL) for following in range(S + 1)]
    assert sum(weights) == pytest.approx(1.0)
    assert weights == pytest.approx(persona["transition"][HOME])


def test_choices_cut_the_row_in_order(persona):
    """A draw below ¾ goes to product, from ¾ on away."""
    chosen = [choose_next(persona, HOME, 0, NOT_SEEN, NO_PULL, u) for u in (1e-9, 0.5, 0.7499, 0.7501, 1 - 1e-9)]
    assert chosen == [PRODUCT, PRODUCT, PRODUCT, S, S]


def test_a_guard_closes_a_state(persona):
    """What is closed has no weight, whatever its share; nothing open means leaving."""
    leads(persona, np.eye(S + 1)[CHECKOUT])
    assert choose_next(persona, HOME, 0, NOT_SEEN, NO_PULL, 0.5) == S
    assert choose_next(persona, HOME, FLAGS["cart_not_empty"], NOT_SEEN, NO_PULL, 0.5) == CHECKOUT


def test_relevance_makes_staying_likelier(persona):
    """Above one half relevance lowers the weight of leaving, below it raises it, and one half is neutral."""
    leaving = [next_weight(persona, HOME, S, 0, relevance, NO_PULL) for relevance in (0.0, 0.5, 1.0)]
    pull = persona["relevance_pull"]
    assert leaving == pytest.approx([0.25 * np.exp(pull), 0.25, 0.25 * np.exp(-pull)])


def test_a_variant_pulls(persona):
    """A factor on exit multiplies its weight before the draw."""
    pull = NO_PULL.copy()
    pull[S] = 0.0
    assert choose_next(persona, HOME, 0, NOT_SEEN, pull, 1 - 1e-9) == PRODUCT


def test_first_flags_are_the_shoppers_own():
    """Login, location and personalization are facts before the first page; nothing else is."""
    shopper = np.zeros(1, SHOPPER)[0]
    assert first_flags(shopper) == 0
    shopper["logged_in"] = shopper["location"] = shopper["personalization"] = 1
    assert first_flags(shopper) == FLAGS["logged_in"] | FLAGS["location_shared"] | FLAGS["personalization_allowed"]


def test_an_entry_behind_a_guard_has_no_weight(persona):
    """Guards hold for entries too."""
    persona["entry"][CHECKOUT] = 0.5
    assert entry_weight(persona, CHECKOUT, 0) == 0.0
    assert entry_weight(persona, CHECKOUT, FLAGS["cart_not_empty"]) == 0.5


def test_a_page_that_never_comes_is_left(walk):
    """A page that is never seen ends the visit as impatient after the patience, nothing having happened."""
    visit, (event,) = walk((NEVER_US, NEVER_US, True, NOT_SEEN))
    assert (visit["cause"], event["cause"]) == (IMPATIENT, IMPATIENT)
    assert visit["landing_load_us"] == NEVER_US
    assert event["waited_us"] == event["patience_us"] == visit["elapsed_us"]
    assert (event["think_us"], visit["ga_us"], visit["pages"]) == (0, 0, 1)


def test_exactly_at_the_end_of_patience_a_page_is_seen(persona, walk):
    """Patience is inclusive: a page that comes in its very microsecond is seen, one microsecond later it is not."""
    persona["hazard_per_s"] = 0.5
    _, (event,) = walk((100_000, 100_001, True, NOT_SEEN))
    patience_us = int(event["patience_us"])
    assert walk((100_000, patience_us, True, NOT_SEEN))[0]["cause"] != IMPATIENT
    assert walk((100_000, patience_us + 1, True, NOT_SEEN))[0]["cause"] == IMPATIENT


def test_a_failed_page_has_no_effect(persona, walk):
    """Who stays after an error goes on without the page's effects; who leaves does so with cause `error`."""
    persona["error_exit"] = 1.0
    visit, _ = walk((1, 2, False, NOT_SEEN))
    assert visit["cause"] == ERROR
    persona["error_exit"] = 0.0
    leads(persona, np.eye(S + 1)[PRODUCT])
    visit, _ = walk(FINE, (1, 2, False, NOT_SEEN))
    assert not visit["flags"] & FLAGS["item_seen"]
    visit, _ = walk(FINE, FINE)
    assert visit["flags"] & FLAGS["item_seen"]


def test_a_weight_without_end_always_puts_off(persona, walk):
    """With a huge weight any wait puts off, and the event says how likely that was."""
    persona["put_off"] = 1e9
    visit, (event,) = walk(FINE)
    assert visit["cause"] == PUT_OFF
    assert event["put_off_p"] == 1.0
    assert visit["elapsed_us"] == 300_000


def test_time_is_counted_in_its_kinds(persona, walk):
    """Waiting, looking and the clock of the surroundings are kept apart."""
    leads(persona, np.eye(S + 1)[PRODUCT])
    visit, events = walk(FINE, FINE, FINE)
    assert (visit["waited_us"], visit["engaged_us"], visit["elapsed_us"]) == (900_000, 3_000_000, 3_900_000)
    assert visit["intended_us"] == 3_000_000
    assert [event["at_us"] for event in events] == [5_000_000, 6_300_000, 7_600_000]


def test_a_time_budget_ends_a_visit(persona, walk):
    """Once waiting and looking exceed the budget the visit ends, unless it was ending anyway."""
    leads(persona, np.eye(S + 1)[PRODUCT])
    visit, events = walk(*[FINE] * 9, budget_s=4)
    assert (visit["cause"], len(events)) == (BUDGET, 4)
    leads(persona, np.eye(S + 1)[S])
    assert walk(FINE, budget_s="1ms")[0]["cause"] == DONE


def test_relevant_pages_refund_time(persona, walk):
    """A page above one half refunds some budget; one half or below does not."""
    leads(persona, np.eye(S + 1)[PRODUCT])
    persona["refund_s"] = 10.0
    relevant, plain = ((1, 300_000, True, relevance) for relevance in (0.9, 0.5))
    assert len(walk(*[plain] * 9, budget_s=4)[1]) == 4
    assert len(walk(*[relevant] * 9, budget_s=4)[1]) == 9


def test_relevance_counts_with_the_tables_precision(persona, walk):
    """Two readings of relevance that the table cannot tell apart lead to the same visit."""
    barely = 0.5 + 1e-9
    leads(persona, np.eye(S + 1)[PRODUCT])
    persona["refund_s"] = 10.0
    exact = walk(*[(1, 300_000, True, barely)] * 9, budget_s=4)
    told = walk(*[(1, 300_000, True, float(np.float32(barely)))] * 9, budget_s=4)
    assert len(exact[1]) == len(told[1])
    assert exact[0].tobytes() == told[0].tobytes()


def test_a_look_takes_a_microsecond_at_least(persona, walk):
    """Even a think time of nothing moves the clock, so that timestamps within a visit differ."""
    persona["think"] = np.array([TableBook().row(Constant(dist="constant", value=0))], DIST)
    leads(persona, np.eye(S + 1)[PRODUCT])
    _, events = walk((0, 0, True, NOT_SEEN), (0, 0, True, NOT_SEEN))
    assert events[1]["at_us"] - events[0]["at_us"] == 1


def test_prices_are_the_shops_own(everyday):
    """A product's price is the same for everybody, log-normal round 35.00, and within a factor of 20 of it."""
    prices = np.array([price_cents(product) for product in range(12 * PRODUCTS_PER_CATEGORY)])
    assert 3_200 < np.median(prices) < 3_800
    assert prices.min() > 100
    assert abs(np.log(prices).std() - 0.7) < 0.05
    assert len(STATE_NAMES) == everyday[0].personas["think"].shape[1]


def test_who_minds_the_price_buys_cheaper(everyday, instant, once):
    """A price-sensitive shopper compares two products and takes the cheaper: their products cost less."""
    found = []
    for sensitivity in (0.0, 1.0):
        personas = everyday[0].personas.copy()
        personas["price_sensitivity"] = np.array([TableBook().row(Constant(dist="constant", value=sensitivity))], DIST)
        world = World(everyday[0]._replace(personas=personas), instant, control_arm(), 1)
        events = play(world, once(2_000)).events
        found.append(np.median(events["price_cents"][events["state"] == PRODUCT]))
    assert found[1] < 0.85 * found[0]
