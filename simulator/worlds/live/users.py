"""The thin layer on Locust: a user that plays visits, and the scheduler that sends them in the open model.

Importing this module imports locust, which patches sockets for the whole process.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

import locust
from locust.exception import StopUser

from simulator.page.card import OPERATIONS
from simulator.worlds.live.closed import next_after
from simulator.worlds.live.visit import Arrival

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

    from simulator.worlds.live.recorder import Stamp
    from simulator.worlds.live.run import LiveRun
    from simulator.worlds.live.transport import Reply


class Shopper(locust.User):
    """A user that plays one visit, or in a closed model one visit after another."""

    run_: ClassVar[LiveRun]
    arrivals: ClassVar[deque[Arrival]] = deque()
    closed: ClassVar[bool] = False
    """Whether Locust's own number of users rules, and not the scenario."""
    ready: ClassVar[bool] = True
    """Whether the target has answered its setup calls; nobody visits before."""
    _next: ClassVar[int] = 0

    @locust.task
    def visit(self) -> None:
        """Play the next visit of the plan; in the open model the user is gone after it."""
        if not self.ready:
            raise StopUser
        if self.closed:
            self.run_.planned += 1
            self.run_.visit(Arrival(self._new_number(), 0, 0, self.run_.now_us()))
            return
        arrival: Arrival | None = self.arrivals.popleft()
        while arrival is not None:
            self.run_.visit(arrival)
            arrival = next_after(self.run_, arrival)
        raise StopUser

    def _new_number(self) -> int:
        """Return a shopper nobody else plays: numbers interleave over workers."""
        runner = self.environment.runner
        worker = max(0, getattr(runner, "worker_index", 0))
        Shopper._next += 1
        return (Shopper._next - 1) * MOST_WORKERS + worker


MOST_WORKERS = 4_096


def listen(environment: Environment, run: LiveRun) -> None:
    """Pass every request on to Locust's own statistics and whoever else listens to its event."""
    fire: Callable[..., None] = environment.events.request.fire

    def on_request(stamp: Stamp, operation: int, reply: Reply, error: str) -> None:
        fire(
            request_type=run.page_names[stamp.state],
            name=OPERATIONS[operation],
            response_time=(reply.done_s - reply.sent_s) * 1e3,
            response_length=reply.wire_bytes,
            exception=TargetError(error) if error else None,
            context={},
            response=None,
            url=run.base_url,
        )

    run.on_request = on_request


class TargetError(Exception):
    """What went wrong with a request, for Locust's list of failures."""
