"""Buying happens whole, once, and never sells what is not there."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from simulator.storefront.errors import ShopError
from simulator.storefront.orders import place_order
from simulator.storefront.sessions import Caller
from simulator.storefront.shop import open_shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Visitor

BAG, SHOE = "BAG-0007", "SHO-0002"


def test_an_order_takes_everything_along(vera: Visitor):
    """Order, lines, stock, cart and total agree after buying."""
    before = vera.shop.stock.left(BAG)
    vera.put_in_cart(BAG, 2)
    vera.put_in_cart(SHOE)
    cart = vera.get("/api/cart")
    order = vera.post("/api/orders", payment=vera.pay())
    assert order["total"] == cart["total"] == sum(i["price"] * i["quantity"] for i in order["items"])
    assert [(i["sku"], i["quantity"]) for i in order["items"]] == [(BAG, 2), (SHOE, 1)]
    assert vera.get("/api/products/" + BAG)["product"]["stock"] == before - 2
    assert vera.get("/api/cart")["items"] == []
    assert [o["order"] for o in vera.get("/api/orders")["orders"]] == [order["order"]]


@pytest.mark.parametrize(
    "trouble",
    [
        "INSERT ON order_lines",
        "DELETE ON cart_lines",
        "INSERT ON orders",
        "INSERT ON history WHEN NEW.kind = 'order'",
        "INSERT ON loyalty",
    ],
)
def test_a_failing_order_leaves_nothing(vera: Visitor, trouble: str):
    """Whichever write fails, order, stock, cart, history and points are as before, and it can be tried again."""
    vera.put_in_cart(BAG, 2)
    payment, database, left = vera.pay(), vera.shop.database, vera.shop.stock.left(BAG)
    watched = "BEFORE " + trouble
    database.run(f"CREATE TRIGGER trouble {watched} BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")
    with pytest.raises(sqlite3.IntegrityError, match="disk on fire"):
        vera.post("/api/orders", payment=payment)
    database.run("DROP TRIGGER trouble")
    assert vera.has("orders") == vera.has("order_lines") == vera.has("loyalty") == 0
    assert vera.get("/api/cart")["count"] == 2
    assert database.one("SELECT quantity FROM stock WHERE sku = ?", BAG) == (left,)
    assert database.all("SELECT kind FROM history WHERE kind = 'order'") == []
    vera.post("/api/orders", payment=payment)
    assert vera.shop.stock.left(BAG) == left - 2


def test_one_payment_buys_once(vera: Visitor):
    """Sending an order again is answered with the same order and changes nothing."""
    vera.put_in_cart(BAG)
    payment = vera.pay()
    first = vera.ask("POST", "/api/orders", json={"payment": payment})
    left = vera.shop.stock.left(BAG)
    vera.put_in_cart(SHOE)
    again = vera.ask("POST", "/api/orders", json={"payment": payment})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["order"] == again.json()["order"]
    assert first.json()["items"] == again.json()["items"]
    assert vera.shop.stock.left(BAG) == left
    assert vera.get("/api/cart")["count"] == 1
    assert vera.has("orders") == 1


def test_a_checkout_is_paid_once(vera: Visitor):
    """Paying again, as a client does that lost the answer, gives the same payment."""
    vera.put_in_cart(BAG)
    body = {"checkout": vera.post("/api/checkout")["checkout"], "card_token": "tok_test"}
    first, again = vera.post("/api/payments", **body), vera.post("/api/payments", **body)
    assert first["payment"] == again["payment"]
    assert first["status"] == "authorised"
    assert vera.has("payments") == 1


def test_the_last_pieces_are_sold_once_each(come_in: Callable[..., Visitor], leave: Callable[[str, int], None]):
    """Of eight shoppers who all paid for one of three, exactly three get it, whoever orders at once."""
    leave(BAG, 3)
    shoppers = [come_in(f"shopper-{n}") for n in range(8)]
    payments = []
    for shopper in shoppers:
        shopper.put_in_cart(BAG)
        payments.append(shopper.pay())

    async def rush() -> list[int]:
        clients = [shopper.asking() for shopper in shoppers]
        orders = (c.post("/api/orders", json={"payment": p}) for c, p in zip(clients, payments, strict=True))
        answers = await asyncio.gather(*orders)
        for client in clients:
            await client.aclose()
        return sorted(answer.status_code for answer in answers)

    assert asyncio.run(rush()) == [201] * 3 + [409] * 5
    assert shoppers[0].shop.stock.left(BAG) == 0
    assert shoppers[0].has("orders") == shoppers[0].has("order_lines") == 3


def test_stock_is_safe_between_processes_too(vera: Visitor, tmp_path: Path, leave: Callable[[str, int], None]):
    """Several connections to one file that order at the same time sell no more than there is."""
    leave(BAG, 2)
    payments = []
    for _ in range(6):
        vera.put_in_cart(BAG)
        payments.append(vera.pay())
        vera.ask("DELETE", f"/api/cart/items/{BAG}")

    def order(payment: str) -> bool:
        other = open_shop(tmp_path / "shop.sqlite", 7)
        try:
            place_order(other.database, other.stock, Caller(visitor="vera"), payment, other.clock())
        except ShopError:
            return False
        else:
            return True
        finally:
            other.close()

    with ThreadPoolExecutor(3) as pool:
        placed = list(pool.map(order, payments))
    assert sum(placed) == 2
    assert vera.shop.database.one("SELECT quantity FROM stock WHERE sku = ?", BAG) == (0,)


def test_an_order_that_cannot_be_filled_takes_nothing(
    vera: Visitor, come_in: Callable[..., Visitor], leave: Callable[[str, int], None]
):
    """If one of two things ran out since the checkout, neither is taken, and the shopper is told which it was."""
    vera.put_in_cart(BAG)
    vera.put_in_cart(SHOE)
    payment, bags = vera.pay(), vera.shop.stock.left(BAG)
    leave(SHOE, 1)
    come_in("quick").buy(SHOE)
    refusal = vera.ask("POST", "/api/orders", json={"payment": payment})
    assert refusal.status_code == 409
    assert SHOE in refusal.json()["error"]["message"]
    assert vera.shop.stock.left(BAG) == bags
    assert vera.get("/api/cart")["count"] == 2


def test_what_was_added_after_the_checkout_stays(vera: Visitor):
    """An order takes out of the cart what was paid for, and leaves what came later."""
    vera.put_in_cart(BAG)
    payment = vera.pay()
    vera.put_in_cart(BAG, 2)
    vera.put_in_cart(SHOE)
    vera.post("/api/orders", payment=payment)
    assert [(i["sku"], i["quantity"]) for i in vera.get("/api/cart")["items"]] == [(BAG, 2), (SHOE, 1)]


def test_steps_in_the_wrong_order(vera: Visitor):
    """An empty cart, an unknown checkout and an unpaid order are conflicts."""
    assert vera.refused("POST", "/api/checkout", json={}) == (409, "cart_empty")
    paying = {"checkout": "chk_none", "card_token": "tok_test"}
    assert vera.refused("POST", "/api/payments", json=paying) == (409, "no_checkout")
    assert vera.refused("POST", "/api/orders", json={"payment": "pay_none"}) == (409, "not_paid")


def test_a_declined_card_can_be_replaced(vera: Visitor):
    """A declined card is a 402 and stores nothing; another card pays the same checkout."""
    vera.put_in_cart(BAG)
    checkout = vera.post("/api/checkout")["checkout"]
    declined = {"checkout": checkout, "card_token": "tok_declined"}
    assert vera.refused("POST", "/api/payments", json=declined) == (402, "card_declined")
    assert vera.has("payments") == 0
    assert vera.post("/api/payments", checkout=checkout, card_token="tok_other")["payment"]


def test_nobody_elses_papers_work(vera: Visitor, come_in: Callable[..., Visitor]):
    """Another shopper's checkout, payment and orders are as good as unknown."""
    mallory = come_in("mallory")
    vera.put_in_cart(BAG)
    checkout = vera.post("/api/checkout")["checkout"]
    stolen = {"checkout": checkout, "card_token": "tok_test"}
    assert mallory.refused("POST", "/api/payments", json=stolen) == (409, "no_checkout")
    payment = vera.post("/api/payments", **stolen)["payment"]
    assert mallory.refused("POST", "/api/orders", json={"payment": payment}) == (409, "not_paid")
    vera.post("/api/orders", payment=payment)
    assert mallory.refused("POST", "/api/orders", json={"payment": payment}) == (409, "not_paid")
    assert mallory.get("/api/orders")["orders"] == []
    assert mallory.get("/api/cart")["items"] == []


def test_strangers_can_look_but_not_buy(nobody: Visitor):
    """Without a session the cart is empty, and everything that changes something is a 401."""
    assert nobody.get("/api/cart")["items"] == []
    for method, path in (
        ("POST", "/api/cart/items"),
        ("DELETE", f"/api/cart/items/{BAG}"),
        ("POST", "/api/checkout"),
        ("POST", "/api/payments"),
        ("POST", "/api/orders"),
        ("GET", "/api/orders"),
    ):
        assert nobody.refused(method, path) == (401, "no_session")


def test_a_cart_has_limits(vera: Visitor, leave: Callable[[str, int], None]):
    """Not more than there is, not more than twenty, and nothing can be taken out that is not in."""
    leave(SHOE, 2)
    add = "/api/cart/items"
    assert vera.refused("POST", add, json={"sku": SHOE, "quantity": 3}) == (409, "out_of_stock")
    vera.put_in_cart(BAG, 19)
    assert vera.refused("POST", add, json={"sku": BAG, "quantity": 2}) == (409, "quantity_limit")
    assert vera.refused("DELETE", f"{add}/{SHOE}") == (404, "not_in_cart")
    assert vera.ask("DELETE", f"{add}/{BAG}").json()["items"] == []


def test_old_orders_keep_their_prices(come_in: Callable[..., Visitor]):
    """An order is shown in the money it was paid in, wherever its owner is now."""
    paid = come_in("vera", "JP").buy(BAG)
    seen = come_in("vera", "DE").get("/api/orders")["orders"][0]
    assert (seen["currency"], seen["total"]) == ("JPY", paid["total"])
