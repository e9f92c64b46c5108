"""The cache in front keeps what is the same for everybody in a market, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.storefront.attention import MOST_WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor, Watch

BAGS = "/api/categories/bags"


def test_shelves_come_from_the_cache_until_they_are_old(vera: Visitor, come_in: Callable[..., Visitor], watch: Watch):
    """The second to ask gets the first one's answer with its age, for ten seconds; it says nothing of either."""
    first = vera.ask("GET", BAGS)
    watch.wait(4)
    second = come_in("ben").ask("GET", BAGS)
    assert (first.headers["x-cache"], second.headers["x-cache"], second.headers["age"]) == ("MISS", "HIT", "4")
    assert second.content == first.content
    assert first.headers["cache-control"] == "public, max-age=10"
    assert first.headers["vary"] == "Authorization, Cookie"
    assert not {"subject", "visitor", "variant"} & first.json().keys()
    watch.wait(6)
    assert vera.ask("GET", BAGS).headers["x-cache"] == "MISS"


def test_markets_and_addresses_are_kept_apart(come_in: Callable[..., Visitor]):
    """Whoever pays in another currency, or asks for another page, gets an answer of their own."""
    answers = [come_in(c, c).ask("GET", path) for c in ("GB", "DE", "JP") for path in (BAGS, f"{BAGS}?page=2")]
    assert {answer.headers["x-cache"] for answer in answers} == {"MISS"}
    assert [answer.json()["currency"] for answer in answers] == ["GBP", "GBP", "EUR", "EUR", "JPY", "JPY"]
    assert come_in("AT", "AT").ask("GET", BAGS).headers["x-cache"] == "HIT", "euros are euros"


def test_who_has_the_answer_need_not_fetch_it(vera: Visitor):
    """The tag is answered with 304, from the cache and past it."""
    tag = vera.ask("GET", BAGS).headers["etag"]
    again = vera.ask("GET", BAGS, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert vera.ask("GET", BAGS, headers={"if-none-match": '"x"'}).status_code == 200


def test_what_is_sold_out_is_not_shown_from_the_cache(vera: Visitor, leave: Callable[[str, int], None]):
    """The cache never outlives a shelf that became empty."""
    before = vera.get(BAGS)["items"][0]["sku"]
    leave(before, 0)
    assert vera.get(BAGS)["items"][0]["sku"] != before


def test_no_session_leaves_the_cache(come_in: Callable[..., Visitor]):
    """A session is renewed by cookie for its own shopper alone."""
    tokens = {}
    for name in ("ana", "ben"):
        visitor = come_in(name)
        tokens[name] = visitor.headers.pop("authorization").removeprefix("Bearer ")
        visitor.headers["cookie"] = f"sid={tokens[name]}"
        answer = visitor.ask("GET", BAGS)
        assert answer.headers.get("set-cookie", "").startswith(f"sid={tokens['ana']};" if name == "ana" else "")
    assert "set-cookie" not in answer.headers


def test_personal_answers_pass_the_cache(vera: Visitor, nobody: Visitor):
    """They are nobody's to keep and come fresh every time."""
    for path in ("/api/home", "/api/recommendations", "/api/search?q=bag", "/api/cart", "/api/content", "/api/push"):
        for visitor in (vera, nobody)[: 1 if path == "/api/push" else 2]:
            answer = visitor.ask("GET", path)
            assert answer.headers["cache-control"] == "private, no-store"
            assert "x-cache" not in answer.headers


def test_keystrokes_are_limited(vera: Visitor, nobody: Visitor, watch: Watch):
    """Sixty at once and twenty a second a session; who is nobody is not counted."""
    statuses = [vera.ask("GET", "/api/suggest?q=b").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert nobody.ask("GET", "/api/suggest?q=b").status_code == 200
    watch.wait(0.05)
    assert vera.ask("GET", "/api/suggest?q=b").status_code == 200


def test_when_too_many_wait_everybody_gets_what_is_popular(vera: Visitor):
    """Over the limit answers are general and say so; at the limit, and after it, they are personal."""
    vera.look_at("WAT-0003")
    for waiting, general in ((0, False), (MOST_WAITING, False), (MOST_WAITING + 1, True), (3, False)):
        vera.shop.backlog = lambda waiting=waiting: waiting
        assert vera.get("/api/recommendations")["fallback"] is general
        assert vera.get("/api/home")["fallback"] is general
