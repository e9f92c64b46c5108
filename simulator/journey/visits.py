"""One shopper's visits over a horizon: a renewal process with a heavy tail, on a clock that runs with their hours.

Two steps make a point process that is stationary up to the shopper's own rhythm, so that its expectation is known:

1. *Hours, by a change of time.* The persona's `dial` is a clock that runs fast in busy hours and slow in quiet ones,
   and agrees with the local clock at every midnight. On the dial, candidates are an equilibrium renewal process
   (`model/gaps.py`; Cox 1962), so their expected number is proportional to the time that the dial has run.
2. *Days, by thinning* (Lewis & Shedler 1979). Candidates come at the rate of the busiest kind of day; each is kept with
   the probability of its own day over that. A candidate's draws are keyed by its number, so that a day that counts for
   less only loses visits, and no other visit moves.

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

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey import keys
from simulator.journey.calendar import DAY_US
from simulator.journey.keys import halves, uniform
from simulator.journey.shopper import pick
from simulator.model.compiled import compiled, inlined
from simulator.model.population import HOUR_GUIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.calendar import Calendar
    from simulator.journey.records import Record
    from simulator.model.population import Population

WEEK_US = 7 * DAY_US
MOST_VISITS = 4_096
"""No shopper has more visits in one horizon."""
APART_US = 1_800_000_000
"""Visits of a shopper start at least the session cut-off of 30 minutes apart."""
LEAST_RATE = 1e-4
"""Visits a week of whoever would otherwise never come."""
MOST_ATTEMPTS = 64
LAST_HALVING = 10
"""After so many half-lives, at a thousandth of its lift, a campaign is over."""
HOUR_US = 3.6e9
_A_DAY = 1.0 / DAY_US
_NUMBERS = 0xFFFF


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


@inlined
def gap_us(persona: Record, mean_us: float, apart_us: float, u: float) -> float:
    """Return a candidate's gap to the next, on the dial: never below `apart_us`, `mean_us` on average."""
    if persona.gap_exponent == 0.0:
        return -mean_us * math.log1p(-u)
    tail = (1.0 - u * persona.gap_kept) ** (-1.0 / persona.gap_exponent) - 1.0
    return float(apart_us + (mean_us - apart_us) * persona.gap_scale * tail)


@inlined
def first_gap_us(persona: Record, mean_us: float, apart_us: float, u: float) -> float:
    """Return the time on the dial from any moment to the next candidate: the equilibrium law of `gap_us`."""
    if persona.gap_exponent == 0.0:
        return -mean_us * math.log1p(-u)
    if u * mean_us < apart_us:
        return u * mean_us
    place = (u * mean_us - apart_us) / (mean_us - apart_us) * (len(persona.first_gap) - 1)
    below = min(int(place), len(persona.first_gap) - 2)
    share = place - below
    gap = persona.first_gap[below] * (1.0 - share) + persona.first_gap[below + 1] * share
    return float(apart_us + (mean_us - apart_us) * gap)


@compiled
def first_gap_share(persona: Record, mean_us: float, apart_us: float, span_us: float) -> float:
    """Return the u at which `first_gap_us` is `span_us`: the share of shoppers who have a candidate within it."""
    if persona.gap_exponent == 0.0:
        return -math.expm1(-span_us / mean_us)
    if span_us < apart_us:
        return span_us / mean_us
    gap = (span_us - apart_us) / (mean_us - apart_us)
    above = min(pick(persona.first_gap, gap), len(persona.first_gap) - 1)
    low, high = persona.first_gap[above - 1], persona.first_gap[above]
    share = (above - 1 + min((gap - low) / (high - low), 1.0)) / (len(persona.first_gap) - 1)
    return float((apart_us + (mean_us - apart_us) * share) / mean_us)


@compiled
def mean_gap_us(persona: Record, visits_per_week: float) -> float:
    """Return the mean gap between candidates, so that in a week without holidays `visits_per_week` are kept.

    Gaps with a tail are on average at least twice the shortest one; a shopper who would come more often does not.
    """
    rate = max(visits_per_week, LEAST_RATE) * persona.day_most / persona.day_mean
    mean_us = WEEK_US / rate
    return float(mean_us if persona.gap_exponent == 0.0 else max(mean_us, 2.0 * apart_on_dial_us(persona)))


@compiled
def apart_on_dial_us(persona: Record) -> float:
    """Return what the dial runs at least in `APART_US`, at most: candidates so far apart never share a session."""
    return 0.0 if persona.gap_exponent == 0.0 else APART_US * persona.peak


@compiled
def campaign_span_us(
    calendar: Calendar, persona: Record, shopper: Record, campaign: Record, horizon_us: int
) -> tuple[float, float, float]:
    """Return (begin, begin on the dial, end on the dial) of a campaign for a shopper, within the horizon."""
    begin_us = float(campaign.begin_us)
    if campaign.local:
        offset_s = shopper.utc_offset_s
        for change in range(calendar.first_change[shopper.city], calendar.first_change[shopper.city + 1]):
            if calendar.change_at_us[change] <= campaign.begin_us - offset_s * 1_000_000:
                offset_s = calendar.change_offset_s[change]
        begin_us -= offset_s * 1e6
    end_us = begin_us + campaign.length_us + LAST_HALVING * campaign.half_us
    first_us, last_us = min(max(begin_us, 0.0), horizon_us), min(max(end_us, 0.0), horizon_us)
    return begin_us, dial_at(calendar, persona, shopper, first_us), dial_at(calendar, persona, shopper, last_us)


@compiled
def height(campaign: Record, since_us: float) -> float:
    """Return the share of a campaign's lift that is left `since_us` after its begin."""
    if since_us < campaign.length_us:
        return 1.0
    return float(2.0 ** (-(since_us - campaign.length_us) / campaign.half_us)) if campaign.half_us > 0.0 else 0.0


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
        which, nth = number & _NUMBERS, number >> 16
        start_us, day = instant_of(calendar, persona, shopper, run, at_us)
        gap, kept = halves(seed, shopper.shopper, which, state, nth, keys.GAP)
        if kept * persona.day_most < day_factor(calendar, persona, shopper.country, day):
            starts[count] = min(max(int(start_us), 0), run.horizon_us - 1)
            count += 1
        at_us += gap_us(persona, mean_us, apart_us, gap)
        number += 1
    return count


@compiled
def campaign_visits(
    persona: Record,
    calendar: Calendar,
    seed: int,
    shopper: Record,
    run: Run,
    place: int,
    strength: float,
    attempt: int,
    u: float,
    count: int,
    starts: NDArray[np.int64],
) -> int:
    """Add the visits that one campaign brings to `count` others in `starts`; return how many there are then."""
    campaign, state, number = calendar.campaigns[place], np.uint64(attempt), 0
    begin_us, at_us, end_us = campaign_span_us(calendar, persona, shopper, campaign, run.horizon_us)
    mean_us = run.mean_us / (campaign.lift * strength)
    at_us -= mean_us * math.log1p(-u)
    while at_us < end_us and count < MOST_VISITS:
        which, nth = number & _NUMBERS, number >> 16
        start_us, day = instant_of(calendar, persona, shopper, run, at_us)
        keep = height(campaign, start_us - begin_us) * day_factor(calendar, persona, shopper.country, day)
        gap, kept = halves(seed, shopper.shopper, which, state, nth, keys.CAMPAIGN_GAP ^ campaign.key)
        if kept * persona.day_most < keep:
            starts[count] = min(max(int(start_us), 0), run.horizon_us - 1)
            count += 1
        at_us -= mean_us * math.log1p(-gap)
        number += 1
    return count


@compiled
def no_campaign_share(
    persona: Record,
    calendar: Calendar,
    shopper: Record,
    run: Run,
    strengths: NDArray[np.float64],
    first: int,
) -> float:
    """Return the share of shoppers like this one for whom no campaign from `first` on has a candidate."""
    expected = 0.0
    for place in range(first, len(strengths)):
        campaign = calendar.campaigns[place]
        _, begin, end = campaign_span_us(calendar, persona, shopper, campaign, run.horizon_us)
        expected += (end - begin) * campaign.lift * strengths[place] / run.mean_us
    return math.exp(-expected)


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
    u, chosen = halves(seed, shopper.shopper, 0, state, 0, keys.FIRST_GAP)
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
            u, chosen = halves(seed, shopper.shopper, 0, state, 0, key)
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
