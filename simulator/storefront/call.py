"""One request as the handlers see it: the shop, the caller, and the evidence every answer carries."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.storefront.catalogue import Product
from simulator.storefront.errors import ShopError, forbidden, no_session, not_found
from simulator.storefront.history import Taste, read_taste
from simulator.storefront.places import Position
from simulator.storefront.reading import query_position
from simulator.storefront.recommend import Picks
from simulator.storefront.sessions import Caller, find_session
from simulator.storefront.shop import Shop

COOKIE = "sid"
_BEARER = "bearer "
_NOBODY = Caller()

# RFC 9111, 5.2.2: no cache, shared or not, may keep an answer that was made for one shopper.
_HEADERS = {"cache-control": "private, no-store"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the shop by a caller."""

    request: Request
    shop: Shop
    caller: Caller

    def owner(self) -> str:
        """Return whose cart, orders and events this call is about; 401 without a session."""
        if self.caller.subject is None:
            raise no_session()
        return self.caller.subject

    def member(self) -> str:
        """Return the account this call is about; 403 for whoever has not logged in."""
        if self.caller.account is None:
            raise forbidden("members_only", "log in with POST /api/login first")
        return self.caller.account

    def taste(self) -> Taste | None:
        """Return what the shop may use of the caller's history; None means: show what everybody sees."""
        return read_taste(self.shop.database, self.shop.catalogue, self.caller)

    def position(self) -> Position | None:
        """Return the position that was sent, if the caller agreed to its use. A bad one is refused either way."""
        position = query_position(self.request)
        return position if self.caller.consent.location else None

    def product(self) -> Product:
        """Return the product of the path's SKU; 404 if there is none."""
        return self.known(self.request.path_params["sku"])

    def known(self, sku: str) -> Product:
        """Return the product of a SKU; 404 if there is none."""
        product = self.shop.catalogue.get(sku)
        if product is None:
            raise not_found(f"product {sku[:64]!r}")
        return product

    def cards(self, products: Iterable[Product]) -> list[dict[str, Any]]:
        """Return what a list shows of these products, in the caller's currency, and whether they can be had."""
        card, currency, left = self.shop.catalogue.card, self.caller.currency, self.shop.stock.left
        return [{**card(p, currency), "in_stock": left(p.sku) > 0} for p in products]

    def pick_cards(self, picks: Picks) -> list[dict[str, Any]]:
        """Return the cards of what was picked, each with the reason."""
        cards = self.cards(product for product, _ in picks.products)
        return [{**card, "reason": reason} for card, (_, reason) in zip(cards, picks.products, strict=True)]

    def stamp(self) -> str:
        """Return an attribution token for a list shown to this caller."""
        return self.shop.stamps.issue(self.caller.visitor or "")

    def answer(self, code: HTTPStatus = HTTPStatus.OK, /, **fields: object) -> Response:
        """Return the fields as JSON, with the evidence of whom they were made for, as what, and when."""
        caller = self.caller
        evidence = {
            "subject": caller.subject,
            "visitor": caller.visitor,
            "variant": caller.variant,
            "currency": caller.currency,
            "generated_at": self.shop.clock().isoformat(timespec="milliseconds"),
        }
        return json_response(evidence | fields, code)


Handler: TypeAlias = Callable[[Call], Awaitable[Response]]
"""A function that answers one kind of call."""


def json_response(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return JSON that nobody may cache."""
    return Response(orjson.dumps(content), status, _HEADERS, "application/json")


def route(method: str, path: str, handler: Handler) -> Route:
    """Return the route on which a handler answers calls of one method."""

    async def endpoint(request: Request) -> Response:
        shop: Shop = request.app.state.shop
        return await handler(Call(request, shop, _caller(request, shop)))

    return Route(path, endpoint, methods=[method], name=handler.__name__)


def _caller(request: Request, shop: Shop) -> Caller:
    """Identify the caller by bearer token, else by cookie.

    A forgotten cookie makes a browser anonymous again, which is harmless; a program that names a session which does
    not exist is told so with a 401.
    """
    header = request.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() == _BEARER:
        caller = find_session(shop.database, header[len(_BEARER) :].strip())
        if caller is None:
            raise ShopError(HTTPStatus.UNAUTHORIZED, "unknown_session", "there is no such session")
        return caller
    token = request.cookies.get(COOKIE)
    return (find_session(shop.database, token) if token else None) or _NOBODY
