"""Whatever is sent, the shop answers with a status that says whose fault it was, and it is never the shop's."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.storefront.app import ROUTES
from simulator.storefront.shop import open_shop

if TYPE_CHECKING:
    from conftest import Visitor

POSTS = sorted(r.path for r in ROUTES if "POST" in (r.methods or ()))
GETS = ["/api/home", "/api/offers", "/api/stores", "/api/search", "/api/suggest", "/api/recommendations",
        "/api/categories/bags", "/api/products/BAG-0001", "/", "/p/BAG-0001", "/api/content",
        "/api/prices", "/api/next-action", "/api/trends", "/api/decide", "/api/experiments", "/api/push"]  # fmt: skip
CONTENT_WITH_NOTHING = {"/api/consent", "/api/identify", "/api/events/beacon"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["visitor", "consent", "country", "sku", "quantity", "checkout", "card_token", "payment", "email", "password",
         "events", "type", "at_ms", "token", "topic", "order", "reward", "endpoint", "message", "kind", "skus",
         "positions", "flag", "variant", "campaign", "ttl_s", "credential", "activity", "reference", "timezone",
         "push", "location", "stuck_at"]  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body", ["{", "", "[1, 2", '{"a": nan}', "\ud800".encode("utf-8", "surrogatepass"), b"\xff\xfe"]
)
def test_what_is_not_json_is_malformed(vera: Visitor, path: str, body: str | bytes):
    """A body that cannot be read is a 400 everywhere; no body at all is an empty object, and few calls need no more."""
    if body == "" and path in CONTENT_WITH_NOTHING:
        assert vera.ask("POST", path).is_success
        return
    status, code = vera.refused("POST", path, content=body)
    assert (status, code) == (400, "malformed") or (body == "" and status in {409, 422})


@pytest.mark.parametrize("path", POSTS)
def test_json_that_is_no_object_is_invalid(vera: Visitor, path: str):
    """A list, a number or null where an object belongs is a 422, and too long a body a 413."""
    for body in ("[]", "3", "null", '"x"'):
        assert vera.refused("POST", path, content=body) == (422, "invalid")
    assert vera.refused("POST", path, content=b" " * 70_000) == (413, "too_large")


@pytest.mark.parametrize(
    "query",
    [
        "lat=52.5",
        "lon=13",
        "lat=x&lon=y",
        "lat=nan&lon=0",
        "lat=inf&lon=0",
        "lat=91&lon=0",
        "lat=0&lon=-180.1",
        "lat=&lon=",
    ],
)
@pytest.mark.parametrize("path", ["/api/home", "/api/offers", "/api/stores"])
def test_a_position_must_be_on_earth(vera: Visitor, path: str, query: str):
    """Half a position, words, infinities and places off the globe are refused."""
    assert vera.refused("GET", f"{path}?{query}") == (422, "invalid")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "", "99999999999999999999", "\u0661", "51"])
def test_a_limit_is_a_small_whole_number(vera: Visitor, value: str):
    """Limits outside their range are refused."""
    for path in ("/api/recommendations", "/api/stores"):
        assert vera.refused("GET", path, params={"limit": value}) == (422, "invalid")


def test_a_search_needs_words(nobody: Visitor):
    """No query, a blank one and a book are refused."""
    for params in ({}, {"q": ""}, {"q": "   "}, {"q": "x" * 201}):
        for path in ("/api/search", "/api/suggest"):
            assert nobody.refused("GET", path, params=params) == (422, "invalid")


def test_what_does_not_exist_is_not_found(vera: Visitor):
    """Unknown products, categories and paths are 404, an unknown method is 405, all of them in the shop's JSON."""
    for path in ("/api/products/NOPE", "/api/categories/nope", "/api/recommendations?sku=NOPE", "/api/nowhere",
                 "/api/products/%00", "/api/products/" + "x" * 500, "/api/ar/SHO-0001"):  # fmt: skip
        assert vera.refused("GET", path) == (404, "not_found")
    assert vera.refused("POST", "/api/cart/items", json={"sku": "NOPE", "quantity": 1}) == (404, "not_found")
    refusal = vera.ask("PATCH", "/api/home")
    assert refusal.status_code == 405
    assert "GET" in refusal.headers["allow"]
    assert refusal.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("quantity", [0, -1, 21, 1.0, "1", True, None, 10**30])
def test_a_quantity_is_a_whole_number(vera: Visitor, quantity: object):
    """Quantities from 1 to 20, and nothing that merely looks like one."""
    assert vera.refused("POST", "/api/cart/items", json={"sku": "BAG-0007", "quantity": quantity}) == (422, "invalid")


@pytest.mark.parametrize(
    "body",
    [{"consent": []}, {"consent": {"location": "yes"}}, {"consent": {"location": 1}}, {"country": "g"},
     {"timezone": "Mars/Olympus"}, {"timezone": 5}, {"country": "GBR"}, {"country": None}, {"country": 44}],
)  # fmt: skip
def test_a_session_is_told_properly(nobody: Visitor, body: dict[str, object]):
    """Consent is a set of booleans and a country two capital letters."""
    assert nobody.refused("POST", "/api/session", json={"visitor": "vera"} | body) == (422, "invalid")


def test_no_body_and_no_query_makes_the_shop_stumble(vera: Visitor):
    """Any JSON to any path, and any query to any page, is answered; an exception in the shop would be raised here."""
    pairs = st.dictionaries(
        st.sampled_from(["lat", "lon", "q", "page", "limit", "sku", "category"]), st.text(max_size=9)
    )

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(st.sampled_from(POSTS), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4) | JSON)
    def any_body(path: str, body: object) -> None:
        assert vera.ask("POST", path, json=finite(body)).status_code < 500

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(st.sampled_from(GETS), pairs)
    def any_query(path: str, query: dict[str, str]) -> None:
        assert vera.ask("GET", path, params=query).status_code < 500

    any_body()
    any_query()


def finite(value: object) -> object:
    """Return the value with text for numbers that JSON cannot say."""
    if isinstance(value, float):
        return value if abs(value) < 1e300 else str(value)
    if isinstance(value, list):
        return [finite(each) for each in value]
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    return value


def test_a_shop_is_not_opened_under_another_seed():
    """A file of another seed's shop is refused in so many words, and a file that is no shop's at all is an error."""
    with TemporaryDirectory() as name:
        path = Path(name) / "shop.sqlite"
        open_shop(path, 7).close()
        with pytest.raises(ValueError, match="is the shop of seed 7, not 8"):
            open_shop(path, 8)
        open_shop(path, 7).close()
