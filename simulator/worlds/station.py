"""A station of the modelled backend: servers that share one queue, in SimPy's time, whole microseconds.

The caller waits for one event, the call, whose value is the outcome. Whoever would wait longer than their patience
leaves exactly then; a call withdrawn while queueing costs the server nothing.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from simpy.events import NORMAL, Event, Timeout

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from simpy import Environment

    from simulator.worlds.backend import StationSpec

OUTCOMES = ("served", "left", "reneged", "rejected", "timed_out")
"""How a call ended: `left` while being served, `reneged` while queueing; the last two are the server's failures."""
SERVED, LEFT, RENEGED, REJECTED, TIMED_OUT = range(len(OUTCOMES))
FOREVER_US = 2**62

CALL = np.dtype([("asked_us", "i8"), ("left_queue_us", "i8"), ("free_us", "i8"), ("outcome", "i8")])
"""One call in a station's ledger. It holds a server from `left_queue_us` to `free_us`: never, where they are equal."""


class Call(Event):
    """One call at a station: an event that happens when the caller is answered or leaves; its value is the outcome.

    The caller gives up `limit_us` after `asked_us`, with `on_limit`: TIMED_OUT if the station's timeout is the limit,
    LEFT if their own patience is. `took_us` is from asking to the outcome; for LEFT, what it would have been.
    """

    took_us: int

    def __init__(self, env: Environment, service_us: int, limit_us: int, on_limit: int) -> None:
        super().__init__(env)
        self.asked_us = int(env.now)
        self.service_us = service_us
        self.limit_us = limit_us
        self.on_limit = on_limit

    def ends_in(self, delay_us: int, outcome: int) -> None:
        """Let the call happen after a delay, as SimPy's own `Timeout` does."""
        self._ok = True
        self._value = outcome
        self.env.schedule(self, NORMAL, delay_us)


class Station:
    """Servers with one queue, first come first served; `busy` servers and `waiting` calls are those of this moment."""

    def __init__(self, env: Environment, spec: StationSpec) -> None:
        self.env = env
        self.servers: float = math.inf if spec.servers is None else spec.servers
        self.queue_limit: float = math.inf if spec.queue_limit is None else spec.queue_limit
        self.timeout_us = FOREVER_US if spec.timeout is None else round(spec.timeout * 1e6)
        self.finishes = spec.on_leave == "finish"
        self.busy = 0
        self.waiting = 0
        self._queue: deque[Call] = deque()
        self._ledger = array("q")

    def call(self, service_us: int, patience_us: int = FOREVER_US) -> Call:
        """Ask for `service_us` of a server's time; the caller gives up when it is not over after `patience_us`."""
        if self.timeout_us <= patience_us:
            call = Call(self.env, service_us, self.timeout_us, TIMED_OUT)
        else:
            call = Call(self.env, service_us, patience_us, LEFT)
        if self.busy < self.servers:
            self._serve(call)
        elif self.waiting < self.queue_limit:
            self._enqueue(call)
        else:
            self._end_unserved(call, REJECTED)
        return call

    def ledger(self) -> NDArray[Any]:
        """Return the calls whose fate is known, as CALL rows, in no particular order."""
        return np.frombuffer(self._ledger.tobytes(), np.int64).view(CALL)

    def _enqueue(self, call: Call) -> None:
        self.waiting += 1
        self._queue.append(call)
        if call.limit_us < FOREVER_US:
            Timeout(self.env, call.limit_us).callbacks.append(lambda _: self._give_up(call))

    def _give_up(self, call: Call) -> None:
        """Withdraw a call if it still queues; it stays in the deque and is skipped there."""
        if not call.triggered:
            self.waiting -= 1
            self._end_unserved(call, RENEGED if call.on_limit == LEFT else TIMED_OUT)

    def _end_unserved(self, call: Call, outcome: int) -> None:
        now = int(self.env.now)
        call.took_us = now - call.asked_us
        call.ends_in(0, outcome)
        self._ledger.extend((call.asked_us, now, now, outcome))

    def _serve(self, call: Call) -> None:
        """Take a server: from here on everything about the call is known."""
        now = int(self.env.now)
        waited_us = now - call.asked_us
        held_us = stay_us = call.service_us
        call.took_us, outcome = waited_us + stay_us, SERVED
        if call.took_us > call.limit_us:
            stay_us, outcome = call.limit_us - waited_us, call.on_limit
            if outcome == TIMED_OUT:
                call.took_us = call.limit_us
        self.busy += 1
        if stay_us < held_us and self.finishes:
            Timeout(self.env, held_us).callbacks.append(self._free)
        else:
            held_us = stay_us
            # First in line, so that the server is free before the caller asks for anything else.
            call.callbacks.insert(0, self._free)
        call.ends_in(stay_us, outcome)
        self._ledger.extend((call.asked_us, now, now + held_us, outcome))

    def _free(self, _: Event) -> None:
        """Give the server to the next who is still there."""
        self.busy -= 1
        queue = self._queue
        while queue:
            call = queue.popleft()
            if not call.triggered:
                self.waiting -= 1
                self._serve(call)
                return
