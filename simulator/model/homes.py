"""Where shoppers live: the weight of each city of the place table, and what a persona may not say of places."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from simulator.model.faults import suggestion
from simulator.model.places import city_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulator.model.faults import Problem
    from simulator.model.places import City
    from simulator.model.schema import Place

TOWN_BELOW = 50_000
"""A place with fewer inhabitants is a town: a city has 50,000 (Degree of Urbanisation, OECD and Eurostat 2021)."""

MOST_LISTED = 3
"""So many countries' cities are told where one is misspelt."""


@cache
def named_cities() -> dict[str, tuple[City, ...]]:
    """Return the cities that a file may mean by a name, or by a name and a country as `Paris, FR`."""
    found: dict[str, tuple[City, ...]] = {}
    for city in city_table():
        for name in (city.name, f"{city.name}, {city.country}"):
            found[name] = (*found.get(name, ()), city)
    return found


def city_weights(place: Place) -> list[float]:
    """Return the weight of each city of the table.

    A country's weight falls to its cities as `place.cities` says; where that names none of them, by inhabitants. Of a
    country in `place.towns`, towns and larger places have their shares, and each by inhabitants.
    """
    named: dict[City, float] = {}
    for name, weight in place.cities.items():
        city = named_cities()[name][0]
        named[city] = named.get(city, 0.0) + weight
    weights = {city: weight for country in place.countries for city, weight in _of_country(country, place, named)}
    return [weights.get(city, 0.0) for city in city_table()]


def _of_country(country: str, place: Place, named: Mapping[City, float]) -> Iterator[tuple[City, float]]:
    """Yield the cities of one country with their part of its weight."""
    whole = place.countries[country]
    chosen = {city: weight for city, weight in named.items() if city.country == country}
    if chosen:
        groups = [(whole, chosen)]
    elif country in place.towns:
        towns, larger = (
            {c: float(c.population) for c in _cities_of(country) if is_town(c) is t} for t in (True, False)
        )
        groups = [(whole * place.towns[country], towns), (whole * (1 - place.towns[country]), larger)]
    else:
        groups = [(whole, {city: float(city.population) for city in _cities_of(country)})]
    for share, cities in groups:
        total = sum(cities.values())
        yield from ((city, share * weight / total) for city, weight in cities.items() if total > 0)


@cache
def _cities_of(country: str) -> tuple[City, ...]:
    return tuple(city for city in city_table() if city.country == country)


def is_town(city: City) -> bool:
    """Return whether a place is a town rather than a city."""
    return city.population < TOWN_BELOW


def home_problems(place: Place) -> list[Problem]:
    """Return what is wrong with the cities and the towns of a persona, given that its countries exist."""
    return [*_city_problems(place), *_town_problems(place)]


def _city_problems(place: Place) -> Iterator[Problem]:
    known, sums = named_cities(), dict[str, float]()
    for name, weight in place.cities.items():
        path, cities = ("place", "cities", name), known.get(name, ())
        if not cities:
            yield path, "is not a city of the place table", _allowed_cities(place), suggestion(name, known)
        elif len(cities) > 1:
            names = " or ".join(f"{city.name}, {city.country}" for city in cities)
            yield path, "stands in more than one country", f"write {names}", ""
        elif place.countries.get(cities[0].country, 0.0) <= 0:
            yield path, f"is in {cities[0].country}", "that country has no weight in place.countries", ""
        else:
            sums[cities[0].country] = sums.get(cities[0].country, 0.0) + weight
    for country, total in sums.items():
        if total <= 0:
            yield (
                ("place", "cities"),
                f"has no weight above zero for {country}",
                "one is needed",
                "leave its cities out",
            )


def _allowed_cities(place: Place) -> str:
    """Return which cities the chosen countries have, or where they stand if these are many."""
    countries = [country for country, weight in place.countries.items() if weight > 0 and _cities_of(country)]
    if not 0 < len(countries) <= MOST_LISTED:
        return "the cities stand in personas/places/cities.csv"
    names = (f"{country}: {', '.join(city.name for city in _cities_of(country))}" for country in countries)
    return f"there are {'; '.join(names)}"


def _town_problems(place: Place) -> Iterator[Problem]:
    having = sorted({city.country for city in city_table() if is_town(city)})
    chosen = {city.country for name in place.cities for city in named_cities().get(name, ())}
    for country in place.towns:
        path = ("place", "towns", country)
        if country not in having:
            yield path, "has no place below 50,000 inhabitants in the table", f"only {', '.join(having)} have", ""
        elif place.countries.get(country, 0.0) <= 0:
            yield path, "has no weight in place.countries", "only countries that shoppers come from can be named", ""
        elif country in chosen:
            yield path, "has its cities named too", "a country has either", "leave one of them out"
