"""Orders: a payment becomes an order, once, and everything that goes with it happens in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import NamedTuple

from simulator.storefront.carts import take_out_bought
from simulator.storefront.database import Database
from simulator.storefront.errors import conflict
from simulator.storefront.history import remember
from simulator.storefront.loyalty import earn
from simulator.storefront.sessions import Caller
from simulator.storefront.stock import Stock


class Bought(NamedTuple):
    """A line of an order; `price` is that of one, in minor units."""

    sku: str
    quantity: int
    price: int


@dataclass(frozen=True, slots=True)
class Order:
    """What was bought, the total in minor units, and when (ISO 8601)."""

    id: str
    lines: list[Bought]
    total: int
    currency: str
    placed_at: str


def place_order(database: Database, stock: Stock, caller: Caller, payment: str, now: datetime) -> tuple[Order, bool]:
    """Turn a payment into an order and return it, and whether it is new: one payment buys once.

    The order, its lines, the stock, the cart, the history and the points change together or not at all. 409 if this
    caller never made that payment, or if something ran out since the checkout.
    """
    paid = database.one(_PAID, payment, caller.subject)
    if paid is None:
        raise conflict("not_paid", "pay for a checkout first")
    checkout, currency, total = paid
    lines = _lines(database, _CHECKED_OUT, checkout)
    try:
        with database.transaction():
            placed = database.one("SELECT id FROM orders WHERE payment = ?", payment)
            if placed is None:
                order = Order(f"ord_{token_hex(9)}", lines, total, currency, now.isoformat())
                _write(database, stock, caller, payment, order)
    finally:
        stock.refresh(line.sku for line in lines)
    if placed is None:
        return order, True
    return _read(database, placed[0]), False


def read_orders(database: Database, owner: str) -> list[Order]:
    """Return the owner's orders, newest first."""
    ids = database.all("SELECT id FROM orders WHERE owner = ? ORDER BY placed_at DESC, id", owner)
    return [_read(database, row[0]) for row in ids]


def find_order(database: Database, order: str) -> tuple[str, Order] | None:
    """Return (owner, order) of an order by its id, or None; whoever asks must make sure that they may know."""
    row = database.one("SELECT owner FROM orders WHERE id = ?", order)
    return (str(row[0]), _read(database, order)) if row else None


_PAID = """
    SELECT c.id, c.currency, c.total FROM payments AS p JOIN checkouts AS c ON c.id = p.checkout
    WHERE p.id = ? AND c.owner = ?
"""
_CHECKED_OUT = "SELECT sku, quantity, price FROM checkout_lines WHERE checkout = ? ORDER BY sku"
_ORDERED = 'SELECT sku, quantity, price FROM order_lines WHERE "order" = ? ORDER BY sku'


def _write(database: Database, stock: Stock, caller: Caller, payment: str, order: Order) -> None:
    assert caller.subject is not None
    quantities = [(line.sku, line.quantity) for line in order.lines]
    stock.take(quantities)
    database.run(
        "INSERT INTO orders (id, payment, owner, currency, total, placed_at) VALUES (?, ?, ?, ?, ?, ?)",
        order.id,
        payment,
        caller.subject,
        order.currency,
        order.total,
        order.placed_at,
    )
    database.run_many(
        'INSERT INTO order_lines ("order", sku, quantity, price) VALUES (?, ?, ?, ?)',
        ((order.id, *line) for line in order.lines),
    )
    take_out_bought(database, caller.subject, quantities)
    remember(database, caller, "order", (line.sku for line in order.lines))
    earn(database, caller.subject, order.id, order.currency, order.total, order.placed_at)


def _read(database: Database, order: str) -> Order:
    head = database.one("SELECT total, currency, placed_at FROM orders WHERE id = ?", order)
    assert head is not None
    lines = _lines(database, _ORDERED, order)
    return Order(order, lines, *head)


def _lines(database: Database, sql: str, key: str) -> list[Bought]:
    return [Bought(*row) for row in database.all(sql, key)]
