"""Gaps between a shopper's visits as they are drawn: the law of `model/gaps.py` above a shortest gap, on the dial.

With `gap_exponent` 0 gaps have no memory and no shortest one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.journey.calendar import DAY_US
from simulator.journey.shopper import pick
from simulator.model.compiled import compiled, inlined

if TYPE_CHECKING:
    from simulator.journey.records import Record

WEEK_US = 7 * DAY_US
APART_US = 1_800_000_000
"""Visits of a shopper start at least the session cut-off of 30 minutes apart."""
LEAST_RATE = 1e-4
"""Visits a week of whoever would otherwise never come."""


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
