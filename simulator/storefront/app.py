"""The route table: which path is answered by what, by topic."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.storefront.call import json_response, route
from simulator.storefront.errors import ShopError
from simulator.storefront.handlers import (
    advice,
    auth,
    buying,
    cart,
    catalogue,
    content,
    discovery,
    events,
    experiments,
    home,
    identity,
    loyalty,
    moving,
    pages,
    places,
    preview,
    push,
    sharing,
    support,
)
from simulator.storefront.limits import Limit
from simulator.storefront.shop import Shop

# A thumb types a few letters a second; whoever tries passwords or fingers faster than this is no thumb.
KEYSTROKES, ATTEMPTS, CAMPAIGNS = Limit(20, 60), Limit(5, 20), Limit(5, 20)

IDENTITY = [
    route("GET", "/api/health", identity.health),
    route("POST", "/api/session", identity.session),
    route("POST", "/api/identify", identity.identify),
    route("POST", "/api/login", identity.login, limit=ATTEMPTS),
    route("POST", "/api/auth/begin", auth.begin, limit=ATTEMPTS),
    route("POST", "/api/auth/finish", auth.finish, limit=ATTEMPTS),
    route("GET", "/api/consent", identity.consent),
    route("POST", "/api/consent", identity.set_consent),
]
BROWSING = [
    route("GET", "/api/home", home.home),
    route("GET", "/api/categories", catalogue.categories, shared=True),
    route("GET", "/api/categories/{slug}", catalogue.category, shared=True),
    route("GET", "/api/products/{sku}", catalogue.product),
    route("GET", "/api/trends", catalogue.trends),
]
DISCOVERY = [
    route("GET", "/api/search", discovery.search),
    route("GET", "/api/suggest", discovery.suggest, shared=True, limit=KEYSTROKES),
    route("GET", "/api/recommendations", discovery.recommendations),
    route("POST", "/api/rank", discovery.rank_list),
    route("GET", "/api/next-action", advice.next_action),
]
PLACES = [
    route("GET", "/api/offers", places.offers),
    route("GET", "/api/stores", places.stores),
    route("POST", "/api/geofence/positions", moving.positions),
]
EXPERIMENTS = [
    route("GET", "/api/decide", experiments.decide),
    route("GET", "/api/decide/{key}", experiments.decide_one),
    route("POST", "/api/exposures", experiments.exposure),
    route("GET", "/api/experiments", experiments.statistics),
]
BUYING = [
    route("GET", "/api/cart", cart.cart),
    route("POST", "/api/cart/items", cart.add_item),
    route("DELETE", "/api/cart/items/{sku}", cart.remove_item),
    route("POST", "/api/checkout", buying.checkout),
    route("POST", "/api/payments", buying.payment),
    route("POST", "/api/orders", buying.order),
    route("GET", "/api/orders", buying.orders),
    route("GET", "/api/orders/{order}", buying.one_order),
    route("GET", "/api/prices", advice.prices),
]
TRACKING = [
    route("POST", "/api/events", events.track),
    route("POST", "/api/events/beacon", events.beacon),
    route("GET", "/api/events/count", events.count),
]
MEMBERS = [
    route("GET", "/api/accounts/{account}/loyalty", loyalty.loyalty),
    route("POST", "/api/accounts/{account}/loyalty/earnings", loyalty.earn),
    route("POST", "/api/accounts/{account}/loyalty/redemptions", loyalty.redeem_reward),
    route("GET", "/api/entitlements", content.entitlements),
]
AROUND = [
    route("GET", "/api/content", content.listing),
    route("GET", "/api/content/{slug}", content.one),
    route("POST", "/api/support/tickets", support.ask),
    route("GET", "/api/support/tickets", support.tickets),
    route("POST", "/api/shares", sharing.share),
    route("GET", "/api/shares", sharing.shares),
    route("GET", "/api/shares/{token}", sharing.opened),
    route("POST", "/api/push/endpoints", push.register_endpoint),
    route("DELETE", "/api/push/endpoints", push.remove_endpoint),
    route("POST", "/api/push/messages", push.message, limit=CAMPAIGNS),
    route("POST", "/api/push/receipts", push.receipt),
    route("GET", "/api/push", push.overview),
    route("GET", "/push/{subscription}", push.inbox),
    route("DELETE", "/push/{subscription}", push.end),
]
PAGES = [
    route("GET", "/", pages.front),
    route("GET", "/p/{sku}", pages.product),
    route("GET", "/s/{token}", pages.shared),
    route("GET", "/ar/{sku}", preview.model),
]

# The first match wins, so what is asked most often comes first.
ROUTES: list[Route] = [
    *BROWSING, *DISCOVERY, *PLACES, *TRACKING, *BUYING, *IDENTITY, *EXPERIMENTS, *MEMBERS, *AROUND, *PAGES
]  # fmt: skip


def build_app(shop: Shop) -> Starlette:
    """Return the ASGI application of an open shop. Closing the shop is the caller's business."""
    app = Starlette(
        routes=ROUTES,
        exception_handlers={ShopError: _refuse, HTTPException: _refuse_http, Exception: _apologise},
    )
    app.state.shop = shop
    return app


def _error(status: HTTPStatus, code: str, message: str) -> Response:
    return json_response({"error": {"code": code, "message": message}}, status)


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ShopError)
    answer = _error(error.status, error.code, error.message)
    answer.headers.update(error.headers)
    return answer


async def _refuse_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    answer = _error(status, status.name.lower(), status.description or status.phrase)
    answer.headers.update(error.headers or {})
    return answer


async def _apologise(_request: Request, _mistake: Exception) -> Response:
    return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "the shop made a mistake")
