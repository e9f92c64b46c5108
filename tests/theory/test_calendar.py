"""A calendar plan: visits over days and hours, at the shopper's own local time.

Seeds are fixed; chi-square tests would fail by chance for one seed in 10,000.
"""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from simulator.journey.arms import control_arm
from simulator.journey.plan import APART_US, DAY_US, calendar_plan
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.worlds.crowd import World, play

SEED, SHOPPERS, LEVEL = 4, 24_000, 1e-4
HORIZON_US = 7 * DAY_US
FRIDAY = 4


@pytest.fixture(scope="module")
def shoppers(everyday, instant, once):
    """Return who the shoppers are."""
    return play(World(everyday[0], instant, control_arm(), SEED), once(SHOPPERS)).shoppers


@pytest.fixture(scope="module")
def plan(everyday):
    """Return the visits of a week that begins on a Friday."""
    return calendar_plan(everyday[0], SEED, 0, SHOPPERS, HORIZON_US, FRIDAY)


@pytest.fixture(scope="module")
def single(plan):
    """Return the rows of shoppers with one visit: nothing has put these in order or apart."""
    return np.flatnonzero(np.bincount(plan.shopper)[plan.shopper] == 1)


@pytest.mark.parametrize("name", ["commuter_browser", "bargain_hunter", "campaign_newcomer"])
def test_local_hours_follow_the_weights(name, everyday, plan, shoppers, single):
    """At home, the hours of a persona's visits are its 24 weights (chi-square)."""
    population, roster = everyday
    index = roster.personas.index(name)
    rows = single[shoppers["persona"][plan.shopper[single]] == index]
    offset_s = shoppers["utc_offset_s"][plan.shopper[rows]]
    hours = (plan.start_us[rows] // 1_000_000 + offset_s) // 3_600 % 24
    weights = np.diff(population.personas["hour_cdf"][index], prepend=0.0)
    assert len(rows) > 200
    assert stats.chisquare(np.bincount(hours, minlength=24), weights * len(rows)).pvalue > LEVEL


def test_minutes_within_an_hour_are_even(plan, shoppers, single):
    """Within its hour a visit may start at any moment."""
    offset_us = shoppers["utc_offset_s"][plan.shopper[single]] * 1_000_000
    within = (plan.start_us[single] + offset_us) % 3_600_000_000 / 3_600_000_000
    assert stats.kstest(within, "uniform").pvalue > LEVEL


def test_weekend_days_follow_their_factor(everyday, plan, shoppers, single):
    """Saturday and Sunday get the persona's factor; from a Friday on these are the second and the third day."""
    population, roster = everyday
    index = roster.personas.index("commuter_browser")
    rows = single[shoppers["persona"][plan.shopper[single]] == index]
    offset_us = shoppers["utc_offset_s"][plan.shopper[rows]] * 1_000_000
    days = (plan.start_us[rows] + offset_us) % HORIZON_US // DAY_US
    factor = population.personas["weekend"][index]
    weights = np.array([1, factor, factor, 1, 1, 1, 1])
    expected = weights / weights.sum() * len(rows)
    assert stats.chisquare(np.bincount(days.astype(int), minlength=7), expected).pvalue > LEVEL


def test_number_of_visits(plan, shoppers):
    """Each shopper has one visit and a Poisson number of others at their own weekly rate."""
    others = np.bincount(plan.shopper, minlength=SHOPPERS) - 1
    rate = shoppers["visits_per_week"]
    assert abs(others.sum() - rate.sum()) < 4 * math.sqrt(rate.sum())
    squares = (others - rate) ** 2 - rate
    assert abs(squares.mean()) < 4 * squares.std() / math.sqrt(SHOPPERS)


def test_visits_of_a_shopper_are_in_order_and_apart(plan):
    """A shopper's visits are numbered from 0 in order of time and start at least a session's cut-off apart."""
    same = plan.shopper[1:] == plan.shopper[:-1]
    assert (np.diff(plan.start_us)[same] >= APART_US).all()
    assert (np.diff(plan.visit)[same] == 1).all()
    assert not plan.visit[np.flatnonzero(np.r_[True, ~same])].any()
    assert plan.start_us.min() >= 0
    assert plan.start_us[plan.visit == 0].max() < HORIZON_US


def test_a_shopper_has_the_same_visits_in_any_range(everyday, plan):
    """A plan of some shoppers is that part of the plan of all."""
    part = calendar_plan(everyday[0], SEED, 1_000, 1_100, HORIZON_US, FRIDAY)
    rows = np.flatnonzero((plan.shopper >= 1_000) & (plan.shopper < 1_100))
    assert all((mine == all_[rows]).all() for mine, all_ in zip(part, plan, strict=True))


def test_every_visit_is_played_in_every_arm(everyday):
    """With three arms each visit stands there three times, at the same moment."""
    one, three = (calendar_plan(everyday[0], SEED, 0, 50, HORIZON_US, FRIDAY, arms) for arms in (1, 3))
    assert (three.start_us.reshape(-1, 3) == one.start_us[:, None]).all()
    assert (three.arm.reshape(-1, 3) == np.arange(3)).all()


def test_summer_time_counts_at_the_reference_instant():
    """Cities have the UTC offset of the reference instant itself, on the night of the change too."""
    spec = load_population("everyday")
    before, after = (
        compile_population(spec, datetime(2026, 3, 29, 0, 30, tzinfo=UTC).replace(hour=hour)) for hour in (0, 1)
    )
    berlin = before[1].cities.index("Berlin")
    assert before[0].cities["utc_offset_s"][berlin] == 3_600
    assert after[0].cities["utc_offset_s"][berlin] == 7_200
