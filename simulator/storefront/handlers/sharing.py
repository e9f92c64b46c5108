"""Sharing: making links to products, and how they did."""

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.reading import read_object, text
from simulator.storefront.shares import Share, read_shares, share_product


async def share(call: Call) -> Response:
    """Make a link to a product; `GET /s/{token}` leads there."""
    owner = call.owner()
    product = call.known(text(await read_object(call.request), "sku"))
    made = share_product(call.shop.database, owner, product.sku, call.shop.clock().isoformat())
    return call.answer(HTTPStatus.CREATED, **_shown(made))


async def shares(call: Call) -> Response:
    """List the caller's own links, newest first, with how often each was opened."""
    mine = read_shares(call.shop.database, call.owner())
    return call.answer(shares=[_shown(share) for share in mine])


def _shown(share: Share) -> dict[str, Any]:
    return {
        "share": share.token,
        "url": f"/s/{share.token}",
        "sku": share.sku,
        "created_at": share.created_at,
        "opens": share.opens,
    }
