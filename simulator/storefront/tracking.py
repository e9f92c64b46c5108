"""Events: what the shopper's app reports, kept for whoever reported it, and only if they agreed."""

from typing import NamedTuple

from simulator.storefront.database import Database
from simulator.storefront.sessions import Caller

MAX_EVENTS = 10
"""At most this many in one call, as Amazon Personalize's PutEvents has it."""


class Event(NamedTuple):
    """One thing the app saw; `at_ms` is the device's time, `attributed` says its token was given to this visitor."""

    type: str
    sku: str | None
    at_ms: int
    attributed: bool


def keep_events(database: Database, caller: Caller, events: list[Event]) -> None:
    """Store events of a caller who agreed to it, together."""
    with database.transaction():
        database.run_many(
            "INSERT INTO events (visitor, account, type, sku, at_ms, attributed) VALUES (?, ?, ?, ?, ?, ?)",
            ((caller.visitor, caller.account, *event) for event in events),
        )


def count_events(database: Database, caller: Caller) -> int:
    """Return how many events of this subject are stored."""
    row = database.one(_COUNT_BY_ACCOUNT if caller.account else _COUNT_BY_VISITOR, caller.subject)
    return int(row[0]) if row else 0


_COUNT_BY_VISITOR = "SELECT COUNT(*) FROM events WHERE visitor = ?"
_COUNT_BY_ACCOUNT = "SELECT COUNT(*) FROM events WHERE account = ?"
