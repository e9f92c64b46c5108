"""Positions of phones, told late and in batches, and the fences that they cross."""

from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.clock import end_of_day
from simulator.storefront.errors import forbidden, invalid
from simulator.storefront.geofence import MAX_POSITIONS, Crossing, Fix, walk_fences
from simulator.storefront.messages import Letter, send
from simulator.storefront.reading import Fields, as_object, position, read_object, whole

_LATEST_MS = 2**53 - 1


async def positions(call: Call) -> Response:
    """Take a batch of positions of somebody who agreed to it, and say which fences they crossed, in their order.

    Whoever walks into a fence is told of its offer by push message, if they agreed to those.
    """
    owner, shop = call.owner(), call.shop
    batch = (await read_object(call.request)).get("positions")
    if not isinstance(batch, list) or not 1 <= len(batch) <= MAX_POSITIONS:
        raise invalid(f"positions must be a list of 1 to {MAX_POSITIONS}")
    fixes = [_fix(as_object(each, "a position")) for each in batch]
    if not call.caller.consent.location:
        raise forbidden("no_consent", "this session has not agreed to the use of its position")
    walked = walk_fences(shop.database, shop.places, owner, fixes)
    told = _tell(call, owner, walked.crossings) if call.caller.consent.push else 0
    return call.answer(
        crossings=[_shown(crossing) for crossing in walked.crossings],
        inside=walked.inside,
        accepted=len(fixes) - walked.late,
        late=walked.late,
        told=told,
        geo_used=fixes[-1].position._asdict(),
    )


def _fix(fields: Fields) -> Fix:
    return Fix(position(fields), whole(fields, "at_ms", 0, _LATEST_MS))


def _tell(call: Call, owner: str, crossings: list[Crossing]) -> int:
    """Send the offers of the fences that were entered, and return how many messages left."""
    shop, now = call.shop, call.shop.clock()
    left_s = int((end_of_day(now) - now).total_seconds())
    entered = [crossing.store for crossing in crossings if crossing.event == "ENTER"]
    letters = [
        Letter(f"offer-{store.id}", f"{store.discount_percent} % off {store.category} at {store.name}", left_s)
        for store in entered
    ]
    done = [one for letter in letters for one in send(shop.database, owner, letter, now, shop.rules.manners)]
    return sum(one.status != 0 for one in done)


def _shown(crossing: Crossing) -> dict[str, Any]:
    store = crossing.store
    return {
        "event": crossing.event,
        "store": store.id,
        "at_ms": crossing.at_ms,
        "country": store.country,
        "fence": {"lat": store.position.lat, "lon": store.position.lon, "radius_m": store.radius_m},
    }
