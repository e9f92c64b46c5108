"""With a backend where nobody waits for anybody, the capacity world and the crowd world are one."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.journey.plan import Plan, calendar_plan, open_plan
from simulator.page.card import compile_pages, page_file
from simulator.worlds import capacity, crowd
from simulator.worlds.backend import load_backend

DAY_US = 86_400_000_000


def differences(ours, theirs):
    """Return the columns in which two sets of rows differ."""
    assert ours.dtype == theirs.dtype
    assert len(ours) == len(theirs)
    return [name for name in ours.dtype.names if not np.array_equal(ours[name], theirs[name])]


@pytest.mark.parametrize("seed", [1, 2**40 + 7])
def test_uncontended_journeys_are_the_crowds_row_for_row(world, seed):
    """Every column of shoppers, visits and events is equal over some 600 arriving visits in three arms."""
    world = world._replace(seed=seed)
    plan = open_plan([(0, 20), (30, 20)], seed, world.arms)
    assert len(plan.shopper) > 500
    assert set(plan.arm) == {0, 1, 2}
    ours, theirs = capacity.play(world, plan, load_backend("uncontended")), crowd.play(world, plan)
    for name in ("shoppers", "visits", "events"):
        assert differences(getattr(ours, name), getattr(theirs, name)) == [], name


def test_a_calendar_with_every_visit_in_every_arm_is_played_alike(world):
    """Shoppers with several visits, each in three arms at the same instant, come out in the plan's order."""
    plan = calendar_plan(world.population, world.seed, 100, 180, 14 * DAY_US, 0, 3)
    ours, theirs = capacity.play(world, plan, load_backend("uncontended")), crowd.play(world, plan)
    for name in ("shoppers", "visits", "events"):
        assert differences(getattr(ours, name), getattr(theirs, name)) == [], name


def test_the_backends_clock_is_the_walks_clock(world):
    """With pages that need no client, a page's first call is asked in the microsecond the event says it was tapped."""
    world = world._replace(pages=compile_pages(page_file(), instant=True))
    plan = open_plan([(0, 10), (10, 10)], 3, world.arms)
    rows = capacity.play(world, plan, load_backend("uncontended"))
    taps = np.unique(rows.events["at_us"])
    assert np.isin(taps, rows.calls[0]["asked_us"]).all()


def test_nothing_is_said_to_be_measured(world, one_station):
    """All is modelled: `measured_us` is 0 in every event, and the server's part is within the load."""
    plan = open_plan([(0, 30), (10, 30)], 4, world.arms)
    events = capacity.play(world, plan, one_station(servers=2)).events
    assert not events["measured_us"].any()
    assert (events["server_us"] <= events["load_us"]).all()
    assert (events["server_us"] >= 0).all()


def test_an_empty_plan_is_an_empty_run(world):
    """Nobody coming is no error: tables without rows, stations without arrivals."""
    nobody = np.zeros(0, np.int64)
    rows = capacity.play(world, Plan(nobody, nobody, nobody, nobody), load_backend("small_shop"))
    assert [len(rows.shoppers), len(rows.visits), len(rows.events)] == [0, 0, 0]
    assert rows.stations["arrivals"].tolist() == [0, 0, 0, 0]
