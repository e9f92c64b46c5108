"""Figures that carry what each shopper adds to their error: differences, ratios and degrees of freedom follow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.estimates import NOTHING, variance_of_mean
from simulator.analysis.influence import (
    combined,
    difference,
    freedom_of,
    groups_of,
    influenced,
    mean_of,
    percent,
    relative,
    share_shoppers,
)

RNG = np.random.default_rng(8)


def arm(n, shift=0.0, first=0, each=1):
    """Return the mean of `n` shoppers' normal values."""
    who = np.repeat(np.arange(first, first + n), each)
    return mean_of(10 + shift + RNG.standard_normal(len(who)), who)


def test_a_mean_has_the_variance_by_shopper():
    """Weighted or not, the variance is that of `estimates.variance_of_mean`, in whatever order rows stand."""
    who = RNG.integers(0, 60, 400)
    values, weights = RNG.lognormal(1, 1, 400), RNG.uniform(0.5, 2, 400)
    for given in (None, weights):
        assert mean_of(values, who, given).variance == pytest.approx(variance_of_mean(values, who, given)[0])
    order = np.argsort(who)
    assert np.array_equal(groups_of(who[order])[0], groups_of(who)[0])


def test_arms_of_other_shoppers_have_welchs_interval():
    """For normal values the difference's interval is scipy's Welch interval, within 2 % of its width."""
    one, other = RNG.standard_normal(80), 0.3 + 2 * RNG.standard_normal(50)
    found = difference(mean_of(other, 100 + np.arange(50)), mean_of(one, np.arange(80))).estimate()
    known = stats.ttest_ind(other, one, equal_var=False).confidence_interval()
    width = known.high - known.low
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.02 * width)


def test_the_same_shoppers_are_their_own_control():
    """The difference of values of the same shoppers has the paired interval, bit by bit the parts' differences."""
    before = RNG.standard_normal(90)
    after = before + 0.1 + 0.2 * RNG.standard_normal(90)
    one, other = mean_of(before, np.arange(90)), mean_of(after, np.arange(90))
    assert share_shoppers(one, other)
    assert difference(other, one).variance == pytest.approx(np.var(after - before, ddof=1) / 90)
    assert not share_shoppers(one, mean_of(before, 90 + np.arange(90)))


def test_percent_leaves_out_nothing_when_the_difference_does():
    """Fieller's interval holds 0 exactly when the difference's interval does, however few orders there are."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        one = mean_of((rng.random(300) < 0.05) * 1.0, np.arange(300))
        other = mean_of((rng.random(300) < 0.10) * 1.0, 300 + np.arange(300))
        shown, parts = difference(other, one).estimate(), percent(other, one)
        if parts.low is not None:
            assert (shown.low <= 0 <= shown.high) == (parts.low <= 0 <= parts.high)


def test_percent_is_the_delta_methods_where_much_is_known():
    """With thousands of shoppers Fieller's interval and that of the delta method are the same to 1 %."""
    one, other = arm(20_000), arm(20_000, shift=1.0, first=50_000)
    found, known = percent(other, one), relative(other, one).estimate()
    assert found.value == known.value
    assert (found.low, found.high) == pytest.approx((known.low, known.high), rel=0.01)


def test_percent_says_when_it_cannot():
    """Of nothing there are no parts; of what cannot be told from nothing there is a value and no interval."""
    nothing = mean_of(np.zeros(50), np.arange(50))
    assert percent(arm(50), nothing).value is None
    rare = mean_of(np.eye(50)[0], np.arange(50))
    assert percent(arm(50, first=60), rare).low is None
    assert mean_of(np.ones(1), np.zeros(1, int)).estimate().low is None
    assert mean_of(np.ones(1), np.zeros(1, int)).p() is None
    assert NOTHING.value is None


def test_few_who_count_have_few_degrees_of_freedom():
    """Normal parts have one a shopper; parts of a few have as many as those few; never less than one."""
    assert freedom_of(RNG.standard_normal(20_000), 19_999) == pytest.approx(19_999, rel=0.1)
    few = np.zeros(1_000)
    few[:10] = RNG.choice([-1.0, 1.0], 10)
    assert freedom_of(few, 999) == pytest.approx(20, rel=0.2)
    assert freedom_of(np.eye(1_000)[0], 999) >= 1
    assert freedom_of(np.zeros(10), 9) == 9


def test_slopes_of_functions_are_the_delta_method():
    """The variance of a product is that of the delta method, with the shoppers they share."""
    x, y = RNG.standard_normal(500) + 5, RNG.standard_normal(500) + 3
    one, other = mean_of(x, np.arange(500)), mean_of(y, np.arange(500))
    found = combined(one.value * other.value, ((other.value, one), (one.value, other)))
    known = np.var(y.mean() * x + x.mean() * y, ddof=1) / 500
    assert found.variance == pytest.approx(known)
    assert influenced(1.0, np.zeros(5), np.arange(5)).estimate().low == 1.0
