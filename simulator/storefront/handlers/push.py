"""Push messages: registering a phone, sending to it, telling what became of a message, reading all of it back."""

import re
from dataclasses import asdict
from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.call import Call, json_response
from simulator.storefront.errors import ShopError, forbidden, invalid, not_found
from simulator.storefront.messages import LONGEST_TTL_S, TTL_S, Letter, read_messages, release, send
from simulator.storefront.push import (
    KINDS,
    Receipt,
    endpoints_of,
    keep_receipt,
    read_receipts,
    register,
    unregister,
)
from simulator.storefront.reading import optional_text, read_object, text, whole
from simulator.storefront.subscriptions import end_subscription, fetch, subscribe
from simulator.storefront.zones import zone_named

_ENDPOINT = re.compile(r"https://[!-~]+")
"""A push resource's address (RFC 8030, section 8: HTTPS only)."""
_NAME = re.compile(r"[A-Za-z0-9._:@-]{1,128}")


async def register_endpoint(call: Call) -> Response:
    """Keep where this shopper can be reached: 201, or 200 if it was known."""
    owner = call.owner()
    fields = await read_object(call.request)
    endpoint, zone = _endpoint(text(fields, "endpoint", limit=512)), optional_text(fields, "timezone")
    _agreed(call)
    zone = zone_named(zone).key if zone else call.caller.zone
    database = call.shop.database
    new = register(database, owner, endpoint, zone, call.shop.clock().isoformat())
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    return call.answer(status, endpoint=endpoint, timezone=zone, subscription=f"/push/{subscribe(database, endpoint)}")


async def remove_endpoint(call: Call) -> Response:
    """Forget an endpoint of the caller's own."""
    owner = call.owner()
    endpoint = call.request.query_params.get("endpoint", "")
    if not unregister(call.shop.database, owner, endpoint):
        raise not_found("such endpoint of yours")
    return call.answer(endpoint=endpoint)


async def message(call: Call) -> Response:
    """Send a campaign's message to the caller's own phones, and say of each what became of it."""
    owner = call.owner()
    fields = await read_object(call.request)
    campaign = _name(text(fields, "campaign"), "campaign")
    title = optional_text(fields, "title") or campaign
    ttl_s = whole(fields, "ttl_s", 0, LONGEST_TTL_S) if "ttl_s" in fields else TTL_S
    shop = call.shop
    done = send(shop.database, owner, Letter(campaign, title, ttl_s), shop.clock(), shop.rules.manners)
    sent = sum(one.status != 0 for one in done)
    return call.answer(HTTPStatus.ACCEPTED, campaign=campaign, sent=sent, messages=[asdict(one) for one in done])


async def receipt(call: Call) -> Response:
    """Keep what became of a message: 201, or 200 if the shop had been told."""
    owner = call.owner()
    fields = await read_object(call.request)
    name, kind = _name(text(fields, "message"), "message"), text(fields, "kind")
    if kind not in KINDS:
        raise invalid(f"kind must be one of {', '.join(KINDS)}")
    _agreed(call)
    new = keep_receipt(call.shop.database, owner, Receipt(name, kind, call.shop.clock().isoformat()))
    return call.answer(HTTPStatus.CREATED if new else HTTPStatus.OK, message=name, kind=kind, stored=int(new))


async def overview(call: Call) -> Response:
    """Show the caller's own endpoints, receipts, and what was sent to them or waits for their morning."""
    owner, shop = call.owner(), call.shop
    release(shop.database, owner, shop.clock(), shop.rules.manners)
    known = endpoints_of(shop.database, owner)
    return call.answer(
        endpoints=[one.endpoint for one in known],
        phones=[one._asdict() for one in known],
        messages=read_messages(shop.database, owner),
        receipts=[one._asdict() for one in read_receipts(shop.database, owner)],
    )


async def inbox(call: Call) -> Response:
    """Hand a phone what waits for it, once (the push service's side; whoever knows the address is the phone)."""
    waiting = fetch(call.shop.database, call.request.path_params["subscription"], call.shop.clock())
    if waiting is None:
        raise ShopError(HTTPStatus.GONE, "gone", "nobody fetches messages here any more")
    return json_response({"messages": [one._asdict() for one in waiting]})


async def end(call: Call) -> Response:
    """Forget a phone, as when an app is removed: whoever sends there from now on gets a 410."""
    if not end_subscription(call.shop.database, call.request.path_params["subscription"]):
        raise not_found("such subscription")
    return Response(None, HTTPStatus.NO_CONTENT)


def _endpoint(endpoint: str) -> str:
    if not _ENDPOINT.fullmatch(endpoint):
        raise invalid("endpoint must be an https address")
    return endpoint


def _name(name: str, field: str) -> str:
    if not _NAME.fullmatch(name):
        raise invalid(f"{field} may have letters, digits and . _ : @ -")
    return name


def _agreed(call: Call) -> None:
    if not call.caller.consent.push:
        raise forbidden("no_consent", "this session has not agreed to push messages")
