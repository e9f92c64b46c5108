"""Randomised slow-downs: slopes and instruments against statsmodels, sample ratios, equal arms."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from simulator.analysis import arms
from simulator.analysis.assignment import balance, delays_of, halves, shares_of
from simulator.analysis.influence import mean_of
from simulator.analysis.runs import read_run
from simulator.analysis.slowdown import landing_slope, slope_of, slopes, two_stage

RNG = np.random.default_rng(6)


def with_arms(folder, target, written):
    """Return a copy of a run whose scenario says this of its arms."""
    copy = shutil.copytree(folder, target)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["scenario"]["arms"] = written
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


@pytest.fixture
def slowed(arms_folder, tmp_path):
    """Return a run in control, 1 s and 4 s slower, which says so."""
    written = [{"name": f"slower_{s}s", "share": 0.3, "delay": {"all": f"{s}s"}} for s in (1, 4)]
    return with_arms(arms_folder, tmp_path / "run", written)


def test_the_slope_is_that_of_a_regression_over_visits():
    """Slope and start are those of ordinary least squares over visits; the error by shopper is statsmodels'."""
    api = pytest.importorskip("statsmodels.api")
    sizes, delays = (500, 300, 200), (0.0, 2.0, 4.0)
    values = [10 - 0.4 * delay + RNG.standard_normal(n) for n, delay in zip(sizes, delays, strict=True)]
    first = np.cumsum([0, *sizes])
    means = [(d, mean_of(v, f + np.arange(len(v)))) for d, v, f in zip(delays, values, first, strict=False)]
    found = slope_of(means)
    x = np.repeat(delays, sizes)
    known = api.OLS(np.concatenate(values), api.add_constant(x)).fit(cov_type="HC1")
    start, slope = known.params
    assert found.value == pytest.approx(slope / start)
    gradient = np.array([-slope / start**2, 1 / start])
    assert np.sqrt(found.variance) == pytest.approx(np.sqrt(gradient @ known.cov_params() @ gradient), rel=0.02)


def test_two_stages_are_statsmodels():
    """The coefficient is that of statsmodels' two-stage least squares, where the plain line is off."""
    gmm = pytest.importorskip("statsmodels.sandbox.regression.gmm")
    n = 3_000
    hidden, assigned = RNG.standard_normal(n), RNG.integers(0, 3, n) * 2.0
    realised = 2 + assigned + hidden + 0.5 * RNG.standard_normal(n)
    outcome = 5 - 0.3 * realised + 1.5 * hidden + RNG.standard_normal(n)
    found = two_stage(outcome, realised, assigned, np.arange(n))
    x, z = (np.column_stack([np.ones(n), column]) for column in (realised, assigned))
    known = gmm.IV2SLS(outcome, x, z).fit()
    assert found.value == pytest.approx(known.params[1], rel=1e-9)
    assert np.sqrt(found.variance) == pytest.approx(known.bse[1], rel=0.05)
    assert found.estimate().low < -0.3 < found.estimate().high
    assert np.polyfit(realised, outcome, 1)[0] > 0


def test_a_weak_instrument_is_refused():
    """Where the delay did not arrive, or all have the same, there is an error and no number."""
    n = 500
    assigned, realised, outcome = RNG.integers(0, 2, n) * 1.0, RNG.standard_normal(n), RNG.standard_normal(n)
    with pytest.raises(ArithmeticError, match="hardly moves"):
        two_stage(outcome, realised, assigned, np.arange(n))
    with pytest.raises(ArithmeticError, match="all were assigned the same"):
        two_stage(outcome, realised, np.ones(n), np.arange(n))


def test_a_runs_arms_have_their_delays(slowed, arms_folder):
    """Delays are the scenario's; an arm that says nothing, delays one page or pulls has none that can be told."""
    assert delays_of(read_run(slowed)) == {"control": 0.0, "slower_1s": 1.0, "slower_4s": 4.0}
    assert delays_of(read_run(arms_folder)) == {"control": 0.0, "slower_1s": None, "slower_4s": None}


@pytest.mark.parametrize(
    "arm", [{"delay": {"cart": "1s"}}, {"delay": {"all": "1s"}, "pull": {"exit": 2}}, {"delay": {"all": "soon"}}, {}]
)
def test_other_arms_have_no_delay(arms_folder, tmp_path, arm):
    """What is not one delay for all pages is none."""
    folder = with_arms(arms_folder, tmp_path / "run", [{"name": "slower_1s", **arm}])
    assert delays_of(read_run(folder))["slower_1s"] is None


def test_effects_in_percent_with_q(slowed):
    """Each effect has its delay, percent and p; q is never below p; slower arms lose pages, and more of them."""
    found = arms.effects(read_run(slowed))
    assert {one.delay_s for one in found} == {1.0, 4.0}
    assert all(one.q >= one.p for one in found if one.p is not None)
    pages = {one.delay_s: one for one in found if one.metric == "pages"}
    assert pages[4.0].percent.value < pages[1.0].percent.value < 0
    assert pages[4.0].percent.value == pytest.approx(pages[4.0].treated / pages[4.0].control - 1)


def test_slopes_of_a_run(slowed):
    """A second costs pages, by assignment and by the landing page's realised load; both are there for every metric."""
    run = read_run(slowed)
    found = {one.metric: one for one in slopes(run)}
    assert found["pages"].per_second.high < 0
    assert found["pages"].arms == 3
    by_load = landing_slope(run, "pages")
    assert by_load.per_second.value == pytest.approx(found["pages"].per_second.value, rel=0.5)


def test_runs_without_delays_have_no_slope(live_folder, arms_folder):
    """One arm, or arms that do not say their delay, give no slope and no error."""
    for folder in (live_folder, arms_folder):
        assert slopes(read_run(folder)) == []
        assert landing_slope(read_run(folder), "pages") is None


def test_a_sample_ratio_that_is_off_alarms(playing, tmp_path):
    """Shoppers who fell as meant raise no alarm; the same ones against other shares do."""
    tables, names = playing.played(rate=(40.0, 20.0), delays=(2.0,))
    folder = playing.write_run(tmp_path / "run", tables=tables, names=names)
    found = balance(read_run(folder))
    assert found.p > 0.001
    assert not found.mismatch
    assert sum(found.shoppers.values()) == len(tables["shoppers"])
    other = with_arms(folder, tmp_path / "other", [{"name": names[1], "share": 0.3}])
    assert shares_of(read_run(other)) == {"control": 0.7, names[1]: 0.3}
    assert balance(read_run(other)).mismatch


def test_pairs_and_single_arms_have_no_ratio_to_test(slowed, live_folder):
    """Where everybody is in every arm, or there is one, there is no p and no alarm."""
    assert balance(read_run(slowed)).paired
    for folder in (slowed, live_folder):
        found = balance(read_run(folder))
        assert found.p is None
        assert not found.mismatch


def test_equal_arms_are_halves_of_control(slowed, live_folder):
    """Without an arm that changes nothing control is split in two fixed halves, whose shoppers are others."""
    who = np.arange(20_000)
    assert halves(who).mean() == pytest.approx(0.5, abs=0.02)
    assert abs(np.corrcoef(halves(who)[1:], halves(who)[:-1])[0, 1]) < 0.8
    for folder in (slowed, live_folder):
        found = arms.same_arms(read_run(folder))
        assert {one.arm for one in found} == {"half"}
        assert not any(one.paired for one in found)


def test_an_arm_that_changes_nothing_is_compared(arms_folder, tmp_path):
    """An arm of no delay is the A/A arm."""
    folder = with_arms(arms_folder, tmp_path / "run", [{"name": "slower_1s", "delay": {}}])
    assert {one.arm for one in arms.same_arms(read_run(folder))} == {"slower_1s"}
