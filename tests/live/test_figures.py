"""Figures of a run while it goes on add up over workers, and their percentiles are near enough to look at."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.journey.records import CAUSES, NEVER_US, ONGOING, VISIT
from simulator.worlds.live.figures import SessionFigures, add_up, percentile_s

LOADS_US = np.random.default_rng(3).lognormal(13.5, 0.8, 4_000).astype(int)


def figures(loads_us=(), visits=()):
    """Return figures of these load times and (pages, cause) visits."""
    made = SessionFigures()
    for load_us in loads_us:
        made.page(int(load_us))
    for pages, cause in visits:
        row = np.zeros(1, VISIT)
        row["pages"], row["cause"] = pages, cause
        made.visit(row[0])
    return made


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_percentiles_are_near(q):
    """A percentile of load times is within 3 % of the exact one."""
    loads = figures(LOADS_US).progress()["loads"]
    assert percentile_s(loads, q) == pytest.approx(np.quantile(LOADS_US, q) / 1e6, rel=0.03)


def test_percentiles_since_a_moment():
    """With the counts of a moment before, only later pages count; none since then have no percentile."""
    earlier = figures(LOADS_US[:2_000]).progress()["loads"]
    whole = figures([*LOADS_US[:2_000], *[9_000_000] * 100]).progress()["loads"]
    assert percentile_s(whole, 0.95, earlier) == pytest.approx(9.0, rel=0.03)
    assert percentile_s(whole, 0.95, whole) is None
    assert percentile_s([], 0.95) is None


def test_workers_add_up():
    """Two workers' figures together are those of one who did it all."""
    visits = [(1, CAUSES.index("impatient")), (4, CAUSES.index("done")), (2, ONGOING), (1, CAUSES.index("done"))]
    parts = [figures(LOADS_US[::2], visits[::2]), figures(LOADS_US[1::2], visits[1::2])]
    whole = figures(LOADS_US, visits).progress()
    together = add_up(part.progress() | {"started": 2, "open": 1} for part in parts)
    assert {name: together[name] for name in whole} == whole
    assert (together["started"], together["open"], together["requests"]) == (4, 2, 0)


def test_what_has_not_ended_is_in_no_figure():
    """A visit that the end cuts has neither pages a visit nor a bounce; a page never seen has no load time."""
    made = figures([NEVER_US], [(1, ONGOING), (1, CAUSES.index("done")), (3, CAUSES.index("budget"))]).progress()
    assert (made["ended"], made["ended_pages"], made["bounced"]) == (2, 4, 1)
    assert made["causes"] == {"done": 1, "budget": 1}
    assert made["loads"] == []
