"""Who comes and when: the plan that any world plays.

A calendar plan gives each shopper of a range their visits over a horizon, at local hours. An open plan gives each
arrival of a rate profile, or of a list of times, to the next shopper or to one who was here before. All are pure
functions of the seed: no clock, no sleep.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.journey import keys
from simulator.journey.arms import choose_arm
from simulator.journey.bursts import MOST_VISITS
from simulator.journey.calendar import DAY_US, plain_calendar
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.returns import APART_US
from simulator.journey.shopper import draw_these
from simulator.journey.visits import all_visits
from simulator.model.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from simulator.journey.calendar import Calendar
    from simulator.model.population import Population

__all__ = [
    "APART_US",
    "DAY_US",
    "MOST_VISITS",
    "Plan",
    "calendar_plan",
    "draw_shoppers",
    "in_order",
    "open_plan",
    "open_starts",
    "plan_of",
    "share_of",
]

US = 1e6


class Plan(NamedTuple):
    """One row a visit and arm; visits of a shopper stand side by side."""

    shopper: NDArray[np.int64]
    visit: NDArray[np.int64]
    arm: NDArray[np.int64]
    start_us: NDArray[np.int64]


def open_plan(profile: Sequence[tuple[float, float]], seed: int, arms: NDArray[Any], *, even: bool = False) -> Plan:
    """Return the arrivals of a rate profile, the i-th shopper's only visit being the i-th arrival."""
    return plan_of(open_starts(profile, seed, even=even), seed, arms)


def open_starts(profile: Sequence[tuple[float, float]], seed: int, *, even: bool = False) -> NDArray[np.int64]:
    """Return when the visits of a rate profile start, in microseconds, in order.

    `profile` holds (second, arrivals a second), the rate between points being linear. The arrivals are a Poisson
    process of that rate: unit exponential gaps, keyed by index, through the inverse of the cumulative rate Λ (Çinlar
    1975); `even` puts the i-th at Λ⁻¹(i + ½).
    """
    times, rates = (np.array(column, np.float64) for column in zip(*profile, strict=True))
    return _arrivals(times, rates, seed, even)


def plan_of(
    starts_us: NDArray[np.int64], seed: int, arms: NDArray[Any], shopper: NDArray[np.int64] | None = None
) -> Plan:
    """Return a plan of visits that start at `starts_us`, in order.

    `shopper` says whose each is; without it each is its shopper's only one. Shoppers are numbered from 0 in
    the order in which they come first; each stays in one arm.
    """
    who = np.arange(len(starts_us)) if shopper is None else shopper
    order = np.argsort(who, kind="stable")
    who, starts = who[order], starts_us[order]
    first = np.flatnonzero(np.diff(who, prepend=-1))
    visits = np.arange(len(who)) - np.repeat(first, np.diff(first, append=len(who)))
    chosen = np.array([choose_arm(arms, seed, number) for number in who[first].tolist()], np.int64)
    return Plan(who, visits, np.repeat(chosen, np.diff(first, append=len(who))), starts)


def share_of(plan: Plan, worker: int, workers: int) -> Plan:
    """Return the part of a plan that one of several workers plays: all visits of every `workers`-th shopper.

    By shopper and not by row, so that who returns comes back to the worker that keeps their cookies.
    """
    mine = plan.shopper % workers == worker
    return Plan(*(column[mine] for column in plan))


def in_order(plan: Plan) -> Plan:
    """Return the rows of a plan by when they start; those that start at once stay as they stand."""
    order = np.argsort(plan.start_us, kind="stable")
    return Plan(*(column[order] for column in plan))


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
    *,
    calendar: Calendar | None = None,
    strengths: NDArray[np.float64] | None = None,
) -> Plan:
    """Return the visits of shoppers `first` to `last` − 1 over a horizon of whole days, each in each arm.

    Each shopper has at least one visit; `journey/visits.py` says by which law. Without a `calendar`, days are ordinary
    ones, the first being the `weekday` (Monday 0) that begins at the reference instant in UTC. `shoppers` are these
    shoppers' rows, where they are drawn already; `strengths` (shoppers, campaigns) says how much the calendar's
    campaigns move each, as `responses` makes it.
    """
    drawn = draw_shoppers(population, seed, first, last) if shoppers is None else shoppers
    days = plain_calendar(population, weekday) if calendar is None else calendar
    moved = np.zeros((len(drawn), 0)) if strengths is None else strengths
    assert moved.shape == (len(drawn), len(days.campaigns)), "every campaign needs its strength for every shopper"
    counts, starts = all_visits(population, days, seed, drawn, horizon_us, moved)
    visits = np.arange(len(starts)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = (np.repeat(drawn["shopper"], counts), visits, starts)
    shopper, visit, start = (np.repeat(column, arms) for column in columns) if arms > 1 else columns
    return Plan(shopper, visit, np.tile(np.arange(arms), len(starts)), start)


def draw_shoppers(population: Population, seed: int, first: int, last: int) -> NDArray[Any]:
    """Return the SHOPPER rows of shoppers `first` to `last` − 1."""
    return draw_these(population, seed, np.arange(first, last))
