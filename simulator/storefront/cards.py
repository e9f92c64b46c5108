"""Cards: what every list shows of a product, made once for each market."""

from collections.abc import Callable
from typing import Any, TypeAlias

from simulator.storefront.catalogue import Product
from simulator.storefront.markets import Market, full_price

Pricing: TypeAlias = Callable[[Product, Market], int]
"""Returns the price shown, in minor units."""


class Cards:
    """The shop's cards, with prices by one rule. The catalogue never changes, so neither does a card."""

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing
        self._made: dict[tuple[str, Market], dict[str, Any]] = {}

    def card(self, product: Product, market: Market) -> dict[str, Any]:
        """Return what a list shows of a product. The dict is shared: copy it before adding to it."""
        key = product.sku, market
        card = self._made.get(key)
        if card is None:
            card = self._made[key] = self._make(product, market)
        return card

    def price(self, product: Product, market: Market) -> int:
        """Return the price that is shown, in minor units."""
        return self._pricing(product, market)

    def _make(self, product: Product, market: Market) -> dict[str, Any]:
        card: dict[str, Any] = {
            "sku": product.sku,
            "name": product.name,
            "category": product.category,
            "price": self._pricing(product, market),
            "currency": market.currency,
            "rating": product.rating,
            "images": product.images,
            "url": f"/p/{product.sku}",
        }
        was = full_price(product, market)
        return card if was is None else card | {"was": was}
