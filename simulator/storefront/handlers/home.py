"""The front page: a hero, what suits the shopper, and the offers around them."""

from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.handlers.places import deals_for, offers_at
from simulator.storefront.history import Taste, segments_of
from simulator.storefront.recommend import recommend
from simulator.storefront.vocabulary import CATEGORIES
from simulator.storefront.zones import daypart

_ITEMS = 12
_OFFERS = 5
_TITLES = {category.slug: category.title for category in CATEGORIES}
_SEASON = "jackets"


async def home(call: Call) -> Response:
    """Compose the front page for this caller."""
    call, taste = await call.shop.rules.attend(call)
    shop = call.shop
    picks = recommend(shop.catalogue, shop.stock, taste, _ITEMS, offered=shop.rules.offered)
    position, local = call.position(), shop.rules.local_time(call.caller, shop.clock())
    return call.answer(
        hero=hero_for(call, taste),
        items=call.pick_cards(picks),
        offers=offers_at(call, position)[:_OFFERS],
        deals=deals_for(call),
        daypart=daypart(local),
        local_time=local.isoformat(timespec="minutes"),
        geo_used=position._asdict() if position else None,
        segments=segments_of(call.caller, taste),
        fallback=picks.fallback,
        token=call.stamp(),
    )


def hero_for(call: Call, taste: Taste | None) -> dict[str, Any]:
    """Return the hero: everybody's season, or for the treatment with a taste, the category they like best."""
    personal = taste is not None and call.variant() == "treatment"
    category = next(iter(taste.affinity)) if taste and personal else _SEASON
    return {
        "category": category,
        "title": f"More {_TITLES[category].lower()} for you" if personal else "Ready for any weather",
        "personal": personal,
    }
