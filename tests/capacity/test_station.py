"""One station, to the microsecond: who is served, who leaves when, and when the server is free again."""

from __future__ import annotations

import pytest
import simpy

from simulator.worlds.backend import StationSpec
from simulator.worlds.station import FOREVER_US, OUTCOMES, Station


def play(calls, **settings):
    """Make calls of (asked at, service, patience); return when each caller knew which outcome, and the station."""
    env = simpy.Environment()
    station = Station(env, StationSpec.model_validate({"servers": 1, **settings}))
    ends = {}

    def caller(index, at, service, patience=FOREVER_US):
        yield env.timeout(at)
        call = station.call(service, patience)
        outcome = yield call
        ends[index] = (env.now, OUTCOMES[outcome], call.took_us)

    for index, call in enumerate(calls):
        env.process(caller(index, *call))
    env.run()
    return [ends[index] for index in range(len(calls))], station


TABLE = {
    "the second waits for the first": (
        {},
        [(0, 100), (10, 50)],
        [(100, "served", 100), (150, "served", 140)],
    ),
    "two servers serve two": (
        {"servers": 2},
        [(0, 100), (10, 50), (20, 10)],
        [(100, "served", 100), (60, "served", 50), (70, "served", 50)],
    ),
    "unlimited servers never let wait": (
        {"servers": "unlimited"},
        [(0, 100), (0, 100), (0, 100)],
        [(100, "served", 100)] * 3,
    ),
    "who waits too long leaves the queue, and the next takes their place": (
        {},
        [(0, 100), (10, 50, 40), (20, 30)],
        [(100, "served", 100), (50, "reneged", 40), (130, "served", 110)],
    ),
    "patience that ends with the service is enough": (
        {},
        [(0, 100, 100)],
        [(100, "served", 100)],
    ),
    "who leaves during service knows what it would have been; the server finishes": (
        {},
        [(0, 100, 30), (10, 5)],
        [(30, "left", 100), (105, "served", 95)],
    ),
    "a server that cancels is free at once": (
        {"on_leave": "cancel"},
        [(0, 100, 30), (10, 5)],
        [(30, "left", 100), (35, "served", 25)],
    ),
    "a full queue refuses at once": (
        {"queue_limit": 1},
        [(0, 100), (10, 50), (20, 30)],
        [(100, "served", 100), (150, "served", 140), (20, "rejected", 0)],
    ),
    "who left the queue makes room in it": (
        {"queue_limit": 1},
        [(0, 100), (10, 50, 5), (20, 30)],
        [(100, "served", 100), (15, "reneged", 5), (130, "served", 110)],
    ),
    "a timeout strikes in the queue": (
        {"timeout": "60us"},
        [(0, 50), (1, 40), (2, 5)],
        [(50, "served", 50), (61, "timed_out", 60), (62, "timed_out", 60)],
    ),
    "a timeout strikes during service, and the server finishes": (
        {"timeout": "60us"},
        [(0, 100), (50, 10)],
        [(60, "timed_out", 60), (110, "served", 60)],
    ),
    "the shorter of patience and timeout counts": (
        {"timeout": "60us", "on_leave": "cancel"},
        [(0, 100, 30), (0, 100, 90), (200, 100, 60)],
        [(30, "left", 100), (60, "timed_out", 60), (260, "timed_out", 60)],
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_happens_to_calls(case):
    """Each caller knows their outcome at exactly the time in the table."""
    settings, calls, expected = TABLE[case]
    ends, station = play(calls, **settings)
    assert ends == expected
    assert (station.busy, station.waiting) == (0, 0)
    assert len(station.ledger()) == len(calls)


def test_the_ledger_tells_when_a_server_was_held():
    """Waiting ends where holding begins; a withdrawn or refused call holds nothing; unwanted work holds on."""
    _, station = play([(0, 100, 30), (10, 50, 40), (20, 30), (25, 10)], queue_limit=2)
    rows = sorted(map(tuple, station.ledger().tolist()))
    assert [(*row[:3], OUTCOMES[row[3]]) for row in rows] == [
        (0, 0, 100, "left"),
        (10, 50, 50, "reneged"),
        (20, 100, 130, "served"),
        (25, 25, 25, "rejected"),
    ]


def test_a_server_is_free_before_its_caller_asks_again():
    """A call that ends lets the next in before its caller asks for more: there is room in the queue of one for them."""
    env = simpy.Environment()
    station = Station(env, StationSpec(servers=1, queue_limit=1))
    ends = []

    def caller(name, at, count):
        yield env.timeout(at)
        for _ in range(count):
            outcome = yield station.call(100)
            ends.append((env.now, name, OUTCOMES[outcome]))

    for name, at, count in (("first", 0, 1), ("second", 50, 2), ("third", 150, 1)):
        env.process(caller(name, at, count))
    env.run()
    assert ends == [
        (100, "first", "served"),
        (200, "second", "served"),
        (300, "third", "served"),
        (400, "second", "served"),
    ]
