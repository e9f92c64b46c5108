"""Where a shopper is at each visit: exploration and preferential return (Song et al., Nature Physics 2010).

Home and work are fixed. In a store or on a journey the shopper goes somewhere new with probability RHO · S^−GAMMA, S
being how many such places they know, or back to one in proportion to how often they were there. New places are drawn by
gravity: near ones, and for journeys large ones, more often. Every draw is keyed by the visit it belongs to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey import keys
from simulator.journey.keys import NOWHERE, uniform, uniform_pair
from simulator.journey.shopper import pick
from simulator.model.compiled import compiled, record_dtype
from simulator.model.distributions import normal_quantile
from simulator.model.schema import SITUATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.records import Record

RHO, GAMMA = 0.6, 0.21
"""Exploration (scikit-mobility's `skmob/models/epr.py`, after Song 2010)."""
NEAREST_KM = 0.3
"""Gravity grows no further below this distance (assumed)."""
JOURNEY_KM = 40.0
"""What lies nearer is no journey (assumed)."""
WORK_MEDIAN_KM, WORK_SIGMA = 7.0, 0.9
"""Distance from home to work, log-normal (assumed)."""
EARTH_KM = 6371.0
KM_PER_DEG = EARTH_KM * math.pi / 180.0
SPREAD_M = np.array([12.0, 8.0, 14.0, 22.0, 10.0])
"""Spread of a fix along each axis by situation, one σ: walls and roofs blur it (assumed; GPS outdoors 3-5 m)."""
HOME, COMMUTE, WORK, STORE, TRAVEL = (SITUATIONS.index(name) for name in ("home", "commute", "work", "store", "travel"))

PLACE = record_dtype([("latitude_deg", "f8"), ("longitude_deg", "f8"), ("weight", "f8")])
"""Somewhere one can go; `weight` is its part in the gravity besides the distance."""
POSITION = record_dtype(
    [("place", "i8"), ("latitude_deg", "f8"), ("longitude_deg", "f8"), ("fix_latitude_deg", "f8"),
     ("fix_longitude_deg", "f8"), ("accuracy_m", "f8")]
)  # fmt: skip
"""Where somebody is (`place`: a store in the store, a city on a journey, else −1) and where their phone thinks."""


@compiled
def distance_km(
    latitude_deg: float, longitude_deg: float, other_latitude_deg: float, other_longitude_deg: float
) -> float:
    """Return the great-circle distance by the haversine formula."""
    north, other_north = math.radians(latitude_deg), math.radians(other_latitude_deg)
    half_north, half_east = (other_north - north) / 2.0, math.radians(other_longitude_deg - longitude_deg) / 2.0
    chord = math.sin(half_north) ** 2 + math.cos(north) * math.cos(other_north) * math.sin(half_east) ** 2
    return 2.0 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


@compiled
def moved(latitude_deg: float, longitude_deg: float, north_km: float, east_km: float) -> tuple[float, float]:
    """Return the point so far north and east, by the local plane."""
    latitude = latitude_deg + north_km / KM_PER_DEG
    return latitude, longitude_deg + east_km / (KM_PER_DEG * math.cos(math.radians(latitude_deg)))


@compiled
def work_of(seed: int, shopper: Record) -> tuple[float, float]:
    """Return where a shopper works: some way from home in any direction."""
    u, v = uniform_pair(seed, shopper.shopper, 0, NOWHERE, 0, keys.WORK)
    away_km = WORK_MEDIAN_KM * math.exp(WORK_SIGMA * normal_quantile(u))
    turn = 2.0 * math.pi * v
    return moved(shopper.latitude_deg, shopper.longitude_deg, away_km * math.cos(turn), away_km * math.sin(turn))


@compiled
def gravity_cdf(
    shopper: Record, places: NDArray[Any], beyond_km: float, known: NDArray[np.int64], cdf: NDArray[np.float64]
) -> float:
    """Fill `cdf` with the cumulative gravity weight/distance² of the places not yet known; return the sum.

    What is no further than `beyond_km` is no place to go to.
    """
    total = 0.0
    for place in range(len(places)):
        if known[place] == 0:
            there = places[place]
            away_km = distance_km(shopper.latitude_deg, shopper.longitude_deg, there.latitude_deg, there.longitude_deg)
            if away_km > beyond_km:
                total += there.weight / max(away_km, NEAREST_KM) ** 2
        cdf[place] = total
    return total


@compiled
def next_place(
    seed: int,
    shopper: Record,
    visit: int,
    places: NDArray[Any],
    beyond_km: float,
    known: NDArray[np.int64],
    cdf: NDArray[np.float64],
) -> int:
    """Return the place of a visit, and count it in `known`; −1 where there is none to go to.

    `known` holds how often each place was visited so far, `cdf` is room to work in.
    """
    distinct, visits, total = 0, 0, 0.0
    for count in known:
        distinct += count > 0
        visits += count
    u, v = uniform_pair(seed, shopper.shopper, visit, NOWHERE, 0, keys.PLACE)
    fresh = 0.0
    if distinct == 0 or u < RHO * distinct**-GAMMA:
        fresh = gravity_cdf(shopper, places, beyond_km, known, cdf)
    if fresh > 0.0:
        chosen = pick(cdf, v * fresh)
    elif visits > 0:
        for place in range(len(places)):
            total += known[place]
            cdf[place] = total
        chosen = pick(cdf, v * total)
    else:
        return -1
    known[chosen] += 1
    return chosen


@compiled
def locate(
    seed: int, shopper: Record, visit: int, situation: int, place: int, places: NDArray[Any], out: Record
) -> None:
    """Fill a row of POSITION for a visit in a situation, at `place` of `places` where the situation has one."""
    latitude, longitude = shopper.latitude_deg, shopper.longitude_deg
    if situation in (COMMUTE, WORK):
        north, east = work_of(seed, shopper)
        # Somewhere on the straight way; at work, at its end.
        share = uniform(seed, shopper.shopper, visit, NOWHERE, 1, keys.PLACE) if situation == COMMUTE else 1.0
        latitude, longitude = latitude + share * (north - latitude), longitude + share * (east - longitude)
    elif place >= 0:
        latitude, longitude = places[place].latitude_deg, places[place].longitude_deg
    out.place = place if situation in (STORE, TRAVEL) else -1
    out.latitude_deg, out.longitude_deg = latitude, longitude
    u, v = uniform_pair(seed, shopper.shopper, visit, NOWHERE, 0, keys.FIX)
    spread_km = SPREAD_M[situation] / 1e3
    out.fix_latitude_deg, out.fix_longitude_deg = moved(
        latitude, longitude, spread_km * normal_quantile(u), spread_km * normal_quantile(v)
    )
    # Two in three fixes lie within this radius of a circular normal: σ·√(−2 ln(1 − 0.68)).
    out.accuracy_m = SPREAD_M[situation] * math.sqrt(-2.0 * math.log(1.0 - 0.68))


@compiled
def positions(
    seed: int,
    shoppers: NDArray[Any],
    who: NDArray[np.int64],
    visit: NDArray[np.int64],
    situation: NDArray[np.int64],
    stores: NDArray[Any],
    first_store: NDArray[np.int64],
    cities: NDArray[Any],
) -> NDArray[Any]:
    """Return a row of POSITION for each visit.

    `who` is each visit's row in `shoppers` (of SHOPPER); visits stand by shopper and visit number. A visit that stands
    several times, once an arm, is at one place. City c has the rows `first_store[c]` to `first_store[c + 1]` − 1 of
    `stores` (of PLACE), `cities` are of PLACE too. Numbers of stores are those of `stores`.
    """
    out = np.zeros(len(who), POSITION)
    known_stores, known_cities = np.zeros(len(stores), np.int64), np.zeros(len(cities), np.int64)
    room = np.empty(max(len(stores), len(cities)))
    for row in range(len(who)):
        shopper = shoppers[who[row]]
        city = shopper.city
        first, last = first_store[city], first_store[city + 1]
        if row > 0 and who[row] == who[row - 1] and visit[row] == visit[row - 1]:
            out[row] = out[row - 1]
            continue
        if row == 0 or who[row] != who[row - 1]:
            known_stores[first:last], known_cities[:] = 0, 0
        place, there = -1, cities
        if situation[row] == STORE:
            there = stores[first:last]
            place = next_place(seed, shopper, visit[row], there, -1.0, known_stores[first:last], room[: last - first])
        elif situation[row] == TRAVEL:
            place = next_place(seed, shopper, visit[row], cities, JOURNEY_KM, known_cities, room[: len(cities)])
        locate(seed, shopper, visit[row], situation[row], place, there, out[row])
        if situation[row] == STORE and place >= 0:
            out[row].place = first + place
    return out


@compiled
def fences_at(
    latitude_deg: NDArray[np.float64],
    longitude_deg: NDArray[np.float64],
    stores: NDArray[Any],
    fence_m: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the nearest store whose fence holds each point, of the stores `first` to `last` − 1; −1 for none."""
    found = np.full(len(latitude_deg), -1)
    for row in range(len(found)):
        nearest_km = math.inf
        for store in range(first[row], last[row]):
            there = stores[store]
            away_km = distance_km(latitude_deg[row], longitude_deg[row], there.latitude_deg, there.longitude_deg)
            if away_km * 1e3 <= fence_m[store] and away_km < nearest_km:
                nearest_km, found[row] = away_km, store
    return found
