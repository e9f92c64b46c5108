"""Campaigns: extra visits of whom they move, a Poisson process each, thinned by what is left of its height."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.journey import keys
from simulator.journey.dial import day_factor, dial_at, instant_of
from simulator.journey.keys import uniform_pair
from simulator.model.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.calendar import Calendar
    from simulator.journey.dial import Run
    from simulator.journey.records import Record

MOST_VISITS = 4_096
"""No shopper has more visits in one horizon."""
NUMBERS = 0xFFFF
"""Numbers of candidates that a key's place for visits holds; higher ones go on in the next place."""
LAST_HALVING = 10
"""After so many half-lives, at a thousandth of its lift, a campaign is over."""


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
        which, nth = number & NUMBERS, number >> 16
        start_us, day = instant_of(calendar, persona, shopper, run, at_us)
        keep = height(campaign, start_us - begin_us) * day_factor(calendar, persona, shopper.country, day)
        gap, kept = uniform_pair(seed, shopper.shopper, which, state, nth, keys.CAMPAIGN_GAP ^ campaign.key)
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
