"""What a thing costs whom: the currency of a country, and the price list of a segment."""

from functools import cache
from typing import NamedTuple

from simulator.storefront.catalogue import Product
from simulator.storefront.money import price_in
from simulator.storefront.sessions import STANDARD

MEMBERS = "members"
PRICE_LISTS = {STANDARD: 1.0, MEMBERS: 0.95}
"""Segments and what they pay of the base price: members are accounts that have ordered before they logged in."""


class Market(NamedTuple):
    """All that a price depends on but the product."""

    currency: str
    price_list: str


def list_price(product: Product, market: Market) -> int:
    """Return what one costs in this market, in the currency's minor units: the price that carts charge."""
    return _price(product.price_minor, market)


def full_price(product: Product, market: Market) -> int | None:
    """Return what a reduced thing cost before, or None."""
    return None if product.was_minor is None else _price(product.was_minor, market)


@cache
def _price(base_minor: int, market: Market) -> int:
    return price_in(market.currency, round(base_minor * PRICE_LISTS[market.price_list]))
