"""What is shown to a shopper comes from their own history, or is the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

    from simulator.storefront.shop import Shop


def shown(visitor: Visitor, path: str = "/api/recommendations", **params: Any) -> list[str]:
    """Return the SKUs an answer shows."""
    return [item["sku"] for item in visitor.get(path, **params)["items"]]


def without_identity(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer less what may differ between two people who are shown the same."""
    return {k: v for k, v in answer.items() if k not in {"subject", "visitor", "token", "variant"}}


def test_a_newcomer_sees_what_is_popular(vera: Visitor, nobody: Visitor):
    """Anonymous, and new: both get the same non-empty list, and are told that it is not personal."""
    for path in ("/api/home", "/api/recommendations"):
        for visitor in (vera, nobody):
            answer = visitor.get(path)
            assert answer["fallback"] is True
            assert len(answer["items"]) == 12
            assert {item["reason"] for item in answer["items"]} == {"popular"}
        assert shown(vera, path) == shown(nobody, path)


def test_looking_around_makes_it_personal(vera: Visitor):
    """After a few looks at bags, the page is about bags and says so."""
    vera.look_at("BAG-0003", "BAG-0005", "BAG-0008")
    answer = vera.get("/api/home")
    assert answer["fallback"] is False
    assert answer["segments"] == ["browser", "likes-bags"]
    assert sum(item["category"] == "bags" for item in answer["items"]) >= 9
    assert {item["reason"] for item in answer["items"]} <= {"affinity", "viewed_with"}


def test_one_shoppers_doings_never_reach_anothers_page(come_in: Callable[..., Visitor], nobody: Visitor):
    """Whatever another shopper views, wants and buys, one's own pages stay, byte for byte, as they were."""
    ana, ben = come_in("ana"), come_in("ben")
    ana.look_at("WAT-0003", "WAT-0005")
    paths = ("/api/home", "/api/recommendations", "/api/search?q=leather", "/api/cart", "/api/orders")

    def pages() -> list[dict[str, Any]]:
        strangers = [nobody.get(path) for path in (*paths[:4], "/api/products/WAT-0003")]
        return [without_identity(page) for page in (*(ana.get(path) for path in paths), *strangers)]

    before = pages()
    ben.look_at("WAT-0003", *(f"TOY-{n:04d}" for n in range(1, 20)))
    ben.put_in_cart("TOY-0003")
    ben.buy("BEA-0004")
    ben.log_in("ben")
    assert pages() == before


def test_two_shoppers_see_two_shops(come_in: Callable[..., Visitor]):
    """Different histories give different pages under the right name."""
    ana, ben = come_in("ana"), come_in("ben")
    ana.look_at("WAT-0003")
    ben.look_at("TOY-0003")
    for visitor, name, category in ((ana, "ana", "watches"), (ben, "ben", "toys")):
        answer = visitor.get("/api/recommendations")
        assert answer["subject"] == name
        assert answer["items"][0]["category"] == category


def test_whoever_opts_out_is_shown_what_strangers_are_shown(come_in: Callable[..., Visitor], nobody: Visitor):
    """Without personalization consent every page equals the anonymous one, whatever the shopper did."""
    private = come_in("private", personalization=False)
    private.look_at("WAT-0003", "WAT-0005")
    private.buy("WAT-0001" if private.shop.stock.left("WAT-0001") else "WAT-0002")
    for path in ("/api/home", "/api/recommendations", "/api/recommendations?sku=WAT-0003", "/api/search?q=leather"):
        assert without_identity(private.get(path)) == without_identity(nobody.get(path))


def test_consent_withdrawn_counts_at_once(come_in: Callable[..., Visitor], nobody: Visitor):
    """Who agreed before and does not now is shown what strangers are shown, and is in no segment."""
    come_in("vera").look_at("BAG-0003", "BAG-0005")
    withdrawn = come_in("vera", personalization=False)
    for path in ("/api/home", "/api/recommendations", "/api/search?q=leather"):
        assert without_identity(withdrawn.get(path)) == without_identity(nobody.get(path))
    assert withdrawn.get("/api/home")["segments"] == []
    assert come_in("vera").get("/api/home")["fallback"] is False


def test_nothing_sold_out_is_recommended(vera: Visitor, leave: Callable[[str, int], None], shop: Shop):
    """A recommended product disappears from every list the moment its last piece is gone."""
    vera.look_at("BAG-0003")
    gone = shown(vera, limit=50)[:20]
    for sku in gone:
        leave(sku, 0)
    for path in ("/api/home", "/api/recommendations", "/api/recommendations?sku=BAG-0003"):
        skus = shown(vera, path)
        assert skus
        assert all(shop.stock.left(sku) > 0 for sku in skus)
    related = vera.get("/api/products/BAG-0003")["related"]
    assert all(item["in_stock"] for item in related)


def test_nothing_just_bought_is_recommended(vera: Visitor):
    """A bought product is not recommended again, even after many looks at other things."""
    vera.look_at("BAG-0003")
    bought = shown(vera)[0]
    vera.buy(bought)
    assert bought not in shown(vera, limit=50)
    vera.look_at(*(f"BAG-{n:04d}" for n in range(1, 71)))
    assert bought not in shown(vera, limit=50)
    assert vera.get("/api/home")["segments"][0] == "browser"


def test_recommendations_beside_a_product(vera: Visitor, nobody: Visitor):
    """Beside a product come its neighbours and never itself; asked anonymously that is not called personal."""
    for visitor in (nobody, vera):
        answer = visitor.get("/api/recommendations", sku="DRE-0010", limit=6)
        skus = [item["sku"] for item in answer["items"]]
        assert len(skus) == 6
        assert "DRE-0010" not in skus
        assert set(skus) & set(vera.shop.catalogue.neighbours("DRE-0010"))
        assert answer["fallback"] is True


def test_a_favourite_is_not_recommended_beside_itself(vera: Visitor):
    """Beside the very thing that suits a shopper best comes everything else that does."""
    vera.look_at("DRE-0010", "DRE-0012")
    for sku in shown(vera, limit=4):
        beside = vera.get("/api/recommendations", sku=sku, limit=50)
        assert beside["fallback"] is False
        assert sku not in {item["sku"] for item in beside["items"]}


def test_the_treatment_is_a_personal_hero(come_in: Callable[..., Visitor]):
    """With a history the treatment's hero is about the favourite category; control's is the season's."""
    heroes = {}
    for n in range(12):
        visitor = come_in(f"visitor-{n}")
        visitor.look_at("TOY-0003")
        answer = visitor.get("/api/home")
        heroes[answer["variant"]] = (answer["hero"]["category"], answer["hero"]["personal"])
    assert heroes == {"control": ("jackets", False), "treatment": ("toys", True)}


def test_prices_are_in_the_visitors_money(come_in: Callable[..., Visitor], nobody: Visitor):
    """Every price of every list is in the currency of the visitor's country, and the lists agree about it."""
    for country, currency in (("DE", "EUR"), ("JP", "JPY"), ("US", "USD")):
        visitor = come_in(f"from-{country}", country)
        home, sku = visitor.get("/api/home"), shown(visitor, "/api/home")[0]
        assert {home["currency"], *(item["currency"] for item in home["items"])} == {currency}
        visitor.put_in_cart(sku)
        prices = {
            visitor.get(f"/api/products/{sku}")["product"]["price"],
            visitor.get("/api/cart")["items"][0]["price"],
        }
        assert prices == {home["items"][0]["price"]}
    assert nobody.get("/api/home")["currency"] == "GBP"


@pytest.mark.parametrize("path", ["/api/home", "/api/recommendations", "/api/search?q=bag", "/api/offers", "/api/cart"])
def test_every_answer_says_for_whom_and_when(vera: Visitor, path: str):
    """Evidence: subject, visitor, variant, currency and the server's time."""
    answer = vera.get(path)
    assert answer["subject"] == answer["visitor"] == "vera"
    assert answer["variant"] in {"control", "treatment"}
    assert answer["currency"] == "GBP"
    assert answer["generated_at"] == "2026-03-04T12:00:00.000+00:00"
