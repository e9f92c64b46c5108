"""Reading: articles for everybody, plans for members, and more for those who have earned it."""

from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import forbidden, invalid, not_found
from simulator.storefront.library import ARTICLE, EXCLUSIVE, KINDS, PLAN, Piece
from simulator.storefront.loyalty import EXCLUSIVE_PASS, entitled
from simulator.storefront.reading import query_whole

_MOST = 48


async def listing(call: Call) -> Response:
    """List what suits the caller's taste first: plans for members only, what is exclusive for whoever may.

    Who asks for what they may not see is told so.
    """
    limit, asked = query_whole(call.request, "limit", 12, _MOST), call.request.query_params.get("kind")
    if asked is not None and asked not in KINDS:
        raise invalid(f"kind must be one of {', '.join(KINDS)}")
    if asked is not None:
        _admit(call, asked)
    kinds = (asked,) if asked else _readable(call)
    taste = call.taste()
    found = call.shop.library.select(kinds, _category(call), taste.affinity if taste else {})
    items = [_card(piece) for piece in found[:limit]]
    return call.answer(items=items, total=len(found), fallback=taste is None)


async def one(call: Call) -> Response:
    """Show one piece with the products it is about, to whoever is entitled to it."""
    slug = call.request.path_params["slug"]
    piece = call.shop.library.get(slug)
    if piece is None:
        raise not_found(f"article {slug[:64]!r}")
    _admit(call, piece.kind)
    products = call.cards(call.known(sku) for sku in piece.skus)
    return call.answer(piece=_card(piece) | {"paragraphs": piece.paragraphs}, products=products)


async def entitlements(call: Call) -> Response:
    """Say what a member may read, and what would open the rest."""
    account = call.member()
    return call.answer(account=account, entitlements=list(_readable(call)), opened_by={EXCLUSIVE: EXCLUSIVE_PASS})


def _readable(call: Call) -> tuple[str, ...]:
    if call.caller.account is None:
        return (ARTICLE,)
    return KINDS if entitled(call.shop.database, call.caller.account) else (ARTICLE, PLAN)


def _admit(call: Call, kind: str) -> None:
    """Let pass who may read this kind; 403 that says what it takes."""
    if kind != ARTICLE:
        call.member()
    if kind not in _readable(call):
        raise forbidden("not_entitled", f"redeem the reward {EXCLUSIVE_PASS} first")


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
        "members_only": piece.kind != ARTICLE,
        "url": f"/api/content/{piece.slug}",
    }
