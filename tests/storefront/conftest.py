"""A shop in a temporary folder, and shoppers who talk to it through its ASGI door: no socket, no sleep, no clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from simulator.storefront.app import build_app
from simulator.storefront.hazards import rules_with
from simulator.storefront.shop import Shop, open_shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass
class Watch:
    """The shop's clock, which goes on when it is told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class Visitor:
    """Somebody in the shop; `headers` identify them, `asking` is the bare client for what runs at once."""

    shop: Shop
    headers: dict[str, str] = field(default_factory=dict)

    def asking(self) -> httpx.AsyncClient:
        """Return a client that sends this visitor's headers."""
        transport = httpx.ASGITransport(app=build_app(self.shop))
        return httpx.AsyncClient(transport=transport, base_url="http://shop.test", headers=self.headers)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request."""

        async def send() -> httpx.Response:
            async with self.asking() as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Get a JSON answer that must be a success."""
        answer = self.ask("GET", path, params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Post JSON that must be accepted."""
        answer = self.ask("POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Send what must be refused, and return the status and the error's code."""
        answer = self.ask(method, path, **options)
        assert answer.is_client_error, answer.text
        error = answer.json()["error"]
        assert error["message"]
        return answer.status_code, error["code"]

    def look_at(self, *skus: str) -> None:
        """Open these products' pages."""
        for sku in skus:
            self.get(f"/api/products/{sku}")

    def put_in_cart(self, sku: str, quantity: int = 1) -> None:
        """Add to the cart."""
        self.post("/api/cart/items", sku=sku, quantity=quantity)

    def pay(self) -> str:
        """Check out and pay for what is in the cart, and return the payment."""
        checkout = self.post("/api/checkout")["checkout"]
        return self.post("/api/payments", checkout=checkout, card_token="tok_test")["payment"]

    def buy(self, sku: str, quantity: int = 1) -> dict[str, Any]:
        """Go all the way and return the order."""
        self.put_in_cart(sku, quantity)
        return self.post("/api/orders", payment=self.pay())

    def log_in(self, name: str = "ana", password: str = "sesame") -> dict[str, Any]:
        """Log in as a shopper."""
        return self.post("/api/login", email=f"{name}@shopper.example", password=password)

    def has(self, table: str) -> int:
        """Return how many rows a table of the shop has."""
        row = self.shop.database.one(f"SELECT COUNT(*) FROM {table}")
        return row[0] if row else 0


@pytest.fixture
def watch() -> Watch:
    """Return the shop's clock, which stands at noon."""
    return Watch()


@pytest.fixture
def shop(tmp_path: Path, watch: Watch) -> Iterator[Shop]:
    """Open a shop that does everything right."""
    opened = open_shop(tmp_path / "shop.sqlite", 7, clock=watch)
    yield opened
    opened.close()


@dataclass
class Zoo:
    """A shop with some hazards on."""

    shop: Shop
    watch: Watch

    def enter(self, visitor: str = "vera", country: str = "GB", **consent: bool) -> Visitor:
        """Start a session, as `come_in` does."""
        return enter(self.shop, visitor, country, **consent)

    def nobody(self) -> Visitor:
        """Return somebody without a session."""
        return Visitor(self.shop)


@pytest.fixture
def open_zoo(tmp_path: Path, watch: Watch) -> Iterator[Callable[..., Zoo]]:
    """Return a function that opens a shop with some hazards on; shops of one test may share a `file`."""
    opened = []

    def open_with(*hazards: str, file: str = "") -> Zoo:
        path = tmp_path / (file or f"zoo-{len(opened)}.sqlite")
        opened.append(open_shop(path, 7, clock=watch, rules=rules_with(hazards)))
        return Zoo(opened[-1], watch)

    yield open_with
    for one in opened:
        one.close()


def enter(shop: Shop, visitor: str = "vera", country: str = "GB", **consent: bool) -> Visitor:
    """Start a session of a visitor from somewhere, who agrees to all but push messages unless told otherwise."""
    agreed = {"analytics": True, "personalization": True, "location": True} | consent
    started = Visitor(shop).post("/api/session", visitor=visitor, country=country, consent=agreed)
    return Visitor(shop, {"authorization": f"Bearer {started['session']}"})


@pytest.fixture
def nobody(shop: Shop) -> Visitor:
    """Somebody without a session."""
    return Visitor(shop)


@pytest.fixture
def come_in(shop: Shop) -> Callable[..., Visitor]:
    """Return a function that starts a session: of which visitor, from where, agreeing to what (everything)."""
    return partial(enter, shop)


@pytest.fixture
def vera(come_in: Callable[..., Visitor]) -> Visitor:
    """Return a visitor who agrees to everything."""
    return come_in()


@pytest.fixture
def in_stock(shop: Shop) -> Callable[[str], list[str]]:
    """Return a function that lists a category's SKUs that can be had, most popular first."""
    return lambda category: [p.sku for p in shop.catalogue.by_category[category] if shop.stock.left(p.sku) > 0]


@pytest.fixture
def leave(shop: Shop) -> Callable[[str, int], None]:
    """Return a function that leaves this many of a thing on its shelf."""

    def set_stock(sku: str, quantity: int) -> None:
        shop.database.run("UPDATE stock SET quantity = ? WHERE sku = ?", quantity, sku)
        shop.stock.refresh([sku])

    return set_stock
