"""Reading: articles for everybody, plans for members."""

from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import invalid, not_found
from simulator.storefront.library import ARTICLE, KINDS, PLAN, Piece
from simulator.storefront.reading import query_whole

_MOST = 48


async def listing(call: Call) -> Response:
    """List what suits the caller's taste first; plans for members only, who asks for them by name is told so."""
    limit, asked = query_whole(call.request, "limit", 12, _MOST), call.request.query_params.get("kind")
    if asked is not None and asked not in KINDS:
        raise invalid(f"kind must be one of {', '.join(KINDS)}")
    if asked == PLAN:
        call.member()
    kinds = (asked,) if asked else KINDS if call.caller.account else (ARTICLE,)
    taste = call.taste()
    found = call.shop.library.select(kinds, _category(call), taste.affinity if taste else {})
    items = [_card(piece) for piece in found[:limit]]
    return call.answer(items=items, total=len(found), fallback=taste is None)


async def one(call: Call) -> Response:
    """Show one piece with the products it is about; a plan is a member's."""
    slug = call.request.path_params["slug"]
    piece = call.shop.library.get(slug)
    if piece is None:
        raise not_found(f"article {slug[:64]!r}")
    if piece.kind == PLAN:
        call.member()
    products = call.cards(call.known(sku) for sku in piece.skus)
    return call.answer(piece=_card(piece) | {"paragraphs": piece.paragraphs}, products=products)


def _category(call: Call) -> str | None:
    slug = call.request.query_params.get("category")
    if slug is not None and slug not in call.shop.catalogue.by_category:
        raise not_found(f"category {slug[:64]!r}")
    return slug


def _card(piece: Piece) -> dict[str, Any]:
    return {
        "slug": piece.slug,
        "kind": piece.kind,
        "title": piece.title,
        "category": piece.category,
        "minutes": piece.minutes,
        "members_only": piece.kind == PLAN,
        "url": f"/api/content/{piece.slug}",
    }
