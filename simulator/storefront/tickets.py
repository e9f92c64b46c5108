"""Support: tickets wait in one line for a few people, and the shop says how long.

Everybody takes the same time for a ticket, so tickets are done in the order in which they came: the n-th is taken up
when it arrives or when the (n - AGENTS)-th is closed, whichever is later. The wait that is promised
is exact (a G/D/c queue).
"""

from datetime import datetime
from secrets import token_hex
from typing import NamedTuple

from simulator.storefront.database import Database
from simulator.storefront.errors import not_found

TOPICS = ("delivery", "returns", "payment", "product", "account", "other")
AGENTS = 12
"""How many people answer."""
HANDLING_MS = 240_000
"""What a ticket takes one of them (assumed)."""


class Ticket(NamedTuple):
    """A question; it is taken up at `starts_ms` and closed at `closes_ms` (milliseconds since 1970)."""

    id: str
    topic: str
    order: str | None
    sku: str | None
    opened_at: str
    starts_ms: int
    closes_ms: int

    def status(self, now: datetime) -> str:
        """Return `waiting`, `answering` or `closed`."""
        now_ms = in_ms(now)
        return "waiting" if now_ms < self.starts_ms else "answering" if now_ms < self.closes_ms else "closed"

    def wait_s(self, now: datetime) -> int:
        """Return the seconds until somebody takes the ticket up, rounded up."""
        return -(-max(0, self.starts_ms - in_ms(now)) // 1_000)


def in_ms(now: datetime) -> int:
    """Return a moment as milliseconds since 1970."""
    return round(now.timestamp() * 1_000)


def open_ticket(
    database: Database, owner: str, topic: str, order: str | None, sku: str | None, now: datetime
) -> Ticket:
    """Put a ticket at the end of the line; 404 if the owner has no such order."""
    if order and database.one("SELECT 1 FROM orders WHERE id = ? AND owner = ?", order, owner) is None:
        raise not_found(f"order {order!r}")
    with database.transaction():
        ahead = database.one("SELECT closes_ms FROM tickets ORDER BY number DESC LIMIT 1 OFFSET ?", AGENTS - 1)
        starts_ms = max(in_ms(now), ahead[0] if ahead else 0)
        name, closes_ms = f"tkt_{token_hex(9)}", starts_ms + HANDLING_MS
        ticket = Ticket(name, topic, order, sku, now.isoformat(), starts_ms, closes_ms)
        database.run(_OPEN, owner, *ticket)
    return ticket


def read_tickets(database: Database, owner: str) -> list[Ticket]:
    """Return the owner's tickets, newest first."""
    return [Ticket(*row) for row in database.all(_READ, owner)]


_OPEN = """
    INSERT INTO tickets (owner, id, topic, "order", sku, opened_at, starts_ms, closes_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_READ = """
    SELECT id, topic, "order", sku, opened_at, starts_ms, closes_ms FROM tickets
    WHERE owner = ? ORDER BY number DESC LIMIT 100
"""
