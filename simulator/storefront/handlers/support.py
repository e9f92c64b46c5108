"""Support: asking for help, and looking what became of it."""

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.carts import read_cart
from simulator.storefront.errors import invalid
from simulator.storefront.reading import optional_text, read_object, text
from simulator.storefront.tickets import TOPICS, Ticket, open_ticket, read_tickets


async def ask(call: Call) -> Response:
    """Open a ticket, about one of the caller's orders or a product if they name one, and say how long it will wait.

    Whoever says where they are stuck (`stuck_at`: the path of a call) is told where to go on, their cart kept.
    """
    owner = call.owner()
    fields = await read_object(call.request)
    topic, order, sku = text(fields, "topic"), optional_text(fields, "order"), optional_text(fields, "sku")
    if topic not in TOPICS:
        raise invalid(f"topic must be one of {', '.join(TOPICS)}")
    if sku is not None:
        call.known(sku)
    stuck_at = optional_text(fields, "stuck_at")
    ticket = open_ticket(call.shop.database, owner, topic, order, sku, call.shop.clock())
    resume = _resume(call, owner, stuck_at, sku)
    return call.answer(HTTPStatus.CREATED, **_shown(call, ticket), stuck_at=stuck_at, resume=resume)


async def tickets(call: Call) -> Response:
    """List the caller's own tickets, newest first."""
    mine = read_tickets(call.shop.database, call.owner())
    return call.answer(tickets=[_shown(call, ticket) for ticket in mine])


def _resume(call: Call, owner: str, stuck_at: str | None, sku: str | None) -> dict[str, Any]:
    """Return where somebody who was helped goes on, and what their cart holds."""
    lines = read_cart(call.shop.database, call.shop.catalogue, owner, call.market())
    fallback = "/api/cart" if lines else f"/api/products/{sku}" if sku else "/api/home"
    url = _GO_ON.get(stuck_at or "", fallback)
    return {"url": url, "cart": [line.product.sku for line in lines]}


_GO_ON = {
    # A finger that is not known and a card that is declined have another way round.
    "/api/auth/finish": "/api/login",
    "/api/auth/begin": "/api/login",
    "/api/login": "/api/auth/begin",
    "/api/payments": "/api/checkout",
    "/api/orders": "/api/checkout",
}


def _shown(call: Call, ticket: Ticket) -> dict[str, Any]:
    now = call.shop.clock()
    return {
        "ticket": ticket.id,
        "topic": ticket.topic,
        "order": ticket.order,
        "sku": ticket.sku,
        "opened_at": ticket.opened_at,
        "status": ticket.status(now),
        "wait_s": ticket.wait_s(now),
    }
