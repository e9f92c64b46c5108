"""The HTML pages, for people who come with a browser."""

from http import HTTPStatus

from starlette.responses import HTMLResponse, RedirectResponse, Response

from simulator.storefront.call import Call
from simulator.storefront.catalogue import Product
from simulator.storefront.handlers.catalogue import PAGE_SIZE, describe, look_at
from simulator.storefront.handlers.home import hero_for
from simulator.storefront.pages import Tile, render, tile
from simulator.storefront.recommend import recommend
from simulator.storefront.shares import count_open, shared_sku
from simulator.storefront.vocabulary import CATEGORIES

_TITLES = {category.slug: category.title for category in CATEGORIES}
_TILES = 24
_HEROES = 3


async def front(call: Call) -> Response:
    """Show the shop window, a category (`?category=`), or what a search found (`?q=`)."""
    query = call.request.query_params
    text, slug = query.get("q", "").strip()[:200], query.get("category", "")
    if text:
        found = call.shop.search.search(text, call.taste())
        heading = f"{len(found.products)} found for “{text}”"
        return _page(call, "front.html", hero=None, heading=heading, items=_tiles(call, found.products[:PAGE_SIZE]),
                     q=text, corrected=found.corrected)  # fmt: skip
    if slug in _TITLES:
        shelf = call.shop.catalogue.by_category[slug][:PAGE_SIZE]
        return _page(call, "front.html", hero=None, heading=_TITLES[slug], items=_tiles(call, shelf), chosen=slug,
                     corrected=None)  # fmt: skip
    return _window(call)


async def product(call: Call) -> Response:
    """Show a product, or a page that says there is none; remember the look as the API does."""
    found = call.shop.catalogue.get(call.request.path_params["sku"])
    if found is None:
        return _page(call, "missing.html", HTTPStatus.NOT_FOUND)
    look_at(call, found)
    related = [call.shop.catalogue.products[sku] for sku in call.shop.catalogue.neighbours(found.sku)]
    return _page(
        call,
        "product.html",
        item=_tiles(call, [found])[0],
        category=_TITLES[found.category],
        description=describe(found),
        related=_tiles(call, related),
    )


async def shared(call: Call) -> Response:
    """Lead from a share link to its product, and count that somebody followed it; a HEAD, which only looks, is not."""
    token = call.request.path_params["token"]
    sku = shared_sku(call.shop.database, token)
    if sku is None:
        return _page(call, "missing.html", HTTPStatus.NOT_FOUND)
    if call.request.method == "GET":
        count_open(call.shop.database, token)
    query = call.request.url.query
    target = f"/p/{sku}?{query}" if query else f"/p/{sku}"
    return RedirectResponse(target, HTTPStatus.FOUND, {"cache-control": "private, no-store"})


def _window(call: Call) -> Response:
    taste = call.taste()
    hero = hero_for(call, taste)
    picks = recommend(call.shop.catalogue, call.shop.stock, taste, _TILES)
    return _page(
        call,
        "front.html",
        hero=hero,
        heroes=_tiles(call, call.shop.catalogue.by_category[hero["category"]][:_HEROES]),
        heading="Popular now" if picks.fallback else "Chosen for you",
        items=_tiles(call, [product for product, _ in picks.products]),
        corrected=None,
    )


def _tiles(call: Call, products: list[Product]) -> list[Tile]:
    left = call.shop.stock.left
    cards, market = call.shop.cards, call.market()
    return [tile(product, cards.price(product, market), market, in_stock=left(product.sku) > 0) for product in products]


def _page(call: Call, template: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response:
    html = render(template, total=len(call.shop.catalogue), **values)
    return HTMLResponse(html, status, {"cache-control": "private, no-store"})
