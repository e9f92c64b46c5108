"""Looking at shelves and at single products."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.catalogue import Product
from simulator.storefront.errors import not_found
from simulator.storefront.history import remember
from simulator.storefront.reading import query_whole
from simulator.storefront.trends import all_views, count_view, most_viewed
from simulator.storefront.vocabulary import CATEGORIES

PAGE_SIZE = 24
_LAST_PAGE = 10_000
_MOST_TRENDS = 50
_LONG_S, _SHORT_S = 60, 10
"""How long shelves may be cached: their names, and what stands on them."""


async def categories(call: Call) -> Response:
    """List the categories."""
    shelves = call.shop.catalogue.by_category
    listed = [{"slug": c.slug, "name": c.title, "count": len(shelves[c.slug])} for c in CATEGORIES]
    return call.shared_answer(_LONG_S, categories=listed)


async def category(call: Call) -> Response:
    """Show a page of one category, most popular first."""
    slug = call.request.path_params["slug"]
    shelf = call.shop.catalogue.by_category.get(slug)
    if shelf is None:
        raise not_found(f"category {slug[:64]!r}")
    return call.shared_answer(_SHORT_S, category=slug, **page_of(call, shelf))


async def product(call: Call) -> Response:
    """Show one product and what goes with it, and remember that this shopper looked."""
    found = call.product()
    look_at(call, found)
    catalogue, stock = call.shop.catalogue, call.shop.stock
    related = (catalogue.products[sku] for sku in catalogue.neighbours(found.sku) if stock.left(sku) > 0)
    return call.answer(product=_detail(call, found), related=call.cards(related), token=call.stamp())


def look_at(call: Call, product: Product) -> None:
    """Remember that this shopper looked, and count it among what people look at."""
    remember(call.shop.database, call.caller, "view", [product.sku])
    if call.shop.rules.counts(call.request):
        count_view(call.shop.database, product.sku)


async def trends(call: Call) -> Response:
    """List what people look at most; tests that say they are tests do not count."""
    limit = query_whole(call.request, "limit", 12, _MOST_TRENDS)
    database, products = call.shop.database, call.shop.catalogue.products
    viewed = most_viewed(database, limit)
    cards = call.cards(products[sku] for sku, _ in viewed)
    items = [card | {"views": views} for card, (_, views) in zip(cards, viewed, strict=True)]
    return call.answer(items=items, views=all_views(database))


def page_of(call: Call, products: Sequence[Product]) -> dict[str, Any]:
    """Return the fields of one page of a list: `items`, `total`, `page`, `pages`. A page past the end is empty.

    The order is kept, but what is sold out comes last.
    """
    number = query_whole(call.request, "page", 1, _LAST_PAGE)
    left = call.shop.stock.left
    shown = sorted(products, key=lambda p: left(p.sku) == 0)[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    pages = -(-len(products) // PAGE_SIZE)
    return {"items": call.cards(shown), "total": len(products), "page": number, "pages": pages}


def _detail(call: Call, product: Product) -> dict[str, Any]:
    card = call.cards([product])[0]
    return card | {
        "stock": call.shop.stock.left(product.sku),
        "brand": product.brand,
        "colour": product.colour,
        "department": product.department,
        "reviews": product.reviews,
        "description": describe(product),
    }


def describe(product: Product) -> str:
    """Return a sentence about a product."""
    return f"{product.style} {product.noun.lower()} by {product.brand}, in {product.colour.lower()}."
