"""The ceiling at run time, on a virtual clock."""

from __future__ import annotations

import gevent
import pytest

from simulator.target.permission import Permission
from simulator.worlds.live.ceiling import BURST_S, Ceiling, fastest_per_s
from simulator.worlds.live.run import LiveRun
from simulator.worlds.live.visit import Arrival


class Clock:
    """A clock that stands still until it is set."""

    now_s = 1_000.0

    def __call__(self):
        """Return the time."""
        return self.now_s


def starts(asked_s, rate_per_s):
    """Return when visits begin that ask at these times, and how many were held."""
    clock = Clock()
    ceiling = Ceiling(rate_per_s, clock)
    found = []
    for at_s in asked_s:
        clock.now_s = at_s
        found.append(at_s + ceiling.wait_s())
    return found, ceiling.held


def test_no_more_begin_in_any_stretch():
    """However many ask at once, in no stretch of T seconds begin more than rate x (T + burst), plus one."""
    rate_per_s = 20.0
    found, held = starts([0.0] * 300 + [5.0] * 100 + [40.0] * 5, rate_per_s)
    found.sort()
    for first in range(0, len(found), 7):
        for last in range(first, len(found), 11):
            assert last - first <= rate_per_s * (found[last] - found[first] + BURST_S) + 1
    assert held == 400 - int(rate_per_s * BURST_S)
    assert found[-5:] == [40.0] * 5


def test_below_the_ceiling_nobody_waits():
    """Evenly spaced visits at the ceiling itself never wait, for an hour."""
    found, held = starts([number / 50 for number in range(180_000)], 50.0)
    assert held == 0
    assert found[-1] == 179_999 / 50


def test_without_a_ceiling_nobody_waits():
    """No ceiling holds nobody."""
    assert starts([0.0] * 1_000, None) == ([0.0] * 1_000, 0)


def test_the_fastest_of_a_plan(scenario):
    """The highest rate of a profile counts, not its mean."""
    steps = [{"rate": "2/s", "duration": "2s"}, {"rate": "9/s", "duration": "1s"}]
    assert fastest_per_s(scenario("hurried", arrivals={"kind": "steps", "steps": steps}, duration="3s")) == 9.0


def test_a_run_never_goes_faster(recording, play):
    """Thirty visits that all ask at once begin no faster than the ceiling lets them; who waits is counted."""
    with recording.Shop() as shop:
        run = play(shop.url, shoppers=30, max_rate="10/s", pages="instant")
    assert run.ceiling.held in {9, 10}  # they ask within 145 ms, in which one more place comes free
    assert run.lag.get_max_value() / 1e6 == pytest.approx(0.85, abs=0.3)


def test_closed_visits_that_wait_are_not_late(recording, scenario):
    """In the closed model the ceiling holds visits back, and they are due when it lets them: nobody is late for it."""
    with recording.Shop() as shop:
        closed = {"arrivals": {"kind": "closed", "shoppers": 30}, "max_rate": "10/s", "pages": "instant"}
        run = LiveRun(scenario("hurried", **closed), shop.url, "run-1")
        run.warm_up()
        run.start_clock()
        visits = [gevent.spawn(run.visit, Arrival(number, 0, 0, 0)) for number in range(30)]
        run.planned = 30
        gevent.joinall(visits, timeout=0.5)
        begun = run.begun
        gevent.killall(visits)
    assert begun >= 20
    assert run.planned == run.begun < 30  # who was still waiting was not dropped: nothing says when they were due
    assert run.lag.get_max_value() / 1e6 < 0.25


def test_workers_share_a_ceiling():
    """Four workers together may do what one may."""
    allowed = Permission(frozenset({("shop.example", 443)}), verify=False, max_rate_per_s=100.0)
    assert allowed.shared(4) == Permission(allowed.hosts, verify=False, max_rate_per_s=25.0)
    assert Permission(allowed.hosts).shared(4) == Permission(allowed.hosts)
