"""Push messages: registering a phone, telling what became of a message, reading both back."""

import re
from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import forbidden, invalid
from simulator.storefront.push import KINDS, Receipt, keep_receipt, read_endpoints, read_receipts, register
from simulator.storefront.reading import read_object, text

_ENDPOINT = re.compile(r"https://[!-~]+")
"""A push resource's address (RFC 8030, section 8: HTTPS only)."""
_MESSAGE = re.compile(r"[A-Za-z0-9._:@-]{1,128}")


async def register_endpoint(call: Call) -> Response:
    """Keep where this shopper can be reached: 201, or 200 if it was known."""
    owner = call.owner()
    endpoint = text(await read_object(call.request), "endpoint", limit=512)
    if not _ENDPOINT.fullmatch(endpoint):
        raise invalid("endpoint must be an https address")
    _agreed(call)
    new = register(call.shop.database, owner, endpoint, call.shop.clock().isoformat())
    return call.answer(HTTPStatus.CREATED if new else HTTPStatus.OK, endpoint=endpoint)


async def receipt(call: Call) -> Response:
    """Keep what became of a message: 201, or 200 if the shop had been told."""
    owner = call.owner()
    fields = await read_object(call.request)
    message, kind = text(fields, "message"), text(fields, "kind")
    if not _MESSAGE.fullmatch(message):
        raise invalid("message may have letters, digits and . _ : @ -")
    if kind not in KINDS:
        raise invalid(f"kind must be one of {', '.join(KINDS)}")
    _agreed(call)
    new = keep_receipt(call.shop.database, owner, Receipt(message, kind, call.shop.clock().isoformat()))
    return call.answer(HTTPStatus.CREATED if new else HTTPStatus.OK, message=message, kind=kind, stored=int(new))


async def overview(call: Call) -> Response:
    """Show the caller's own endpoints and receipts."""
    owner, database = call.owner(), call.shop.database
    receipts = [receipt._asdict() for receipt in read_receipts(database, owner)]
    return call.answer(endpoints=read_endpoints(database, owner), receipts=receipts)


def _agreed(call: Call) -> None:
    if not call.caller.consent.push:
        raise forbidden("no_consent", "this session has not agreed to push messages")
