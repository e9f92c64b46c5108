"""The push service that phones listen to (RFC 8030): it knows addresses and what waits at them, and no shopper.

The shop sends to it as to any other; only the wire between the two is missing.
"""

from datetime import datetime
from http import HTTPStatus
from secrets import token_hex
from typing import NamedTuple

from simulator.storefront.database import Database


class Waiting(NamedTuple):
    """A message that a phone has not fetched."""

    message: str
    title: str


def subscribe(database: Database, endpoint: str) -> str:
    """Return the id of the subscription behind an address, made if there is none."""
    sql = "INSERT OR IGNORE INTO subscriptions (id, endpoint) VALUES (?, ?)"
    database.run(sql, f"sub_{token_hex(8)}", endpoint)
    row = database.one("SELECT id FROM subscriptions WHERE endpoint = ?", endpoint)
    assert row is not None
    return str(row[0])


def end_subscription(database: Database, subscription: str) -> bool:
    """Forget the phone behind a subscription, as when an app is removed; return whether there was one."""
    database.run("DELETE FROM inbox WHERE subscription = ?", subscription)
    return database.run("UPDATE subscriptions SET gone = 1 WHERE id = ?", subscription) > 0


def deliver(database: Database, endpoint: str, waiting: Waiting, expires_at: str) -> HTTPStatus:
    """Put a message at an address: 201, or 410 if nobody will ever fetch it there (RFC 8030, 7.3)."""
    row = database.one("SELECT id, gone FROM subscriptions WHERE endpoint = ?", endpoint)
    if row is None or row[1]:
        return HTTPStatus.GONE
    sql = "INSERT INTO inbox (subscription, message, title, expires_at) VALUES (?, ?, ?, ?)"
    database.run(sql, row[0], *waiting, expires_at)
    return HTTPStatus.CREATED


def fetch(database: Database, subscription: str, now: datetime) -> list[Waiting] | None:
    """Hand over what waits and has not expired, once; None if there is no such phone."""
    row = database.one("SELECT gone FROM subscriptions WHERE id = ?", subscription)
    if row is None or row[0]:
        return None
    sql = "SELECT message, title FROM inbox WHERE subscription = ? AND expires_at > ? ORDER BY id"
    waiting = [Waiting(*found) for found in database.all(sql, subscription, now.isoformat())]
    database.run("DELETE FROM inbox WHERE subscription = ?", subscription)
    return waiting
