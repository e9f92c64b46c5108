"""Push messages: where a shopper can be reached, and what became of what was sent."""

from datetime import datetime, timedelta
from typing import NamedTuple

from simulator.storefront.database import Database
from simulator.storefront.subscriptions import subscribe

KINDS = ("delivered", "opened", "dismissed")


class Receipt(NamedTuple):
    """What became of a message; `at` is when the shop was told (ISO 8601)."""

    message: str
    kind: str
    at: str


class Endpoint(NamedTuple):
    """Where somebody can be reached; `zone` is the time zone they live in, `stopped_at` ISO 8601 or None."""

    endpoint: str
    zone: str
    stopped_at: str | None
    gone: bool


def register(database: Database, owner: str, endpoint: str, zone: str, at: str) -> bool:
    """Keep an endpoint and return whether it is new; whoever had opted out is in again."""
    subscribe(database, endpoint)
    sql = "INSERT OR IGNORE INTO push_endpoints (owner, endpoint, zone, registered_at) VALUES (?, ?, ?, ?)"
    if database.run(sql, owner, endpoint, zone, at) > 0:
        return True
    sql = "UPDATE push_endpoints SET stopped_at = NULL, zone = ? WHERE owner = ? AND endpoint = ?"
    database.run(sql, zone, owner, endpoint)
    return False


def opt_out(database: Database, owner: str, now: datetime, delay_s: float = 0.0) -> int:
    """Send the owner nothing more, `delay_s` from now on, and drop what is held; return how many endpoints stop."""
    at = (now + timedelta(seconds=delay_s)).isoformat()
    if not delay_s:
        database.run("DELETE FROM push_messages WHERE owner = ? AND status = 0", owner)
    sql = "UPDATE push_endpoints SET stopped_at = ? WHERE owner = ? AND stopped_at IS NULL"
    return database.run(sql, at, owner)


def unregister(database: Database, owner: str, endpoint: str) -> bool:
    """Forget an endpoint and return whether it was known."""
    return database.run("DELETE FROM push_endpoints WHERE owner = ? AND endpoint = ?", owner, endpoint) > 0


def keep_receipt(database: Database, owner: str, receipt: Receipt) -> bool:
    """Keep a receipt and return whether it is new: phones tell twice, and the first time counts."""
    sql = "INSERT OR IGNORE INTO push_receipts (owner, message, kind, at) VALUES (?, ?, ?, ?)"
    return database.run(sql, owner, *receipt) > 0


def endpoints_of(database: Database, owner: str) -> list[Endpoint]:
    """Return where the owner can be reached."""
    sql = "SELECT endpoint, zone, stopped_at, gone FROM push_endpoints WHERE owner = ? ORDER BY endpoint"
    return [Endpoint(where, zone, stop, bool(gone)) for where, zone, stop, gone in database.all(sql, owner)]


def read_receipts(database: Database, owner: str) -> list[Receipt]:
    """Return the owner's receipts, the latest first."""
    return [Receipt(*row) for row in database.all(_READ, owner)]


_READ = """
    SELECT message, kind, at FROM push_receipts WHERE owner = ? ORDER BY at DESC, message, kind LIMIT 100
"""
