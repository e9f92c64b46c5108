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
from simulator.storefront.experiments import HERO, Experiment, arm_of
from simulator.storefront.history import Taste, read_taste
from simulator.storefront.limits import Limit
from simulator.storefront.markets import Market
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

    def session(self) -> str:
        """Return the token of the caller's session; 401 without one."""
        if self.caller.session is None:
            raise no_session()
        return self.caller.session

    def member(self) -> str:
        """Return the account this call is about; 403 for whoever has not logged in."""
        if self.caller.account is None:
            raise forbidden("members_only", "log in with POST /api/login first")
        return self.caller.account

    def market(self) -> Market:
        """Return what the caller's prices depend on."""
        return Market(self.shop.rules.currency(self.caller.country), self.caller.price_list)

    def variant(self, experiment: Experiment = HERO) -> str:
        """Return the caller's arm of an experiment."""
        rules = self.shop.rules
        return arm_of(experiment, rules.unit(self.caller), rules.split)

    def taste(self) -> Taste | None:
        """Return what the shop may use of the caller's history; None means: show what everybody sees."""
        shop = self.shop
        shop.intake.settle(shop.clock())
        return read_taste(
            shop.database, shop.catalogue, self.caller, shop.rules.history_from(shop.database, self.caller)
        )

    def position(self) -> Position | None:
        """Return the position that was sent, if the caller agreed to its use. A bad one is refused either way."""
        sent = query_position(self.request)
        return self.shop.rules.position(*sent) if sent and self.caller.consent.location else None

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
        card, market, left = self.shop.cards.card, self.market(), self.shop.stock.left
        return [{**card(p, market), "in_stock": left(p.sku) > 0} for p in products]

    def pick_cards(self, picks: Picks) -> list[dict[str, Any]]:
        """Return the cards of what was picked, each with the reason."""
        cards = self.cards(product for product, _ in picks.products)
        return [{**card, "reason": reason} for card, (_, reason) in zip(cards, picks.products, strict=True)]

    def stamp(self) -> str:
        """Return an attribution token for a list shown to this caller."""
        return self.shop.rules.stamp(self.shop.stamps, self.caller.visitor or "")

    def answer(self, code: HTTPStatus = HTTPStatus.OK, /, **fields: object) -> Response:
        """Return the fields as JSON, with the evidence of whom they were made for, as what, and when."""
        caller = self.caller
        evidence = {
            "subject": caller.subject,
            "visitor": caller.visitor,
            "variant": self.variant(),
            "currency": self.shop.rules.currency(caller.country),
            "price_list": caller.price_list,
            "generated_at": self._now(),
        }
        return json_response(evidence | fields, code)

    def shared_answer(self, max_age_s: int, **fields: object) -> Response:
        """Return the fields as JSON that is the same for everybody in the caller's market, and may be kept as such."""
        market = self.market()
        evidence = {"currency": market.currency, "price_list": market.price_list, "generated_at": self._now()}
        headers = {"cache-control": f"public, max-age={max_age_s}", "vary": "Authorization, Cookie"}
        return Response(orjson.dumps(evidence | fields), HTTPStatus.OK, headers, "application/json")

    def _now(self) -> str:
        return self.shop.clock().isoformat(timespec="milliseconds")


Handler: TypeAlias = Callable[[Call], Awaitable[Response]]
"""A function that answers one kind of call."""


def json_response(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return JSON that nobody may cache."""
    return Response(orjson.dumps(content), status, _HEADERS, "application/json")


def route(method: str, path: str, handler: Handler, *, shared: bool = False, limit: Limit | None = None) -> Route:
    """Return the route on which a handler answers calls of one method.

    `shared` answers are the same for everybody in a market; of routes with a `limit`, a session may ask so often.
    """
    through_edge = method == "GET"

    async def endpoint(request: Request) -> Response:
        shop: Shop = request.app.state.shop
        call = Call(request, shop, shop.rules.admit(_caller(request, shop)))
        if limit is not None and call.caller.session is not None:
            shop.buckets.take(path, call.caller.session, limit, shop.clock())
        if not through_edge:
            return await handler(call)
        return await _through_edge(call, handler, shared=shared)

    return Route(path, endpoint, methods=[method], name=handler.__name__)


async def _through_edge(call: Call, handler: Handler, *, shared: bool) -> Response:
    """Answer from the cache in front if it may, else ask the handler and let the cache keep what it may."""
    shop, request = call.shop, call.request
    caching = shop.rules.caching
    # What is sold out changes what shelves look like to everybody, so the cache must not outlive it.
    key = caching.key(request, lambda: (call.market(), shop.stock.edition), shared)
    if key is None:
        return await handler(call)
    found = shop.edge.find(key, request, shop.clock())
    if found is not None:
        return found
    answer = await handler(call)
    if request.cookies.get(COOKIE) is not None and call.caller.session is not None:
        set_session(answer, call.caller)  # renewed, as long as its shopper comes back
    return shop.edge.keep(key, request, answer, caching, shop.clock())


def set_session(answer: Response, caller: Caller) -> None:
    """Send the session along as a cookie that scripts cannot read."""
    answer.set_cookie(COOKIE, caller.session or "", path="/", httponly=True, samesite="lax")


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
