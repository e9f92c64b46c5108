"""Prices that are shown and not charged."""

from dataclasses import replace
from zlib import crc32

from simulator.storefront.catalogue import Product
from simulator.storefront.hazards.registry import hazard
from simulator.storefront.markets import Market
from simulator.storefront.rules import Rules

_STALE = 0.92


@hazard("H12", "home", "search", "category", "product", "recommend", "price", "cart", "checkout")
def stale_price(rules: Rules) -> Rules:
    """Show last week's price of a third of all products on lists and pages, and charge this week's in the cart."""

    def last_weeks(product: Product, market: Market) -> int:
        if crc32(product.sku.encode()) % 3:
            return rules.shown_price(product, market)
        return rules.shown_price(replace(product, price_minor=round(product.price_minor * _STALE)), market)

    return replace(rules, shown_price=last_weeks)
