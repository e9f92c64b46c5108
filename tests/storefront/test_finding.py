"""Search, completion and the shelves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor


@pytest.mark.parametrize(
    ("q", "noun"), [("sneaker", "Sneaker"), ("SNEAKERS", "Sneaker"), ("parka", "Parka"), ("lip balm", "Lip Balm")]
)
def test_search_finds_by_name(nobody: Visitor, q: str, noun: str):
    """A noun finds its products, in any case, singular or plural, and nothing else comes before them."""
    answer = nobody.get("/api/search", q=q)
    assert answer["total"] >= 10
    assert answer["corrected"] is None
    assert all(noun in item["name"] for item in answer["items"][:10])


def test_search_wants_all_words(nobody: Visitor):
    """Two words find what has both."""
    answer = nobody.get("/api/search", q="waxed tote")
    assert [item["category"] for item in answer["items"]] == ["bags"]
    assert "Waxed Tote" in answer["items"][0]["name"]


@pytest.mark.parametrize(("q", "meant"), [("snekaers", "sneaker"), ("headfones", "headphone"), ("wach", "watch")])
def test_a_slip_is_corrected(nobody: Visitor, q: str, meant: str):
    """A misspelt word is read as the nearest one, and the answer says so."""
    answer = nobody.get("/api/search", q=q)
    assert answer["corrected"] == meant
    assert answer["total"] > 0


def test_nonsense_finds_nothing(nobody: Visitor):
    """What resembles no word gives an empty list, not an error."""
    for q in ("zzzzqq", "!!!", "日本"):
        assert nobody.get("/api/search", q=q)["items"] == []


def test_the_sale_is_found_by_its_words(nobody: Visitor):
    """Last season's things are found by what they are called."""
    found = nobody.get("/api/search", q="last season")["items"]
    assert found
    assert {item["category"] for item in found} == {"sale"}


def test_search_is_pulled_by_taste(vera: Visitor, nobody: Visitor):
    """A word of several categories ranks the favourite one first, finds the same things, and says it is personal."""
    vera.look_at("BAG-0003", "BAG-0005")
    mine, theirs = vera.get("/api/search", q="leather"), nobody.get("/api/search", q="leather")
    assert (mine["fallback"], theirs["fallback"]) == (False, True)
    assert mine["total"] == theirs["total"]
    assert [i["category"] for i in mine["items"][:5]] == ["bags"] * 5
    assert [i["sku"] for i in mine["items"]] != [i["sku"] for i in theirs["items"]]


def test_typing_is_completed(nobody: Visitor):
    """Suggestions begin with, or contain a word that begins with, what was typed."""
    assert "Trail Runner" in nobody.get("/api/suggest", q="trail r")["suggestions"]
    for suggestion in nobody.get("/api/suggest", q="to")["suggestions"]:
        assert any(word.startswith("to") for word in suggestion.casefold().split())


def test_pages_of_a_shelf_hold_everything_once(nobody: Visitor):
    """Going through a category's pages shows each product once; past the end is empty."""
    first = nobody.get("/api/categories/toys")
    pages = [nobody.get("/api/categories/toys", page=n)["items"] for n in range(1, first["pages"] + 1)]
    skus = [item["sku"] for page in pages for item in page]
    assert len(skus) == len(set(skus)) == first["total"] == 110
    assert nobody.get("/api/categories/toys", page=first["pages"] + 1)["items"] == []


def test_what_is_sold_out_comes_last(nobody: Visitor, leave: Callable[[str, int], None]):
    """A shelf and a search show what can be had first, and mark the rest."""
    top = nobody.get("/api/categories/toys")["items"][0]["sku"]
    leave(top, 0)
    assert nobody.get("/api/categories/toys")["items"][0]["sku"] != top
    last = nobody.get("/api/categories/toys", page=5)["items"]
    assert top in {item["sku"] for item in last if not item["in_stock"]}


def test_the_categories_are_listed(nobody: Visitor):
    """Twelve categories, with as many products as their pages say."""
    listed = nobody.get("/api/categories")["categories"]
    assert len(listed) == 12
    for each in listed:
        assert nobody.get(f"/api/categories/{each['slug']}")["total"] == each["count"]
    assert nobody.get("/api/health") == {"status": "ok", "products": sum(each["count"] for each in listed)}


def test_a_product_tells_all(nobody: Visitor):
    """A product has price, stock, rating, images and related products."""
    answer = nobody.get("/api/products/SHO-0002")
    product = answer["product"]
    assert product["sku"] == "SHO-0002"
    assert product["price"] > 0
    assert product["stock"] == nobody.shop.stock.left("SHO-0002")
    assert 3.0 <= product["rating"] <= 5.0
    assert product["images"] >= 2
    assert len(answer["related"]) >= 3
