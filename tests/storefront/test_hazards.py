"""Each hazard can be seen from outside when it is on, and only then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from simulator.storefront.hazards import HAZARDS, all_hazards, answer_key, rules_with
from simulator.storefront.rules import Rules
from simulator.target.passkeys import Phone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conftest import Visitor, Zoo

BAG, IPHONE = "BAG-0007", {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"}
TEST = {"baggage": "synthetic_request=true"}
SEA = {"lat": 30.0, "lon": -40.0}


def at_once(asked: Sequence[tuple[Visitor, str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Ask all of these together and return their answers."""

    async def all_of_them() -> list[dict[str, Any]]:
        async with asked[0][0].asking() as client:
            sent = (client.request(how, path, headers=who.headers, **options) for who, how, path, options in asked)
            return [answer.json() for answer in await asyncio.gather(*sent)]

    return asyncio.run(all_of_them())


def sees_leak(zoo: Zoo) -> bool:
    """See another shopper's page, under their name and with what they like."""
    ana, ben = zoo.enter("ana"), zoo.enter("ben")
    ana.look_at("WAT-0003")
    ana.get("/api/home")
    return ben.get("/api/home")["subject"] == "ana"


def sees_cached_cookie(zoo: Zoo) -> bool:
    """See another shopper's session come out of the cache, with its age."""
    sessions = {}
    for name in ("ana", "ben"):
        visitor = zoo.enter(name)
        sessions[name] = visitor.headers["authorization"].removeprefix("Bearer ")
        visitor.headers["cookie"] = f"sid={sessions[name]}"
        answer = visitor.ask("GET", "/api/categories/bags")
    assert "age" in answer.headers
    return sessions["ana"] in answer.headers.get("set-cookie", "")


def sees_wrong_place(zoo: Zoo) -> bool:
    """See an offer in the middle of the sea."""
    return bool(zoo.enter().get("/api/offers", **SEA)["offers"])


def sees_every_country(zoo: Zoo) -> bool:
    """See the same deals wherever one comes from."""
    there, here = ([deal["id"] for deal in zoo.enter(c, c).get("/api/offers")["deals"]] for c in ("DE", "FR"))
    return there == here


def sees_geo_format(zoo: Zoo) -> bool:
    """See another price for `de` than for `DE`, or another answer for a longer number."""
    small, large = (zoo.enter(country, country).get("/api/home")["currency"] for country in ("de", "DE"))
    short, long = (zoo.enter().get("/api/offers", lat=lat, lon="13.405")["geo_used"] for lat in ("52.52", "52.520000"))
    assert (small != large) == (short != long)
    return small != large


def sees_consent_ignored(zoo: Zoo) -> bool:
    """See a personal page of somebody who refused everything."""
    quiet = zoo.enter("quiet", analytics=False, personalization=False, location=False)
    quiet.look_at("WAT-0003")
    seen = {
        quiet.get("/api/recommendations")["fallback"] is False,
        quiet.get("/api/offers", lat=52.52, lon=13.405)["geo_used"] is not None,
        quiet.post("/api/events", events=[{"type": "view", "at_ms": 1}])["accepted"] == 1,
    }
    assert len(seen) == 1
    return seen.pop()


def reachable(zoo: Zoo, name: str = "vera") -> Visitor:
    """Return somebody who can be sent push messages."""
    visitor = zoo.enter(name, push=True)
    visitor.post("/api/push/endpoints", endpoint=f"https://push.example/{name}")
    return visitor


def sees_late_opt_out(zoo: Zoo) -> bool:
    """See a message after the opt-out."""
    vera = reachable(zoo)
    vera.post("/api/consent", push=False)
    return vera.post("/api/push/messages", campaign="spring")["sent"] == 1


def sees_pushy(zoo: Zoo) -> bool:
    """See the same campaign twice."""
    vera = reachable(zoo)
    return [vera.post("/api/push/messages", campaign="spring")["sent"] for _ in range(2)] == [1, 1]


def arms(visitor: Visitor) -> list[str]:
    """Return the arms of all experiments."""
    return [flag["variant"] for flag in visitor.get("/api/decide")["flags"]]


def sees_flip_at_login(zoo: Zoo) -> bool:
    """See some shopper change arms by logging in."""
    flips = 0
    for n in range(4):
        visitor = zoo.enter(f"visitor-{n}")
        before = arms(visitor)
        visitor.log_in(f"shopper-{n}")
        flips += arms(visitor) != before
    return flips > 0


def sees_flicker(zoo: Zoo) -> bool:
    """See one shopper in two arms."""
    vera = zoo.enter()
    return len({tuple(arms(vera)) for _ in range(10)}) > 1


def sees_sample_ratio(zoo: Zoo) -> bool:
    """See more than 3.3 standard errors too many in the treatment, of 400: one in a thousand by chance, names fixed."""
    visitors = [(zoo.nobody(), "POST", "/api/session", {"json": {"visitor": f"v{n}"}}) for n in range(400)]
    treated = sum(answer["variant"] == "treatment" for answer in at_once(visitors))
    return abs(treated - 200) > 3.3 * 10


def sees_stale_price(zoo: Zoo) -> bool:
    """See a price in the list that the cart does not charge."""
    vera = zoo.enter()
    shown = {item["sku"]: item["price"] for item in vera.get("/api/home")["items"]}
    for sku in shown:
        vera.put_in_cart(sku)
    return {item["sku"]: item["price"] for item in vera.get("/api/cart")["items"]} != shown


def sees_open_door(zoo: Zoo) -> bool:
    """Read somebody's order and points without any session."""
    vera = zoo.enter()
    account = vera.log_in()["account"]
    order = vera.buy(BAG)["order"]
    paths = (f"/api/orders/{order}", f"/api/accounts/{account}/loyalty")
    seen = {zoo.nobody().ask("GET", path).is_success for path in paths}
    assert len(seen) == 1
    return seen.pop()


def sees_share_session(zoo: Zoo) -> bool:
    """Read a session in a shared link."""
    vera = zoo.enter()
    return vera.headers["authorization"].removeprefix("Bearer ") in vera.post("/api/shares", sku=BAG)["url"]


def sees_crossed_token(zoo: Zoo) -> bool:
    """See that a click on one's own list is attributed to nobody."""
    zoo.enter("ana").get("/api/recommendations")
    ben = zoo.enter("ben")
    token = ben.get("/api/recommendations")["token"]
    return ben.post("/api/events", events=[{"type": "click", "at_ms": 1, "token": token}])["attributed"] == 0


def sees_dropped_events(zoo: Zoo) -> bool:
    """Count fewer events than were accepted."""
    vera = zoo.enter()
    told = sum(vera.post("/api/events", events=[{"type": "view", "at_ms": n}])["accepted"] for n in range(8))
    zoo.watch.wait(2)
    return vera.get("/api/events/count")["count"] < told


def sees_cold_start(zoo: Zoo) -> bool:
    """Be new, and be recommended nothing."""
    assert zoo.nobody().get("/api/recommendations")["items"], "nobody at all is shown what is popular"
    return zoo.enter().get("/api/recommendations")["items"] == []


def regulars(zoo: Zoo, count: int) -> list[Visitor]:
    """Return shoppers with a history."""
    visitors = [zoo.enter(f"regular-{n}") for n in range(count)]
    for visitor in visitors:
        visitor.look_at("WAT-0003")
    return visitors


def sees_fallback_under_load(zoo: Zoo) -> bool:
    """See a regular's page give way to what is popular when six ask at once, and never when one asks."""
    six = regulars(zoo, 6)
    assert not any(visitor.get("/api/recommendations")["fallback"] for visitor in six)
    return any(answer["fallback"] for answer in at_once([(v, "GET", "/api/recommendations", {}) for v in six]))


def sees_crossed_answers(zoo: Zoo) -> bool:
    """Get another's page when two ask at once, and never when one asks."""
    two = regulars(zoo, 2)
    assert [visitor.get("/api/home")["subject"] for visitor in two] == ["regular-0", "regular-1"]
    answers = at_once([(visitor, "GET", "/api/home", {}) for visitor in two])
    return [answer["subject"] for answer in answers] != ["regular-0", "regular-1"]


def sees_double_redeem(zoo: Zoo) -> bool:
    """Spend points twice at once, and never one after the other."""
    vera = zoo.enter()
    path = f"/api/accounts/{vera.log_in()['account']}/loyalty"
    orders = [vera.buy("BEA-0001")["order"] for _ in range(4)]
    most = max((r for r in vera.get(path)["rewards"] if r["within_reach"]), key=lambda reward: reward["points"])
    body = [{"reward": most["id"], "order": order} for order in orders]
    at_once([(vera, "POST", f"{path}/redemptions", {"json": one}) for one in body])
    spent_at_once = vera.get(path)["balance"] < 0
    assert vera.refused("POST", f"{path}/redemptions", json={"reward": "voucher-10", "order": orders[0]})[0] == 409
    return spent_at_once


def sees_sold_out(zoo: Zoo) -> bool:
    """Be recommended what is gone."""
    vera = zoo.enter()
    vera.look_at("BAG-0003")
    sku = vera.get("/api/recommendations")["items"][0]["sku"]
    zoo.shop.database.run("UPDATE stock SET quantity = 0 WHERE sku = ?", sku)
    zoo.shop.stock.refresh([sku])
    return sku in {item["sku"] for item in vera.get("/api/recommendations")["items"]}


def sees_weak_passkey(zoo: Zoo) -> bool:
    """Log in with an answer that was given before, from elsewhere, and with a copied key."""
    vera, email = zoo.enter(), "vera@shopper.example"

    def finishes(phone: Phone) -> list[int]:
        credential = phone.answer(vera.post("/api/auth/begin", email=email)["public_key"])
        return [vera.ask("POST", "/api/auth/finish", json={"credential": credential}).status_code for _ in range(2)]

    assert finishes(Phone(7, 1, counter=5))[0] == 200
    replay = finishes(Phone(7, 1, counter=6))[1]
    copied = finishes(Phone(7, 1, counter=2))[0]
    elsewhere = finishes(Phone(7, 1, origin="https://evil.example", counter=9))[0]
    seen = {status == 200 for status in (replay, copied, elsewhere)}
    assert len(seen) == 1
    return seen.pop()


def sees_wrong_model(zoo: Zoo) -> bool:
    """Get a model for Android on an iPhone, and all of it where a part was asked for."""
    answer = zoo.nobody().ask("GET", f"/ar/{BAG}", headers=IPHONE | {"range": "bytes=0-9"})
    seen = {answer.headers["content-type"] == "model/gltf-binary", answer.status_code == 200}
    assert len(seen) == 1
    return seen.pop()


def sees_learns_from_tests(zoo: Zoo) -> bool:
    """See counts rise by requests that say they are a test."""
    vera = zoo.enter()
    vera.headers |= TEST
    vera.look_at(BAG)
    vera.post("/api/exposures", flag="home-hero", variant=vera.get("/api/home")["variant"])
    counts = vera.get("/api/experiments")["experiments"]
    seen = {vera.get("/api/trends")["views"] == 1, any(arm["exposed"] for one in counts for arm in one["arms"])}
    assert len(seen) == 1
    return seen.pop()


def sees_wrong_currency(zoo: Zoo) -> bool:
    """See pounds in Tokyo."""
    return zoo.enter(country="JP").get("/api/home")["currency"] == "GBP"


def sees_forgets_returning(zoo: Zoo) -> bool:
    """Come back and be a stranger."""
    zoo.enter().look_at("WAT-0003", "WAT-0005")
    vera = zoo.enter()
    seen = {vera.get("/api/home")["fallback"] is True, vera.post("/api/identify")["returning"] is False}
    assert len(seen) == 1
    return seen.pop()


def sees_server_time(zoo: Zoo) -> bool:
    """Read the shop's hour in Tokyo, where it is nine hours later."""
    return zoo.enter(country="JP").get("/api/home")["daypart"] != "evening"


SEEN = {name.removeprefix("sees_"): found for name, found in globals().items() if name.startswith("sees_")}


def test_every_hazard_is_looked_for():
    """Each hazard has its own test below, and every family from H1 to H25 has a hazard."""
    assert SEEN.keys() == HAZARDS.keys()
    assert {hazard.code for hazard in all_hazards()} == {f"H{n}" for n in range(1, 26)}


@pytest.mark.parametrize("name", SEEN)
def test_a_hazard_is_seen_when_it_is_on_and_only_then(open_zoo: Callable[..., Zoo], name: str):
    """From outside, over HTTP, the defect shows with its own switch, and does not without any."""
    assert SEEN[name](open_zoo(name)) is True
    assert SEEN[name](open_zoo()) is False


def test_hazards_do_not_hide_each_other(open_zoo: Callable[..., Zoo]):
    """Of three that meet in the same answers, each is still seen, in whatever order they are switched on."""
    for names in (("stale_price", "crossed_token", "every_country"), ("every_country", "crossed_token", "stale_price")):
        zoo = open_zoo(*names)
        assert all(SEEN[name](zoo) for name in names)


def test_all_hazards_at_once_still_make_a_shop(open_zoo: Callable[..., Zoo]):
    """With everything wrong, pages are answered."""
    zoo = open_zoo(*HAZARDS)
    vera = zoo.enter()
    vera.look_at(BAG)
    for path in ("/api/home", "/api/recommendations", "/api/offers", "/api/cart"):
        assert vera.get(path)


def test_no_hazard_is_on_unless_asked_for():
    """A shop without switches goes by the right rules, and the answer key of nothing is empty."""
    assert rules_with([]) == Rules()
    assert answer_key([]) == {"hazards": []}
    with pytest.raises(KeyError):
        rules_with(["nonsense"])


def test_the_answer_key_says_what_is_on():
    """Name, family, what it does, which operations it touches, and whether it takes requests that overlap."""
    (first, second) = answer_key(["crossed_answers", "leak"])["hazards"]
    assert (first["name"], first["code"], first["only_together"]) == ("leak", "H1", False)
    assert (second["name"], second["code"], second["only_together"]) == ("crossed_answers", "H18", True)
    assert "home" in first["operations"]
    assert first["does"].startswith("Show one shopper's page")
