"""Local time of recipients: where it is a certain hour now, and what the clock on somebody's wall said."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from simulator.model.places import city_table

if TYPE_CHECKING:
    from collections.abc import Container

    from simulator.model.places import City

US = 1_000_000
DAY_H = 24


def local(moment_us: int, zone: str) -> datetime:
    """Return a moment (microseconds since 1970) on the clock of a zone (IANA name)."""
    return datetime.fromtimestamp(moment_us / US, UTC).astimezone(ZoneInfo(zone))


def is_quiet(moment: datetime, quiet_hours: tuple[int, int]) -> bool:
    """Return whether a local time lies within the quiet hours."""
    return is_quiet_hour(moment.hour, quiet_hours)


def is_quiet_hour(hour: int, quiet_hours: tuple[int, int]) -> bool:
    """Return whether an hour of the day is quiet: from the first of two to before the second, over midnight."""
    begins, ends = quiet_hours
    return begins <= hour < ends if begins <= ends else hour >= begins or hour < ends


def middle(begins: int, ends: int) -> float:
    """Return the local hour halfway from one hour to another, over midnight where the second is not later."""
    return (begins + ((ends - begins) % DAY_H or DAY_H) / 2) % DAY_H


def where_it_is(hour: float, now_ms: int, countries: Container[str] | None = None) -> City:
    """Return the city whose local time is nearest to an hour, of the largest city of each country, or of some.

    Largest cities alone, because a target that is told a country and no zone takes theirs.
    """

    def off(city: City) -> float:
        there = local(now_ms * 1_000, city.timezone)
        apart = abs(there.hour + there.minute / 60 - hour) % DAY_H
        return min(apart, DAY_H - apart)

    there = [city for city in _largest() if countries is None or city.country in countries]
    return min(there, key=lambda city: (off(city), -city.population))


@cache
def _largest() -> tuple[City, ...]:
    largest: dict[str, City] = {}
    for city in city_table():
        if city.country not in largest or city.population > largest[city.country].population:
            largest[city.country] = city
    return tuple(largest.values())
