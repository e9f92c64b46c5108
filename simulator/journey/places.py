"""Stores and cities as arrays for the mobility model, and the positions of a table's visits."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey.mobility import PLACE, positions
from simulator.model.places import city_table
from simulator.model.stores import store_table

if TYPE_CHECKING:
    from numpy.typing import NDArray


@cache
def store_places() -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return (stores as PLACE, the first store of each city and one number more); stores weigh alike."""
    stores, cities = store_table(), len(city_table())
    rows = np.array([(store.latitude_deg, store.longitude_deg, 1.0) for store in stores], PLACE)
    first = np.searchsorted([store.city for store in stores], np.arange(cities + 1))
    return rows, first.astype(np.int64)


@cache
def city_places() -> NDArray[Any]:
    """Return the cities as PLACE; a city weighs as many as live there."""
    return np.array([(c.latitude_deg, c.longitude_deg, float(c.population)) for c in city_table()], PLACE)


def fix_of(seed: int, shopper: NDArray[Any], visit: int, situation: int) -> tuple[float, float]:
    """Return (latitude, longitude) that the phone of one SHOPPER row tells on a visit, as if on no visit before it."""
    one = np.zeros(1, np.int64)
    (at,) = positions(seed, shopper, one, one + visit, one + situation, *store_places(), city_places())
    return float(at["fix_latitude_deg"]), float(at["fix_longitude_deg"])
