"""Finding things: search, completion, recommendations."""

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.handlers.catalogue import page_of
from simulator.storefront.history import segments_of
from simulator.storefront.reading import query_text, query_whole
from simulator.storefront.recommend import recommend

_MAX_PICKS = 50


async def search(call: Call) -> Response:
    """Find products by words, ordered for this caller."""
    text = query_text(call.request, "q")
    taste = call.taste()
    found = call.shop.search.search(text, taste)
    page = page_of(call, found.products)
    return call.answer(q=text, corrected=found.corrected, fallback=taste is None, token=call.stamp(), **page)


async def suggest(call: Call) -> Response:
    """Complete what was typed so far."""
    text = query_text(call.request, "q")
    return call.answer(q=text, suggestions=call.shop.search.suggest(text))


async def recommendations(call: Call) -> Response:
    """Recommend from the caller's own history, beside a product if one is named."""
    limit = query_whole(call.request, "limit", 12, _MAX_PICKS)
    sku = call.request.query_params.get("sku")
    beside = None if sku is None else call.known(sku)
    taste = call.taste()
    picks = recommend(call.shop.catalogue, call.shop.stock, taste, limit, beside)
    return call.answer(
        items=call.pick_cards(picks),
        segments=segments_of(call.caller, taste),
        fallback=picks.fallback,
        token=call.stamp(),
    )
