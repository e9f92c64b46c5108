"""Events on their way: accepted now, stored a moment later, and only then to be counted and learned from."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from simulator.storefront.database import Database
from simulator.storefront.history import remember
from simulator.storefront.sessions import Caller
from simulator.storefront.tracking import Event, keep_events

VISIBLE_AFTER_S = 1.0
"""From `202 Accepted` until events can be read back; services that promise "within seconds" do no better (assumed)."""
MOST_WAITING = 10_000
"""Batches that may wait; past that the oldest are stored early."""
LEARNED = {"view": "view", "product": "view", "favourite": "cart", "wishlist": "cart"}
"""What an event's type adds to the history of whoever sent it; other types say nothing of taste."""

Keep: TypeAlias = Callable[[list[Event]], list[Event]]
"""Returns those events of an accepted batch that are stored: all of them."""


def keep_all(events: list[Event]) -> list[Event]:
    """Store what was accepted."""
    return events


class Batch(NamedTuple):
    """Events of one caller that are stored at `due`."""

    due: datetime
    caller: Caller
    events: list[Event]


class Intake:
    """The queue between accepting and storing. It is emptied by whoever reads, and when the shop closes."""

    def __init__(self, database: Database, keep: Keep = keep_all) -> None:
        self._database = database
        self._keep = keep
        self._waiting: deque[Batch] = deque()

    def accept(self, caller: Caller, events: list[Event], now: datetime) -> int:
        """Take a caller's events and return how many were accepted: all, or none without analytics consent."""
        if not caller.consent.analytics:
            return 0
        self._waiting.append(Batch(now + timedelta(seconds=VISIBLE_AFTER_S), caller, events))
        self.settle(now)
        return len(events)

    def settle(self, now: datetime | None = None) -> None:
        """Store what is due; everything if no time is given."""
        waiting = self._waiting
        while waiting and (now is None or waiting[0].due <= now or len(waiting) > MOST_WAITING):
            _, caller, events = waiting.popleft()
            kept = self._keep(events)
            keep_events(self._database, caller, kept)
            for event in kept:
                if event.sku is not None and event.type in LEARNED:
                    remember(self._database, caller, LEARNED[event.type], [event.sku])
