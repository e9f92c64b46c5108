"""Presets played: under `null` waiting takes time and nothing else; dwell and budgets do what they say."""

import numpy as np
import pytest

from simulator.model.behaviour import apply, load_behaviour
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.worlds.crowd import World, play

VISITS = 4_000
SAME = ("cause", "pages", "engaged_us", "orders", "revenue_cents", "added_to_cart", "entry")


@pytest.fixture(scope="module")
def arms_under(cards, once, arms, few):
    """Return a function that plays the same visits with 0 and 6 s of delay under a preset: (control, delayed, rows)."""

    def played(preset):
        population, _ = compile_population(apply(preset, load_population("everyday")))
        world = World(population, cards, arms(slow={"all": 6.0}), 7)
        rows = play(world, once(few(VISITS), 2))
        return rows.visits[rows.visits["arm"] == 0], rows.visits[rows.visits["arm"] == 1], rows.events

    return played


def test_null_changes_waiting_alone(arms_under):
    """Six seconds on every page change no page, no order, no cause and no look under `null`: only the time waited."""
    control, delayed, _ = arms_under(load_behaviour("null"))
    for field in SAME:
        assert np.array_equal(control[field], delayed[field]), field
    assert (delayed["waited_us"] > control["waited_us"]).all()
    assert np.array_equal(delayed["elapsed_us"] - delayed["waited_us"], control["elapsed_us"] - control["waited_us"])


def test_other_presets_do_react(arms_under):
    """The same delay costs pages under every preset that is not `null`, the more the higher its hazard."""
    pages = [arms_under(load_behaviour(name))[1]["pages"].mean() for name in ("null", "h0.01", "h0.025", "h0.05")]
    assert pages == sorted(pages, reverse=True)
    assert pages[-1] < 0.9 * pages[0]


def test_dwell_adds_to_the_look(arms_under):
    """With dwell ψ a page that loads is looked at ψ seconds longer for each second that it took."""
    plain, longer = load_behaviour("null"), load_behaviour("null").at(put_off__dwell=0.9)
    before, after = arms_under(plain)[2], arms_under(longer)[2]
    first, again = (np.flatnonzero(events["step"] == 0) for events in (before, after))
    added = after["think_us"][again] - before["think_us"][first]
    assert added == pytest.approx(0.9 * before["load_us"][first], abs=1)


def test_budgets_charge_waiting_by_share(arms_under):
    """A budget that is charged with waiting ends delayed visits earlier; one charged with half, fewer of them."""
    shares = (0.0, 0.5, 1.0)
    pages = [arms_under(load_behaviour("null").at(budget__waiting=share))[1]["pages"].mean() for share in shares]
    assert pages[0] > pages[1] > pages[2]
