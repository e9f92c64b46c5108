"""The forest: heterogeneity as statsmodels has it, shrinkage that helps, groups of a run."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.forest import cochran, forest, partial_pooling, paule_mandel, pooled
from simulator.analysis.groups import FEWEST
from simulator.analysis.influence import mean_of
from simulator.analysis.runs import read_run

RNG = np.random.default_rng(9)
SPREAD = RNG.uniform(0.01, 0.2, 25)


@pytest.mark.parametrize("between", [0.0, 0.05, 0.4])
def test_heterogeneity_is_statsmodels(between):
    """Cochran's Q and the variance between groups (Paule & Mandel) are those of statsmodels."""
    meta = pytest.importorskip("statsmodels.stats.meta_analysis")
    y = -0.1 + between * RNG.standard_normal(25) + SPREAD * RNG.standard_normal(25)
    known = meta.combine_effects(y, SPREAD**2, method_re="iterated", atol=1e-6)
    assert cochran(y, SPREAD**2) == pytest.approx(known.q, rel=1e-9)
    assert paule_mandel(y, SPREAD**2) == pytest.approx(max(0.0, known.tau2), rel=1e-5, abs=1e-9)


def test_noisy_groups_are_drawn_further():
    """A group moves to the mean of all by the more, the noisier it is; and the interval gets shorter, not longer."""
    y, v = np.array([-0.3, -0.1, 0.0, -0.1, -0.12, 0.1]), np.array([1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 0.04])
    overall, shrunk = partial_pooling(y, v)
    kept = [(one.value - overall.value) / (raw - overall.value) for one, raw in zip(shrunk, y, strict=True)]
    assert kept[0] > 0.95
    assert kept[5] < 0.5
    assert shrunk[5].high - shrunk[5].low < 4 * 0.2
    assert all(one.low < one.value < one.high for one in shrunk)


def test_shrinkage_lowers_the_error():
    """Over 200 groups the drawn effects are nearer to the truth than the groups' own (by a third at least)."""
    truth, errors = -0.1 + 0.03 * RNG.standard_normal(200), RNG.uniform(0.02, 0.1, 200)
    y = truth + errors * RNG.standard_normal(200)
    _, shrunk = partial_pooling(y, errors**2)
    drawn = np.array([one.value for one in shrunk])
    assert np.sqrt(np.mean((drawn - truth) ** 2)) < 0.67 * np.sqrt(np.mean((y - truth) ** 2))


def test_two_groups_are_what_they_are():
    """Of fewer than three groups nothing is known of how much they differ."""
    _, shrunk = partial_pooling(np.array([0.0, 1.0]), np.array([0.01, 0.01]))
    assert [one.value for one in shrunk] == [0.0, 1.0]


def test_groups_of_a_run_are_those_of_its_labels(arms_folder):
    """Effects by one factor are those of the run narrowed down; groups that are too small are counted, not shown."""
    run = read_run(arms_folder)
    found = forest(run, "pages", "slower_4s", ["tier"])
    assert {row.labels["tier"] for row in found.rows} == {"low", "mid", "high"}
    for row in found.rows:
        means = []
        for arm in ("slower_4s", "control"):
            here = run.visits.labels("tier").are(row.labels["tier"]) & run.visits.labels("arm").are(arm)
            means.append(run.visits.numbers("pages")[here].mean())
        assert row.effect.value == pytest.approx(means[0] / means[1] - 1)
        assert row.shoppers >= FEWEST
    assert found.rows[0].shoppers >= found.rows[-1].shoppers
    crossed = forest(run, "pages", "slower_4s", ["tier", "network"])
    assert all(set(row.labels) == {"tier", "network"} for row in crossed.rows)
    assert len(crossed.rows) + crossed.left_out == 12
    with pytest.raises(ValueError, match="shoppers enough"):
        forest(run, "pages", "slower_4s")


def test_nothing_to_tell_is_said():
    """Groups without any spread, or none at all, raise an error that says so."""
    still = mean_of(np.ones(40), np.arange(40))
    for effects in ([], [still]):
        with pytest.raises(ValueError, match="shoppers enough"):
            pooled([{}] * len(effects), effects, "pages")
    one = mean_of(RNG.standard_normal(40), np.arange(40))
    alone = pooled([{"tier": "low"}], [one], "pages")
    assert alone.p is None
    assert alone.tau2 == 0
    assert pooled([{}, {}], [one, still], "pages").left_out == 1
