"""What to do next, and what things cost this caller."""

from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.carts import read_cart
from simulator.storefront.errors import invalid
from simulator.storefront.history import Taste, segments_of
from simulator.storefront.loyalty import REWARDS, balance
from simulator.storefront.vocabulary import CATEGORIES

_MOST = 50
_TITLES = {category.slug: category.title for category in CATEGORIES}


async def prices(call: Call) -> Response:
    """Tell what the named products cost this caller, and by which price list."""
    skus = call.request.query_params.getlist("sku")
    if not 1 <= len(skus) <= _MOST:
        raise invalid(f"name 1 to {_MOST} products as sku")
    market, products = call.market(), [call.known(sku) for sku in dict.fromkeys(skus)]
    price = call.shop.cards.price
    listed = [{"sku": p.sku, "price": price(p, market), "currency": market.currency} for p in products]
    return call.answer(prices=listed)


async def next_action(call: Call) -> Response:
    """Tell what would suit this caller best now: one thing, and why."""
    call, taste = await call.shop.rules.attend(call)
    action = _action(call, taste)
    segments = segments_of(call.caller, taste)
    return call.answer(action=action, segments=segments, fallback=taste is None, token=call.stamp())


def _action(call: Call, taste: Taste | None) -> dict[str, Any]:
    """Return the first of these that fits: finish what is in the cart, spend points, look at what they like, join."""
    owner, shop = call.caller.subject, call.shop
    lines = read_cart(shop.database, shop.catalogue, owner, call.market()) if owner else []
    if lines and call.caller.consent.personalization:
        return {"kind": "finish_cart", "title": "Your cart is waiting", "sku": lines[0].product.sku, "url": "/api/cart"}
    if call.caller.account and taste:
        points = balance(shop.database, call.caller.account)
        within = [reward for reward in REWARDS if reward.points <= points]
        if within:
            return {"kind": "redeem", "title": within[-1].title, "reward": within[-1].id}
    if taste:
        liked = next(iter(taste.affinity))
        return {"kind": "browse", "title": f"New in {_TITLES[liked].lower()}", "category": liked}
    return {"kind": "join", "title": "Collect points with every order"}
