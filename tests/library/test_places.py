"""The shipped places: every city is somewhere, every country has cities, and the licence stands in the file."""

import math
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from faker.config import AVAILABLE_LOCALES

from simulator.model.library import library_folder
from simulator.model.places import city_table, country_table

CITIES = city_table()
COUNTRIES = country_table()
CODES = pytest.mark.parametrize("code", sorted(COUNTRIES))
# Generous boxes: south, north, west, east in degrees; a swapped sign or swapped columns fall outside.
BOXES = {
    "US": (24, 50, -125, -66), "GB": (49, 61, -9, 2), "DE": (47, 56, 5, 16), "FR": (41, 52, -6, 10),
    "ES": (27, 44, -19, 5), "IT": (36, 48, 6, 19), "NL": (50, 54, 3, 8), "SE": (55, 70, 10, 25),
    "NO": (57, 72, 4, 32), "PL": (48, 55, 14, 25), "IN": (6, 36, 68, 98), "JP": (24, 46, 122, 146),
    "BR": (-34, 6, -74, -34), "MX": (14, 33, -118, -86), "CA": (41, 70, -141, -52), "AU": (-44, -10, 112, 154),
    "ZA": (-35, -22, 16, 33), "NG": (4, 14, 2, 15), "KE": (-5, 5, 33, 42), "ID": (-11, 6, 95, 141),
    "TR": (35, 43, 25, 45), "KR": (33, 39, 124, 131), "CH": (45, 48, 5, 11), "IE": (51, 56, -11, -5),
}  # fmt: skip


def test_the_table_is_wide_enough():
    """About 220 cities in 24 countries, which are the countries that have names, languages and currencies."""
    assert 200 <= len(CITIES) <= 260
    assert {city.country for city in CITIES} == set(COUNTRIES) == set(BOXES)


def test_the_licence_travels_with_the_data():
    """The first lines name GeoNames, its licence and the changes, as CC BY 4.0 asks."""
    text = (library_folder("personas") / "places" / "cities.csv").read_text(encoding="utf-8")
    head = " ".join(line for line in text.splitlines() if line.startswith("#"))
    for words in ("GeoNames", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "modified"):
        assert words in head


def test_city_names_are_unique():
    """No two cities have the same name, so that a name in a table or report says which."""
    assert [name for name, count in Counter(city.name for city in CITIES).items() if count > 1] == []


@CODES
def test_every_country_has_cities_of_its_own(code):
    """Each country has at least six cities, and all lie inside it."""
    south, north, west, east = BOXES[code]
    cities = [city for city in CITIES if city.country == code]
    assert len(cities) >= 6
    for city in cities:
        assert south <= city.latitude_deg <= north
        assert west <= city.longitude_deg <= east


@pytest.mark.parametrize("zone", sorted({city.timezone for city in CITIES}))
def test_zoneinfo_knows_the_time_zone(zone):
    """Local clocks come from the time zone database."""
    assert ZoneInfo(zone).key == zone


def test_local_noon_fits_the_longitude():
    """No zone is further than three hours from the sun, which a city with another's zone would be."""
    at = datetime(2026, 1, 15, 12)  # noqa: DTZ001 - a wall clock, given to each zone
    for city in CITIES:
        offset = ZoneInfo(city.timezone).utcoffset(at)
        assert offset is not None
        assert math.isclose(offset.total_seconds() / 3600, city.longitude_deg / 15, abs_tol=3)


@pytest.mark.parametrize("code", ["US", "GB", "DE"])
def test_small_towns_stand_beside_large_cities(code):
    """Rural shoppers of these countries have towns of 15,000 to 40,000 people to live in."""
    populations = [city.population for city in CITIES if city.country == code]
    assert sum(15_000 <= population <= 40_000 for population in populations) >= 8
    assert max(populations) > 1_000_000


@CODES
def test_faker_knows_the_locale(code):
    """Names and addresses can be drawn for each country."""
    assert COUNTRIES[code].locale in AVAILABLE_LOCALES


@CODES
def test_languages_are_a_well_formed_header(code):
    """Accept-Language starts with a tag of the country, and its q values fall in Chrome's steps of 0.1."""
    first, *rest = COUNTRIES[code].accept_language.split(",")
    assert first.endswith(f"-{code}")
    assert [float(tag.partition(";q=")[2]) for tag in rest] == [round(0.9 - 0.1 * i, 1) for i in range(len(rest))]


def test_norway_is_a_country():
    """`NO` is a string in these files, not False."""
    assert COUNTRIES["NO"].name == "Norway"
