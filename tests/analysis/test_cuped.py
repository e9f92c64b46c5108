"""CUPED: what it removes, against least squares of statsmodels; and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.cuped import KNOWN, Arm, arm_of, cuped, foreseen
from simulator.analysis.influence import difference
from simulator.analysis.runs import read_run

RNG = np.random.default_rng(3)


def arms(n=1_500, effect=-0.5, r=0.8):
    """Return two arms of shoppers whose outcome is known beforehand with correlation `r`."""
    before = RNG.standard_normal((2, n, 1))
    noise = RNG.standard_normal((2, n))
    values = 10 + r * before[..., 0] + np.sqrt(1 - r * r) * noise
    values[0] += effect
    who = np.arange(n)
    return Arm(values[0], before[0], who), Arm(values[1], before[1], who + n)


def test_it_removes_what_was_known():
    """The variance left is 1 − r² of what there was, and the estimate stays where it is."""
    treated, control = arms()
    found = cuped(treated, control)
    assert found.removed == pytest.approx(0.64, abs=0.04)
    assert foreseen(control) == pytest.approx(0.64, abs=0.04)
    assert found.difference.estimate().low < -0.5 < found.difference.estimate().high
    assert found.treated.value - found.control.value == pytest.approx(found.difference.value)


def test_it_is_least_squares():
    """The difference and its error are those of regression on arm and covariate, with HC3 errors."""
    api = pytest.importorskip("statsmodels.api")
    treated, control = arms(400)
    found = cuped(treated, control).difference
    x = np.concatenate([treated.before, control.before])[:, 0]
    here = np.repeat([1.0, 0.0], 400)
    known = api.OLS(np.concatenate([treated.values, control.values]), np.column_stack([np.ones(800), here, x])).fit(
        cov_type="HC3"
    )
    assert found.value == pytest.approx(known.params[1], abs=2e-3)
    assert np.sqrt(found.variance) == pytest.approx(known.bse[1], rel=0.02)


def test_pairs_have_nothing_to_gain():
    """Arms of the same shoppers have the same covariates: θ is 0, and the paired difference stays as it is."""
    treated, control = arms(300)
    same = Arm(treated.values, control.before, control.clusters)
    found = cuped(same, control)
    assert not found.theta.any()
    assert found.removed == 0
    assert found.difference.variance == pytest.approx(difference(same.mean(), control.mean()).variance)


def test_noise_removes_nothing():
    """Covariates that say nothing remove nothing on average, and never claim more than they do (30 runs)."""
    removed = []
    for _ in range(30):
        treated, control = arms(200, r=0.0)
        noise = [RNG.standard_normal((200, 10)) for _ in range(2)]
        removed.append(
            cuped(
                Arm(treated.values, noise[0], treated.clusters), Arm(control.values, noise[1], control.clusters)
            ).removed
        )
    assert abs(np.mean(removed)) < 0.03


def test_none_and_too_many_covariates():
    """Without covariates, and with one a shopper, the difference is the plain one."""
    treated, control = arms(40)
    plain = difference(treated.mean(), control.mean())
    for width in (0, 80):
        some = [np.eye(80)[k * 40 : k * 40 + 40, :width] for k in range(2)]
        found = cuped(Arm(treated.values, some[0], treated.clusters), Arm(control.values, some[1], control.clusters))
        assert found.difference.value == pytest.approx(plain.value)
        assert found.difference.variance == pytest.approx(plain.variance)


def test_a_run_knows_its_visits_beforehand(arms_folder):
    """Covariates of a run are one column a name, each visit with one of every label; they tell some of what comes."""
    run = read_run(arms_folder)
    found = arm_of(run, "engaged_time", "control")
    assert (found.before.sum(1) == len(KNOWN)).all()
    assert len(found.values) == len(found.before) == len(found.clusters)
    assert 0 <= foreseen(found) < 1
    assert len(arm_of(run, "cart_abandonment", "control").before) < len(found.before)
