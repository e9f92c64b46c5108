"""The estimators on simulated truth (T3): few trials agree with the published table of a thousand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.study.contenders import contenders
from simulator.study.drawn_trials import drawn
from simulator.study.powers import PAIRED, Plan, tried
from simulator.study.score import Said, far, score
from simulator.study.scoreboard import SEED, Task, work
from simulator.study.scoreboard_text import HEADS
from simulator.study.trials import DELAYS_S, KNOWN_EFFECT, SHOPPERS, trial

DOCS = Path(__file__).parents[2] / "docs" / "estimators.md"
TRIALS = 8
RARE = 1e-4
"""Error rate of each comparison with the table: some eighty of them go wrong once in a hundred changes of seed."""


@pytest.fixture(scope="module")
def published():
    """Return the lines of docs/estimators.md by figure and estimator, each a dictionary of its cells."""
    found = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(HEADS) and cells[0] not in ("figure", "---"):
            found[cells[0], cells[1]] = dict(zip((*HEADS[:-1], "verdict"), cells, strict=True))
    return found


@pytest.fixture(scope="module")
def block():
    """Return what was said in the first trials of the published seed."""
    return work(SEED, Plan(()), Task(0, TRIALS))[1]


def number(cell):
    """Return the first number of a cell."""
    return float(cell.split()[0])


def test_every_estimator_stands_in_the_table(published):
    """The table has a line for every estimator, and says of no good one that it fails."""
    assert {(one.name, one.how) for one in contenders()} <= published.keys()
    assert {one["verdict"] for one in published.values()} == {"holds", "naive"}


def test_few_trials_agree_with_the_table(published, block):
    """Mean error, coverage and false alarms of a few trials are what a thousand of them said, but for chance."""
    for place, one in enumerate(contenders()):
        line = published[one.name, one.how]
        found = score(block.said[place], number(line["truth"]), block.null[place] or None)
        error = number(line["RMSE"]) / TRIALS**0.5
        # A cell keeps four digits of the truth and two of the bias.
        known = number(line["bias"]), 1e-3 * abs(number(line["truth"])) + 0.05 * abs(number(line["bias"]))
        assert abs(found.bias - known[0]) < stats.norm.isf(RARE / 2) * error + known[1], line
        for share, cell in ((found.coverage, line["coverage"]), (found.alarms, line["false alarms"])):
            if cell:
                chance = stats.binomtest(round(share.value * TRIALS), TRIALS, number(cell) / 100)
                assert chance.pvalue > RARE, line


def test_naive_estimators_are_shown_to_be_off(published):
    """Finished visits only, and charts by load, cover the truth far too seldom, or see what is not there."""
    naive = {key: one for key, one in published.items() if one["verdict"] == "naive"}
    assert number(naive["wall_time to 3 min", "mean of finished visits"]["coverage"]) < 1
    assert number(naive["abandons by 60 s", "share of finished visits"]["coverage"]) < 80
    average = naive["bounce a second of load", "line by session-average wait"]
    assert number(average["coverage"]) < 20
    assert number(average["false alarms"]) > 90
    assert number(naive["pages a second of landing load", "line through control's visits"]["coverage"]) < 30


def test_good_ones_are_within_the_bar(published):
    """Coverage of all others is 93 to 97 %, of false alarms there are 5 %, as far as a thousand trials can tell."""
    for one in published.values():
        if one["verdict"] == "holds" and one["coverage"]:
            assert 92.5 <= number(one["coverage"]) <= 97.5, one
        if one["verdict"] == "holds" and one["false alarms"]:
            low = float(one["false alarms"].split("[")[1].split(",")[0])
            assert low <= 5.05, one


def test_a_trial_is_the_same_visits_in_every_arm():
    """All arms have the same visits, each shopper is assigned to one, and slower arms only take away pages."""
    found = trial(KNOWN_EFFECT, SEED, 0, 150)
    arms = [found.arm == arm for arm in range(len(DELAYS_S))]
    assert all(np.array_equal(found.shoppers[rows], found.shoppers[arms[0]]) for rows in arms)
    assert np.array_equal(found.cut_s[arms[0]], found.cut_s[arms[1]])
    assert np.array_equal(sum(found.assigned[rows].astype(int) for rows in arms), np.ones(arms[0].sum()))
    pages = [found.values["pages"][rows] for rows in arms]
    assert (pages[1] <= pages[0]).all()
    assert (pages[2] <= pages[1]).all()
    assert pages[2].sum() < pages[0].sum()
    assert (np.bincount(found.page_visit) == found.values["pages"]).all()
    assert found.ended.sum() == len(found.arm)


def test_the_null_preset_is_null():
    """When waiting does nothing, every visit has the same pages and engaged time in every arm, and waits longer."""
    found = trial("null", SEED, 0, 150)
    arms = [found.arm == arm for arm in range(len(DELAYS_S))]
    for metric in ("pages", "engaged_time", "bounce", "conversion"):
        assert np.array_equal(found.values[metric][arms[0]], found.values[metric][arms[2]])
    assert (found.values["wall_time"][arms[2]] > found.values["wall_time"][arms[0]]).all()


def test_trials_do_not_depend_on_who_makes_them():
    """A trial is the same on its own as among others: shoppers are keyed, and drawn experiments seeded by run."""
    one = work(SEED, Plan(()), Task(1, 2))[1]
    two = work(SEED, Plan(()), Task(0, 2))[1]
    assert [said[0] for said in one.said] == [said[1] for said in two.said]
    assert one.drawn[0] == two.drawn[1]
    assert len(np.unique(trial(KNOWN_EFFECT, SEED, SHOPPERS, 2 * SHOPPERS).shoppers)) == SHOPPERS


def test_a_score_is_what_was_said_against_the_truth():
    """Bias, RMSE and coverage are those of the values; alarms are claims where nothing is."""
    said = [Said(1.0, 0.0, 2.0), Said(3.0, 2.5, 3.5)]
    found = score(said, 2.0, [Said(0.1, -1.0, 1.0), Said(0.1, 0.05, 1.0), Said(np.nan, 0.0, 0.0, 0.2)])
    assert (found.bias, found.rmse, found.coverage.value) == (0.0, 1.0, 0.5)
    assert found.alarms.value == pytest.approx(1 / 3)
    assert not far(found)
    assert far(score([Said(1.0 + 0.01 * k, 0, 2) for k in range(30)], 0.0, None))
    assert score([], None, said).bias is None


def test_a_bar_that_is_missed_shows():
    """Coverage of 80 %, or alarms in a fifth of a thousand trials, do not hold; those of chance do."""
    cover = [Said(0.0, -1.0, 1.0)] * 800 + [Said(3.0, 2.0, 4.0)] * 200
    assert not score(cover, 0.0, None).holds
    assert not score([], None, cover).holds
    good = [Said(0.0, -1.0, 1.0)] * 955 + [Said(3.0, 2.0, 4.0)] * 45
    assert score(good, 0.0, good).holds


def test_drawn_experiments_know_their_truth():
    """A drawn experiment names the truth of all it says, and its null has tests and no effect."""
    found, none = drawn(SEED, 0, null=False), drawn(SEED, 0, null=True)
    assert found.truth.keys() <= found.said.keys()
    assert found.truth["knee"] == 4.0
    assert none.truth["flat"] == 8.0
    assert found.said["bend"].shows


def test_a_try_says_what_was_seen():
    """A design with far more shoppers than needed sees its effect, one with too few does not."""
    plan = Plan(((PAIRED, 2_000, 0.5), (PAIRED, 3, 0.5)))
    assert tried(SEED, 0, plan) == [True, False]
