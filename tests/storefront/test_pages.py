"""The pages for people need nothing but themselves, and say nothing the shop did not mean."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Visitor

VOID = {"meta", "link", "input", "path", "circle", "br"}


class Strict(HTMLParser):
    """Collects links and fails on elements that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links of an element, and that it is open."""
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action", "srcset"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/", "/?category=shoes", "/?q=snekers", "/?q=zzzzqq", "/p/SAL-0020", "/p/nope"])
def test_a_page_asks_nobody_else(vera: Visitor, path: str):
    """Every page is well formed, and names no address outside the shop: no script, font, image or sheet."""
    html = vera.ask("GET", path).text
    links = Strict(html).links
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<img|<iframe", html)
    assert all(link.startswith("/") or link == "data:," for link in links)
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html


def test_the_window_shows_products_with_prices(nobody: Visitor):
    """The front page shows a hero and products, each with a picture and a price, and its links lead somewhere."""
    html = nobody.ask("GET", "/").text
    assert "<h1>" in html
    assert "Popular now" in html
    assert len(re.findall(r'class="price">£\d', html)) == 24
    assert html.count("<svg") >= 24
    for link in sorted(set(re.findall(r'href="(/p/[A-Z0-9-]+)"', html)))[:3]:
        assert nobody.ask("GET", link).status_code == 200


def test_looking_at_a_page_counts_as_looking(vera: Visitor):
    """The HTML page of a product is remembered like the API's, and the window then says it is chosen."""
    vera.ask("GET", "/p/BAG-0003")
    assert "Chosen for you" in vera.ask("GET", "/").text
    assert vera.get("/api/home")["fallback"] is False


def test_a_missing_product_has_a_page(nobody: Visitor):
    """An unknown product is a 404 that a person can read."""
    answer = nobody.ask("GET", "/p/nope")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "We do not have that" in answer.text


def test_what_was_typed_is_only_text(nobody: Visitor):
    """Markup in a search comes back as text."""
    html = nobody.ask("GET", "/", params={"q": '"><script>alert(1)</script>'}).text
    assert "<script" not in html
    assert "&lt;script&gt;" in html
