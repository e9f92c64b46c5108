"""Figures with intervals: the textbook's where shoppers have one visit each, wider where they have more."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.estimates import (
    Estimate,
    binomial_point,
    design_effect,
    mean,
    quantile,
    rank_shares,
    share,
)

RNG = np.random.default_rng(11)


def alone(n):
    """Every row a shopper of its own."""
    return np.arange(n)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (1, 40), (33, 245), (120, 240), (240, 240)])
def test_share_is_wilsons_interval(hits, n):
    """With one visit a shopper, a share's interval is scipy's Wilson interval."""
    found = share(np.arange(n) < hits, alone(n))
    known = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert found.value == pytest.approx(hits / n)
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-12)


def test_mean_is_students_interval():
    """With one visit a shopper, a mean's interval is Student's t interval."""
    values = RNG.lognormal(3, 1, 180)
    found = mean(values, alone(180))
    known = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high), rel=1e-9)


def test_copies_of_a_visit_are_no_new_evidence():
    """Playing every visit three times by the same shopper leaves the intervals of mean and share as they were."""
    values = RNG.lognormal(3, 1, 100)
    once, thrice = mean(values, alone(100)), mean(np.repeat(values, 3), np.repeat(alone(100), 3))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=1e-9)
    hits = values > 20
    once, thrice = share(hits, alone(100)), share(np.repeat(hits, 3), np.repeat(alone(100), 3))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=1e-9)


def test_mean_agrees_with_a_bootstrap_of_shoppers():
    """The cluster-robust interval is within a tenth of the width of a bootstrap that resamples whole shoppers."""
    shoppers = np.repeat(np.arange(150), RNG.integers(1, 6, 150))
    values = 30 + 10 * RNG.standard_normal(150)[shoppers] + 5 * RNG.standard_normal(len(shoppers))
    found = mean(values, shoppers)
    rows = [np.flatnonzero(shoppers == shopper) for shopper in range(150)]
    resampled = [values[np.concatenate([rows[i] for i in RNG.integers(0, 150, 150)])].mean() for _ in range(3000)]
    low, high = np.quantile(resampled, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.1 * (high - low))


def test_order_of_rows_does_not_matter():
    """Shuffling the rows changes nothing."""
    shoppers = np.repeat(np.arange(40), 3)
    values = RNG.exponential(5, 120)
    order = RNG.permutation(120)
    assert mean(values[order], shoppers[order]).low == pytest.approx(mean(values, shoppers).low)
    assert design_effect(values[order], shoppers[order]) == pytest.approx(design_effect(values, shoppers))


def test_floor_cuts_the_interval_of_what_cannot_be_negative():
    """The interval of a mean time ends at zero."""
    assert mean(np.array([0.1, 0.2, 9.0]), alone(3), floor=0.0).low == 0.0


@pytest.mark.parametrize("values", [[], [3.0]])
def test_too_little_for_an_interval_gives_none(values):
    """Nothing seen has no value; one shopper has a value but no interval."""
    found = mean(np.array(values), alone(len(values)))
    assert found == Estimate(values[0] if values else None, len(values))


def test_quantile_is_a_value_that_was_seen():
    """Without lower bounds a quantile is numpy's `inverted_cdf`."""
    times = RNG.lognormal(0, 1, 333)
    for q in (0.05, 0.5, 0.75, 0.95, 0.99):
        expected = np.quantile(times, q, method="inverted_cdf")
        assert quantile(times, q, alone(333)).value == expected


def test_median_of_a_hundred_lies_between_the_40th_and_the_61st():
    """The distribution-free interval of a median of 100 is the one in every table."""
    assert rank_shares(0.5, 100) == (0.40, 0.61)


def test_extreme_quantile_of_a_small_sample_is_open_above():
    """No value of 50 bounds the true p99 from above."""
    found = quantile(RNG.exponential(1, 50), 0.99, alone(50))
    assert found.low is not None
    assert found.high is None


@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (30, 0.95), (100, 0.5), (2000, 0.99), (100_000, 0.001)])
def test_binomial_point_is_scipys(n, p):
    """The binomial inverse agrees with scipy.stats at both tails."""
    for tail in (0.025, 0.975):
        assert binomial_point(tail, n, p) == stats.binom.ppf(tail, n, p)


def test_quantile_interval_covers_the_truth():
    """In at least 93 of 100 samples the interval of p90 holds the true p90."""
    truth = stats.lognorm(1).ppf(0.9)
    found = [quantile(RNG.lognormal(0, 1, 120), 0.9, alone(120)) for _ in range(600)]
    assert np.mean([e.low <= truth <= (e.high or math.inf) for e in found]) > 0.93


def test_hopeless_pages_cannot_make_a_shop_look_fast():
    """When half of the pages are left unseen after 2 s, p95 is unknown, not 2 s."""
    times = np.concatenate([np.full(50, 0.5), np.full(50, 2.0)])
    seen = np.arange(100) < 50
    assert quantile(times, 0.95, alone(100), seen).value is None
    assert quantile(times, 0.4, alone(100), seen).value == 0.5


def test_quantiles_of_bounded_times_are_kaplan_meiers():
    """With lower bounds among them, quantiles are those of scipy's product-limit curve."""
    times, seen = RNG.exponential(1, 400), RNG.random(400) < 0.8
    curve = stats.ecdf(stats.CensoredData.right_censored(times, ~seen)).cdf
    for q in (0.25, 0.5, 0.75, 0.9):
        expected = curve.quantiles[np.flatnonzero(curve.probabilities >= q - 1e-12)[0]]
        assert quantile(times, q, alone(400), seen).value == pytest.approx(expected)


def test_design_effect_is_the_visits_of_a_shopper_who_never_changes():
    """Four equal visits a shopper count as one: deff is 4; independent visits: 1."""
    assert design_effect(np.repeat(RNG.standard_normal(500), 4), np.repeat(np.arange(500), 4)) == pytest.approx(4)
    assert design_effect(RNG.standard_normal(500), alone(500)) == pytest.approx(1)
