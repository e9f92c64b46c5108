"""Geography as the tester computes it: how far it is, which countries one may be in, and what the clocks there say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.journey.mobility import distance_km
from simulator.model.places import city_table
from simulator.target.sends import named_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.request import Target

POSITION, POSITIONS, COUNTRY = "place.lat", "place.positions", "shopper.country"
NEAR_KM = 300.0
"""Whoever is so near to a city may be in its country: the table of cities has no borders (assumed)."""


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great-circle distance of two positions (latitude, longitude) in degrees."""
    return float(distance_km(*one, *other)) * 1_000.0


def countries_of(visitor: Visitor) -> frozenset[str]:
    """Return the countries that an offer may be meant for: where they live, and where their position may lie."""
    home = visitor.value(COUNTRY)
    near = _countries_near(*visitor.position) if visitor.position else frozenset()
    return near | {str(home).upper()} if home else near


@cache
def _countries_near(latitude_deg: float, longitude_deg: float) -> frozenset[str]:
    here = latitude_deg, longitude_deg
    near = (city for city in city_table() if metres(here, (city.latitude_deg, city.longitude_deg)) <= NEAR_KM * 1_000)
    return frozenset(city.country for city in near)


class Telling:
    """Which requests of a target tell it some fields (beginnings of their names), and who has told them.

    Who was not let in has not, and may be taken for anybody from anywhere.
    """

    def __init__(self, target: Target, *fields: str) -> None:
        rests = target.file.operations.items()
        self._direct = frozenset(name for name, rest in rests if any(one.startswith(fields) for one in named_by(rest)))
        self._opening = self._direct.intersection(target.opening)

    def by(self, operation: str) -> bool:
        """Return whether an operation tells it, or what opens a visit did before."""
        return operation in self._direct or bool(self._opening)

    def told(self, seen: Seen) -> bool:
        """Return whether the target had been told when it answered."""
        if seen.operation in self._direct:
            return True
        return bool(self._opening) and self._opening <= seen.visitor.context.made


@lru_cache(4_096)
def offset_h(zone: str, hour: int) -> float | None:
    """Return the hours by which a zone's clock is ahead of Greenwich in an hour since 1970; None where none has it."""
    try:
        there = ZoneInfo(zone)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        ahead = there.utcoffset(moment.astimezone(there))
    except (ZoneInfoNotFoundError, ValueError, OverflowError, OSError):
        return None
    return ahead.total_seconds() / 3_600 if ahead is not None else None


def widest_gap_h(offsets_h: Iterable[float]) -> float:
    """Return the most hours between two neighbours on the clock's face."""
    hours = sorted({hour % 24 for hour in offsets_h})
    return max(later - earlier for earlier, later in zip(hours, [*hours[1:], hours[0] + 24], strict=True))
