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
    buying,
    cart,
    catalogue,
    content,
    discovery,
    events,
    home,
    identity,
    loyalty,
    pages,
    places,
    preview,
    push,
    sharing,
    support,
)
from simulator.storefront.shop import Shop

IDENTITY = [
    route("GET", "/api/health", identity.health),
    route("POST", "/api/session", identity.session),
    route("POST", "/api/login", identity.login),
]
BROWSING = [
    route("GET", "/api/home", home.home),
    route("GET", "/api/categories", catalogue.categories),
    route("GET", "/api/categories/{slug}", catalogue.category),
    route("GET", "/api/products/{sku}", catalogue.product),
]
DISCOVERY = [
    route("GET", "/api/search", discovery.search),
    route("GET", "/api/suggest", discovery.suggest),
    route("GET", "/api/recommendations", discovery.recommendations),
]
PLACES = [
    route("GET", "/api/offers", places.offers),
    route("GET", "/api/stores", places.stores),
]
BUYING = [
    route("GET", "/api/cart", cart.cart),
    route("POST", "/api/cart/items", cart.add_item),
    route("DELETE", "/api/cart/items/{sku}", cart.remove_item),
    route("POST", "/api/checkout", buying.checkout),
    route("POST", "/api/payments", buying.payment),
    route("POST", "/api/orders", buying.order),
    route("GET", "/api/orders", buying.orders),
]
TRACKING = [
    route("POST", "/api/events", events.track),
    route("GET", "/api/events/count", events.count),
]
MEMBERS = [
    route("GET", "/api/accounts/{account}/loyalty", loyalty.loyalty),
    route("POST", "/api/accounts/{account}/loyalty/redemptions", loyalty.redeem_reward),
]
AROUND = [
    route("GET", "/api/content", content.listing),
    route("GET", "/api/content/{slug}", content.one),
    route("POST", "/api/support/tickets", support.ask),
    route("GET", "/api/support/tickets", support.tickets),
    route("POST", "/api/shares", sharing.share),
    route("GET", "/api/shares", sharing.shares),
    route("POST", "/api/push/endpoints", push.register_endpoint),
    route("POST", "/api/push/receipts", push.receipt),
    route("GET", "/api/push", push.overview),
]
PAGES = [
    route("GET", "/", pages.front),
    route("GET", "/p/{sku}", pages.product),
    route("GET", "/s/{token}", pages.shared),
    route("GET", "/ar/{sku}", preview.model),
]

# The first match wins, so what is asked most often comes first.
ROUTES: list[Route] = [*BROWSING, *DISCOVERY, *PLACES, *TRACKING, *BUYING, *IDENTITY, *MEMBERS, *AROUND, *PAGES]


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
    return _error(error.status, error.code, error.message)


async def _refuse_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    answer = _error(status, status.name.lower(), status.description or status.phrase)
    answer.headers.update(error.headers or {})
    return answer


async def _apologise(_request: Request, _mistake: Exception) -> Response:
    return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "the shop made a mistake")
