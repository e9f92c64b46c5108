"""Offers are decided by fences, and positions are used only with consent."""

from __future__ import annotations

from math import atan2, cos, hypot, pi, radians, sin
from typing import TYPE_CHECKING

import pytest

from simulator.storefront.places import Places, Position, distance_m

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

PLACES = Places()
BERLIN = {"lat": 52.52, "lon": 13.405}


def vector_distance_m(a: Position, b: Position) -> float:
    """Return the great-circle distance from unit vectors: another formula than the shop's, exact at all distances."""
    (ax, ay, az), (bx, by, bz) = (
        (cos(radians(p.lat)) * cos(radians(p.lon)), cos(radians(p.lat)) * sin(radians(p.lon)), sin(radians(p.lat)))
        for p in (a, b)
    )
    cross = hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
    return 6_371_008.8 * atan2(cross, ax * bx + ay * by + az * bz)


@pytest.mark.parametrize(
    ("a", "b", "kilometres"),
    [
        (Position(51.5074, -0.1278), Position(48.8566, 2.3522), 343.6),
        (Position(40.7128, -74.0060), Position(34.0522, -118.2437), 3935.8),
        (Position(0.0, 179.5), Position(0.0, -179.5), 111.2),
        (Position(90.0, 0.0), Position(-90.0, 0.0), 6371.0088 * pi),
    ],
)
def test_distances_agree_with_known_ones(a: Position, b: Position, kilometres: float):
    """London-Paris, New York-Los Angeles, across the date line and from pole to pole, within a thousandth."""
    assert distance_m(a, b) == pytest.approx(kilometres * 1000, rel=1e-3)
    assert distance_m(a, b) == pytest.approx(vector_distance_m(a, b), rel=1e-9)


def test_offers_are_exactly_those_whose_fence_holds_the_position():
    """On a grid around every city the answer is what comparing with every fence gives, by an independent formula."""
    for store in PLACES.stores[::7]:
        for north in (-0.23, -0.05, -0.004, 0.0, 0.01, 0.22):
            for east in (-0.3, -0.02, 0.0, 0.006, 0.12):
                here = Position(store.position.lat + north, store.position.lon + east)
                expected = {s.id for s in PLACES.stores if vector_distance_m(here, s.position) <= s.radius_m}
                assert {s.id for _, s in PLACES.offers_at(here)} == expected


def test_there_are_about_two_hundred_stores_in_forty_cities():
    """Stores have places of their own and lie within eight kilometres of their city's centre."""
    assert 180 <= len(PLACES.stores) <= 240
    assert len({s.position for s in PLACES.stores}) == len(PLACES.stores)
    centres = {s.city: s.position for s in PLACES.stores if s.radius_m == 25_000}
    assert len(centres) >= 40
    assert max(vector_distance_m(s.position, centres[s.city]) for s in PLACES.stores) < 8_000


def test_the_nearest_stores_come_first():
    """Stores are listed by distance, the true nearest at the top."""
    here = Position(48.2, 16.4)
    found = PLACES.nearest(here, 6)
    assert [d for d, _ in found] == sorted(d for d, _ in found)
    assert found[0][1] == min(PLACES.stores, key=lambda s: vector_distance_m(here, s.position))


def test_an_offer_shows_its_fence_and_its_end(vera: Visitor):
    """Each offer carries what a tester needs: fence, country, discount, distance, and when it expires."""
    answer = vera.get("/api/offers", **BERLIN)
    assert answer["geo_used"] == BERLIN
    assert answer["offers"]
    for offer in answer["offers"]:
        fence = offer["fence"]
        away = vector_distance_m(Position(**BERLIN), Position(fence["lat"], fence["lon"]))
        assert away <= fence["radius_m"]
        assert offer["distance_m"] == pytest.approx(away, abs=1)
        assert offer["country"] == "DE"
        assert 0 < offer["discount_percent"] <= 50
        assert offer["expires"] == "2026-03-05T00:00:00+00:00"


def test_offers_change_with_the_place(vera: Visitor):
    """Elsewhere there are other offers, and in the middle of the sea none."""
    berlin, tokyo, sea = (
        {o["id"] for o in vera.get("/api/offers", lat=lat, lon=lon)["offers"]}
        for lat, lon in ((52.52, 13.405), (35.6762, 139.6503), (30.0, -40.0))
    )
    assert berlin
    assert tokyo
    assert not berlin & tokyo
    assert not sea


@pytest.mark.parametrize("path", ["/api/offers", "/api/stores", "/api/home"])
def test_no_position_is_used_without_consent(come_in: Callable[..., Visitor], nobody: Visitor, path: str):
    """Without location consent, or without a session, a position changes nothing and is said not to be used."""
    for visitor in (come_in("shy", location=False), nobody):
        with_place, without = visitor.get(path, **BERLIN), visitor.get(path)
        assert with_place["geo_used"] is None
        for answer in (with_place, without):
            answer.pop("token", None)
        assert with_place == without
        assert not with_place.get("offers")
        assert not with_place.get("stores")


def test_stores_near_me(vera: Visitor):
    """Stores are listed with their distance, as many as asked for."""
    answer = vera.get("/api/stores", **BERLIN, limit=3)
    assert [store["city"] for store in answer["stores"]] == ["Berlin"] * 3
    assert answer["stores"][0]["distance_m"] == 0
