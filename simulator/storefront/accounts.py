"""Logging in: a device's session becomes a person's, and takes what it has done and holds along."""

import asyncio
from dataclasses import replace
from hashlib import scrypt
from hmac import compare_digest
from http import HTTPStatus
from secrets import token_bytes, token_hex

from simulator.storefront.carts import merge_carts
from simulator.storefront.database import Database
from simulator.storefront.errors import ShopError
from simulator.storefront.markets import MEMBERS
from simulator.storefront.sessions import STANDARD, Caller

SHOPPER_DOMAIN = "@shopper.example"
"""Emails of this domain get an account at their first login; nobody else ever does (RFC 2606 reserves `.example`)."""

ACCOUNT_PREFIX = "acct_"
"""How accounts' ids begin. No visitor may call itself so, or it could claim an account's cart."""


async def log_in(database: Database, caller: Caller, email: str, password: str) -> Caller:
    """Check the password and return the caller as that account. 401 for a wrong one or an email of anywhere else."""
    return enter(database, caller, await _account(database, email.casefold(), password))


def enter(database: Database, caller: Caller, account: str) -> Caller:
    """Return the caller as an account that was proved, holding its session's cart, history and orders.

    The session keeps its token, its consent and its variant, and gets the account's price list.
    """
    assert caller.session is not None
    assert caller.visitor is not None
    ordered = database.one("SELECT 1 FROM orders WHERE owner = ? LIMIT 1", account)
    price_list = MEMBERS if ordered else STANDARD
    with database.transaction():
        database.run(
            "UPDATE sessions SET account = ?, price_list = ? WHERE token = ?", account, price_list, caller.session
        )
        merge_carts(database, caller.visitor, account)
        for claim in _CLAIMS:
            database.run(claim, account, caller.visitor)
    return replace(caller, account=account, price_list=price_list)


# History and events keep their visitor beside the account: the device still knows what was done on it after the
# person has gone. What is owned, moves.
_CLAIMS = (
    "UPDATE history SET account = ? WHERE visitor = ? AND account IS NULL",
    "UPDATE events SET account = ? WHERE visitor = ? AND account IS NULL",
    "UPDATE checkouts SET owner = ? WHERE owner = ?",
    "UPDATE orders SET owner = ? WHERE owner = ?",
    "UPDATE loyalty SET owner = ? WHERE owner = ?",
    "UPDATE tickets SET owner = ? WHERE owner = ?",
    "UPDATE shares SET owner = ? WHERE owner = ?",
    # The account may know the endpoint, or have told of the message, already.
    "UPDATE OR REPLACE push_endpoints SET owner = ? WHERE owner = ?",
    "UPDATE OR REPLACE push_receipts SET owner = ? WHERE owner = ?",
    "UPDATE push_messages SET owner = ? WHERE owner = ?",
    "UPDATE OR REPLACE fences SET owner = ? WHERE owner = ?",
)


async def _account(database: Database, email: str, password: str) -> str:
    """Return the id of the account these credentials open, made on the spot for a shopper who is new."""
    if not email.endswith(SHOPPER_DOMAIN):
        raise _refused()
    if account_of(database, email) is None:
        await make_account(database, email, password)
    row = database.one("SELECT id, salt, digest FROM accounts WHERE email = ?", email)
    assert row is not None
    account, salt, expected = row
    if not compare_digest(await _digest(password, salt), expected):
        raise _refused()
    return str(account)


def account_of(database: Database, email: str) -> str | None:
    """Return the id of the account of an email, or None."""
    row = database.one("SELECT id FROM accounts WHERE email = ?", email)
    return str(row[0]) if row else None


async def make_account(database: Database, email: str, password: str) -> None:
    """Make an account, if nobody else was faster: then their password counts."""
    salt = token_bytes(16)
    digest = await _digest(password, salt)
    sql = "INSERT OR IGNORE INTO accounts (id, email, salt, digest) VALUES (?, ?, ?, ?)"
    database.run(sql, f"{ACCOUNT_PREFIX}{token_hex(8)}", email, salt, digest)


async def _digest(password: str, salt: bytes) -> bytes:
    """Hash a password with scrypt, off the event loop.

    n = 2**10 takes about 3 ms, where OWASP's advice for real people's passwords (n = 2**17) takes half a second: the
    shop has one core, and a crowd logging in must load the shop, not its key derivation.
    """
    return await asyncio.to_thread(scrypt, password.encode(), salt=salt, n=2**10, r=8, p=1, dklen=32)


def _refused() -> ShopError:
    return ShopError(HTTPStatus.UNAUTHORIZED, "wrong_credentials", "email or password is wrong")
