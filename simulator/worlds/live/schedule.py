"""When visits start: each arrival of the plan at its own microsecond, whatever the server does, if there is room.

Importing this module imports locust, which patches sockets for the whole process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent

from simulator.journey.plan import in_order
from simulator.worlds.live.limits import LAG_LIMIT_MS
from simulator.worlds.live.users import Shopper
from simulator.worlds.live.visit import Arrival

if TYPE_CHECKING:
    from locust.env import Environment

    from simulator.journey.plan import Plan
    from simulator.worlds.live.run import LiveRun

US = 1_000_000
LATE_S = LAG_LIMIT_MS / 1e3
"""How long after the end a visit that was due before it may still start."""


def send_in(environment: Environment, run: LiveRun, plan: Plan) -> None:
    """Spawn a user for each arrival when it is due and there is room; returns when the last one has been sent in."""
    runner = environment.runner
    assert runner is not None
    plan = in_order(plan)
    columns: list[list[Any]] = [column.tolist() for column in plan]
    run.planned, run.due_us = len(columns[0]), plan.start_us
    for arrival in map(Arrival, *columns):
        left_s = arrival.due_us / US - run.now_us() / US
        if left_s > 0:
            gevent.sleep(left_s)
        Shopper.arrivals.append(arrival._replace(held_us=run.gate.enter(arrival.due_us)))
        # Not `runner.spawn_users`: it writes all users there are into a message, whether anybody reads it or not, which
        # with twenty thousand open visits takes longer than the time to the next arrival.
        Shopper(environment).start(runner.user_greenlets)


def let_in_the_last(run: LiveRun, scheduler: gevent.Greenlet) -> None:
    """Start the visits that were due just before the end: one a millisecond late was not dropped."""
    with gevent.Timeout(LATE_S, False):
        scheduler.join()
        while run.begun < run.planned:
            gevent.sleep(0.001)
