"""Behaviour events from the shopper's app."""

from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import ShopError, invalid
from simulator.storefront.reading import Fields, as_object, optional_text, read_object, text, whole
from simulator.storefront.tracking import MAX_EVENTS, Event, count_events, keep_events

_LATEST_MS = 2**53 - 1  # what JSON numbers carry exactly everywhere (RFC 8259, section 6)


async def track(call: Call) -> Response:
    """Keep a batch of events, all or none, and say how many were kept and how many could be attributed."""
    call.owner()
    batch = (await read_object(call.request)).get("events")
    if not isinstance(batch, list):
        raise invalid("events must be a list")
    if len(batch) > MAX_EVENTS:
        raise ShopError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_events", f"at most {MAX_EVENTS} events in a call"
        )
    events = [_event(call, as_object(each, "an event")) for each in batch]
    kept = keep_events(call.shop.database, call.caller, events)
    attributed = sum(event.attributed for event in events) if kept else 0
    return call.answer(HTTPStatus.ACCEPTED, accepted=kept, refused=len(events) - kept, attributed=attributed)


async def count(call: Call) -> Response:
    """Say how many events of this caller are stored, for whoever wants to check that none was lost."""
    call.owner()
    return call.answer(count=count_events(call.shop.database, call.caller))


def _event(call: Call, fields: Fields) -> Event:
    sku, token = optional_text(fields, "sku"), optional_text(fields, "token")
    if sku is not None and call.shop.catalogue.get(sku) is None:
        raise invalid(f"there is no product {sku!r}")
    attributed = token is not None and call.shop.stamps.belongs_to(token, call.caller.visitor or "")
    return Event(text(fields, "type", limit=64), sku, whole(fields, "at_ms", 0, _LATEST_MS), attributed)
