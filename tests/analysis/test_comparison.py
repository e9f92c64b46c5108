"""Comparisons keep their promises: coverage, false alarms, the noise floor, and what is told of a change.

The statistical tests have fixed seeds; each says how often it would fail if its promise held exactly.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from simulator.analysis.comparison import Rules, Sides, changes
from simulator.analysis.estimates import quantiles
from simulator.analysis.grammar import parse_figures
from simulator.analysis.metrics import Sample
from simulator.analysis.resampling import shoppers_of, statistic_of

MEAN, SHARE, TAIL = parse_figures(["engaged_time", "bounce", "p90 of wall_time"])
FAST = Rules(resamples=199)
ROUNDS = 200


def visits(rng, shoppers=120, scale=1.0, run_effect=0.0):
    """Return three samples of one run: time, share and time again, of shoppers whose visits are alike."""
    counts = rng.integers(1, 5, shoppers)
    who = np.repeat(np.arange(shoppers), counts)
    taste = np.repeat(rng.normal(0.0, 0.5, shoppers), counts)
    times = scale * np.exp(run_effect + taste + rng.normal(0.0, 0.5, len(who)))
    hits = (rng.random(len(who)) < np.clip(0.4 + 0.2 * taste, 0, 1)).astype(float)
    return Sample(times, who), Sample(hits, who), Sample(times, who)


def compared(run, *others, figures=(MEAN, SHARE, TAIL), rules=FAST, seeds=None):
    """Return the changes from `others` to `run`, each the samples of one run."""
    sides = [Sides(one, run[i], tuple(other[i] for other in others)) for i, one in enumerate(figures)]
    who = [np.unique(one[0].clusters) for one in (run, *others)]
    seeds = seeds or range(len(who))
    return changes(sides, list(zip(seeds, who, strict=True)), rules)


def test_intervals_cover_the_true_change():
    """95 % intervals of means, shares and quantiles hold the true change in 91 to 98.5 % of 200 rounds each.

    With exact coverage a figure would leave these bounds in about 1 % of seeds.
    """
    rng = np.random.default_rng(1)
    truth = np.array([0.3, 0.0, 0.3])
    held = np.zeros(3)
    for _ in range(ROUNDS):
        found = compared(visits(rng, scale=1.3), visits(rng))
        held += [one.change.low <= true <= one.change.high for one, true in zip(found, truth, strict=True)]
    assert np.all((held / ROUNDS >= 0.91) & (held / ROUNDS <= 0.985)), held / ROUNDS


def test_false_alarms_stay_at_the_error_rate():
    """With 6 figures that did not change, at most one round in ten tells any; the promised rate is one in twenty.

    At exactly that rate more than 20 of 200 rounds would alarm in about one seed in a thousand.
    """
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(ROUNDS):
        runs = [sum((visits(rng)[:2] for _ in range(3)), ()) for _ in range(2)]
        found = compared(*runs, figures=(MEAN, SHARE) * 3)
        alarms += any(one.outcome in ("worse", "better") for one in found)
    assert alarms <= 20


def test_a_noise_floor_keeps_noisy_runs_from_alarming():
    """Where whole runs differ by 15 %, the bootstrap alone alarms in most rounds, with five earlier runs in few.

    At a rate of 5 % more than 11 of 100 rounds would alarm in about one seed in two hundred.
    """
    rng = np.random.default_rng(3)
    one_run = five_runs = 0
    for _ in range(100):
        runs = [visits(rng, shoppers=400, run_effect=rng.normal(0.0, 0.15)) for _ in range(6)]
        rules = Rules(resamples=199)
        one_run += compared(*runs[:2], figures=(MEAN,), rules=rules)[0].outcome in ("worse", "better")
        five_runs += compared(*runs, figures=(MEAN,), rules=rules)[0].outcome in ("worse", "better")
    assert one_run > 40
    assert five_runs <= 11


def test_a_large_change_is_told_with_a_noise_floor_too():
    """A third less time is worse although runs differ by 2 %, and the floor says by how much they do."""
    rng = np.random.default_rng(4)
    runs = [visits(rng, shoppers=400, scale=s, run_effect=rng.normal(0, 0.02)) for s in (0.66, 1, 1, 1, 1, 1)]
    found = compared(*runs)[0]
    assert found.outcome == "worse"
    assert 0.02 < found.floor < 0.4
    assert found.change.high - found.change.low >= 2 * found.floor - 1e-12


def test_shoppers_that_both_runs_had_cancel_out():
    """Runs of one seed are compared shopper by shopper: the interval is a fraction of that of other shoppers."""
    rng = np.random.default_rng(5)
    before = visits(rng, shoppers=300)
    after = tuple(part._replace(values=part.values * 1.01) for part in before)
    alone = compared(after, before, figures=(MEAN,))[0]
    together = compared(after, before, figures=(MEAN,), seeds=(7, 7))[0]
    assert together.change.value == pytest.approx(0.01)
    assert together.change.high - together.change.low < 0.05 * (alone.change.high - alone.change.low)
    assert (together.outcome, alone.outcome) == ("same", "not_shown")


def test_no_difference_shown_is_not_shown_to_be_no_different():
    """The same true change of nothing: few shoppers show neither, many show that it stays within the margin."""
    rng = np.random.default_rng(6)
    few = compared(visits(rng, shoppers=60), visits(rng, shoppers=60), figures=(MEAN,))[0]
    wide = Rules(margin=0.1, resamples=299)
    many = compared(visits(rng, 3_000), visits(rng, 3_000), figures=(MEAN,), rules=wide)[0]
    assert (few.outcome, many.outcome) == ("not_shown", "same")
    assert many.change.low >= -0.1
    assert many.change.high <= 0.1


@pytest.mark.parametrize(
    ("figure", "scale", "outcome"),
    [("engaged_time", 0.5, "worse"), ("engaged_time", 2.0, "better"), ("wall_time", 2.0, "changed"),
     ("p75 of load_time", 2.0, "worse"), ("p75 of load_time", 0.5, "better")],
)  # fmt: skip
def test_worse_is_what_the_metric_says(figure, scale, outcome):
    """Less engaged time is worse, more load time is worse, and wall time is neither."""
    rng = np.random.default_rng(7)
    found = compared(visits(rng, scale=scale), visits(rng), figures=parse_figures([figure]))[0]
    assert found.outcome == outcome


def test_too_few_values_are_not_compared():
    """A side with fewer values than asked for gives no change, no p, and says so."""
    rng = np.random.default_rng(8)
    found = compared(visits(rng, shoppers=8), visits(rng), figures=(MEAN,))[0]
    assert (found.outcome, found.change.value, found.p) == ("too_few", None, None)


def test_a_share_that_was_zero_has_no_change_in_percent():
    """Errors that were none are told by their difference, in points."""
    who = np.arange(2_000)
    none, some = Sample(np.zeros(2_000), who), Sample((who % 20 == 0) * 1.0, who)
    (found,) = compared((some,), (none,), figures=parse_figures(["errors"]))
    assert found.change.value is None
    assert found.difference.value == pytest.approx(0.05)
    assert found.outcome == "worse"


def test_one_shopper_shows_nothing():
    """From a single shopper there is nothing to draw anew: no interval and no outcome."""
    alone = (Sample(np.ones(50), np.zeros(50, np.int64)),)
    (found,) = compared(alone, alone, figures=(MEAN,))
    assert (found.outcome, found.change.low, found.q) == ("too_few", None, None)


def test_intervals_of_independent_means_are_welchs():
    """With one visit a shopper the interval of a difference is Welch's, within a tenth (another library's)."""
    rng = np.random.default_rng(9)
    one, other = rng.normal(10.0, 2.0, 400), rng.normal(10.5, 3.0, 300)
    runs = [(Sample(values, np.arange(len(values))),) for values in (other, one)]
    (found,) = compared(*runs, figures=(MEAN,), rules=Rules())
    welch = ttest_ind(other, one, equal_var=False).confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx(
        tuple(welch), abs=0.1 * (welch.high - welch.low)
    )


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_the_statistic_of_a_quantile_is_the_estimate(q):
    """Each shopper drawn once gives the product-limit quantile of the estimates, pages never seen included."""
    rng = np.random.default_rng(10)
    values, who, seen = rng.exponential(2.0, 5_000), np.arange(5_000) % 700, rng.random(5_000) < 0.97
    (figure,) = parse_figures([f"p{100 * q:g} of load_time"])
    found = Sample(values, who, seen)
    (exact,) = quantiles(values, (q,), who, seen)
    drawn = statistic_of(figure, found, who, 700)(np.ones((2, 700)))
    assert drawn == pytest.approx(exact.value, rel=0.01)


def test_many_shoppers_are_drawn_in_groups():
    """Above the largest number of groups, shoppers share them, every one in the same group in each run."""
    who = np.arange(0, 30_000, 3)
    shoppers = shoppers_of([(7, who), (7, who[:5_000]), (8, who[:10])])
    assert shoppers.sizes == [4_000, 10]
    assert shoppers.of_run == (0, 0, 1)
    assert np.array_equal(shoppers.groups(0, who[:5_000]), shoppers.groups(1, who[:5_000]))


def test_the_same_runs_give_the_same_figures():
    """Draws have a seed of their own: comparing twice gives equal changes."""
    rng = np.random.default_rng(11)
    runs = visits(rng), visits(rng)
    assert compared(*runs) == compared(*runs)


@pytest.mark.parametrize(("earlier", "outcome"), [(1, "unproven"), (2, "unproven"), (3, "worse")])
def test_live_runs_need_a_floor(earlier, outcome):
    """Where machines differ too, a change from fewer than three runs is unproven, however large."""
    rng = np.random.default_rng(12)
    runs = [visits(rng, scale=scale) for scale in (0.1, *(1.0,) * earlier)]
    found = compared(*runs, figures=(MEAN,), rules=Rules(resamples=199, needs_floor=True))[0]
    assert found.outcome == outcome
