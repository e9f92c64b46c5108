"""Who of an open run's arrivals was here before: their share, who they are, and that nobody is there twice.

Keys are fixed; with other seeds a test would fail by chance for one in 10,000.
"""

import numpy as np
import pytest
from scipy import stats

from simulator.journey.arms import control_arm
from simulator.journey.plan import open_starts, plan_of
from simulator.journey.returners import comes_again, who_comes

LEVEL = 1e-4
AFTER_US = 5_000_000
STARTS = open_starts([(0.0, 50.0), (200.0, 50.0)], 3)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_the_share_of_returning_visits(share):
    """From the least gap on, the share of visits by shoppers who were here before is what was asked for."""
    who = who_comes(STARTS, 3, share, AFTER_US)
    late = STARTS > 4 * AFTER_US
    returning = plan_of(STARTS, 3, control_arm(), who)
    back = np.zeros(len(who), bool)
    back[np.flatnonzero(np.isin(STARTS, returning.start_us[returning.visit > 0]))] = True
    assert stats.binomtest(int(back[late].sum()), int(late.sum()), share).pvalue > LEVEL


def test_nobody_comes_back_too_soon():
    """Between two visits' starts of a shopper lies at least the gap, and their visits are numbered in order."""
    plan = plan_of(STARTS, 3, control_arm(), who_comes(STARTS, 3, 0.8, AFTER_US))
    same = np.diff(plan.shopper) == 0
    assert np.diff(plan.start_us)[same].min() >= AFTER_US
    assert (np.diff(plan.visit)[same] == 1).all()
    assert (plan.visit[1:][~same] == 0).all()
    assert sorted(plan.start_us.tolist()) == STARTS.tolist()


def test_each_who_was_here_is_as_likely():
    """Whoever may return is chosen evenly: the ranks of those chosen among all who were here are uniform."""
    who = who_comes(STARTS, 4, 0.3, AFTER_US)
    first = {int(shopper): at for at, shopper in reversed(list(enumerate(who)))}
    ranks = []
    for at in np.flatnonzero(np.array([first[int(shopper)] for shopper in who]) < np.arange(len(who))):
        known = sum(1 for begun in first.values() if STARTS[begun] <= STARTS[at] - AFTER_US)
        if known > 500:
            ranks.append((int(who[at]) + 0.5) / known)
    assert len(ranks) > 1_000
    assert stats.kstest(ranks, "uniform").pvalue > LEVEL


def test_a_longer_run_moves_nobody():
    """Who comes first is the same however many come after: arrivals are keyed, never streamed."""
    assert who_comes(STARTS[:500], 3, 0.5, AFTER_US).tolist() == who_comes(STARTS, 3, 0.5, AFTER_US)[:500].tolist()


def test_places_of_a_closed_run_never_share_a_shopper():
    """With so many at once, no two places ever have the same visit, and a shopper's visits follow one another."""
    met = set()
    for place in range(7):
        shopper, visit = place, 0
        for _ in range(200):
            assert shopper % 7 == place
            assert (shopper, visit) not in met
            met.add((shopper, visit))
            shopper, visit = comes_again(5, 7, shopper, visit, 0.4)
    again = sum(visit > 0 for _, visit in met)
    assert stats.binomtest(again, len(met) - 7, 0.4).pvalue > LEVEL
