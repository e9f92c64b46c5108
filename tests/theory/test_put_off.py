"""Leaving because of slowness: what a slow page costs, counted, against the formula."""

import math

import numpy as np
import pytest

from simulator.journey.arms import control_arm
from simulator.journey.records import ERROR, EVENT, IMPATIENT, NOT_SEEN, PUT_OFF, SHOPPER, VISIT
from simulator.model.distributions import DIST, Constant, TableBook
from simulator.worlds.crowd import World
from simulator.worlds.replay import replay

VISITS = 30_000
ERRORS = 4.0


@pytest.fixture(scope="module")
def patient(everyday, unhurried):
    """Return the everyday population with endless patience and no budget; all change of mind is left."""
    population = unhurried(everyday[0])
    personas = population.personas.copy()
    personas["hazard_per_s"] = 0.0
    return population._replace(personas=personas)


def first_pages(population, pages, load_us, *, ok=True, count=VISITS, steps=1):
    """Play the first pages of as many visits, each with the same load time."""
    shoppers, visits, events = np.zeros(count, SHOPPER), np.zeros(count, VISIT), np.zeros(count * steps, EVENT)
    shoppers["shopper"] = visits["shopper"] = np.arange(count)
    visits["pages"] = steps
    events["load_us"] = events["fcp_us"] = load_us
    events["ok"], events["relevance"] = ok, NOT_SEEN
    return replay(World(population, pages, control_arm(), 5), shoppers, visits, events)


@pytest.mark.parametrize("load_s", [0.0, 1.0, 4.0, 20.0])
def test_share_put_off_by_the_first_page(patient, cards, load_s):
    """A first page of L seconds puts off 1 − (1 + L/τ)^−weight of the shoppers, by the state they land on."""
    rows = first_pages(patient, cards, int(load_s * 1e6))
    persona = patient.personas[rows.shoppers["persona"]]
    weight = persona["put_off"][np.arange(VISITS), rows.visits["entry"]]
    expected = 1 - (1 + load_s / persona["tau_s"]) ** -weight
    left = rows.visits["cause"] == PUT_OFF
    sd = math.sqrt((expected * (1 - expected)).sum())
    assert abs(left.sum() - expected.sum()) <= ERRORS * sd
    assert rows.events["put_off_p"] == pytest.approx(expected, rel=1e-6)


def test_memory_adds_earlier_waits(patient, cards):
    """The second page's chance adds what is remembered of the first, and the third's decays as the file says."""
    rows = first_pages(patient, cards, 3_000_000, count=3_000, steps=3)
    three = np.flatnonzero(rows.visits["pages"] == 3)
    assert len(three) > 100
    ends = np.cumsum(rows.visits["pages"])
    felt = math.log1p(3.0)
    for row in three[:200]:
        persona = patient.personas[rows.shoppers["persona"][row]]
        for page in range(3):
            event = rows.events[ends[row] - 3 + page]
            remembered = felt * sum(persona["memory_decay"] ** k for k in range(page))
            hazard = persona["put_off"][event["state"]] * felt + persona["memory"] * remembered
            assert event["put_off_p"] == pytest.approx(-math.expm1(-hazard), rel=1e-6)


def test_share_that_an_error_drives_away(patient, cards):
    """A failed page drives `error_exit` of the shoppers away, and puts nothing into effect."""
    rows = first_pages(patient, cards, 0, ok=False)
    expected = patient.personas["error_exit"][rows.shoppers["persona"]]
    left = (rows.visits["cause"] == ERROR).sum()
    assert abs(left - expected.sum()) <= ERRORS * math.sqrt((expected * (1 - expected)).sum())
    assert not rows.visits["added_to_cart"].any()


def test_share_impatient_on_the_first_page(everyday, cards):
    """Of shoppers who see nothing for W seconds, 1 − (1 + θΛ(W))^(−1/θ) have left, mixed over personas and states."""
    population, _ = everyday
    alike = population.personas.copy()
    alike["frailty"] = np.array([TableBook().row(Constant(dist="constant", value=1.0))], DIST)
    rows = first_pages(population._replace(personas=alike), cards, 8_000_000)
    persona = alike[rows.shoppers["persona"]]
    rate = persona["hazard_per_s"][np.arange(VISITS), rows.visits["entry"]]
    expected = -np.expm1(-rate * 8.0 ** persona["patience_shape"])
    left = (rows.visits["cause"] == IMPATIENT).sum()
    assert abs(left - expected.sum()) <= ERRORS * math.sqrt((expected * (1 - expected)).sum())
