"""Run means against the closed form, for every shipped persona, on instant pages and without a time budget.

Each visit is another shopper's, so that visits are independent. A figure may miss its expectation by 4 standard
errors: with other seeds one comparison in 16,000 would, and one run of these 900 comparisons in eighteen.
"""

import math
import re

import numpy as np
import pytest

from simulator.journey.arms import control_arm
from simulator.journey.closed_form import expectations
from simulator.journey.records import DONE
from simulator.model.persona import complete_personas
from simulator.model.population import compile_population
from simulator.model.states import STATE_NAMES
from simulator.worlds.crowd import World, play

NAMES = sorted(complete_personas())
VISITS = 30_000
ERRORS = 4.0


@pytest.fixture(scope="module")
def compiled(everybody):
    """Return all personas compiled together."""
    return compile_population(everybody)[0]


@pytest.fixture(scope="module")
def run(compiled, unhurried, once, instant):
    """Return a function that plays visits of one persona alone, undisturbed."""
    played = {}

    def of(index):
        if index not in played:
            alone = unhurried(compiled)._replace(
                personas=unhurried(compiled).personas[index : index + 1],
                city_cdf=compiled.city_cdf[index : index + 1],
                device_cdf=compiled.device_cdf[index : index + 1],
            )
            played[index] = play(World(alone, instant, control_arm(), 20_260_105), once(VISITS))
        return played[index]

    return of


@pytest.fixture(scope="module", params=range(len(NAMES)), ids=NAMES)
def case(request, compiled, run):
    """Return (closed form, rows played) of one persona."""
    return expectations(compiled, request.param), run(request.param)


def near(mean, expected, sd):
    """Assert that the mean of as many visits lies within four standard errors."""
    assert abs(mean - expected) <= ERRORS * sd / math.sqrt(VISITS), f"{mean} against {expected}"


def near_share(share, expected):
    """Assert the same of a share."""
    near(share, expected, math.sqrt(expected * (1 - expected)))


def test_pages(case):
    """Pages a visit and their spread are the chain's time to absorption."""
    theory, rows = case
    pages = rows.visits["pages"]
    near(pages.mean(), theory.pages, theory.pages_sd)
    fourth = ((pages - theory.pages) ** 4).mean()
    near(((pages - theory.pages) ** 2).mean(), theory.pages_sd**2, math.sqrt(fourth - theory.pages_sd**4))


def test_bounce(case):
    """The share of visits with one page is the closed form's."""
    theory, rows = case
    near_share((rows.visits["pages"] == 1).mean(), theory.bounce)


def test_conversion(case):
    """The share of visits with an order is the closed form's."""
    theory, rows = case
    near_share((rows.visits["orders"] > 0).mean(), theory.conversion)


def test_cart_reached_and_abandoned(case):
    """The share of visits with something in the cart, and of those without an order, is the closed form's."""
    theory, rows = case
    carted = rows.visits["added_to_cart"] > 0
    near_share(carted.mean(), theory.cart_reached)
    lost = (rows.visits["orders"][carted] == 0).mean()
    sd = math.sqrt(theory.abandonment * (1 - theory.abandonment))
    assert abs(lost - theory.abandonment) <= ERRORS * sd / math.sqrt(carted.sum())


def test_visits_of_each_state(case):
    """Every state is entered as often as the chain says."""
    theory, rows = case
    which = np.repeat(np.arange(VISITS), rows.visits["pages"])
    for state, name in enumerate(STATE_NAMES):
        times = np.bincount(which[rows.events["state"] == state], minlength=VISITS)
        # A state that is hardly ever seen has no sample variance to speak of; its count is Poisson.
        near(times.mean(), theory.visits[name], max(times.std(), math.sqrt(theory.visits[name])))


def test_exits_of_each_state(case):
    """Visits end at each state as often as the chain says, and for no other reason than being done."""
    theory, rows = case
    last = rows.events["state"][np.cumsum(rows.visits["pages"]) - 1]
    assert set(rows.visits["cause"]) == {DONE}
    for state, name in enumerate(STATE_NAMES):
        near_share((last == state).mean(), theory.exits[name])


def test_engaged_seconds(case):
    """Seconds looking at pages are the mean think times of the pages expected; nobody waits."""
    theory, rows = case
    engaged_s = rows.visits["engaged_us"] / 1e6
    near(engaged_s.mean(), theory.engaged_s, engaged_s.std())
    assert not rows.visits["waited_us"].any()


def test_the_evidence_quotes_the_same_figures(case, everybody, request):
    """The figures in each persona's evidence, worked out by another solver, are the closed form's."""
    theory, _ = case
    persona = everybody.personas[NAMES.index(request.node.callspec.id)]
    quoted = re.search(
        r"([\d.]+) pages, bounce ([\d.]+) %, conversion ([\d.]+) %, "
        r"cart reached ([\d.]+) %, cart abandonment ([\d.]+) %",
        persona.spec.evidence,
    )
    assert quoted is not None
    pages, *percent = map(float, quoted.groups())
    assert pages == pytest.approx(theory.pages, abs=0.006)
    ours = [100 * share for share in (theory.bounce, theory.conversion, theory.cart_reached, theory.abandonment)]
    assert percent == pytest.approx(ours, abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_sum_to_the_whole(name, compiled):
    """Visits by state sum to the pages, exits to one, and nobody buys without having reached the cart."""
    theory = expectations(compiled, NAMES.index(name))
    assert sum(theory.visits.values()) == pytest.approx(theory.pages)
    assert sum(theory.exits.values()) == pytest.approx(1)
    assert 0 < theory.conversion <= theory.cart_reached <= 1
    assert theory.abandonment == pytest.approx(1 - theory.conversion / theory.cart_reached)


def test_slowness_only_takes_away(run, compiled, unhurried, once, cards):
    """With real pages every figure lies below the closed form of the undisturbed visit."""
    slow = play(World(unhurried(compiled), cards, control_arm(), 20_260_105), once(VISITS))
    persona = slow.shoppers["persona"]
    pages = [expectations(compiled, index).pages for index in range(len(NAMES))]
    carted = [expectations(compiled, index).cart_reached for index in range(len(NAMES))]
    assert slow.visits["pages"].mean() < np.take(pages, persona).mean()
    assert (slow.visits["added_to_cart"] > 0).mean() < np.take(carted, persona).mean()
    assert run(0).visits["pages"].mean() > slow.visits["pages"][persona == 0].mean()
