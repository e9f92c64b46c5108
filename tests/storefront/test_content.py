"""Articles are for everybody, ordered by taste; plans are for members."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simulator.storefront.catalogue import build_catalogue
from simulator.storefront.library import Library
from simulator.storefront.vocabulary import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

CONTENT = "/api/content"


def test_every_category_has_two_articles_a_plan_and_something_exclusive():
    """Slugs are unique, texts differ, and every product shown is of the category and in the catalogue."""
    catalogue = build_catalogue(7)
    pieces = Library(catalogue).pieces
    assert len({piece.slug for piece in pieces}) == len(pieces) == 4 * len(CATEGORIES)
    assert Counter((p.category, p.kind) for p in pieces) == {
        (c.slug, kind): n for c in CATEGORIES for kind, n in (("article", 2), ("plan", 1), ("exclusive", 1))
    }
    assert len({piece.paragraphs for piece in pieces}) == len(pieces)
    assert all(catalogue.products[sku].category == p.category for p in pieces for sku in p.skus)
    assert Library(build_catalogue(7)).pieces == pieces


def test_the_list_follows_taste(come_in: Callable[..., Visitor], nobody: Visitor):
    """Who looked at watches reads about watches first; without consent, history or a session, as everybody does."""
    vera, private = come_in(), come_in("private", personalization=False)
    for visitor in (vera, private):
        visitor.look_at("WAT-0001", "WAT-0002")
    mine, everybodys = vera.get(CONTENT), nobody.get(CONTENT)
    assert [item["category"] for item in mine["items"][:2]] == ["watches", "watches"]
    assert (mine["fallback"], everybodys["fallback"]) == (False, True)
    assert private.get(CONTENT)["items"] == everybodys["items"] == come_in("new").get(CONTENT)["items"]
    assert len({item["category"] for item in everybodys["items"]}) == len(CATEGORIES)


def test_plans_are_for_members(vera: Visitor, nobody: Visitor):
    """A guest is refused a plan and sees none in the list; a member reads what to do in each week."""
    for guest in (nobody, vera):
        assert guest.refused("GET", CONTENT, params={"kind": "plan"}) == (403, "members_only")
        assert guest.refused("GET", f"{CONTENT}/walk-through-the-winter") == (403, "members_only")
        assert {item["kind"] for item in guest.get(CONTENT, limit=48)["items"]} == {"article"}
    vera.log_in()
    assert len(vera.get(CONTENT, kind="plan")["items"]) == len(CATEGORIES)
    assert vera.get(CONTENT, limit=48)["total"] == 3 * len(CATEGORIES)
    plan = vera.get(f"{CONTENT}/walk-through-the-winter")
    assert [text[:7] for text in plan["piece"]["paragraphs"]] == ["Week 1:", "Week 2:", "Week 3:", "Week 4:"]
    assert plan["subject"].startswith("acct_")


def test_an_article_shows_its_products(vera: Visitor):
    """One piece by its slug, with cards of things that are sold, in the shopper's currency."""
    (first, second) = vera.get(CONTENT, category="bags")["items"]
    assert first["category"] == second["category"] == "bags"
    article = vera.get(first["url"])
    assert article["piece"].items() >= first.items()
    assert len(article["products"]) == 4
    assert {product["currency"] for product in article["products"]} == {"GBP"}


def test_what_the_library_does_not_have(vera: Visitor):
    """Unknown pieces and categories are 404, unknown kinds and limits 422."""
    for path in (f"{CONTENT}/nope", f"{CONTENT}?category=nope"):
        assert vera.refused("GET", path) == (404, "not_found")
    for query in ("kind=poem", "limit=0", "limit=49"):
        assert vera.refused("GET", f"{CONTENT}?{query}") == (422, "invalid")


def test_what_is_exclusive_is_earned(vera: Visitor, nobody: Visitor):
    """A member without the pass is told what it takes; with the pass redeemed, the pieces open, and to nobody else."""
    vera.log_in()
    order = vera.buy("BAG-0007", 3)["order"]
    assert vera.get("/api/entitlements")["entitlements"] == ["article", "plan"]
    assert vera.refused("GET", CONTENT, params={"kind": "exclusive"}) == (403, "not_entitled")
    account = vera.get("/api/home")["subject"]
    vera.post(f"/api/accounts/{account}/loyalty/redemptions", reward="exclusive-pass", order=order)
    assert vera.get("/api/entitlements")["entitlements"] == ["article", "plan", "exclusive"]
    (first, *_) = vera.get(CONTENT, kind="exclusive")["items"]
    assert first["members_only"] is True
    assert vera.get(first["url"])["piece"]["paragraphs"]
    for path in (first["url"], "/api/entitlements"):
        assert nobody.refused("GET", path) == (403, "members_only")
