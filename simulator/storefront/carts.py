"""The cart: a few lines that belong to a visitor or an account."""

from http import HTTPStatus
from typing import NamedTuple

from simulator.storefront.catalogue import Catalogue, Product
from simulator.storefront.database import Database
from simulator.storefront.errors import ShopError, conflict
from simulator.storefront.markets import Market, list_price
from simulator.storefront.stock import Stock

MAX_QUANTITY = 20
"""Nobody may hold more than this of one thing."""


class Line(NamedTuple):
    """A product in a cart, its quantity, and the price of one in minor units."""

    product: Product
    quantity: int
    price: int


def read_cart(database: Database, catalogue: Catalogue, owner: str, market: Market) -> list[Line]:
    """Return the owner's lines by SKU, at today's price in that market."""
    rows = database.all("SELECT sku, quantity FROM cart_lines WHERE owner = ? ORDER BY sku", owner)
    products = ((catalogue.products[sku], quantity) for sku, quantity in rows)
    return [Line(product, quantity, list_price(product, market)) for product, quantity in products]


def total_of(lines: list[Line]) -> int:
    """Return what the lines cost together, in minor units."""
    return sum(line.quantity * line.price for line in lines)


def add_to_cart(database: Database, stock: Stock, owner: str, sku: str, quantity: int) -> None:
    """Put more of a thing into the cart; 409 if the shop has fewer, or the line would grow past MAX_QUANTITY."""
    row = database.one("SELECT quantity FROM cart_lines WHERE owner = ? AND sku = ?", owner, sku)
    wanted = quantity + (row[0] if row else 0)
    if wanted > MAX_QUANTITY:
        raise conflict("quantity_limit", f"at most {MAX_QUANTITY} of one thing")
    if wanted > stock.left(sku):
        raise conflict("out_of_stock", f"not enough left of {sku}")
    database.run(
        "INSERT INTO cart_lines (owner, sku, quantity) VALUES (?, ?, ?)"
        " ON CONFLICT (owner, sku) DO UPDATE SET quantity = excluded.quantity",
        owner,
        sku,
        wanted,
    )


def remove_from_cart(database: Database, owner: str, sku: str) -> None:
    """Take a line out of the cart; 404 if it is not in there."""
    if database.run("DELETE FROM cart_lines WHERE owner = ? AND sku = ?", owner, sku) == 0:
        raise ShopError(HTTPStatus.NOT_FOUND, "not_in_cart", f"{sku} is not in the cart")


def take_out_bought(database: Database, owner: str, bought: list[tuple[str, int]]) -> None:
    """Take what was bought out of the cart, inside the caller's transaction, and leave what was added since."""
    for sku, quantity in bought:
        database.run("DELETE FROM cart_lines WHERE owner = ? AND sku = ? AND quantity <= ?", owner, sku, quantity)
        database.run("UPDATE cart_lines SET quantity = quantity - ? WHERE owner = ? AND sku = ?", quantity, owner, sku)


def merge_carts(database: Database, visitor: str, account: str) -> None:
    """Pour the visitor's cart into the account's, inside the caller's transaction; quantities add up to the limit."""
    database.run(
        "INSERT INTO cart_lines (owner, sku, quantity) SELECT ?, sku, quantity FROM cart_lines WHERE owner = ?"
        " ON CONFLICT (owner, sku) DO UPDATE SET quantity = MIN(?, quantity + excluded.quantity)",
        account,
        visitor,
        MAX_QUANTITY,
    )
    database.run("DELETE FROM cart_lines WHERE owner = ?", visitor)
