"""Support: asking for help, and looking what became of it."""

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import invalid
from simulator.storefront.reading import optional_text, read_object, text
from simulator.storefront.tickets import TOPICS, Ticket, open_ticket, read_tickets


async def ask(call: Call) -> Response:
    """Open a ticket, about one of the caller's orders or a product if they name one, and say how long it will wait."""
    owner = call.owner()
    fields = await read_object(call.request)
    topic, order, sku = text(fields, "topic"), optional_text(fields, "order"), optional_text(fields, "sku")
    if topic not in TOPICS:
        raise invalid(f"topic must be one of {', '.join(TOPICS)}")
    if sku is not None:
        call.known(sku)
    ticket = open_ticket(call.shop.database, owner, topic, order, sku, call.shop.clock())
    return call.answer(HTTPStatus.CREATED, **_shown(call, ticket))


async def tickets(call: Call) -> Response:
    """List the caller's own tickets, newest first."""
    mine = read_tickets(call.shop.database, call.owner())
    return call.answer(tickets=[_shown(call, ticket) for ticket in mine])


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
