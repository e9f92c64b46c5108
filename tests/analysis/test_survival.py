"""Survival curves and competing risks, digit by digit against lifelines, scipy and statsmodels; by shopper, by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.counting import process, shopper_sums, tally
from simulator.analysis.estimates import variance_of_mean
from simulator.analysis.incidence import aalen_johansen
from simulator.analysis.influence import difference, relative
from simulator.analysis.survival import kaplan_meier, median_of, restricted_mean, restricted_mean_of

NAMES = ("abandon", "exit", "convert")


def drawn(n=600, seed=3, pages=False, groups=120):
    """Return times, kinds (-1 where cut) and shoppers whose visits are alike."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, groups, n)
    rate = rng.gamma(2.0, 0.5, groups)[who]
    times, cut = rng.exponential(1 / rate), rng.exponential(2.0, n)
    if pages:
        times, cut = np.ceil(3 * times), np.ceil(3 * cut)
    kinds = np.where(times <= cut, rng.choice(3, n, p=[0.2, 0.7, 0.1]), -1)
    return np.minimum(times, cut), kinds, who


@pytest.mark.parametrize("pages", [False, True])
def test_curves_are_lifelines(pages):
    """Kaplan-Meier and its log-log interval are those of lifelines, with and without ties."""
    lifelines = pytest.importorskip("lifelines")
    times, kinds, _ = drawn(pages=pages)
    curve = kaplan_meier(times, kinds >= 0)
    known = lifelines.KaplanMeierFitter().fit(times, kinds >= 0)
    assert np.allclose(curve.times, known.survival_function_.index)
    assert np.allclose(curve.survival, known.survival_function_.iloc[:, 0], rtol=1e-12)
    inside = (curve.survival < 1) & (curve.survival > 0)
    assert inside.sum() > 5
    for bound, column in ((curve.low, 0), (curve.high, 1)):
        assert np.allclose(bound[inside], known.confidence_interval_.iloc[:, column][inside], rtol=1e-11)
    assert np.array_equal(curve.at_risk, known.event_table["at_risk"])


def test_curves_are_scipys():
    """The curve and interval are those of scipy's ecdf of censored data."""
    times, kinds, _ = drawn()
    curve = kaplan_meier(times, kinds >= 0)
    found = stats.ecdf(stats.CensoredData.right_censored(times, kinds < 0)).sf
    assert np.allclose(curve.survival[1:], found.probabilities, rtol=1e-12)
    with pytest.warns(RuntimeWarning, match="undefined"):  # where the curve is 1 or 0
        low = found.confidence_interval(method="log-log").low.probabilities
    inside = (curve.survival[1:] < 1) & (curve.survival[1:] > 0)
    assert np.allclose(curve.low[1:][inside], low[inside], rtol=1e-10)


def test_medians_are_lifelines():
    """The median and its interval are those of lifelines."""
    lifelines = pytest.importorskip("lifelines")
    times, kinds, _ = drawn()
    known = lifelines.KaplanMeierFitter().fit(times, kinds >= 0)
    bounds = lifelines.utils.median_survival_times(known.confidence_interval_).to_numpy()[0]
    found = median_of(kaplan_meier(times, kinds >= 0))
    assert (found.value, found.low, found.high) == pytest.approx((known.median_survival_time_, *bounds))


@pytest.mark.parametrize("until", [0.5, 1.7, 9.0])
def test_restricted_means_are_lifelines(until):
    """The area under the curve is that of lifelines."""
    lifelines = pytest.importorskip("lifelines")
    times, kinds, who = drawn()
    known = lifelines.KaplanMeierFitter().fit(times, kinds >= 0)
    area = lifelines.utils.restricted_mean_survival_time(known, t=until)
    assert restricted_mean(times, kinds >= 0, until, who).value == pytest.approx(area, rel=1e-10)
    assert restricted_mean_of(kaplan_meier(times, kinds >= 0), until) == pytest.approx(area, rel=1e-10)


def test_an_uncut_restricted_mean_is_a_mean():
    """Without cuts it is the mean of min(time, until), with the standard error of a mean by shopper."""
    times, _, who = drawn()
    found = restricted_mean(times, np.ones(len(times), bool), 1.3, who)
    variance, _ = variance_of_mean(np.minimum(times, 1.3), who)
    assert (found.value, found.variance) == pytest.approx((np.minimum(times, 1.3).mean(), variance), rel=1e-12)


def test_an_unclustered_restricted_mean_has_the_textbook_variance():
    """With one row a shopper the variance is, but for chance, Σ (area ahead)² d / (Y (Y − d))."""
    times, kinds, _ = drawn(4_000)
    curve = kaplan_meier(times, kinds >= 0)
    ends = np.append(curve.times[1:], curve.times[-1])
    ahead = (curve.survival * (np.minimum(ends, 2.0) - np.minimum(curve.times, 2.0)))[::-1].cumsum()[::-1]
    gone = np.bincount(np.searchsorted(curve.times, times), kinds >= 0, len(curve.times))
    stayed = np.maximum(curve.at_risk - gone, 1)
    textbook = np.sum(ahead**2 * gone / curve.at_risk / stayed)
    found = restricted_mean(times, kinds >= 0, 2.0, np.arange(len(times)))
    assert found.variance == pytest.approx(textbook, rel=0.03)


@pytest.mark.parametrize("pages", [False, True])
def test_incidences_are_lifelines(pages):
    """Aalen-Johansen's curves are those of lifelines without ties, its intervals too; with ties they sum to 1 − KM."""
    times, kinds, _ = drawn(pages=pages)
    curves = aalen_johansen(times, kinds, NAMES)
    total = sum(curve.survival for curve in curves.values())
    assert np.allclose(total, 1 - kaplan_meier(times, kinds >= 0).survival, atol=1e-12)
    if pages:
        return
    lifelines = pytest.importorskip("lifelines")
    for k, name in enumerate(NAMES):
        known = lifelines.AalenJohansenFitter().fit(times, kinds + 1, event_of_interest=k + 1)
        assert np.allclose(curves[name].survival, known.cumulative_density_.iloc[:, 0], rtol=1e-11)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bounds = known.confidence_interval_.to_numpy()
        inside = np.isfinite(bounds).all(1) & np.isfinite(curves[name].low)
        assert inside.sum() > 100
        ends = np.column_stack([curves[name].low, curves[name].high])
        assert np.allclose(np.sort(ends[inside], 1), np.sort(bounds[inside], 1), rtol=1e-8)


def test_incidences_are_statsmodels():
    """With ties the curves are those of statsmodels."""
    duration = pytest.importorskip("statsmodels.duration.survfunc")
    times, kinds, _ = drawn(pages=True)
    curves = aalen_johansen(times, kinds, NAMES)
    known = duration.CumIncidenceRight(times, kinds + 1)
    for k, name in enumerate(NAMES):
        assert np.allclose(curves[name].survival[1:], known.cinc[k], rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pages", [False, True])
def test_sums_over_shoppers_are_those_of_a_whole_table(pages, weighted):
    """The one-pass variance is what taking each shopper's rows out of the curve (the jackknife) says, within 3 %."""
    times, kinds, who = drawn(2_400, pages=pages, groups=800)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(times)) if weighted else np.ones(len(times))
    grid = np.quantile(times, [0.2, 0.5, 0.8])

    def curves(rows):
        given = times[rows], kinds[rows] >= 0, who[rows], weights[rows]
        ends = aalen_johansen(times[rows], kinds[rows], NAMES, who[rows], weights[rows])["abandon"].at(grid)
        return np.concatenate([np.log(kaplan_meier(*given).at(grid).survival), ends.survival])

    known = np.array([curves(who != one) for one in np.unique(who)])
    spread = np.sqrt((len(known) - 1) * known.var(0))
    curve = kaplan_meier(times, kinds >= 0, who, weights).at(grid)
    ends = aalen_johansen(times, kinds, NAMES, who, weights)["abandon"].at(grid)
    point = stats.t(len(known) - 1).ppf(0.975)

    def of_log(one):
        """Return the standard error of the logarithm that the log-log interval was made of."""
        log = np.log(one.survival)
        return np.log(np.log(one.low) / log) * -log / point

    assert of_log(curve) == pytest.approx(spread[:3], rel=0.03)
    assert of_log(ends) * ends.survival == pytest.approx(spread[3:], rel=0.03)


def test_sums_over_shoppers_are_exact():
    """The one-pass sums are those of the table of shoppers × times, to 10 digits."""
    times, kinds, who = drawn(300, pages=True, groups=40)
    counted = tally(times, kinds, 3)
    rng = np.random.default_rng(2)
    pairs = [(rng.standard_normal(len(times)), rng.standard_normal(len(counted.times))) for _ in range(2)]
    table = []
    for jumps, drains in pairs:
        gone = counted.place[:, None] <= np.arange(len(counted.times))
        at_risk = counted.place[:, None] >= np.arange(len(counted.times))
        rows = gone * jumps[:, None] - np.cumsum(at_risk * drains, 1)
        table.append(np.array([rows[who == one].sum(0) for one in np.unique(who)]))
    sums = shopper_sums(counted, who, *(process(counted, *pair) for pair in pairs))
    for (i, j), found in sums.items():
        assert np.allclose(found, (table[i] * table[j]).sum(0), rtol=1e-10)


def test_pairing_is_a_matter_of_shoppers():
    """The same shoppers in both arms make the paired interval; others make the unpaired one; neither is asked for."""
    rng = np.random.default_rng(5)
    who = np.arange(400)
    control = rng.exponential(10.0, 400)
    treated = np.where(rng.random(400) < 0.1, 0.5 * control, control)
    ended = np.ones(400, bool)
    one, other = (restricted_mean(times, ended, 50.0, who) for times in (control, treated))
    apart = restricted_mean(treated, ended, 50.0, who + 1_000)
    change = np.minimum(treated, 50) - np.minimum(control, 50)
    assert difference(other, one).variance == pytest.approx(change.var(ddof=1) / 400, rel=1e-9)
    assert difference(apart, one).variance == pytest.approx(one.variance + other.variance, rel=1e-12)
    assert relative(other, one).value == pytest.approx(other.value / one.value - 1)


def test_curves_of_nothing_but_one_visit():
    """A single visit has a curve and no interval, and says so with NaN; nothing raises or warns."""
    curve = kaplan_meier(np.array([4.0]), np.array([True]), np.array([7]))
    assert curve.survival.tolist() == [1.0, 0.0]
    assert np.isnan(curve.low).all()
    assert median_of(curve).value == 4.0
    assert restricted_mean(np.array([4.0]), np.array([True]), 3.0, np.array([7])).estimate().low is None
