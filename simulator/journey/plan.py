"""Who comes and when: the plan that any world plays.

A calendar plan gives each shopper of a range their visits over a horizon, at local hours. An open plan gives each
arrival of a rate profile to the next shopper. Both are pure functions of the seed: no clock, no sleep.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.journey import keys
from simulator.journey.arms import choose_arm
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.records import SHOPPER, Record
from simulator.journey.shopper import draw_shopper, pick
from simulator.model.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from simulator.model.population import Population

US = 1e6
DAY_US = 86_400_000_000
MOST_VISITS = 512
"""No shopper has more visits in one horizon."""
APART_US = 1_800_000_000
"""Visits of a shopper start at least the session cut-off of 30 minutes apart."""


class Plan(NamedTuple):
    """One row a visit and arm; visits of a shopper stand side by side."""

    shopper: NDArray[np.int64]
    visit: NDArray[np.int64]
    arm: NDArray[np.int64]
    start_us: NDArray[np.int64]


def open_plan(profile: Sequence[tuple[float, float]], seed: int, arms: NDArray[Any], *, even: bool = False) -> Plan:
    """Return the arrivals of a rate profile, the i-th shopper's only visit being the i-th arrival.

    `profile` holds (second, arrivals a second), the rate between points being linear. The arrivals are a Poisson
    process of that rate: unit exponential gaps, keyed by index, through the inverse of the cumulative rate Λ (Çinlar
    1975); `even` puts the i-th at Λ⁻¹(i + ½).
    """
    times, rates = (np.array(column, np.float64) for column in zip(*profile, strict=True))
    starts = _arrivals(times, rates, seed, even)
    shoppers = np.arange(len(starts))
    chosen = np.array([choose_arm(arms, seed, int(shopper)) for shopper in shoppers], np.int64)
    return Plan(shoppers, np.zeros(len(starts), np.int64), chosen, starts)


@compiled
def _arrivals(times: NDArray[np.float64], rates: NDArray[np.float64], seed: int, even: bool) -> NDArray[np.int64]:
    sums = np.zeros(len(times))
    for i in range(1, len(times)):
        sums[i] = sums[i - 1] + (times[i] - times[i - 1]) * (rates[i] + rates[i - 1]) / 2.0
    found: list[int] = []
    total, index, segment = 0.0, 0, 1
    while True:
        if even:
            total = index + 0.5
        else:
            total -= math.log(uniform(seed, index, 0, NOWHERE, 0, keys.ARRIVAL))
        if total >= sums[-1]:
            return np.array(found, np.int64)
        while sums[segment] <= total:
            segment += 1
        slope = (rates[segment] - rates[segment - 1]) / (times[segment] - times[segment - 1])
        start, left = rates[segment - 1], total - sums[segment - 1]
        # Solves start·t + slope·t²/2 = left in the form that is stable for slope → 0.
        after = 0.0
        if left > 0.0:
            after = 2.0 * left / (start + math.sqrt(max(start * start + 2.0 * slope * left, 0.0)))
        found.append(int((times[segment - 1] + after) * US + 0.5))
        index += 1


def calendar_plan(
    population: Population,
    seed: int,
    first: int,
    last: int,
    horizon_us: int,
    weekday: int,
    arms: int = 1,
    shoppers: NDArray[Any] | None = None,
) -> Plan:
    """Return the visits of shoppers `first` to `last` − 1 over a horizon of whole days, each in each arm.

    `weekday` is the reference instant's (Monday 0). Each shopper has one visit and a Poisson number of others at their
    own weekly rate, on days weighted by the persona's weekend factor, at the shopper's own local hour. `shoppers` are
    these shoppers' rows, where they are drawn already.
    """
    drawn = draw_shoppers(population, seed, first, last) if shoppers is None else shoppers
    plan = _calendar(population, seed, drawn, horizon_us, weekday)
    shopper, visit, start = (np.repeat(column, arms) for column in plan) if arms > 1 else plan
    return Plan(shopper, visit, np.tile(np.arange(arms), len(plan[0])), start)


@compiled
def draw_shoppers(population: Population, seed: int, first: int, last: int) -> NDArray[Any]:
    """Return the SHOPPER rows of shoppers `first` to `last` − 1."""
    rows = np.empty(max(last - first, 0), SHOPPER)
    for place in range(len(rows)):
        draw_shopper(population, seed, first + place, rows[place])
    return rows


@compiled
def _calendar(
    population: Population, seed: int, shoppers: NDArray[Any], horizon_us: int, weekday: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    counts = np.empty(len(shoppers), np.int64)
    for place in range(len(shoppers)):
        counts[place] = _visit_count(seed, shoppers[place], horizon_us)
    total = counts.sum()
    numbers, visits, starts = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    row = 0
    for place in range(len(shoppers)):
        shopper, begin = shoppers[place], row
        for visit in range(counts[place]):
            start_us = _start_us(population, seed, shopper, visit, horizon_us, weekday)
            # In order of time, by insertion: most shoppers have a handful of visits.
            after = row
            while after > begin and starts[after - 1] > start_us:
                starts[after] = starts[after - 1]
                after -= 1
            starts[after] = start_us
            numbers[row], visits[row] = shopper.shopper, visit
            row += 1
        for later in range(begin + 1, row):
            starts[later] = max(starts[later], starts[later - 1] + APART_US)
    return numbers, visits, starts


@compiled
def _visit_count(seed: int, shopper: Record, horizon_us: int) -> int:
    """Return 1 + a Poisson count, by adding exponential gaps until the horizon is passed."""
    mean = shopper.visits_per_week * horizon_us / (7.0 * DAY_US)
    passed, count = 0.0, 0
    while count < MOST_VISITS:
        passed -= math.log(uniform(seed, shopper.shopper, count, NOWHERE, 0, keys.GAP))
        count += 1
        if passed > mean:
            break
    return count


@compiled
def _start_us(population: Population, seed: int, shopper: Record, visit: int, horizon_us: int, weekday: int) -> int:
    """Return one visit's start, before the shopper's visits are put in order."""
    persona = population.personas[shopper.persona]
    days = max(1, horizon_us // DAY_US)
    total = 0.0
    for day in range(days):
        total += persona.weekend if (weekday + day) % 7 >= 5 else 1.0
    left = uniform(seed, shopper.shopper, visit, NOWHERE, 0, keys.DAY) * total
    chosen = 0
    for day in range(days):
        left -= persona.weekend if (weekday + day) % 7 >= 5 else 1.0
        if left < 0.0:
            chosen = day
            break
    u = uniform(seed, shopper.shopper, visit, NOWHERE, 0, keys.HOUR)
    hour = pick(persona.hour_cdf, u)
    below = persona.hour_cdf[hour - 1] if hour > 0 else 0.0
    share = (u - below) / (persona.hour_cdf[hour] - below)
    local_us = chosen * DAY_US + int((hour + share) * 3600.0 * US)
    return int((local_us - shopper.utc_offset_s * 1_000_000) % horizon_us)
