"""Instants of a run on the clocks of the cities that its shoppers live in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from simulator.model.places import city_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

QUARTERS_A_DAY = 96
WEEK_QUARTERS = 7 * QUARTERS_A_DAY


def local_week(reference: str, cities: Sequence[str], started: NDArray[np.float64]) -> list[list[int]] | None:
    """Return visits by local hour and weekday, 24 rows of 7, Monday first; None where a city is not known.

    `started` are visits by city and quarter of an hour since the reference instant. Each city keeps its own offset from
    UTC, as it is at noon (UTC) of each day of the run.
    """
    zones = {city.name: city.timezone for city in city_table()}
    if any(name not in zones for name in cities):
        return None
    begin = datetime.fromisoformat(reference)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight.weekday() * QUARTERS_A_DAY + round((begin - midnight).total_seconds() / 900)
    week = np.zeros(WEEK_QUARTERS)
    by_zone: dict[str, NDArray[np.float64]] = {}
    for name, row in zip(cities, started, strict=False):
        by_zone[zones[name]] = by_zone.get(zones[name], 0.0) + row
    for zone, row in by_zone.items():
        for day in range(-(-len(row) // QUARTERS_A_DAY)):
            there = (begin + timedelta(days=day, hours=12)).astimezone(ZoneInfo(zone)).utcoffset()
            assert there is not None
            offset = round((there - (begin.utcoffset() or timedelta())).total_seconds() / 900)
            part = row[day * QUARTERS_A_DAY : (day + 1) * QUARTERS_A_DAY]
            places = (first + offset + day * QUARTERS_A_DAY + np.arange(len(part))) % WEEK_QUARTERS
            np.add.at(week, places, part)
    hours = week.reshape(7, 24, 4).sum(axis=2)
    return [[int(count) for count in hour] for hour in hours.T]
