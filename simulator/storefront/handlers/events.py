"""Behaviour events from the shopper's app."""

from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import ShopError, invalid
from simulator.storefront.reading import Fields, as_object, optional_text, read_object, text, whole
from simulator.storefront.tracking import MAX_EVENTS, Event, count_events

_LATEST_MS = 2**53 - 1  # what JSON numbers carry exactly everywhere (RFC 8259, section 6)


async def track(call: Call) -> Response:
    """Accept a batch of events, all or none; say how many, and how many could be attributed. They are stored soon."""
    call.owner()
    batch = (await read_object(call.request)).get("events")
    if not isinstance(batch, list):
        raise invalid("events must be a list")
    if len(batch) > MAX_EVENTS:
        raise ShopError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_events", f"at most {MAX_EVENTS} events in a call"
        )
    events = [_event(call, as_object(each, "an event")) for each in batch]
    accepted = call.shop.intake.accept(call.caller, events, call.shop.clock())
    attributed = sum(event.attributed for event in events) if accepted else 0
    return call.answer(HTTPStatus.ACCEPTED, accepted=accepted, refused=len(events) - accepted, attributed=attributed)


async def beacon(call: Call) -> Response:
    """Take what an app sends while it closes: always 200, and events that make no sense are dropped without a word."""
    fields = await read_object(call.request)
    batch = fields.get("events")
    if call.caller.session is not None and isinstance(batch, list):
        call.shop.intake.accept(call.caller, list(_sensible(call, batch[:MAX_EVENTS])), call.shop.clock())
    return call.answer(success=True)


def _sensible(call: Call, batch: list[Any]) -> Iterator[Event]:
    for each in batch:
        with suppress(ShopError):
            yield _event(call, as_object(each, "an event"))


async def count(call: Call) -> Response:
    """Say how many events of this caller are stored, for whoever wants to check that none was lost."""
    call.owner()
    call.shop.intake.settle(call.shop.clock())
    return call.answer(count=count_events(call.shop.database, call.caller))


def _event(call: Call, fields: Fields) -> Event:
    sku, token = optional_text(fields, "sku"), optional_text(fields, "token")
    if sku is not None and call.shop.catalogue.get(sku) is None:
        raise invalid(f"there is no product {sku!r}")
    attributed = token is not None and call.shop.stamps.belongs_to(token, call.caller.visitor or "")
    return Event(text(fields, "type", limit=64), sku, whole(fields, "at_ms", 0, _LATEST_MS), attributed)
