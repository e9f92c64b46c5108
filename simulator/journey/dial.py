"""The dial: a clock that runs as fast as a persona's hours are busy, and agrees with the local clock at every midnight.

On it a shopper's visits have one rate all day: a process without hours becomes one with them, by a change of time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from simulator.journey.calendar import DAY_US
from simulator.model.compiled import compiled, inlined
from simulator.model.population import HOUR_GUIDE

if TYPE_CHECKING:
    from simulator.journey.calendar import Calendar
    from simulator.journey.records import Record

HOUR_US = 3.6e9
_A_DAY = 1.0 / DAY_US


class Run(NamedTuple):
    """A shopper's horizon: where it begins and ends on their dial, and candidates' gaps there. All in µs.

    `changed` says that their clock is changed within it; `offset_us` is their clock at its begin, from the first day's
    midnight.
    """

    horizon_us: int
    offset_us: int
    changed: bool
    begin_us: float
    end_us: float
    mean_us: float
    apart_us: float


@inlined
def dial(persona: Record, local_us: float) -> float:
    """Return what the persona's dial shows at a moment of the local clock, both in µs since some midnight."""
    days = local_us * _A_DAY
    day = math.floor(days)
    hours = (days - day) * 24.0
    hour = min(int(hours), 23)
    below = persona.hour_cdf[hour - 1] if hour > 0 else 0.0
    return float((day + below + (persona.hour_cdf[hour] - below) * (hours - hour)) * DAY_US)


@inlined
def local_of(persona: Record, dial_us: float) -> float:
    """Return the moment of the local clock at which the persona's dial shows `dial_us`."""
    days = dial_us * _A_DAY
    day = math.floor(days)
    share = days - day
    hour = persona.hour_guide[int(share * HOUR_GUIDE)]
    while persona.hour_cdf[hour] <= share:
        hour += 1
    below = persona.hour_cdf[hour - 1] if hour > 0 else 0.0
    return float(day * DAY_US + (hour + (share - below) / (persona.hour_cdf[hour] - below)) * HOUR_US)


@compiled
def dial_at(calendar: Calendar, persona: Record, shopper: Record, at_us: float) -> float:
    """Return the shopper's dial at an instant; where the clock is changed, the dial runs on without a jump."""
    offset_us, ahead = calendar.since_midnight_us + shopper.utc_offset_s * 1_000_000, 0.0
    for change in range(calendar.first_change[shopper.city], calendar.first_change[shopper.city + 1]):
        edge_us = calendar.change_at_us[change]
        if at_us < edge_us:
            break
        changed_us = calendar.since_midnight_us + calendar.change_offset_s[change] * 1_000_000
        ahead += dial(persona, edge_us + offset_us) - dial(persona, edge_us + changed_us)
        offset_us = changed_us
    return dial(persona, at_us + offset_us) + ahead


@compiled
def changed_instant(calendar: Calendar, persona: Record, shopper: Record, dial_us: float) -> tuple[float, int]:
    """Return what `instant_of` does, where the shopper's clock is changed within the horizon."""
    offset_us, ahead = calendar.since_midnight_us + shopper.utc_offset_s * 1_000_000, 0.0
    for change in range(calendar.first_change[shopper.city], calendar.first_change[shopper.city + 1]):
        edge_us = calendar.change_at_us[change]
        if dial_us < dial(persona, edge_us + offset_us) + ahead:
            break
        changed_us = calendar.since_midnight_us + calendar.change_offset_s[change] * 1_000_000
        ahead += dial(persona, edge_us + offset_us) - dial(persona, edge_us + changed_us)
        offset_us = changed_us
    return local_of(persona, dial_us - ahead) - offset_us, math.floor((dial_us - ahead) * _A_DAY)


@inlined
def instant_of(calendar: Calendar, persona: Record, shopper: Record, run: Run, dial_us: float) -> tuple[float, int]:
    """Return the instant at which the shopper's dial shows `dial_us`, and the number of the local day.

    The tables of changes are touched only where there are any: compiled code counts references to arrays.
    """
    if run.changed:
        start_us, day = changed_instant(calendar, persona, shopper, dial_us)
    else:
        start_us, day = local_of(persona, dial_us) - run.offset_us, math.floor(dial_us * _A_DAY)
    return start_us, day


@inlined
def day_factor(calendar: Calendar, persona: Record, country: int, day: int) -> float:
    """Return the persona's factor of a local day: 1 on a working day."""
    factor = persona.weekend if (calendar.weekday + day) % 7 >= 5 else 1.0
    if persona.holiday != 1.0 and day + 1 < calendar.holidays.shape[1] and calendar.holidays[country, day + 1]:
        factor *= persona.holiday
    return float(factor)
