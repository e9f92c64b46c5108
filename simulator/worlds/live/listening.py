"""Who wants to know what happens in a live run, while it happens: web page, exporters, samples.

Nothing here waits, and nothing that a listener does may: it runs between two requests of a visit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from simulator.scenario.load import Scenario
    from simulator.target.permission import Permission
    from simulator.target.request import Request
    from simulator.worlds.live.recorder import Stamp
    from simulator.worlds.live.transport import Reply
    from simulator.worlds.live.walk import Walk


class Exchange(NamedTuple):
    """One request with its answer; `error` is "" for a good one, times are microseconds of the run."""

    stamp: Stamp
    operation: int
    placement: int
    due_us: int
    sent_us: int
    done_us: int
    request: Request
    reply: Reply
    error: str


class Listener:
    """Hears of a run; each kind of listener overrides what it wants to hear."""

    def started(self, lag_us: int) -> None:
        """Hear that a visit has started, so long after it was due."""

    def asked(self, exchange: Exchange) -> None:
        """Hear of a request."""

    def shown(self, walk: Walk) -> None:
        """Hear of a page that a shopper has seen or given up; `walk.event` is its row."""

    def ended(self, walk: Walk) -> None:
        """Hear that a visit is over, or cut by the end of the run; `walk.visit` is its row."""

    def each_second(self, second: int) -> None:
        """Hear that so many seconds of the run are over."""

    def close(self) -> None:
        """Hear that the run is over."""


class Watched(Protocol):
    """A run that one may listen to: that of this process, or of all workers together; a master's own tells little."""

    scenario: Scenario
    base_url: str
    run_id: str
    permission: Permission
    listeners: list[Listener]

    def now_us(self) -> int:
        """Return microseconds since the run's start."""
