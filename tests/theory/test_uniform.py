"""Keyed draws look like independent uniform numbers along every part of the key.

Each statistical test has fixed keys, so that it passes or fails once and for all; it would fail by chance for one key
in 10,000.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from simulator.journey import keys
from simulator.journey.keys import NOWHERE, PURPOSES, open_unit, state_key, uniform, uniform_pair
from simulator.model.states import STATE_NAMES

N = 20_000
LEVEL = 1e-4
HOME = np.uint64(state_key("home"))
MANY_PURPOSES = [np.uint64(code) for code in range(1, N + 1)]
ALONG = {
    "seed": lambda i: (i, 5, 0, HOME, 0, keys.NEXT),
    "shopper": lambda i: (7, i, 0, HOME, 0, keys.NEXT),
    "shopper far away": lambda i: (7, 2**40 + i, 0, HOME, 0, keys.NEXT),
    "visit": lambda i: (7, i // 2**16, i % 2**16, HOME, 0, keys.NEXT),
    "state": lambda i: (7, 5, 0, np.uint64(i), 0, keys.NEXT),
    "nth": lambda i: (7, i // 2**12, 0, HOME, i % 2**12, keys.NEXT),
    "purpose": lambda i: (7, 5, 0, HOME, 0, MANY_PURPOSES[i]),
}


def draws(along):
    """Return N draws along one part of the key."""
    return np.array([uniform(*ALONG[along](i)) for i in range(N)])


@pytest.mark.parametrize("along", ALONG)
def test_uniform_along_each_part_of_the_key(along):
    """Draws that differ in one part of the key fill (0, 1) evenly (Kolmogorov-Smirnov)."""
    assert stats.kstest(draws(along), "uniform").pvalue > LEVEL


@pytest.mark.parametrize("along", ALONG)
def test_neighbours_are_independent(along):
    """A draw says nothing about the next along any part of the key (chi-square over 12 x 12 cells)."""
    u = draws(along)
    counts = np.histogram2d(u[0::2], u[1::2], bins=12, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(counts.ravel()).pvalue > LEVEL
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < stats.norm.isf(LEVEL / 2) / math.sqrt(N)


PAIRS = [("next", "think"), ("patience", "put_off"), ("product", "cheaper"), ("arm", "persona"), ("link", "stall")]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_purposes_are_independent(one, other):
    """What is drawn for one purpose says nothing about another purpose of the same shopper, page and time."""
    a, b = (np.array([uniform(7, i, 0, HOME, 0, PURPOSES[name]) for i in range(N)]) for name in (one, other))
    counts = np.histogram2d(a, b, bins=12, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(counts.ravel()).pvalue > LEVEL


@pytest.mark.parametrize("purpose", ["link", "product"])
def test_both_of_a_pair_are_independent(purpose):
    """The two draws of one block say nothing about each other, and the first is the purpose's only draw elsewhere."""
    pairs = np.array([uniform_pair(7, i, 0, HOME, 0, PURPOSES[purpose]) for i in range(N)])
    counts = np.histogram2d(*pairs.T, bins=12, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(counts.ravel()).pvalue > LEVEL
    assert pairs[:9, 0].tolist() == [uniform(7, i, 0, HOME, 0, PURPOSES[purpose]) for i in range(9)]


def test_never_zero_or_one():
    """The ends of the range are open: a quantile function may be called with any draw."""
    none, all_ = np.uint64(0), np.uint64(2**32 - 1)
    assert 0.0 < open_unit(none, none) < 1e-15
    assert 1.0 - 1e-15 < open_unit(all_, all_) < 1.0


def test_every_part_of_the_key_counts():
    """Changing any one part changes the draw, up to the largest values that a part may have."""
    least, most = (0, 0, 0, NOWHERE, 0, keys.NEXT), (2**63 - 1, 2**48 - 1, 2**16 - 1, np.uint64(2**20 - 1), 2**12 - 1)
    seen = [uniform(*least)]
    for place, value in enumerate(most):
        seen.append(uniform(*least[:place], value, *least[place + 1 :]))
    seen.append(uniform(*least[:5], keys.THINK))
    assert len(set(seen)) == len(seen)


def test_parts_of_the_key_do_not_run_into_each_other():
    """Shopper, visit, state and nth keep their own bits: no two combinations share a draw."""
    parts = [(0, 1, 2**32, 2**47), (0, 1, 2**15), (NOWHERE, HOME), (0, 1, 2**11)]
    seen = [uniform(7, *key, keys.NEXT) for key in itertools.product(*parts)]
    assert len(set(seen)) == len(seen)


def test_states_have_keys_of_their_own():
    """No two states share a key, and none has the key that means no state."""
    found = [state_key(name) for name in STATE_NAMES]
    assert len(set(found)) == len(STATE_NAMES)
    assert int(NOWHERE) not in found
    assert all(0 < key < 2**20 for key in found)
