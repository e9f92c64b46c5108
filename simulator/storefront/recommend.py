"""What to show a shopper: from their own history, or what is popular."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

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


def recommend(
    catalogue: Catalogue, stock: Stock, taste: Taste | None, limit: int, beside: Product | None = None
) -> Picks:
    """Pick at most `limit` products, all in stock, none ever bought by this shopper, and never `beside` itself.

    With a taste the reasons are `affinity` (a category they like) and `viewed_with` (a neighbour of something they
    looked at), filled up with `popular`. Without one: neighbours of `beside`, then `popular`, the same for everybody.
    """
    unwanted = taste.bought if taste else frozenset()
    personal = _personal(catalogue, taste, beside) if taste else iter(())
    chosen: dict[str, tuple[Product, str]] = {}
    for product, reason in chain(personal, _general(catalogue, beside)):
        if len(chosen) == limit:
            break
        if product is not beside and product.sku not in unwanted and stock.left(product.sku) > 0:
            chosen.setdefault(product.sku, (product, reason))
    return Picks(list(chosen.values()), fallback=taste is None)


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
