"""The days of a horizon as tables for compiled code: public holidays, changes of the clock, campaigns.

What depends on the calendar is looked up once a run, from the time zone database and the `holidays` library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from simulator.model.compiled import record_dtype
from simulator.model.places import city_table
from simulator.model.population import name_key
from simulator.model.schema import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simulator.model.population import Population, Roster

DAY_US = 86_400_000_000
US = 1_000_000
_STEP = timedelta(hours=6)
"""No time zone changes its clock twice within six hours."""
CAMPAIGN = record_dtype(
    [("key", "u4"), ("begin_us", "i8"), ("local", "i8"), ("length_us", "f8"), ("half_us", "f8"), ("lift", "f8")]
)


class Calendar(NamedTuple):
    """What compiled code knows about a horizon's days. Days count from the date of the reference instant, in UTC."""

    weekday: int
    """Of that date, Monday 0."""
    since_midnight_us: int
    """From that date's beginning to the reference instant."""
    holidays: NDArray[np.uint8]
    """(countries, days + 3), 1 on public holidays; column 0 is the day before the first."""
    first_change: NDArray[np.int64]
    """(cities + 1,) where each city's changes of the clock begin in the next two."""
    change_at_us: NDArray[np.int64]
    change_offset_s: NDArray[np.int64]
    """UTC offset from that instant on."""
    campaigns: NDArray[Any]
    """(K,) of CAMPAIGN."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A burst of extra visits, in multiples of a shopper's ordinary visits.

    `begin_us` counts from the reference instant; with `local`, on each shopper's own clock, from the reference's
    clock in UTC. `personas` are factors by name, empty for everybody alike; `channels` are those that it reaches,
    empty for all; `consent` is the one it needs. After `length_us` the lift halves every `half_us`.
    """

    name: str
    begin_us: int
    length_us: float
    lift: float
    half_us: float = 0.0
    local: bool = False
    personas: Mapping[str, float] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    consent: str | None = None


def plain_calendar(population: Population, weekday: int) -> Calendar:
    """Return a calendar without holidays, changes of the clock and campaigns; its reference instant is a midnight."""
    none = np.zeros(0, np.int64)
    no_holidays = np.zeros((len(population.device_cdf[0]), 0), np.uint8)
    cities = np.zeros(len(population.cities) + 1, np.int64)
    return Calendar(weekday, 0, no_holidays, cities, none, none, np.zeros(0, CAMPAIGN))


def compile_calendar(
    roster: Roster, reference: datetime, horizon_us: int, campaigns: Sequence[Campaign] = ()
) -> Calendar:
    """Return the tables of a horizon that begins at the reference instant."""
    begin = reference.astimezone(UTC)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    days = -(-(horizon_us + (begin - midnight) // timedelta(microseconds=1)) // DAY_US)
    dates = [midnight.date() + timedelta(days=day) for day in range(-1, days + 2)]
    marked = np.array([[date in public_holidays(c, date.year) for date in dates] for c in roster.countries], np.uint8)
    changes = [clock_changes(city.timezone, begin, horizon_us) for city in city_table()]
    flat = np.array([change for of_city in changes for change in of_city], np.int64).reshape(-1, 2)
    rows = [(name_key(c.name), c.begin_us, c.local, c.length_us, c.half_us, c.lift) for c in campaigns]
    return Calendar(
        begin.weekday(),
        (begin - midnight) // timedelta(microseconds=1),
        marked,
        np.cumsum([0, *map(len, changes)], dtype=np.int64),
        np.ascontiguousarray(flat[:, 0]),
        np.ascontiguousarray(flat[:, 1]),
        np.array(rows, CAMPAIGN),
    )


@cache
def public_holidays(country: str, year: int) -> frozenset[Any]:
    """Return the dates of a country's nationwide public holidays; none where the library does not know the country."""
    # Takes a tenth of a second, and only generated data needs it.
    import holidays  # noqa: PLC0415

    if country not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=year))


@cache
def clock_changes(timezone: str, begin: datetime, horizon_us: int) -> tuple[tuple[int, int], ...]:
    """Return (microseconds from `begin`, UTC offset in seconds from then on) of each change inside the horizon."""
    zone, end = ZoneInfo(timezone), begin + timedelta(microseconds=horizon_us)
    found, at = [], begin
    while at < end:
        later = min(at + _STEP, end)
        if _offset_s(zone, at) != _offset_s(zone, later):
            change = _first_second(zone, at, later)
            found.append(((change - begin) // timedelta(microseconds=1), _offset_s(zone, later)))
        at = later
    return tuple(found)


def _first_second(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the second at which the offset becomes that of `after`, by bisection."""
    low, high = 0, -(-(after - before) // timedelta(seconds=1))
    while high - low > 1:
        middle = (low + high) // 2
        changed = _offset_s(zone, before + timedelta(seconds=middle)) != _offset_s(zone, before)
        low, high = (low, middle) if changed else (middle, high)
    return before + timedelta(seconds=high)


def _offset_s(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def responses(campaigns: Sequence[Campaign], roster: Roster, shoppers: NDArray[Any]) -> NDArray[np.float64]:
    """Return how strongly each campaign moves each shopper, (shoppers, campaigns) of 0 and above.

    The product of the persona's factor and the shopper's own responsiveness, and 0 where channel or consent is missing.
    """
    strengths = np.ones((len(shoppers), len(campaigns)))
    columns = shoppers.dtype.names or ()
    if "campaign_response" in columns:
        strengths *= shoppers["campaign_response"][:, None]
    for place, campaign in enumerate(campaigns):
        if campaign.personas:
            factors = np.array([campaign.personas.get(name, 0.0) for name in roster.personas])
            strengths[:, place] *= factors[shoppers["persona"]]
        if campaign.channels and "channel" in columns:
            reached = [CHANNELS.index(name) for name in campaign.channels]
            strengths[:, place] *= np.isin(shoppers["channel"], reached)
        if campaign.consent is not None:
            strengths[:, place] *= shoppers[campaign.consent] != 0
    return strengths
