"""How long a request may take: one timer for many requests, since to start and stop one for each is a cost of each."""

from __future__ import annotations

from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gevent import get_hub, getcurrent

if TYPE_CHECKING:
    from gevent import Greenlet


class OutOfTime(BaseException):
    """Raised in whoever still waits when the time is over; not an `Exception`, so that nobody takes it for a fault."""


class Limit:
    """The end of one visitor's request under way.

    The timer is set anew only where it would ring too late. Rung too early, for a request that is over, it is set for
    the one under way, if any.
    """

    __slots__ = ("_rings_s", "_timer", "_until_s", "_who")

    def __init__(self) -> None:
        self._until_s = self._rings_s = inf
        self._timer: Any = None
        self._who: Greenlet | None = None

    def begin(self, now_s: float, most_s: float) -> None:
        """Let who asks now wait for `most_s` at most."""
        self._until_s = now_s + most_s
        self._who = getcurrent()
        if self._until_s < self._rings_s:
            self._set(most_s)

    def end(self) -> None:
        """Let it wait as long as it likes."""
        self._until_s = inf

    def close(self) -> None:
        """End it, and give the timer back."""
        self._until_s = self._rings_s = inf
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _set(self, left_s: float) -> None:
        if self._timer is not None:
            self._timer.close()
        # After what has come at the same moment: an answer in time is one.
        self._timer = get_hub().loop.timer(left_s, priority=-1)
        self._timer.start(self._ring, update=True)
        self._rings_s = self._until_s

    def _ring(self) -> None:
        self._rings_s = inf
        left_s = self._until_s - perf_counter()
        if left_s > 0:
            if left_s < inf:
                self._set(left_s)
            return
        self._until_s = inf
        assert self._who is not None
        self._who.throw(OutOfTime())
