"""Where shoppers are: exploration and return as published, gravity, and fixes as blurred as they say."""

import numpy as np
import pytest

from simulator.journey.mobility import (
    COMMUTE,
    GAMMA,
    HOME,
    JOURNEY_KM,
    PLACE,
    RHO,
    SPREAD_M,
    STORE,
    TRAVEL,
    WORK,
    WORK_MEDIAN_KM,
    distance_km,
    fences_at,
    positions,
)
from simulator.journey.places import city_places, fix_of, store_places
from simulator.journey.plan import draw_shoppers
from simulator.model.places import city_table
from simulator.model.schema import SITUATIONS
from simulator.model.stores import store_table

SEED = 11


@pytest.fixture(scope="module")
def people(everyday):
    """Return the rows of many shoppers."""
    return draw_shoppers(everyday[0], SEED, 0, 3_000)


def located(people, situations, *, stores=None, cities=None):
    """Return the positions of each shopper's visits in the situations, one after another."""
    who = np.repeat(np.arange(len(people)), len(situations))
    visit, situation = np.tile(np.arange(len(situations)), len(people)), np.tile(situations, len(people))
    given = store_places() if stores is None else stores
    places = city_places() if cities is None else cities
    return positions(SEED, people, who, visit, situation, *given, places).reshape(len(people), -1)


def apart_km(one, other, *, fix=False):
    """Return the distances between two arrays of positions."""
    name = "fix_" if fix else ""
    pairs = zip(
        one["latitude_deg"], one["longitude_deg"], other[f"{name}latitude_deg"], other[f"{name}longitude_deg"],
        strict=True,
    )  # fmt: skip
    return np.array([distance_km(*pair) for pair in pairs])


def test_a_known_distance():
    """London to Paris is 344 km by the great circle, and a degree of latitude 111 km."""
    assert distance_km(51.5074, -0.1278, 48.8566, 2.3522) == pytest.approx(343.6, abs=0.5)
    assert distance_km(0.0, 10.0, 1.0, 10.0) == pytest.approx(111.2, abs=0.1)


def test_new_places_come_as_the_model_says(people):
    """After n visits shoppers know as many stores as the chain S → S + 1 with probability RHO · S^−GAMMA expects.

    Five standard errors; the city has more stores than anybody explores.
    """
    visits, many = 12, 40
    there = np.zeros(many, PLACE)
    there["latitude_deg"], there["longitude_deg"], there["weight"] = 50 + np.arange(many) / 100, 8.0, 1.0
    crowd = people.copy()
    crowd["city"], crowd["latitude_deg"], crowd["longitude_deg"] = 0, 50.2, 8.0
    first = np.append(0, np.full(len(city_table()), many))
    at = located(crowd, np.full(visits, STORE), stores=(there, first))
    known = np.array([len(set(row)) for row in at["place"].tolist()])
    law = np.zeros(visits + 2)
    law[1] = 1.0
    for _ in range(visits - 1):
        explore = np.append(0.0, RHO * np.arange(1, visits + 2) ** -GAMMA)
        law = law * (1 - explore) + np.append(0.0, (law * explore)[:-1])
    expected = law @ np.arange(visits + 2)
    assert abs(known.mean() - expected) < 5 * known.std() / np.sqrt(len(known))


def test_near_stores_are_preferred(people):
    """Of two stores, ten times nearer is a hundred times likelier at the first visit (five standard errors)."""
    there = np.zeros(2, PLACE)
    there["latitude_deg"], there["longitude_deg"], there["weight"] = (50.01, 50.1), 8.0, 1.0
    crowd = people.copy()
    crowd["city"], crowd["latitude_deg"], crowd["longitude_deg"] = 0, 50.0, 8.0
    at = located(crowd, np.array([STORE]), stores=(there, np.append(0, np.full(len(city_table()), 2))))
    far = (at["place"] == 1).mean()
    assert abs(far - 1 / 101) < 5 * np.sqrt(100 / 101**2 / len(people))


def test_journeys_lead_away(people):
    """Travel leads to another city, never one so near that it is no journey."""
    at = located(people[:500], np.array([TRAVEL, TRAVEL]))
    cities = city_places()
    for column in at.T:
        assert (column["place"] >= 0).all()
        assert (column["place"] != people["city"][:500]).all()
        home = people[["latitude_deg", "longitude_deg"]][:500]
        assert apart_km(home, cities[column["place"]]).min() > JOURNEY_KM


def test_home_and_work_stay_where_they_are(people):
    """Home and work are the same at every visit, the commute lies between them, work as far as the file says."""
    at = located(people, np.array([HOME, WORK, COMMUTE, HOME, WORK]))
    home, work, way, again, back = at.T
    assert (home["latitude_deg"] == people["latitude_deg"]).all()
    for name in ("latitude_deg", "longitude_deg"):
        assert (home[name] == again[name]).all()
        assert (work[name] == back[name]).all()
    distance = apart_km(home, work)
    assert np.median(distance) == pytest.approx(WORK_MEDIAN_KM, rel=0.08)
    assert apart_km(home, way) + apart_km(way, work) == pytest.approx(distance, rel=1e-3, abs=1e-3)
    assert (at["place"] == -1).all()


@pytest.mark.parametrize("situation", range(len(SITUATIONS)))
def test_two_in_three_fixes_lie_within_their_accuracy(people, situation):
    """68 % of fixes lie within the radius the phone tells, and the radius is the situation's (4.5 standard errors)."""
    at = located(people, np.array([situation]))[:, 0]
    away_m = 1e3 * apart_km(at, at, fix=True)
    assert abs((away_m < at["accuracy_m"]).mean() - 0.68) < 4.5 * np.sqrt(0.68 * 0.32 / len(people))
    assert at["accuracy_m"][0] == pytest.approx(1.51 * SPREAD_M[situation], rel=0.01)


def test_a_visit_in_several_arms_is_in_one_place(people):
    """Arms share the place: rows of one visit are equal, and count as one visit to a store."""
    who, visit, situation = np.zeros(6, np.int64), np.array([0, 0, 1, 1, 2, 2]), np.full(6, STORE)
    doubled = positions(SEED, people, who, visit, situation, *store_places(), city_places())
    alone = positions(SEED, people, who[::2], visit[::2], situation[::2], *store_places(), city_places())
    assert (doubled[::2] == alone).all()
    assert (doubled[1::2] == alone).all()


def test_others_do_not_matter(people):
    """A shopper is at the same places whoever else is in the table."""
    all_of_them = located(people[:50], np.array([STORE, TRAVEL, HOME, STORE]))
    assert (located(people[17:18], np.array([STORE, TRAVEL, HOME, STORE]))[0] == all_of_them[17]).all()


def test_a_single_visit_agrees_with_the_table(people):
    """What a live visit tells a target is what the table says of a first visit."""
    for situation in range(len(SITUATIONS)):
        at = located(people[:20], np.array([situation]))[:, 0]
        told = [fix_of(SEED, people[row : row + 1], 0, situation) for row in range(20)]
        assert told == list(zip(at["fix_latitude_deg"].tolist(), at["fix_longitude_deg"].tolist(), strict=True))


def test_a_fence_holds_what_is_near():
    """A point at a store is inside its fence, a point just outside is not; of two fences the nearer store's counts."""
    store, first = store_table()[0], store_places()[1]
    outside = store.latitude_deg + 1.01 * store.fence_m / 111_195
    points = np.array([store.latitude_deg, outside])
    fences = np.array([s.fence_m for s in store_table()])
    whole = np.full(2, first[0]), np.full(2, first[0] + 1)
    found = fences_at(points, np.full(2, store.longitude_deg), store_places()[0], fences, *whole)
    assert found.tolist() == [0, -1]


def test_every_city_has_a_store():
    """Large cities have more stores than towns, every one has at least one, and all lie within a few kilometres."""
    rows, first = store_places()
    counts = np.diff(first)
    assert counts.min() == 1
    assert counts.max() > 10
    for store, row in zip(store_table(), rows, strict=True):
        city = city_table()[store.city]
        assert distance_km(city.latitude_deg, city.longitude_deg, row["latitude_deg"], row["longitude_deg"]) < 7.0
