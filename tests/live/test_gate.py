"""A cap on open visits: never more at once, first come first in, and what it cost is counted to the microsecond."""

from __future__ import annotations

import gevent
import pytest

from simulator.worlds.live.gate import Gate, cost_of, no_room, room_of


class Clock:
    """Microseconds that pass when told."""

    def __init__(self):
        self.now_us = 0

    def __call__(self):
        """Return the time."""
        return self.now_us


def at(clock, now_us, do=None):
    """Let the time be this, do something, and let everybody who waits go on as far as they can."""
    clock.now_us = now_us
    if do:
        do()
    for _ in range(5):
        gevent.sleep(0)


def test_without_a_cap_everybody_goes_in():
    """No cap, no wait, no cost."""
    gate = Gate(None, Clock())
    assert [gate.enter(due) for due in range(5)] == [0] * 5
    gate.leave()
    assert gate.report(0) is None
    assert cost_of([None, None]) is None


def test_waits_are_counted_from_when_visits_were_due():
    """Of three visits due at once and one later, one at a time fits: each waits for those before it."""
    clock, held = Clock(), []
    gate = Gate(1, clock)

    def come():
        held.extend(gate.enter(due) for due in (0, 0, 0, 50_000))

    arrivals = gevent.spawn(come)
    at(clock, 0)
    assert (gate.inside, held) == (1, [0])
    for now in (100_000, 200_000, 300_000, 350_000):
        at(clock, now, gate.leave)
    arrivals.join(timeout=1)
    assert held == [0, 100_000, 200_000, 250_000]
    cost = cost_of([gate.report(0)])
    assert (cost["delayed"], cost["dropped"], cost["full_s"]) == (3, 0, 0.35)
    assert cost["waited_s"]["max"] == pytest.approx(0.25, rel=1e-3)


def test_who_comes_when_there_is_room_again_is_on_time():
    """A visit due after the queue was gone has not waited for room, however full it was before."""
    clock, held = Clock(), []
    gate = Gate(1, clock)
    arrivals = gevent.spawn(lambda: held.extend(gate.enter(due) for due in (0, 0)))
    at(clock, 0)
    at(clock, 10_000, gate.leave)
    at(clock, 20_000, gate.leave)
    arrivals.join(timeout=1)
    clock.now_us = 30_500
    assert gate.enter(30_000) == 0
    assert held == [0, 10_000]


def test_whom_the_end_finds_before_the_door_was_dropped_by_the_cap():
    """Visits that were due and never had room are the cap's, said with what to do."""
    clock = Clock()
    gate = Gate(2, clock)
    arrivals = gevent.spawn(lambda: [gate.enter(0) for _ in range(5)])
    at(clock, 1_000_000)
    arrivals.kill()
    gate.leave()
    cost = cost_of([gate.report(3)])
    assert cost["dropped"] == 3
    assert no_room(cost, 5) == (
        "max_open_visits: for 3 of 5 planned visits there was no room below 2 at once; raise it, or lower the rate"
    )


@pytest.mark.parametrize(("most", "workers"), [(10, 1), (10, 3), (7, 2), (2, 2)])
def test_workers_share_the_room(most, workers):
    """The rooms of all workers are the run's, as evenly as they can be."""
    rooms = [room_of(most, worker, workers) for worker in range(workers)]
    assert sum(rooms) == most
    assert max(rooms) - min(rooms) <= 1


def test_costs_of_workers_add_up():
    """Counts are summed, waits merged, and the longest time without room is reported."""
    reports = []
    for waits in ((10_000, 20_000), (30_000,)):
        clock = Clock()
        gate = Gate(1, clock)
        arrivals = gevent.spawn(lambda gate=gate, waits=waits: [gate.enter(0) for _ in range(1 + len(waits))])
        at(clock, 0)
        for now in waits:
            at(clock, now, gate.leave)
        at(clock, waits[-1] + 10_000, gate.leave)
        arrivals.join(timeout=1)
        reports.append(gate.report(0))
    cost = cost_of(reports)
    assert (cost["max_open_visits"], cost["delayed"], cost["full_s"]) == (2, 3, 0.04)
    assert cost["waited_s"]["p50"] == pytest.approx(0.02, rel=1e-3)
    assert room_of(None, 0, 2) is None
