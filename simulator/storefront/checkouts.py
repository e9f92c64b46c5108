"""From cart to payment: a checkout freezes what is bought and for how much, a payment pays it once."""

from http import HTTPStatus
from secrets import token_hex
from typing import NamedTuple

from simulator.storefront.carts import Line, total_of
from simulator.storefront.database import Database
from simulator.storefront.errors import ShopError, conflict
from simulator.storefront.stock import Stock

DECLINED_CARD = "tok_declined"
"""The card that is always refused, as payment providers' test modes have one."""


class Payment(NamedTuple):
    """A payment's id, and the amount in minor units of a currency."""

    id: str
    amount: int
    currency: str


def open_checkout(database: Database, stock: Stock, owner: str, currency: str, lines: list[Line]) -> str:
    """Freeze the cart's lines and prices and return the checkout's id; 409 if empty or no longer in stock."""
    if not lines:
        raise conflict("cart_empty", "there is nothing in the cart")
    short = [line.product.sku for line in lines if line.quantity > stock.left(line.product.sku)]
    if short:
        raise conflict("out_of_stock", f"not enough left of {', '.join(short)}")
    checkout = f"chk_{token_hex(9)}"
    with database.transaction():
        database.run(
            "INSERT INTO checkouts (id, owner, currency, total) VALUES (?, ?, ?, ?)",
            checkout,
            owner,
            currency,
            total_of(lines),
        )
        database.run_many(
            "INSERT INTO checkout_lines (checkout, sku, quantity, price) VALUES (?, ?, ?, ?)",
            ((checkout, line.product.sku, line.quantity, line.price) for line in lines),
        )
    return checkout


def pay(database: Database, owner: str, checkout: str, card_token: str) -> Payment:
    """Pay the owner's checkout; paying it again is answered with the first payment.

    402 if the card is declined, which leaves the checkout to be tried again; 409 if this owner has no such checkout,
    whoever else may have one.
    """
    found = database.one("SELECT total, currency FROM checkouts WHERE id = ? AND owner = ?", checkout, owner)
    if found is None:
        raise conflict("no_checkout", "check out first")
    if card_token == DECLINED_CARD:
        raise ShopError(HTTPStatus.PAYMENT_REQUIRED, "card_declined", "the card was declined")
    database.run("INSERT OR IGNORE INTO payments (id, checkout) VALUES (?, ?)", f"pay_{token_hex(9)}", checkout)
    row = database.one("SELECT id FROM payments WHERE checkout = ?", checkout)
    assert row is not None
    return Payment(row[0], *found)
