"""Stores and the offers around them: who stands inside which fence."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from heapq import nsmallest
from math import asin, cos, degrees, pi, radians, sin, sqrt
from typing import NamedTuple

from simulator.storefront.cities import CITIES, City
from simulator.storefront.vocabulary import CATEGORIES

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the earth (IUGG 2015), as the haversine formula wants it."""

_METRES_PER_DEGREE = EARTH_RADIUS_M * pi / 180
_GOLDEN_ANGLE = pi * (3 - sqrt(5))


class Position(NamedTuple):
    """A point in degrees north and east."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Store:
    """A shop in a street, with today's offer: `discount_percent` on `category` within `radius_m` of its door."""

    id: str
    name: str
    city: str
    country: str
    position: Position
    radius_m: float
    discount_percent: int
    category: str


def distance_m(a: Position, b: Position) -> float:
    """Return the great-circle distance in metres by the haversine formula (R. W. Sinnott, Sky and Telescope 1984)."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    north, east = (lat_b - lat_a) / 2, radians(b.lon - a.lon) / 2
    h = sin(north) ** 2 + cos(lat_a) * cos(lat_b) * sin(east) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(h)))


# Per city: one offer for the whole town from the store in its middle, and four for ever smaller quarters further out.
_FENCES = (  # (metres from the centre, radius of the fence in metres, discount in per cent)
    (0.0, 25_000.0, 10),
    (1_900.0, 5_000.0, 15),
    (3_800.0, 3_000.0, 20),
    (5_700.0, 1_500.0, 25),
    (7_600.0, 600.0, 30),
)


def _store(city_number: int, city: City, ring: int) -> Store:
    away_m, radius_m, discount = _FENCES[ring]
    number = city_number * len(_FENCES) + ring
    bearing = number * _GOLDEN_ANGLE
    lat = city.lat + degrees(away_m * cos(bearing) / EARTH_RADIUS_M)
    lon = city.lon + degrees(away_m * sin(bearing) / (EARTH_RADIUS_M * cos(radians(city.lat))))
    return Store(
        id=f"store-{number:03d}",
        name=f"{city.name} {('Centre', 'Arcade', 'Market', 'Station', 'Corner')[ring]}",
        city=city.name,
        country=city.country,
        position=Position(round(lat, 6), round(lon, 6)),
        radius_m=radius_m,
        discount_percent=discount,
        category=CATEGORIES[number % len(CATEGORIES)].slug,
    )


class Places:
    """All 210 stores, sorted by latitude, so that a position needs to be compared with its own band only."""

    def __init__(self) -> None:
        stores = [_store(n, city, ring) for n, city in enumerate(CITIES) for ring in range(len(_FENCES))]
        self.stores = sorted(stores, key=lambda s: (s.position.lat, s.id))
        self._by_id = {store.id: store for store in stores}
        self._lats = [s.position.lat for s in self.stores]
        # A hair wider than the widest fence: the band may only ever rule out what is certainly too far.
        self._band = max(s.radius_m for s in stores) * 1.001 / _METRES_PER_DEGREE

    def store(self, name: str) -> Store:
        """Return a store by its id; KeyError if there is none."""
        return self._by_id[name]

    def offers_at(self, position: Position) -> list[tuple[float, Store]]:
        """Return (distance in metres, store) for each fence the position lies in, nearest first."""
        first = bisect_left(self._lats, position.lat - self._band)
        last = bisect_right(self._lats, position.lat + self._band)
        near = ((distance_m(position, s.position), s) for s in self.stores[first:last])
        return sorted((pair for pair in near if pair[0] <= pair[1].radius_m), key=_nearness)

    def nearest(self, position: Position, limit: int) -> list[tuple[float, Store]]:
        """Return the `limit` nearest stores with their distance in metres, however far they are."""
        return nsmallest(limit, ((distance_m(position, s.position), s) for s in self.stores), key=_nearness)


class Deal(NamedTuple):
    """What holds in a whole country, wherever one stands in it."""

    id: str
    country: str
    discount_percent: int
    category: str


_COUNTRIES = sorted({city.country for city in CITIES})
DEALS = {
    country: Deal(f"deal-{country.lower()}", country, 5 + 5 * (n % 3), CATEGORIES[n % len(CATEGORIES)].slug)
    for n, country in enumerate(_COUNTRIES)
}
"""One for each country with a store."""


def deals_in(country: str) -> list[Deal]:
    """Return the deals of a country, by its ISO 3166 code."""
    deal = DEALS.get(country)
    return [deal] if deal else []


def offers_around(places: Places, position: Position) -> list[tuple[float, Store]]:
    """Return (distance in metres, store) for each fence that holds the position, nearest first."""
    return places.offers_at(position)


def _nearness(pair: tuple[float, Store]) -> tuple[float, str]:
    return pair[0], pair[1].id
