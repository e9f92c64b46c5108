"""The four session lengths side by side, of whole runs and of runs whose end cut visits."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.incidence import aalen_johansen
from simulator.analysis.runs import read_run
from simulator.analysis.spells import CLOCKS, KINDS, lengths, spells
from simulator.analysis.visits import measure


def test_four_lengths_in_every_arm(arms_folder):
    """Every arm has wall, engaged, pages and GA time; means are those of the report, changes those of paired arms."""
    run = read_run(arms_folder)
    found = lengths(run)
    assert [one.clock for one in found] == [clock for clock in CLOCKS for _ in range(3)]
    for one in found:
        assert one.mean.value == pytest.approx(measure(run, one.clock, {"arm": one.arm}).value)
        assert one.restricted.value <= one.mean.value + 1e-9
        assert one.finished_only == pytest.approx(one.mean.value)
        assert (one.change.value is None) == (one.arm == "control")
        assert one.paired == (one.arm != "control")
    slow = {one.clock: one.change for one in found if one.arm == "slower_4s"}
    assert slow["pages"].high < 0
    assert slow["engaged_time"].value < slow["wall_time"].value


def test_a_run_without_arms_has_lengths(live_folder):
    """One arm has four lengths and nothing to be compared with."""
    found = lengths(read_run(live_folder))
    assert [one.clock for one in found] == list(CLOCKS)
    assert all(one.change.value is None for one in found)


def test_ends_are_of_three_kinds(arms_folder):
    """A visit with an order converted, one that ended while waiting abandoned, all others went."""
    run = read_run(arms_folder)
    found = spells(run, "pages", "slower_4s")
    here = run.visits.labels("arm").are("slower_4s")
    assert (found.kinds == KINDS.index("convert")).sum() == (run.visits.numbers("orders")[here] > 0).sum()
    curves = aalen_johansen(found.times, found.kinds, KINDS, found.shoppers, found.weights)
    assert sum(curve.survival[-1] for curve in curves.values()) == pytest.approx(1)


def test_cut_visits_are_stood_in_for(playing, tmp_path):
    """Of a run whose end cut visits, every clock's restricted mean is that of the whole run within its interval."""
    tables, names = playing.played(rate=(25.0, 120.0), seed=3)
    cut, going_on = playing.cut_tables(tables, 120.0)
    assert 0.1 < going_on.mean() < 0.6
    whole, part = (
        read_run(playing.write_run(tmp_path / name, tables=one, names=names))
        for name, one in (("whole", tables), ("cut", cut))
    )
    for clock in CLOCKS:
        until = 15.0 if clock == "pages" else 90.0
        known = spells(whole, clock).restricted_mean(until)
        found = spells(part, clock).restricted_mean(until)
        naive = np.minimum(spells(part, clock).times[spells(part, clock).ended], until).mean()
        assert abs(found.value - known.value) < 3 * np.sqrt(found.variance)
        assert naive < known.value
