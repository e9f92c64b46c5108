"""What to show a shopper: from their own history, or what is popular."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from simulator.storefront.catalogue import Catalogue, Product
from simulator.storefront.history import Taste
from simulator.storefront.stock import Stock

# The shop's own tuning, not taken from any study: a category's ninth product counts half as much as its first, and
# a neighbour of the latest view about as much as a good product of a favourite category.
_CATEGORIES = 3
_DEPTH = 40
_HALF_RANK = 8.0
_NEIGHBOUR = 0.3


@dataclass(frozen=True, slots=True)
class Picks:
    """Products in the order to show them, each with why; `fallback` says that no history had a part in it."""

    products: list[tuple[Product, str]]
    fallback: bool


Offered: TypeAlias = Callable[[Product, Taste | None, Stock], bool]
"""Says whether a product may be recommended to somebody."""


def can_be_had(product: Product, taste: Taste | None, stock: Stock) -> bool:
    """Say whether a product is in stock and was never bought by this shopper."""
    return stock.left(product.sku) > 0 and (taste is None or product.sku not in taste.bought)


def recommend(
    catalogue: Catalogue,
    stock: Stock,
    taste: Taste | None,
    limit: int,
    beside: Product | None = None,
    offered: Offered = can_be_had,
) -> Picks:
    """Pick at most `limit` products of those that may be offered, and never `beside` itself.

    With a taste the reasons are `affinity` (a category they like) and `viewed_with` (a neighbour of something they
    looked at), filled up with `popular`. Without one: neighbours of `beside`, then `popular`, the same for everybody.
    """
    personal = _personal(catalogue, taste, beside) if taste else iter(())
    chosen: dict[str, tuple[Product, str]] = {}
    for product, reason in chain(personal, _general(catalogue, beside)):
        if len(chosen) == limit:
            break
        if product is not beside and product.sku not in chosen and offered(product, taste, stock):
            chosen[product.sku] = product, reason
    return Picks(list(chosen.values()), fallback=taste is None)


def rank(products: list[Product], taste: Taste | None) -> list[Product]:
    """Return the products by this shopper's taste, best first; without one in the order in which they came."""
    if taste is None:
        return products
    liked = taste.affinity
    return sorted(products, key=lambda product: -liked.get(product.category, 0.0))


def _personal(catalogue: Catalogue, taste: Taste, beside: Product | None) -> Iterator[tuple[Product, str]]:
    """Yield what suits the taste, best first."""
    scores: dict[str, float] = {}
    for category, share in list(taste.affinity.items())[:_CATEGORIES]:
        for rank, product in enumerate(catalogue.by_category[category][:_DEPTH]):
            scores[product.sku] = share / (1 + rank / _HALF_RANK)
    seen_with: set[str] = set()
    recent = (beside.sku, *taste.recent) if beside else taste.recent
    for age, sku in enumerate(recent):
        for neighbour in catalogue.neighbours(sku):
            scores[neighbour] = scores.get(neighbour, 0.0) + _NEIGHBOUR / (1 + age)
            seen_with.add(neighbour)
    for sku in sorted(scores, key=lambda sku: (-scores[sku], sku)):
        yield catalogue.products[sku], "viewed_with" if sku in seen_with else "affinity"


def _general(catalogue: Catalogue, beside: Product | None) -> Iterator[tuple[Product, str]]:
    """Yield what anybody may be shown, best first."""
    if beside is not None:
        yield from ((catalogue.products[sku], "viewed_with") for sku in catalogue.neighbours(beside.sku))
    yield from ((product, "popular") for product in catalogue.popular)
