"""Sample sizes: against statsmodels' power of the t test, and what pairing and foreknowledge save."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.cuped import Arm
from simulator.analysis.influence import mean_of
from simulator.analysis.runs import read_run
from simulator.analysis.sample_size import need_of, needed, reach

RNG = np.random.default_rng(4)


def pilot(n=4_000):
    """Return a control arm whose outcome is known beforehand with R² 0.36."""
    before = RNG.standard_normal((n, 1))
    return Arm(10 + 0.6 * before[:, 0] + 0.8 * RNG.standard_normal(n), before, np.arange(n))


@pytest.mark.parametrize(("change", "power"), [(0.01, 0.8), (0.02, 0.9)])
def test_two_arms_are_statsmodels(change, power):
    """The shoppers of two arms are those of statsmodels for the same effect size, within 1 %."""
    stats = pytest.importorskip("statsmodels.stats.power")
    control = pilot()
    found = need_of("pages", control, [], change, power)
    effect = change * control.values.mean() / control.values.std(ddof=1)
    known = stats.TTestIndPower().solve_power(effect, alpha=0.05, power=power)
    assert found.unpaired.shoppers == pytest.approx(2 * known, rel=0.01)
    assert found.cuped.shoppers == pytest.approx(0.64 * found.unpaired.shoppers, rel=0.03)
    assert found.paired is None


def test_half_the_change_takes_four_times_the_shoppers_apart_and_twice_in_pairs():
    """Apart, sizes go as one over the square; in pairs whose losses are rare, as one over the change."""
    control = pilot()
    losses = [RNG.random(4_000) < share for share in (0.05, 0.2)]
    arms = [mean_of(control.values - 3.0 * lost, control.clusters) for lost in losses]
    one, half = (need_of("pages", control, arms, change) for change in (0.02, 0.01))
    assert half.unpaired.shoppers / one.unpaired.shoppers == pytest.approx(4, rel=0.01)
    assert half.paired.shoppers / one.paired.shoppers == pytest.approx(2, rel=0.15)
    assert one.paired.shoppers < one.unpaired.shoppers / 8


def test_a_size_sees_what_it_was_asked_to():
    """With the pairs asked for, losses at this rate are seen in 80 % of tries or a little more (2,000 tries)."""
    control = pilot(40_000)
    arm = mean_of(control.values - 3.0 * (RNG.random(40_000) < 0.05), control.clusters)
    n = need_of("pages", control, [arm], 0.015).paired.shoppers
    lost = 3.0 * (RNG.random((2_000, n)) < 0.05)
    t = lost.mean(1) / np.maximum(lost.std(1, ddof=1), 1e-9) * np.sqrt(n)
    assert 0.78 < np.mean(t > 1.97) < 0.92


def test_a_run_is_a_pilot(arms_folder, live_folder):
    """Every compared metric has its sizes; pairs where the run has them, and far fewer; a live run has none."""
    found = {one.metric: one for one in needed(read_run(arms_folder), 0.05)}
    assert found["pages"].paired.shoppers < found["pages"].unpaired.shoppers / 3
    assert found["pages"].cuped.shoppers <= found["pages"].unpaired.shoppers * 1.05
    assert all(one.paired is None for one in needed(read_run(live_folder), 0.05))


def test_what_does_not_vary_takes_no_size():
    """A figure that is the same for everybody, or 0, has no sample size."""
    flat = Arm(np.ones(50), np.zeros((50, 0)), np.arange(50))
    assert need_of("pages", flat, [], 0.01) is None
    assert need_of("pages", Arm(np.zeros(50), np.zeros((50, 0)), np.arange(50)), [], 0.01) is None
    assert reach(0.8) == pytest.approx(2.8016, abs=1e-3)
