"""The shop's stores in each city of the place table, with the fences around them: the same for every seed and run."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from simulator.model.places import city_table

INHABITANTS_A_STORE = 400_000
MOST_IN_A_CITY = 16
RING_KM = 1.4
"""A city's k-th store lies √k rings from the centre, each a golden angle further round: evenly over a disc."""
FENCES_M = (500.0, 150.0, 300.0, 1_000.0, 200.0)
"""Radii of the fences, in turn (assumed; iOS and Android advise 100-200 m and more)."""
_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
_KM_PER_DEG = 6371.0 * math.pi / 180.0


class Store(NamedTuple):
    """A store; `city` is the row of its city in the place table."""

    number: int
    city: int
    name: str
    latitude_deg: float
    longitude_deg: float
    fence_m: float


@cache
def store_table() -> tuple[Store, ...]:
    """Return all stores, by city: one for each 400,000 inhabitants begun, at most sixteen (assumed)."""
    stores: list[Store] = []
    for row, city in enumerate(city_table()):
        count = min(MOST_IN_A_CITY, math.ceil(city.population / INHABITANTS_A_STORE))
        for k in range(count):
            away_km, turn = RING_KM * math.sqrt(k), _GOLDEN_ANGLE * (k + row)
            north_km, east_km = away_km * math.cos(turn), away_km * math.sin(turn)
            latitude = city.latitude_deg + north_km / _KM_PER_DEG
            longitude = city.longitude_deg + east_km / (_KM_PER_DEG * math.cos(math.radians(city.latitude_deg)))
            fence_m = FENCES_M[(row + k) % len(FENCES_M)]
            stores.append(Store(len(stores), row, f"{city.name} {k + 1}", latitude, longitude, fence_m))
    return tuple(stores)
