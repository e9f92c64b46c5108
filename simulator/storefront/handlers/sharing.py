"""Sharing: making links to products, and how they did."""

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import not_found
from simulator.storefront.reading import read_object, text
from simulator.storefront.shares import Share, count_open, read_shares, share_product, shared_sku


async def share(call: Call) -> Response:
    """Make a link to a product; `GET /s/{token}` leads there."""
    owner = call.owner()
    product = call.known(text(await read_object(call.request), "sku"))
    made = share_product(call.shop.database, owner, product.sku, call.shop.clock().isoformat())
    return call.answer(HTTPStatus.CREATED, **_shown(call, made))


async def shares(call: Call) -> Response:
    """List the caller's own links, newest first, with how often each was opened."""
    mine = read_shares(call.shop.database, call.owner())
    return call.answer(shares=[_shown(call, share) for share in mine])


async def opened(call: Call) -> Response:
    """Show what was shared to whoever opens the link, at their own price, and count it; nothing says who shared it."""
    token = call.request.path_params["token"]
    sku = shared_sku(call.shop.database, token)
    if sku is None:
        raise not_found("such link")
    count_open(call.shop.database, token)
    return call.answer(share=token, product=call.cards([call.known(sku)])[0])


def _shown(call: Call, share: Share) -> dict[str, Any]:
    return {
        "share": share.token,
        "url": call.shop.rules.share_address(call.caller, share.token),
        "sku": share.sku,
        "created_at": share.created_at,
        "opens": share.opens,
    }
