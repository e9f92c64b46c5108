"""One journey round the world that several probes learn from: the same pages from far-apart places."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from simulator.model.places import city_table
from simulator.target.probes.steps import Ask, Script
from simulator.target.probes.where import metres, offset_h, widest_gap_h

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from typing import Any

    from simulator.model.places import City
    from simulator.target.probes.probe import Ground
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

    Journey = list[tuple[City, dict[str, Seen]]]

NAME = "world"
MOST_STOPS, LEAST_COUNTRIES = 6, 3
NEAR_ENOUGH_H = 8.0
"""The clocks of neighbours on the way are no further apart, where shoppers live so."""
ANY_HOUR = 500_000
"""An hour of January 2027: the journey is planned by the clocks of winter."""


@cache
def stops(countries: tuple[str, ...]) -> tuple[City, ...]:
    """Return where the journey goes: home twice, for noise, with a place of the same clock between; then far away.

    Home is the largest city of the first country beside which there is such a place; all are cities of `countries`.
    """
    largest: dict[tuple[str, str], City] = {}
    for city in sorted(city_table(), key=lambda city: -city.population):
        if city.country in countries:
            largest.setdefault((city.country, city.timezone), city)
    homes = [next(city for city in largest.values() if city.country == country) for country in countries]
    home, beside = next(
        ((home, beside) for home in homes if (beside := _same_hour(home, largest.values()))), (homes[0], [])
    )
    way = [home, *beside[:1], home]
    while len(way) < MOST_STOPS:
        left = [city for city in largest.values() if city not in way]
        new = [city for city in left if city.country not in {stop.country for stop in way}]
        round_the_clock = widest_gap_h(map(_hour, way)) <= NEAR_ENOUGH_H
        if not left or (round_the_clock and (not new or len({stop.country for stop in way}) >= LEAST_COUNTRIES)):
            break
        way.append(max(new if round_the_clock else left, key=lambda city: _away_h(city, way)))
    if len(way) == 2:
        there = home.latitude_deg, home.longitude_deg
        mine = (city for city in city_table() if city.country == home.country)
        way.append(max(mine, key=lambda city: metres(there, (city.latitude_deg, city.longitude_deg))))
    return tuple(way)


def around_the_world(
    ground: Ground, operations: Sequence[str], judge: Callable[[Journey], None] = lambda _: None
) -> Script:
    """Return the script that asks all operations at every stop, each as somebody else; `judge` gets the journey.

    Of each stop there are the answers by operation, good ones alone.
    """

    def travel(people: People, nth: int) -> Generator[Any, Any, None]:
        del nth
        journey: Journey = []
        for city in stops(people.countries):
            visitor = people.somebody(country=city.country, city=city.name)
            answers: dict[str, Seen] = {}
            for name in operations:
                seen = yield Ask(visitor, name)
                if seen is not None and seen.ok:
                    answers[name] = seen
            journey.append((city, answers))
        judge(journey)

    return Script(NAME, MOST_STOPS * (len(operations) + len(ground.target.opening)), travel)


def _hour(city: City) -> float:
    return offset_h(city.timezone, ANY_HOUR) or 0.0


def _same_hour(home: City, cities: Iterable[City]) -> list[City]:
    return [city for city in cities if city.timezone != home.timezone and _hour(city) == _hour(home)]


def _away_h(city: City, way: Sequence[City]) -> float:
    """Return how far a city's clock is from the nearest one on the way."""
    return min(abs((_hour(city) - _hour(stop) + 12) % 24 - 12) for stop in way)
