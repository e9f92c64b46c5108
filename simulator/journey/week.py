"""The curve of arrivals that a population has: by local weekday and hour, and by instant over all its time zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.model.compiled import compiled
from simulator.model.distributions import sample

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from simulator.model.population import Population

HOURS, DAYS, QUARTERS = 24, 7, 4
WEEK_S = 7 * 86_400
QUARTER_S = 900
"""UTC offsets are whole quarters of an hour."""
_DRAWS = 4_096


@compiled
def _mean(dist: Any, tables: Any) -> float:  # noqa: ANN401 - records of DIST and TABLES
    """Return the mean of a compiled distribution, by its quantiles at even steps."""
    total = 0.0
    for draw in range(_DRAWS):
        total += sample(dist, tables, (draw + 0.5) / _DRAWS)
    return total / _DRAWS


def persona_weeks(population: Population) -> NDArray[np.float64]:
    """Return each persona's expected visits a shopper by local hour and weekday, (P, 24, 7), Monday first.

    A week without holidays and campaigns; a persona's numbers sum to its mean visits a week.
    """
    personas = population.personas
    weekly = np.array([_mean(row.visits_per_week, population.tables[0]) for row in personas])
    hours = np.diff(personas["hour_cdf"], axis=1, prepend=0.0)
    days = np.where(np.arange(DAYS) >= 5, personas["weekend"][:, None], 1.0)
    days /= days.sum(axis=1, keepdims=True)
    weeks: NDArray[np.float64] = weekly[:, None, None] * hours[:, :, None] * days[:, None, :]
    return weeks


def expected_week(population: Population) -> NDArray[np.float64]:
    """Return the expected visits a shopper by local hour and weekday, (24, 7), Monday first, over all personas."""
    shares = population.personas["weight"] / population.personas["weight"].sum()
    week: NDArray[np.float64] = np.tensordot(shares, persona_weeks(population), axes=1)
    return week


def week_in_utc(population: Population) -> NDArray[np.float64]:
    """Return the expected visits a shopper and second in each quarter of an hour of a week from Monday in UTC, (672,).

    Every city's shoppers keep the hours of its own clock, at its offset of the reference instant.
    """
    weeks = persona_weeks(population) / 3600.0
    weeks *= (population.personas["weight"] / population.personas["weight"].sum())[:, None, None]
    local = np.repeat(weeks.transpose(0, 2, 1).reshape(len(weeks), -1), QUARTERS, axis=1)
    shares = np.diff(population.city_cdf, axis=1, prepend=0.0)
    quarters = np.rint(population.cities["utc_offset_s"] / QUARTER_S).astype(np.int64)
    whole = np.zeros(local.shape[1])
    for offset in np.unique(quarters):
        of_offset = shares[:, quarters == offset].sum(axis=1)
        whole += np.roll(of_offset @ local, -offset)
    return whole


def rate_curve(
    population: Population, from_s: float, length_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (seconds, visits a shopper and second) of the population's curve from `from_s` after a Monday 0:00 UTC on.

    Rates stand at the middle of each quarter of an hour; between them the curve is meant to be linear.
    """
    first, last = int(from_s // QUARTER_S) - 1, int((from_s + length_s) // QUARTER_S) + 1
    quarters = np.arange(first, last + 1)
    middles = (quarters + 0.5) * QUARTER_S - from_s
    curve = week_in_utc(population)
    rates = curve[quarters % len(curve)]
    inside = (middles > 0) & (middles < length_s)
    ends = np.interp([0.0, length_s], middles, rates)
    return np.r_[0.0, middles[inside], length_s], np.r_[ends[0], rates[inside], ends[1]]
