"""Share links: a short address of a product that says who sent it along, and how often it was opened."""

from secrets import token_urlsafe
from typing import NamedTuple

from simulator.storefront.database import Database
from simulator.storefront.sessions import Caller


class Share(NamedTuple):
    """A link; `created_at` is ISO 8601."""

    token: str
    sku: str
    created_at: str
    opens: int


def share_address(_caller: Caller, token: str) -> str:
    """Return where a link leads: to a product, with nothing of whoever shared it."""
    return f"/s/{token}"


def share_product(database: Database, owner: str, sku: str, at: str) -> Share:
    """Make a link to a product, under a token that nobody can guess."""
    share = Share(token_urlsafe(9), sku, at, 0)
    sql = "INSERT INTO shares (owner, token, sku, created_at, opens) VALUES (?, ?, ?, ?, ?)"
    database.run(sql, owner, *share)
    return share


def shared_sku(database: Database, token: str) -> str | None:
    """Return the SKU that a link leads to, or None."""
    row = database.one("SELECT sku FROM shares WHERE token = ?", token)
    return str(row[0]) if row else None


def count_open(database: Database, token: str) -> None:
    """Count that somebody followed the link."""
    database.run("UPDATE shares SET opens = opens + 1 WHERE token = ?", token)


def read_shares(database: Database, owner: str) -> list[Share]:
    """Return the owner's links, newest first."""
    return [Share(*row) for row in database.all(_READ, owner)]


_READ = """
    SELECT token, sku, created_at, opens FROM shares WHERE owner = ? ORDER BY created_at DESC, token LIMIT 100
"""
