"""The closed form on journeys small enough to solve by hand."""

import math

import numpy as np
import pytest

from simulator.journey.closed_form import expectations, undisturbed
from simulator.journey.kernel import S
from simulator.model.distributions import DIST, Constant, TableBook
from simulator.model.population import set_journey
from simulator.model.states import FLAGS, STATE_INDEX, STATE_NAMES


@pytest.fixture(scope="module")
def chained(everyday):
    """Return a function that gives a population whose first persona has the journey told, three seconds a page."""

    def make(entry, rows, *, shares=(0.0, 0.0, 0.0), guards=()):
        population, _ = everyday
        personas = population.personas[:1].copy()
        one = personas[0]
        transition = np.tile(np.eye(S + 1)[S], (S, 1))
        for state, row in rows.items():
            transition[STATE_INDEX[state]] = [row.get(name, 0.0) for name in (*STATE_NAMES, "exit")]
        set_journey(one, [entry.get(name, 0.0) for name in STATE_NAMES], transition)
        one["think"] = np.array([TableBook().row(Constant(dist="constant", value=3))], DIST)
        one["logged_in"], one["consent"][2], one["consent"][1] = shares
        for state, flag in guards:
            one["needs"][STATE_INDEX[state]] |= FLAGS[flag]
        return population._replace(personas=personas)

    return make


def test_a_geometric_visit(chained):
    """A state that is left with probability ¼ is seen 4 times, with the variance (1 − p)/p² of a geometric count."""
    theory = expectations(chained({"home": 1.0}, {"home": {"home": 0.75, "exit": 0.25}}), 0)
    assert theory.pages == pytest.approx(4.0)
    assert theory.pages_sd == pytest.approx(math.sqrt(12.0))
    assert theory.bounce == pytest.approx(0.25)
    assert theory.engaged_s == pytest.approx(12.0)
    assert theory.visits["home"] == pytest.approx(4.0)
    assert theory.exits == pytest.approx({name: float(name == "home") for name in STATE_NAMES})


def test_a_funnel(chained):
    """Along a chain of certain and uncertain steps the shares multiply."""
    rows = {
        "product": {"add_to_cart": 0.1, "exit": 0.9},
        "add_to_cart": {"cart": 0.8, "exit": 0.2},
        "cart": {"checkout": 0.5, "exit": 0.5},
        "checkout": {"payment": 0.6, "exit": 0.4},
        "payment": {"purchase": 0.9, "exit": 0.1},
    }
    theory = expectations(chained({"product": 1.0}, rows), 0)
    assert theory.cart_reached == pytest.approx(0.1)
    assert theory.conversion == pytest.approx(0.1 * 0.8 * 0.5 * 0.6 * 0.9)
    assert theory.abandonment == pytest.approx(1 - 0.8 * 0.5 * 0.6 * 0.9)
    assert theory.pages == pytest.approx(1 + 0.1 * (1 + 0.8 * (1 + 0.5 * (1 + 0.6 * (1 + 0.9)))))


def test_two_orders_are_one_conversion(chained):
    """Conversion counts visits, not orders: a second order in the same visit does not count again."""
    rows = {
        "product": {"add_to_cart": 1.0},
        "add_to_cart": {"checkout": 1.0},
        "checkout": {"payment": 1.0},
        "payment": {"purchase": 1.0},
        "purchase": {"product": 0.5, "exit": 0.5},
    }
    theory = expectations(chained({"product": 1.0}, rows), 0)
    assert theory.conversion == pytest.approx(1.0)
    assert theory.visits["purchase"] == pytest.approx(2.0)
    assert theory.abandonment == pytest.approx(0.0)


def test_a_closed_guard_shares_out_its_weight(chained):
    """Checkout with an empty cart is not there: its ½ goes to the others of the row in proportion."""
    theory = expectations(chained({"home": 1.0}, {"home": {"checkout": 0.5, "search": 0.25, "exit": 0.25}}), 0)
    assert theory.visits["search"] == pytest.approx(0.5)
    assert theory.visits["checkout"] == 0.0
    assert theory.bounce == pytest.approx(0.5)


def test_where_guards_leave_nothing_the_visit_ends(chained):
    """A row that leads only through closed guards is an exit."""
    theory = expectations(chained({"home": 1.0}, {"home": {"purchase": 1.0}}), 0)
    assert theory.pages == theory.bounce == theory.exits["home"] == 1.0


def test_a_login_happens_once(chained):
    """After a login its state is closed; who arrives logged in never sees it. Both are mixed by their share."""
    rows = {"home": {"login": 0.5, "exit": 0.5}, "login": {"home": 1.0}}
    theory = expectations(chained({"home": 1.0}, rows, shares=(0.4, 0.0, 0.0)), 0)
    assert theory.visits["login"] == pytest.approx(0.6 * 0.5)
    assert theory.visits["home"] == pytest.approx(1.0 + 0.6 * 0.5)
    assert theory.bounce == pytest.approx(0.4 + 0.6 * 0.5)


def test_entries_obey_guards_too(chained):
    """Who does not share a location cannot begin at guarded offers; their visits begin at the other entries."""
    population = chained(
        {"offers": 0.5, "home": 0.25, "search": 0.25},
        {},
        shares=(0.0, 0.3, 0.0),
        guards=[("offers", "location_shared")],
    )
    theory = expectations(population, 0)
    assert theory.visits["offers"] == pytest.approx(0.3 * 0.5)
    assert theory.visits["home"] == theory.visits["search"] == pytest.approx(0.3 * 0.25 + 0.7 * 0.5)


def test_with_every_entry_closed_a_visit_begins_at_home(chained):
    """Where no entry is open the kernel begins at the first state, and so does the closed form."""
    theory = expectations(chained({"offers": 1.0}, {}, guards=[("offers", "location_shared")]), 0)
    assert theory.visits["home"] == 1.0


def test_nobody_to_abandon_a_cart(chained):
    """Where nobody reaches the cart, abandonment is not a number rather than a wrong one."""
    theory = expectations(chained({"home": 1.0}, {}), 0)
    assert theory.cart_reached == theory.conversion == 0.0
    assert math.isnan(theory.abandonment)


def test_the_spread_over_mixed_shoppers_includes_their_difference(chained):
    """With half the shoppers always 1 page and half always 3, pages are 2 ± 1."""
    rows = {"home": {"offers": 1.0}, "offers": {"cart": 1.0}}
    theory = expectations(
        chained({"home": 1.0}, rows, shares=(0.0, 0.5, 0.0), guards=[("offers", "location_shared")]), 0
    )
    assert theory.pages == pytest.approx(2.0)
    assert theory.pages_sd == pytest.approx(1.0)


def test_the_chain_is_a_chain(everyday):
    """Begins sum to 1, rows sum to at most 1, and every place can reach the exit."""
    for persona in everyday[0].personas:
        chain = undisturbed(persona, FLAGS["location_shared"])
        assert chain.begin.sum() == pytest.approx(1.0)
        rows = chain.onward.sum(axis=1)
        assert (rows <= 1 + 1e-12).all()
        assert (np.linalg.matrix_power(chain.onward, 400).sum(axis=1) < 1e-6).all()


def test_it_is_fast(everyday):
    """The closed form is printed before runs: it works on small chains, one for each way to arrive."""
    sizes = [len(undisturbed(persona, flags).states) for persona in everyday[0].personas for flags in (0, 16, 48)]
    assert max(sizes) < 128
