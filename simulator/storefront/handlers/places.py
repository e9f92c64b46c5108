"""Where you are: offers whose fence you stand in, and the stores around."""

from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.clock import end_of_day
from simulator.storefront.places import Position, Store
from simulator.storefront.reading import query_whole

_MAX_STORES = 50


async def offers(call: Call) -> Response:
    """List the deals of the caller's country, and the offers at their position if they agreed to its use."""
    position = call.position()
    return call.answer(
        offers=offers_at(call, position), deals=deals_for(call), geo_used=position._asdict() if position else None
    )


async def stores(call: Call) -> Response:
    """List the stores nearest to the caller's position; none without a position or the consent to use it."""
    limit = query_whole(call.request, "limit", 5, _MAX_STORES)
    position = call.position()
    near = call.shop.places.nearest(position, limit) if position else []
    shown = [_store(store) | {"distance_m": round(distance)} for distance, store in near]
    return call.answer(stores=shown, geo_used=position._asdict() if position else None)


def offers_at(call: Call, position: Position | None) -> list[dict[str, Any]]:
    """Return the offers at a position, nearest first, each with its fence."""
    if position is None:
        return []
    expires = end_of_day(call.shop.clock()).isoformat()
    return [
        _offer(store) | {"distance_m": round(distance), "expires": expires}
        for distance, store in call.shop.rules.fences(call.shop.places, position)
    ]


def deals_for(call: Call) -> list[dict[str, Any]]:
    """Return the deals of the caller's country, which need no position."""
    expires = end_of_day(call.shop.clock()).isoformat()
    deals = call.shop.rules.deals(call.caller.country)
    return [deal._asdict() | {"fence": {"country": deal.country}, "expires": expires} for deal in deals]


def _offer(store: Store) -> dict[str, Any]:
    return {
        "id": f"offer-{store.id}",
        "title": f"{store.discount_percent} % off {store.category} at {store.name}",
        "store": store.id,
        "city": store.city,
        "country": store.country,
        "category": store.category,
        "discount_percent": store.discount_percent,
        "fence": {"lat": store.position.lat, "lon": store.position.lon, "radius_m": store.radius_m},
    }


def _store(store: Store) -> dict[str, Any]:
    return {
        "id": store.id,
        "name": store.name,
        "city": store.city,
        "country": store.country,
        "lat": store.position.lat,
        "lon": store.position.lon,
    }
