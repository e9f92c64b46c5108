"""A share link leads to its product, and every opening counts once, for whoever shared it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

SHARES = "/api/shares"


def test_opening_a_link_leads_to_the_product_and_counts(vera: Visitor, nobody: Visitor):
    """Anybody may open it, however often; only looking at it (HEAD) is no opening."""
    made = vera.ask("POST", SHARES, json={"sku": "BAG-0007"})
    assert made.status_code == 201
    url = made.json()["url"]
    for visitor in (nobody, vera, nobody):
        opened = visitor.ask("GET", url)
        assert (opened.status_code, opened.headers["location"]) == (302, "/p/BAG-0007")
        assert "no-store" in opened.headers["cache-control"]
    assert nobody.ask("HEAD", url).status_code == 302
    assert nobody.ask("GET", opened.headers["location"]).status_code == 200
    (share,) = vera.get(SHARES)["shares"]
    assert (share["opens"], share["sku"], share["url"]) == (3, "BAG-0007", url)


def test_links_are_their_owners(vera: Visitor, nobody: Visitor, come_in: Callable[..., Visitor]):
    """Everybody gets a link of their own, sees only theirs, and takes them along into the account."""
    first, second = (vera.post(SHARES, sku="BAG-0007")["share"] for _ in range(2))
    assert first != second
    assert come_in("ben").get(SHARES)["shares"] == []
    assert nobody.refused("GET", SHARES) == nobody.refused("POST", SHARES, json={}) == (401, "no_session")
    vera.log_in()
    assert {share["share"] for share in vera.get(SHARES)["shares"]} == {first, second}


def test_what_cannot_be_shared(vera: Visitor, nobody: Visitor):
    """A product that does not exist is refused, and a made-up link is a page that says so."""
    assert vera.refused("POST", SHARES, json={"sku": "NOPE"}) == (404, "not_found")
    assert vera.refused("POST", SHARES, json={}) == (422, "invalid")
    answer = nobody.ask("GET", "/s/made-up")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_what_is_shared_is_shown_to_its_opener(vera: Visitor, come_in: Callable[..., Visitor], nobody: Visitor):
    """Whoever opens a link sees the product at their own price and under their own name; nothing says who shared it."""
    token = vera.post(SHARES, sku="BAG-0007")["share"]
    yuki = come_in("yuki", "JP")
    opened, mine = yuki.get(f"{SHARES}/{token}"), vera.get("/api/products/BAG-0007")["product"]
    assert (opened["subject"], opened["product"]["currency"], mine["currency"]) == ("yuki", "JPY", "GBP")
    assert nobody.get(f"{SHARES}/{token}")["subject"] is None
    assert "vera" not in str(opened)
    assert vera.get(SHARES)["shares"][0]["opens"] == 2
    assert nobody.refused("GET", f"{SHARES}/made-up") == (404, "not_found")
