"""One process's share of a run, played on any of Locust's runners: the scheduler, the gauge, and what is measured.

Importing this module imports locust, which patches sockets for the whole process.
"""

from __future__ import annotations

import gc
import resource
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import gevent

from simulator.worlds.live.abort import follow
from simulator.worlds.live.schedule import let_in_the_last, send_in
from simulator.worlds.live.users import Shopper, listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent.event import Event
    from locust.env import Environment

    from simulator.journey.plan import Plan
    from simulator.worlds.live.gauge import Gauge
    from simulator.worlds.live.recorder import Chunk
    from simulator.worlds.live.run import LiveRun

CHUNK_S = 0.25
"""How often what was measured is handed on: a process that is killed takes no more than this with it."""
SWITCH_S = 0.0001
"""How long a thread that writes may keep the interpreter from the event loop, which asks for it after each of the three
system calls of a request; Python's own 5 ms are a start lag."""
YOUNG = 10_000
"""So many objects are made before it is looked which of them are garbage: nearly none is. What survives two such looks
is looked at together with everything else, which takes milliseconds for every thousand open visits."""


def play(
    run: LiveRun,
    environment: Environment,
    plan: Plan,
    gauge: Gauge,
    ended: Event,
    hand_on: Callable[[Chunk], None],
    begin: Callable[[], object] = lambda: None,
    *,
    alone: bool = False,
) -> bool:
    """Play the plan on the environment's runner, which is started; return whether it was interrupted.

    Who plays `alone` follows the thresholds that end a run; `run.breach` says which did, and then nobody interrupted.

    `hand_on` is called with each chunk but the last, which `run.recorder` still has when this returns; `begin` when the
    run's clock starts.
    """
    _allow_many_files()
    listen(environment, run)
    Shopper.run_ = run
    _be_prompt()
    run.start_clock()
    begin()
    if run.worker == 0:
        run.probing.begin()
    watchers = [gevent.spawn_later(run.scenario.spec.warmup, gauge.watch), gevent.spawn(_hand_on, run, hand_on)]
    if alone:
        watchers.append(gevent.spawn(follow, run, ended))
    scheduler = gevent.spawn(send_in, environment, run, plan)
    early = ended.wait(run.scenario.spec.duration)
    if not early:
        let_in_the_last(run, scheduler)
    gevent.killall([scheduler, *watchers])
    assert environment.runner is not None
    environment.runner.stop()
    run.probing.end()
    return bool(early and run.breach is None)


def _be_prompt() -> None:
    """Keep short what else the interpreter does than to play visits."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
    sys.setswitchinterval(SWITCH_S)
    # gevent would note for each visit where in the code it was spawned.
    gevent.config.track_greenlet_tree = False


def _allow_many_files() -> None:
    """Ask for as many open files as we may have: every open visit holds a connection."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _hand_on(run: LiveRun, hand_on: Callable[[Chunk], None]) -> None:
    """Hand on chunks until killed; one that is being handed on is finished first."""
    while True:
        gevent.sleep(CHUNK_S)
        busy = gevent.spawn(hand_on, run.recorder.take())
        try:
            busy.join()
        finally:
            busy.join()
        if busy.exception is not None:
            run.defects[f"writing: {type(busy.exception).__name__}: {busy.exception}"] += 1
