"""The plateau finder: against scikit-learn and brute force, with an honest test of whether there is a knee at all."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.binned import binned, redrawn
from simulator.analysis.plateau import _broken, bend_p, isotonic, knee

RNG = np.random.default_rng(2)


def visits(n=1_600, each=4, knee_s=4.0, after=0.0):
    """Return loads, pages and shoppers of a curve that falls by half a page a second up to the knee."""
    who = np.repeat(np.arange(n // each), each)
    load = RNG.lognormal(1.0, 0.6, n)
    fall = 0.5 * np.minimum(load, knee_s) - after * np.maximum(load - knee_s, 0.0)
    return load, 8 - fall + RNG.standard_normal(n // each)[who] + RNG.standard_normal(n), who


def test_the_isotonic_curve_is_scikit_learns():
    """Over the same bins it is scikit-learn's isotonic regression, and never turns."""
    sklearn = pytest.importorskip("sklearn.isotonic")
    load, pages, who = visits()
    found = isotonic(load, pages, who, "falling")
    bins = binned(load, pages, who, 20)
    known = sklearn.IsotonicRegression(increasing=False).fit(bins.load_s, bins.sums / bins.counts, bins.counts)
    assert np.allclose(found.value, known.predict(bins.load_s))
    assert (np.diff(found.value) <= 0).all()
    assert found.n.sum() == len(load)
    assert ((found.low <= found.value) & (found.value <= found.high)).all()
    assert np.allclose(isotonic(load, -pages, who).value, -found.value)


def test_the_knee_is_that_of_brute_force():
    """Hudson's search over all places at once finds the least squares that a fine grid finds."""
    load, pages, who = visits()
    bins = binned(load, pages, who, 100)
    x, n, y = bins.load_s, bins.counts, bins.sums / bins.counts

    def error(at):
        terms = np.column_stack([np.ones(len(x)), np.minimum(x - at, 0), np.maximum(x - at, 0)])
        beta = np.linalg.lstsq(terms * np.sqrt(n)[:, None], y * np.sqrt(n), rcond=None)[0]
        return n @ (y - terms @ beta) ** 2

    [line] = _broken(x, n[None], bins.sums[None])
    grid = np.linspace(*np.quantile(load, [0.05, 0.95]), 2_000)
    assert error(line[0]) <= min(error(at) for at in grid) + 1e-6
    found = knee(load, pages, who)
    assert found.knee_s.low < 4.0 < found.knee_s.high
    assert found.before.high < 0
    assert found.after.low < 0 < found.after.high
    assert found.bends
    assert found.at_knee == pytest.approx(6.0, abs=0.3)


def test_a_straight_line_has_no_knee():
    """Where the line goes on as it was, p is no smaller than chance makes it (false alarms are T3's to count)."""
    load, pages, who = visits(after=-0.5)
    found = knee(load, pages, who)
    assert found.p > 0.01
    assert found.bends == (found.p < 0.05)


def test_copies_of_a_visit_are_no_new_evidence():
    """Every visit four times by the same shopper leaves the test of the bend where it was."""
    load, pages, who = visits(400, each=1)
    once = bend_p(binned(load, pages, who, 30))
    often = bend_p(binned(*(np.repeat(one, 4) for one in (load, pages, who)), 30))
    assert often == pytest.approx(once, abs=0.02)


def test_loads_that_cannot_tell():
    """One load for all, or one shopper, has no knee, and says so; its isotonic curve is a mean, without warning."""
    same = np.full(50, 2.0)
    with pytest.raises(ValueError, match="five different"):
        knee(same, RNG.standard_normal(50), np.arange(50))
    load, pages, _ = visits(100)
    with pytest.raises(ValueError, match="two shoppers"):
        knee(load, pages, np.zeros(100, int))
    flat = isotonic(same, np.arange(50.0), np.arange(50))
    assert flat.value.tolist() == [24.5]
    assert np.isnan(isotonic(load, pages, np.zeros(100, int)).low).all()


def test_other_shoppers_come_with_all_they_did():
    """Redrawn rows sum to as many on average, shoppers being drawn whole; the draws are the same every time."""
    load, pages, who = visits(400)
    bins = binned(load, pages, who, 10)
    rows, _ = redrawn(bins, 200, 1)
    assert rows.sum(1).mean() == pytest.approx(400, rel=0.01)
    assert np.array_equal(rows, redrawn(bins, 200, 1)[0])
