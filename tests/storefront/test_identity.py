"""Sessions, consent, variants, and what a login changes and does not change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from simulator.storefront.experiments import HERO, arm_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

    from simulator.storefront.shop import Shop


def test_a_session_says_whose_it_is(nobody: Visitor):
    """A new session is a 201 with a token, the subject and its variant, and a cookie that scripts cannot read."""
    answer = nobody.ask("POST", "/api/session", json={"visitor": "vera"})
    body = answer.json()
    assert answer.status_code == 201
    assert body["subject"] == "vera"
    assert body["variant"] == arm_of(HERO, "vera")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"sid={body['session']};")
    assert "HttpOnly" in cookie


def test_a_cookie_is_as_good_as_a_bearer_token(nobody: Visitor):
    """Either identifies the caller."""
    token = nobody.post("/api/session", visitor="vera")["session"]
    for headers in (
        {"authorization": f"Bearer {token}"},
        {"authorization": f"bearer {token}"},
        {"cookie": f"sid={token}"},
    ):
        assert nobody.ask("GET", "/api/home", headers=headers).json()["subject"] == "vera"


def test_a_session_that_does_not_exist(nobody: Visitor):
    """A forgotten cookie makes a browser anonymous; a made-up bearer token is a 401."""
    assert nobody.ask("GET", "/api/home", headers={"cookie": "sid=gone"}).json()["subject"] is None
    assert nobody.refused("GET", "/api/home", headers={"authorization": "Bearer gone"}) == (401, "unknown_session")


def test_the_variant_sticks_and_splits_evenly(come_in: Callable[..., Visitor]):
    """A visitor sees one variant in every session; over many visitors both have half, within 3.5 standard errors."""
    assert {come_in("vera").get("/api/home")["variant"] for _ in range(3)} == {arm_of(HERO, "vera")}
    treated = sum(arm_of(HERO, f"visitor-{n}") == "treatment" for n in range(4000))
    assert abs(treated - 2000) < 3.5 * (4000 * 0.25) ** 0.5


def test_answers_about_a_shopper_are_nobodys_to_cache(vera: Visitor, nobody: Visitor):
    """No answer may be kept by a cache, of whoever it is."""
    for visitor, path in ((vera, "/api/home"), (nobody, "/api/home"), (vera, "/"), (vera, "/api/nowhere")):
        assert visitor.ask("GET", path).headers["cache-control"] == "private, no-store"


def test_consent_is_no_unless_given(come_in: Callable[..., Visitor], nobody: Visitor, shop: Shop):
    """A session that says nothing of consent agreed to nothing: nothing is remembered or counted, no place is used."""
    token = nobody.post("/api/session", visitor="quiet")["session"]
    quiet = type(nobody)(shop, {"authorization": f"Bearer {token}"})
    quiet.look_at("SHO-0001")
    quiet.put_in_cart("SHO-0002")
    tracked = quiet.post("/api/events", events=[{"type": "view", "at_ms": 1}])
    assert (tracked["accepted"], tracked["refused"]) == (0, 1)
    assert quiet.has("history") == quiet.has("events") == 0
    assert come_in("quiet").get("/api/recommendations")["fallback"] is True


def test_login_keeps_cart_variant_and_history(vera: Visitor):
    """After login the answers are the account's, with the cart, the variant and the recommendations of before."""
    vera.look_at("BAG-0003", "BAG-0005")
    vera.put_in_cart("BAG-0007", 2)
    before = vera.get("/api/recommendations")
    logged_in = vera.log_in()
    after = vera.get("/api/recommendations")
    assert logged_in["subject"] == logged_in["account"] == after["subject"] != "vera"
    assert (logged_in["merged_from"], logged_in["visitor"]) == ("vera", "vera")
    assert after["variant"] == before["variant"]
    assert after["items"] == before["items"]
    assert [(i["sku"], i["quantity"]) for i in vera.get("/api/cart")["items"]] == [("BAG-0007", 2)]


def test_no_login_flips_a_variant(come_in: Callable[..., Visitor]):
    """Of many visitors who log in, into one account or each into their own, none sees the other variant afterwards."""
    for n in range(12):
        visitor = come_in(f"visitor-{n}")
        before = visitor.get("/api/home")["variant"]
        assert visitor.log_in(f"shopper-{n % 8}")["variant"] == visitor.get("/api/home")["variant"] == before


def test_carts_of_two_devices_are_poured_together(come_in: Callable[..., Visitor]):
    """A second device's login adds its cart to the account's, up to the limit for one thing, and both then see all."""
    phone, laptop = come_in("phone"), come_in("laptop")
    phone.put_in_cart("BAG-0007", 15)
    phone.log_in()
    laptop.put_in_cart("BAG-0007", 15)
    laptop.put_in_cart("SHO-0002")
    laptop.log_in()
    carts = [[(i["sku"], i["quantity"]) for i in device.get("/api/cart")["items"]] for device in (phone, laptop)]
    assert carts == [[("BAG-0007", 20), ("SHO-0002", 1)]] * 2


def test_logging_in_twice_does_not_double_the_cart(vera: Visitor):
    """A repeated login changes nothing."""
    vera.put_in_cart("BAG-0007", 2)
    assert vera.log_in()["account"] == vera.log_in()["account"]
    assert vera.get("/api/cart")["count"] == 2


def test_login_between_checkout_and_payment(vera: Visitor):
    """A shopper who logs in half way through buying can go on."""
    vera.put_in_cart("BAG-0007")
    checkout = vera.post("/api/checkout")["checkout"]
    vera.log_in()
    payment = vera.post("/api/payments", checkout=checkout, card_token="tok_test")["payment"]
    vera.log_in()
    order = vera.post("/api/orders", payment=payment)["order"]
    assert [o["order"] for o in vera.get("/api/orders")["orders"]] == [order]


def test_a_wrong_password_changes_nothing(vera: Visitor, come_in: Callable[..., Visitor]):
    """A wrong password is a 401, and the session stays what it was."""
    vera.log_in("ana", "sesame")
    mallory = come_in("mallory")
    mallory.put_in_cart("BAG-0007")
    wrong = {"email": "ANA@shopper.example", "password": "guess"}
    assert mallory.refused("POST", "/api/login", json=wrong) == (401, "wrong_credentials")
    assert mallory.get("/api/cart")["subject"] == "mallory"
    assert mallory.get("/api/cart")["count"] == 1


def test_only_shoppers_have_accounts(vera: Visitor, nobody: Visitor):
    """Other emails never get in, and nobody logs in without a session."""
    real = {"email": "ana@example.com", "password": "sesame"}
    assert vera.refused("POST", "/api/login", json=real) == (401, "wrong_credentials")
    ours = {"email": "ana@shopper.example", "password": "sesame"}
    assert nobody.refused("POST", "/api/login", json=ours) == (401, "no_session")
    assert vera.has("accounts") == 0


def test_passwords_are_not_stored(vera: Visitor, come_in: Callable[..., Visitor]):
    """The file holds salted digests: none contains the password, and two equal passwords look different."""
    vera.log_in("ana", "open-sesame")
    come_in("other").log_in("ben", "open-sesame")
    rows = vera.shop.database.all("SELECT salt, digest FROM accounts")
    assert len({digest for _, digest in rows}) == len({salt for salt, _ in rows}) == 2
    assert all(b"sesame" not in digest for _, digest in rows)


def test_two_first_logins_at_once_make_one_account(come_in: Callable[..., Visitor]):
    """Of two devices that log in for the first time together, both get the same account."""

    async def together() -> list[str]:
        body = {"email": "ana@shopper.example", "password": "sesame"}
        async with come_in_async("phone") as phone, come_in_async("laptop") as laptop:
            answers = await asyncio.gather(*(c.post("/api/login", json=body) for c in (phone, laptop)))
        return [answer.json()["account"] for answer in answers]

    visitors = {name: come_in(name) for name in ("phone", "laptop")}

    def come_in_async(name: str):
        return visitors[name].asking()

    first, second = asyncio.run(together())
    assert first == second


def test_knowing_a_visitor_is_not_knowing_the_account(vera: Visitor, come_in: Callable[..., Visitor]):
    """A new session of the same device keeps the device's taste, but sees nothing the account owns until login."""
    vera.look_at("BAG-0003")
    vera.log_in()
    order = vera.buy("SHO-0002")["order"]
    again = come_in("vera")
    assert again.get("/api/recommendations")["fallback"] is False
    assert again.get("/api/orders")["orders"] == []
    again.log_in()
    assert [o["order"] for o in again.get("/api/orders")["orders"]] == [order]


@pytest.mark.parametrize("visitor", ["acct_1234", "", "a b", "x" * 129, "ä", 5, None, ["v"]])
def test_visitors_cannot_be_called_anything(nobody: Visitor, visitor: object):
    """Odd ids are refused, above all those that look like an account's."""
    assert nobody.refused("POST", "/api/session", json={"visitor": visitor}) == (422, "invalid")
