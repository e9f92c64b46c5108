"""Open arrivals are the Poisson process of their rate profile; even ones are exact.

Keys are fixed; with other seeds a test would fail by chance for one in 10,000.
"""

import numpy as np
import pytest
from scipy import stats

from simulator.journey.arms import compile_arms, control_arm
from simulator.journey.plan import open_plan
from simulator.scenario.schema import Arrivals

LEVEL = 1e-4
CONSTANT = [(0.0, 8.0), (60.0, 8.0)]
RAMP = [(0.0, 1.0), (120.0, 21.0)]
STEPS = Arrivals(kind="steps", steps=[{"rate": "2/s", "duration": "20s"}, {"rate": "25/s", "duration": "10s"}]).profile(
    60.0
)
FROM_NOTHING = [(0.0, 0.0), (10.0, 4.0), (20.0, 0.0), (30.0, 0.0), (40.0, 6.0)]
PROFILES = {"constant": CONSTANT, "ramp": RAMP, "steps": STEPS, "from nothing and through nothing": FROM_NOTHING}


def starts_s(profile, seed=1, *, even=False):
    """Return the seconds at which visits start."""
    return open_plan(profile, seed, control_arm(), even=even).start_us / 1e6


def expected(profile, at_s):
    """Return the expected number of arrivals by each second, by the trapezoid rule on a fine grid."""
    times, rates = np.array(profile).T
    grid = np.unique(np.concatenate([np.linspace(0, times[-1], 200_001), times]))
    rate = np.interp(grid, times, rates)
    summed = np.concatenate([[0.0], np.cumsum(np.diff(grid) * (rate[1:] + rate[:-1]) / 2)])
    return np.interp(at_s, grid, summed)


@pytest.mark.parametrize("name", PROFILES)
def test_counts_are_poisson(name):
    """Over 400 seeds the number of arrivals has the profile's mean, and a variance equal to the mean."""
    profile = PROFILES[name]
    counts = np.array([len(starts_s(profile, seed)) for seed in range(400)])
    mean = expected(profile, profile[-1][0])
    assert abs(counts.mean() - mean) < 4 * np.sqrt(mean / 400)
    dispersion = (len(counts) - 1) * counts.var(ddof=1) / mean
    assert LEVEL < stats.chi2.cdf(dispersion, len(counts) - 1) < 1 - LEVEL


@pytest.mark.parametrize("name", PROFILES)
def test_gaps_are_exponential_on_the_clock_of_the_rate(name):
    """Through the cumulative rate the gaps are unit exponentials: bursts and lulls are where the profile has them."""
    profile = PROFILES[name]
    gaps = np.concatenate([np.diff(expected(profile, starts_s(profile, seed)), prepend=0.0) for seed in range(20)])
    # The last gap of each run is cut off by its end, which shortens the others by a little; the mean shows how much.
    assert abs(gaps.mean() - 1) < 0.06
    assert stats.kstest(gaps, "expon").pvalue > LEVEL


def test_gaps_are_independent():
    """A short gap says nothing about the next."""
    gaps = np.diff(starts_s([(0.0, 50.0), (400.0, 50.0)]))
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < stats.norm.isf(LEVEL / 2) / np.sqrt(len(gaps))


@pytest.mark.parametrize("name", PROFILES)
def test_arrivals_follow_the_profile(name):
    """The number of arrivals by any tenth of the run is near its expectation, and none comes after the end."""
    profile = PROFILES[name]
    end = profile[-1][0]
    runs = [starts_s(profile, seed) for seed in range(100)]
    for tenth in np.linspace(0.1, 1.0, 10) * end:
        mean = expected(profile, tenth)
        found = np.mean([(starts <= tenth).sum() for starts in runs])
        assert abs(found - mean) <= 4 * np.sqrt(max(mean, 0.25) / len(runs))
    assert all((starts <= end).all() and (np.diff(starts) >= 0).all() for starts in runs)


@pytest.mark.parametrize(
    ("rate", "end_s", "gap_us"),
    [(8.0, 30.0, 125_000), (0.5, 60.0, 2_000_000), (1_000.0, 2.0, 1_000), (3.0, 10.0, None)],
)
def test_even_spacing_is_exact(rate, end_s, gap_us):
    """Even arrivals of a constant rate stand half a gap from the start and exactly one gap apart."""
    starts_us = open_plan([(0.0, rate), (end_s, rate)], 1, control_arm(), even=True).start_us
    assert len(starts_us) == round(rate * end_s)
    assert starts_us.tolist() == [round(1e6 * (i + 0.5) / rate) for i in range(len(starts_us))]
    assert gap_us is None or set(np.diff(starts_us)) == {gap_us}


@pytest.mark.parametrize("name", PROFILES)
def test_even_spacing_inverts_any_profile(name):
    """The i-th even arrival stands where the cumulative rate is i + ½, whatever the profile."""
    profile = PROFILES[name]
    at = starts_s(profile, even=True)
    assert expected(profile, at) == pytest.approx(np.arange(len(at)) + 0.5, abs=2e-4)
    assert len(at) == int(expected(profile, profile[-1][0]) + 0.5)


def test_an_even_arrival_on_the_edge_of_nothing():
    """Where an arrival falls exactly on the end of a segment, and the next begins at rate 0, it stands on the edge."""
    plan = open_plan([(0.0, 0.5), (1.0, 0.5), (1.0 + 1e-6, 0.0), (5.0, 2.0)], 1, control_arm(), even=True)
    assert plan.start_us[0] == 1_000_000
    assert (np.diff(plan.start_us) > 0).all()


def test_a_longer_run_begins_like_a_shorter_one():
    """Arrivals are keyed by their number: more time adds arrivals at the end and moves none."""
    short, long = (open_plan([(0.0, 8.0), (end, 8.0)], 3, control_arm()) for end in (20.0, 60.0))
    assert (long.start_us[: len(short.start_us)] == short.start_us).all()


def test_each_arrival_is_another_shopper_with_one_visit():
    """The i-th arrival is shopper i's only visit, in the arm that shopper is assigned to."""
    arms = compile_arms([("control", 0.5, {}, {}), ("slower", 0.5, {"all": 1.0}, {})])
    plan = open_plan([(0.0, 50.0), (60.0, 50.0)], 3, arms)
    assert plan.shopper.tolist() == list(range(len(plan.shopper)))
    assert not plan.visit.any()
    assert abs(plan.arm.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(plan.arm))


def test_another_seed_gives_other_arrivals():
    """Seeds do not share arrivals."""
    assert not set(starts_s(CONSTANT, 1)) & set(starts_s(CONSTANT, 2))
