"""Prices by segment, lists in one's own order, the next thing to do, and who one is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor, Watch

BAG = "BAG-0007"


def price_everywhere(visitor: Visitor, sku: str) -> set[int]:
    """Return what this costs in the price list, on its page, in a search, in the cart and at checkout."""
    visitor.put_in_cart(sku)
    name = visitor.get(f"/api/products/{sku}")["product"]["name"]
    prices = {
        visitor.get("/api/prices", sku=sku)["prices"][0]["price"],
        visitor.get(f"/api/products/{sku}")["product"]["price"],
        next(item["price"] for item in visitor.get("/api/search", q=name)["items"] if item["sku"] == sku),
        visitor.get("/api/cart")["items"][0]["price"],
        visitor.post("/api/checkout")["total"],
    }
    visitor.ask("DELETE", f"/api/cart/items/{sku}")
    return prices


def test_members_who_have_ordered_pay_less_from_their_next_login(come_in: Callable[..., Visitor]):
    """The list is that of the login: no price changes within a visit, and all places agree about each."""
    vera = come_in()
    (guest,) = price_everywhere(vera, BAG)
    vera.log_in()
    assert price_everywhere(vera, BAG) == {guest}
    vera.buy(BAG)
    assert price_everywhere(vera, BAG) == {guest}
    again = come_in()
    assert again.get("/api/home")["price_list"] == "standard"
    again.log_in()
    assert again.get("/api/home")["price_list"] == "members"
    (member,) = price_everywhere(again, BAG)
    assert member == pytest.approx(0.95 * guest, abs=1)


def test_prices_are_named_by_product(vera: Visitor, come_in: Callable[..., Visitor]):
    """Several at once, each once, in the caller's currency; unknown ones and none at all are refused."""
    answer = vera.get("/api/prices", sku=[BAG, "SHO-0002", BAG])
    assert [one["sku"] for one in answer["prices"]] == [BAG, "SHO-0002"]
    assert come_in("yuki", "JP").get("/api/prices", sku=BAG)["prices"][0]["currency"] == "JPY"
    assert vera.refused("GET", "/api/prices") == (422, "invalid")
    assert vera.refused("GET", "/api/prices?sku=NOPE") == (404, "not_found")


def test_a_list_is_put_into_ones_own_order(vera: Visitor, leave: Callable[[str, int], None]):
    """What one likes comes first, what is sold out last; without a history the order stays."""
    given = ["TOY-0004", "WAT-0004", "BAG-0004", "WAT-0005"]
    for sku in given:
        leave(sku, 9)
    before = vera.post("/api/rank", skus=given)
    assert ([item["sku"] for item in before["items"]], before["fallback"]) == (given, True)
    vera.look_at("WAT-0003")
    leave("WAT-0004", 0)
    after = vera.post("/api/rank", skus=given)
    assert [item["sku"] for item in after["items"]] == ["WAT-0005", "TOY-0004", "BAG-0004", "WAT-0004"]
    assert after["fallback"] is False
    for skus in (None, [], ["BAG-0001"] * 101, [5]):
        assert vera.refused("POST", "/api/rank", json={"skus": skus}) == (422, "invalid")


def test_the_next_action_follows_what_was_done(vera: Visitor, nobody: Visitor, come_in: Callable[..., Visitor]):
    """Strangers are asked to join, whoever looked is shown more of it, a cart is to be finished, points to be spent."""
    kinds = [nobody.get("/api/next-action")["action"]["kind"], vera.get("/api/next-action")["action"]["kind"]]
    vera.look_at("WAT-0003")
    browse = vera.get("/api/next-action")
    vera.put_in_cart(BAG)
    kinds += [browse["action"]["kind"], vera.get("/api/next-action")["action"]["kind"]]
    vera.log_in()
    vera.buy("SHO-0002")
    kinds.append(vera.get("/api/next-action")["action"]["kind"])
    assert kinds == ["join", "join", "browse", "finish_cart", "redeem"]
    assert (browse["action"]["category"], browse["fallback"], browse["subject"]) == ("watches", False, "vera")
    private = come_in("private", personalization=False)
    private.look_at("WAT-0003")
    private.put_in_cart(BAG)
    assert private.get("/api/next-action")["action"] == nobody.get("/api/next-action")["action"]


def test_whoever_comes_back_is_known(come_in: Callable[..., Visitor], nobody: Visitor):
    """The first visit is a first one, the second is not, and a login changes nothing about it."""
    first = come_in().post("/api/identify")
    vera = come_in()
    vera.log_in()
    second = vera.post("/api/identify")
    assert [(told["visits"], told["returning"], told["visitor"]) for told in (first, second)] == [
        (1, False, "vera"), (2, True, "vera")]  # fmt: skip
    assert second["account"] == second["subject"]
    assert nobody.refused("POST", "/api/identify") == (401, "no_session")


def test_the_day_is_the_shoppers_own(nobody: Visitor, watch: Watch):
    """At noon in London it is evening in Tokyo and night in Los Angeles, by the zone that was told or the country's."""

    def daypart(**told: str) -> str:
        token = nobody.post("/api/session", visitor="vera", **told)["session"]
        return nobody.ask("GET", "/api/home", headers={"authorization": f"Bearer {token}"}).json()["daypart"]

    assert daypart() == daypart(country="GB") == "afternoon"
    assert daypart(country="JP") == daypart(country="US", timezone="Asia/Tokyo") == "evening"
    assert daypart(country="US", timezone="America/Los_Angeles") == "night"
    watch.wait(-3 * 3600)
    assert daypart() == "morning"


def test_consent_is_changed_by_name_and_counts_at_once(vera: Visitor, nobody: Visitor, watch: Watch):
    """What is not named stays; what is withdrawn is not used from the next answer on, and can be given again."""
    vera.look_at("WAT-0003")
    assert vera.get("/api/home")["fallback"] is False
    agreed = vera.post("/api/consent", personalization=False, analytics=False)["consent"]
    assert agreed == vera.get("/api/consent")["consent"]
    assert agreed == {"analytics": False, "personalization": False, "location": True, "push": False}
    assert vera.get("/api/home")["fallback"] is True
    assert vera.post("/api/events", events=[{"type": "view", "at_ms": 1}])["accepted"] == 0
    vera.post("/api/consent", personalization=True)
    assert vera.get("/api/home")["fallback"] is False
    watch.wait(9)
    assert vera.refused("POST", "/api/consent", json={"tracking": True}) == (422, "invalid")
    assert vera.refused("POST", "/api/consent", json={"push": "yes"}) == (422, "invalid")
    assert nobody.refused("GET", "/api/consent") == nobody.refused("POST", "/api/consent") == (401, "no_session")


def test_an_order_is_its_buyers(vera: Visitor, come_in: Callable[..., Visitor], nobody: Visitor):
    """Knowing its number is not enough, with a session or without."""
    order = vera.buy(BAG)["order"]
    assert vera.get(f"/api/orders/{order}")["items"][0]["sku"] == BAG
    for stranger in (come_in("ben"), nobody):
        assert stranger.refused("GET", f"/api/orders/{order}") == (404, "not_found")
    assert vera.refused("GET", "/api/orders/ord_nope") == (404, "not_found")


def test_deals_are_those_of_the_country(come_in: Callable[..., Visitor], nobody: Visitor):
    """They need no position, however the country is written, and there are none where the shop has no store."""
    for path in ("/api/offers", "/api/home"):
        german, also = come_in("a", "DE").get(path)["deals"], come_in("b", "de").get(path)["deals"]
        assert [deal["country"] for deal in german] == ["DE"]
        assert german == also
        assert [deal["country"] for deal in nobody.get(path)["deals"]] == ["GB"]
        assert come_in("c", "AQ").get(path)["deals"] == []
