"""Finding things: search, completion, recommendations."""

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import invalid
from simulator.storefront.handlers.catalogue import page_of
from simulator.storefront.history import segments_of
from simulator.storefront.reading import query_text, query_whole, read_object
from simulator.storefront.recommend import rank, recommend

_MAX_PICKS = 50
_LONG_S = 60
_MAX_RANKED = 100


async def search(call: Call) -> Response:
    """Find products by words, ordered for this caller."""
    text = query_text(call.request, "q")
    call, taste = await call.shop.rules.attend(call)
    found = call.shop.search.search(text, taste)
    page = page_of(call, found.products)
    return call.answer(q=text, corrected=found.corrected, fallback=taste is None, token=call.stamp(), **page)


async def suggest(call: Call) -> Response:
    """Complete what was typed so far."""
    text = query_text(call.request, "q")
    return call.shared_answer(_LONG_S, q=text, suggestions=call.shop.search.suggest(text))


async def recommendations(call: Call) -> Response:
    """Recommend from the caller's own history, beside a product if one is named."""
    limit = query_whole(call.request, "limit", 12, _MAX_PICKS)
    sku = call.request.query_params.get("sku")
    beside = None if sku is None else call.known(sku)
    call, taste = await call.shop.rules.attend(call)
    shop = call.shop
    picks = recommend(shop.catalogue, shop.stock, taste, limit, beside, shop.rules.offered)
    picks = shop.rules.picks(call, picks)
    return call.answer(
        items=call.pick_cards(picks),
        segments=segments_of(call.caller, taste),
        fallback=picks.fallback,
        token=call.stamp(),
    )


async def rank_list(call: Call) -> Response:
    """Put a given list into this caller's order; what is sold out comes last."""
    call.owner()
    skus = (await read_object(call.request)).get("skus")
    if not isinstance(skus, list) or not 1 <= len(skus) <= _MAX_RANKED or not all(isinstance(s, str) for s in skus):
        raise invalid(f"skus must be a list of 1 to {_MAX_RANKED} SKUs")
    call, taste = await call.shop.rules.attend(call)
    ranked = rank([call.known(sku) for sku in dict.fromkeys(skus)], taste)
    left = call.shop.stock.left
    items = call.cards(sorted(ranked, key=lambda product: left(product.sku) == 0))
    return call.answer(
        items=items, segments=segments_of(call.caller, taste), fallback=taste is None, token=call.stamp()
    )
