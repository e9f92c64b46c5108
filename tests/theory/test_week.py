"""The week that a population is expected to have, and the open plan that follows it."""

from datetime import UTC, datetime

import numpy as np
import pytest
from calendars import changed
from scipy import stats

from simulator.journey.arms import control_arm
from simulator.journey.plan import open_plan
from simulator.journey.week import expected_week, persona_weeks, rate_curve, week_in_utc
from simulator.model.persona import load_population
from simulator.scenario.arrivals import Arrivals
from simulator.scenario.load import load_scenario

LEVEL = 1e-4
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_persona_has_its_visits_a_week(everyday):
    """Each persona's week sums to the mean of its visits a week, by the distribution itself."""
    spec = load_population("everyday")
    means = [persona.spec.arrivals.visits_per_week.mean() for persona in spec.personas]
    assert persona_weeks(everyday[0]).sum(axis=(1, 2)) == pytest.approx(means, rel=2e-3)


def test_a_week_is_hours_times_days(everyday):
    """Saturday's hours are Monday's times the weekend factor, and hours stand to each other as their weights."""
    population, roster = everyday
    place = roster.personas.index("in_store_comparer")
    week = persona_weeks(population)[place]
    assert week.shape == (24, 7)
    assert week[:, 5] == pytest.approx(week[:, 0] * population.personas["weekend"][place])
    hours = load_population("everyday").personas[place].spec.arrivals.hours
    assert week[:, 2] / week[:, 2].sum() == pytest.approx(np.array(hours) / sum(hours))


def test_a_populations_week_is_the_personas_by_weight(everyday):
    """The population's week is the weighted mean of its personas'."""
    population = everyday[0]
    weights = population.personas["weight"]
    expected = sum(w * week for w, week in zip(weights, persona_weeks(population), strict=True)) / weights.sum()
    assert expected_week(population) == pytest.approx(expected)


def test_the_week_in_utc_is_that_of_every_clock(everyday):
    """In UTC every city's week is put forward by its offset; nobody is lost or counted twice."""
    population = everyday[0]
    personas, cities = population.personas, population.cities
    weeks, shares = persona_weeks(population), np.diff(population.city_cdf, axis=1, prepend=0.0)
    weights = personas["weight"] / personas["weight"].sum()
    expected = np.zeros(672)
    for quarter in range(672):
        local = quarter + cities["utc_offset_s"] // 900
        hours, days = local // 4 % 24, local // 96 % 7
        expected[quarter] = np.einsum("p,pc,pc->", weights, shares, weeks[:, hours, days]) / 3_600
    assert week_in_utc(population) == pytest.approx(expected)
    assert week_in_utc(population).sum() * 900 == pytest.approx(expected_week(population).sum())


def test_a_curve_goes_on_after_sunday(everyday):
    """A stretch may begin anywhere and pass the end of the week; its ends are on the curve."""
    seconds, rates = rate_curve(everyday[0], 6.5 * 86_400 + 100, 86_400)
    assert (seconds[0], seconds[-1]) == (0.0, 86_400)
    assert (np.diff(seconds) > 0).all()
    week = week_in_utc(everyday[0])
    middle = np.searchsorted(seconds, 43_200)
    assert rates[middle] == week[int((6.5 * 86_400 + 100 + seconds[middle]) % 604_800 // 900)]


def diurnal(population, duration_s, **given):
    """Return the profile of diurnal arrivals."""
    return Arrivals(kind="diurnal", **given).profile(duration_s, population=population, reference=MONDAY)


@pytest.mark.parametrize("speed", [1.0, 720.0])
def test_a_day_has_the_mean_and_the_peak_it_is_given(speed, everyday):
    """Scaled to a mean, the run has rate times duration visits; scaled to a peak, it never goes above it."""
    seconds, rates = np.array(diurnal(everyday[0], 120.0, rate="10/s", speed=speed)).T
    assert np.trapezoid(rates, seconds) == pytest.approx(1_200)
    _, peaks = np.array(diurnal(everyday[0], 120.0, peak="10/s", speed=speed)).T
    assert peaks.max() == pytest.approx(10)
    assert (seconds[0], seconds[-1]) == (0, 120)


def test_a_day_begins_where_it_is_said(everyday):
    """A time of day in a zone is that instant; without one the run begins with the reference."""
    tokyo = diurnal(everyday[0], 600.0, rate="9/s", at="09:00", zone="Asia/Tokyo", speed=60)
    midnight = diurnal(everyday[0], 600.0, rate="9/s", at="00:00", speed=60)
    assert np.array(tokyo) == pytest.approx(np.array(midnight))
    assert np.array(midnight) == pytest.approx(np.array(diurnal(everyday[0], 600.0, rate="9/s", speed=60)))
    later = diurnal(everyday[0], 600.0, rate="9/s", at="12:00", speed=60)
    assert not np.allclose(np.array(later)[:, 1], np.array(midnight)[:, 1])


def test_a_days_arrivals_are_its_poisson_process(everyday):
    """A compressed day's visits by twelfth are Poisson counts of the curve (chi-square)."""
    profile = diurnal(everyday[0], 120.0, rate="50/s", speed=720)
    starts = open_plan(profile, 5, control_arm()).start_us / 1e6
    seconds, rates = np.array(profile).T
    sums = np.r_[0, np.cumsum(np.diff(seconds) * (rates[1:] + rates[:-1]) / 2)]
    expected = np.diff(np.interp(np.linspace(0, 120, 13), seconds, sums))
    found = np.histogram(starts, np.linspace(0, 120, 13))[0]
    assert stats.chi2.sf(((found - expected) ** 2 / expected).sum(), 12) > LEVEL
    assert expected.max() > 1.5 * expected.min()


def test_the_curve_follows_the_personas(everyday):
    """With other hours the same population has another day."""
    flat = changed(everyday[0], hour_cdf=np.arange(1, 25) / 24, weekend=1.0)
    assert np.ptp(np.array(diurnal(flat, 86_400.0, rate="1/s"))[:, 1]) < 1e-9


def test_the_shipped_week_is_a_day_of_the_population():
    """The scenario `ordinary_week` plays a day's curve: busy in the evening of its countries, quiet in their night."""
    scenario = load_scenario("ordinary_week")
    rates = np.array(scenario.profile)[:, 1]
    assert len(scenario.plan().shopper) == pytest.approx(1_200, abs=4 * 1_200**0.5)
    assert rates.max() > 1.5 * rates.min()
