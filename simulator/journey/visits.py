"""One shopper's visits over a horizon: a renewal process with a heavy tail, on a clock that runs with their hours.

Two steps make a point process that is stationary up to the shopper's own rhythm, so that its expectation is known:

1. *Hours, by a change of time.* The persona's `dial` is a clock that runs fast in busy hours and slow in quiet ones,
   and agrees with the local clock at every midnight. On the dial, candidates are an equilibrium renewal process
   (`model/gaps.py`; Cox 1962), so their expected number is proportional to the time that the dial has run.
2. *Days, by thinning* (Lewis & Shedler 1979). Candidates come at the rate of the busiest kind of day; each is kept with
   the probability of its own day over that. A candidate's draws are keyed by its number, so that a day that counts for
   less only loses visits, and no other visit moves. (A factor above all of a persona's others raises the rate of
   candidates, and so deals that persona's visits anew.)

The expected number of visits is the integral of rate · hour curve · weekend · holiday, exactly; with gaps without
memory the process is the non-homogeneous Poisson process of that intensity. The dial changes a gap by less than a day,
thinning joins a gap to the next: neither changes the slope of the tail.

Campaigns add visits of their own, a thinned Poisson process each, keyed by the campaign's name.

Every shopper of a data set came at least once. Who stays away (attempt 0) is drawn again among all who come: the first
candidate from its law within the horizon, the rest as always, until one is kept. The result is the process given that
it is not empty, whose expectation is the same curve at a larger height; and visits of attempt 0 are the same in any
horizon that holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey import keys
from simulator.journey.bursts import MOST_VISITS, NUMBERS, campaign_visits, no_campaign_share
from simulator.journey.calendar import DAY_US
from simulator.journey.dial import Run, day_factor, dial, dial_at, instant_of
from simulator.journey.keys import uniform, uniform_pair
from simulator.journey.returns import (
    APART_US,
    apart_on_dial_us,
    first_gap_share,
    first_gap_us,
    gap_us,
    mean_gap_us,
)
from simulator.model.compiled import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.calendar import Calendar
    from simulator.journey.records import Record
    from simulator.model.population import Population

MOST_ATTEMPTS = 64


@inlined
def ordinary_visits(
    persona: Record,
    calendar: Calendar,
    seed: int,
    shopper: Record,
    run: Run,
    attempt: int,
    u: float,
    starts: NDArray[np.int64],
) -> int:
    """Write the starts of a shopper's visits without campaigns into `starts`, in order; return how many.

    `u` decides the first candidate, `attempt` the keys of all later draws.
    """
    state, count, number = np.uint64(attempt), 0, 0
    mean_us, apart_us = run.mean_us, run.apart_us
    at_us = run.begin_us + first_gap_us(persona, mean_us, apart_us, u)
    while at_us < run.end_us and count < MOST_VISITS:
        which, nth = number & NUMBERS, number >> 16
        start_us, day = instant_of(calendar, persona, shopper, run, at_us)
        gap, kept = uniform_pair(seed, shopper.shopper, which, state, nth, keys.GAP)
        if kept * persona.day_most < day_factor(calendar, persona, shopper.country, day):
            starts[count] = min(max(int(start_us), 0), run.horizon_us - 1)
            count += 1
        at_us += gap_us(persona, mean_us, apart_us, gap)
        number += 1
    return count


@inlined
def attempt_visits(
    persona: Record,
    calendar: Calendar,
    seed: int,
    shopper: Record,
    run: Run,
    strengths: NDArray[np.float64],
    attempt: int,
    starts: NDArray[np.int64],
) -> int:
    """Write one attempt's visits of all streams into `starts`; return how many.

    From attempt 1 on, at least one stream has a candidate: each is asked in turn, given that none before it had one.
    """
    count, needed, state = 0, attempt > 0, np.uint64(attempt)
    u, chosen = uniform_pair(seed, shopper.shopper, 0, state, 0, keys.FIRST_GAP)
    here = True
    if needed:
        share = first_gap_share(persona, run.mean_us, run.apart_us, run.end_us - run.begin_us)
        if len(strengths) > 0:
            none = no_campaign_share(persona, calendar, shopper, run, strengths, 0)
            here = chosen * (1.0 - (1.0 - share) * none) < share
        u *= share
    if here:
        count, needed = ordinary_visits(persona, calendar, seed, shopper, run, attempt, u, starts), False
    for place in range(len(strengths)):
        if strengths[place] > 0.0:
            key = keys.FIRST_GAP ^ calendar.campaigns[place].key
            u, chosen = uniform_pair(seed, shopper.shopper, 0, state, 0, key)
            if needed:
                none = no_campaign_share(persona, calendar, shopper, run, strengths, place)
                others = no_campaign_share(persona, calendar, shopper, run, strengths, place + 1)
                share = 1.0 - none / others
                if chosen * (1.0 - none) >= share:
                    continue
                u, needed = u * share, False
            strength = strengths[place]
            count = campaign_visits(persona, calendar, seed, shopper, run, place, strength, attempt, u, count, starts)
    return count


@inlined
def shopper_visits(
    persona: Record,
    calendar: Calendar,
    seed: int,
    shopper: Record,
    horizon_us: int,
    strengths: NDArray[np.float64],
    starts: NDArray[np.int64],
) -> int:
    """Write the starts of a shopper's visits, at least one, into `starts`, in order and apart; return how many."""
    count, mean_us, apart_us = 0, mean_gap_us(persona, shopper.visits_per_week), apart_on_dial_us(persona)
    offset_us = calendar.since_midnight_us + shopper.utc_offset_s * 1_000_000
    changed = calendar.first_change[shopper.city] < calendar.first_change[shopper.city + 1]
    begin_us = dial(persona, float(offset_us))
    # In whole days the dial runs as far as any clock, unless that is changed.
    end_us = begin_us + horizon_us
    if changed or horizon_us % DAY_US:
        end_us = dial_at(calendar, persona, shopper, float(horizon_us))
    run = Run(horizon_us, offset_us, changed, begin_us, end_us, mean_us, apart_us)
    for attempt in range(MOST_ATTEMPTS):
        count = attempt_visits(persona, calendar, seed, shopper, run, strengths, attempt, starts)
        if count > 0:
            break
    if count == 0:
        # Whoever is kept out of every day that the horizon has comes all the same, at their hours.
        u = uniform(seed, shopper.shopper, 0, np.uint64(MOST_ATTEMPTS), 0, keys.FIRST_GAP)
        start_us, _ = instant_of(calendar, persona, shopper, run, begin_us + u * (end_us - begin_us))
        starts[0], count = min(max(int(start_us), 0), horizon_us - 1), 1
    put_in_order(starts, count)
    return count


@inlined
def put_in_order(starts: NDArray[np.int64], count: int) -> None:
    """Sort the first `count` starts, by insertion: most shoppers have a handful; then keep them `APART_US` apart."""
    for place in range(1, count):
        start_us, after = starts[place], place
        while after > 0 and starts[after - 1] > start_us:
            starts[after] = starts[after - 1]
            after -= 1
        starts[after] = start_us
    for place in range(1, count):
        starts[place] = max(starts[place], starts[place - 1] + APART_US)


@compiled
def all_visits(
    population: Population,
    calendar: Calendar,
    seed: int,
    shoppers: NDArray[Any],
    horizon_us: int,
    strengths: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (visits of each shopper, their starts one after another)."""
    counts, starts = np.empty(len(shoppers), np.int64), np.empty(4 * len(shoppers) + MOST_VISITS, np.int64)
    used = 0
    for place in range(len(shoppers)):
        if used + MOST_VISITS > len(starts):
            larger = np.empty(2 * len(starts), np.int64)
            larger[:used] = starts[:used]
            starts = larger
        shopper, room = shoppers[place], starts[used : used + MOST_VISITS]
        persona = population.personas[shopper.persona]
        counts[place] = shopper_visits(persona, calendar, seed, shopper, horizon_us, strengths[place], room)
        used += counts[place]
    return counts, starts[:used].copy()
