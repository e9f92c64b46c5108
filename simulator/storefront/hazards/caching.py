"""A cache in front that keeps too much."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from simulator.storefront.edge import Key, Market
from simulator.storefront.hazards.registry import hazard
from simulator.storefront.rules import Rules

_PERSONAL = {"/api/home", "/api/recommendations", "/api/search", "/api/next-action", "/api/content"}


@hazard("H1", "home", "recommend", "search", "next_action", "content")
def leak(rules: Rules) -> Rules:
    """Show one shopper's page, for five seconds after it was made, to whoever asks for the same address.

    Somebody told the cache to ignore `private` because the front page was slow, and to look at the address alone.
    """
    right = rules.caching.key

    def by_address(request: Request, market: Market, shared: bool) -> Key | None:
        path = request.scope["path"]
        return (path, request.scope["query_string"]) if path in _PERSONAL else right(request, market, shared)

    def ok(answer: Response) -> bool:
        return answer.status_code == 200

    return replace(rules, caching=replace(rules.caching, key=by_address, keeps=ok))


@hazard("H2", "category", "suggest")
def cached_cookie(rules: Rules) -> Rules:
    """Send shelves and suggestions out of the cache with the session cookie of whoever asked first.

    The answers are rightly shared; what renews the session rides along, and the cache keeps it.
    """
    return replace(rules, caching=replace(rules.caching, strips=frozenset()))
