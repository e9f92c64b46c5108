"""Push messages: where a shopper can be reached, and what became of what was sent."""

from typing import NamedTuple

from simulator.storefront.database import Database

KINDS = ("delivered", "opened", "dismissed")


class Receipt(NamedTuple):
    """What became of a message; `at` is when the shop was told (ISO 8601)."""

    message: str
    kind: str
    at: str


def register(database: Database, owner: str, endpoint: str, at: str) -> bool:
    """Keep an endpoint and return whether it is new."""
    sql = "INSERT OR IGNORE INTO push_endpoints (owner, endpoint, registered_at) VALUES (?, ?, ?)"
    return database.run(sql, owner, endpoint, at) > 0


def keep_receipt(database: Database, owner: str, receipt: Receipt) -> bool:
    """Keep a receipt and return whether it is new: phones tell twice, and the first time counts."""
    sql = "INSERT OR IGNORE INTO push_receipts (owner, message, kind, at) VALUES (?, ?, ?, ?)"
    return database.run(sql, owner, *receipt) > 0


def read_endpoints(database: Database, owner: str) -> list[str]:
    """Return where the owner can be reached."""
    rows = database.all("SELECT endpoint FROM push_endpoints WHERE owner = ? ORDER BY endpoint", owner)
    return [row[0] for row in rows]


def read_receipts(database: Database, owner: str) -> list[Receipt]:
    """Return the owner's receipts, the latest first."""
    return [Receipt(*row) for row in database.all(_READ, owner)]


_READ = """
    SELECT message, kind, at FROM push_receipts WHERE owner = ? ORDER BY at DESC, message, kind LIMIT 100
"""
