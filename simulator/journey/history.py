"""What happened before the run: one keyed rule gives each past order, and everything said of a past follows from it.

The orders of a shopper are a Poisson process over their tenure: given how many there are, their ages are independent
and uniform. The value of one is log-normal about the shopper's own mean (persons differ in what they spend, as in the
gamma-gamma model of Fader, Hardie and Lee 2005; the log-normal is ours, assumed).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.journey import keys
from simulator.journey.keys import four_uniforms
from simulator.model.compiled import compiled, inlined
from simulator.model.distributions import normal_quantile, sample
from simulator.model.schema import CATEGORIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.records import Record

DAY_US = 86_400_000_000.0
DAY_S = 86_400.0
WEEKS_A_YEAR = 365.0 / 7.0
LONGEST_TENURE_DAYS = 36_500.0
NO_ORDER = -1.0
"""Days since the last order in a SHOPPER row without one; no NaN, so that equal rows compare equal."""
MOST_PAST_ORDERS = 4_095
"""Draws count `nth` to 2^12."""
ORDER_SIGMA = 0.5
"""Spread of the logarithm of one shopper's order values (assumed)."""
ITEM_CENTS = 3_500.0
"""An order has one item more for each further 35.00 it is worth, on average: the median price of a product."""
FAVOURITE_SHARE = 0.5
"""Share of past orders of the favourite category, besides its part of the rest, which falls on all alike (assumed)."""


@compiled
def remember(
    persona: Record, tables: Record, seed: int, u_tenure: float, u_basket: float, u_orders: float, row: Record
) -> None:
    """Fill a SHOPPER row's past from the three draws that make it.

    `lifetime_value_cents` is the spend of the past and its expectation over 365 days more: visits a week × 365/7 ×
    orders a visit × mean value of an order.
    """
    row.tenure_days = 0.0
    if u_tenure < persona.known:
        # Given that it is below, u/known is uniform again.
        tenure_days = sample(persona.tenure, tables, u_tenure / persona.known) / DAY_S
        row.tenure_days = min(max(tenure_days, 1.0 / DAY_S), LONGEST_TENURE_DAYS)
    row.basket_cents = 100.0 * sample(persona.basket, tables, u_basket)
    row.orders_per_year = row.visits_per_week * WEEKS_A_YEAR * persona.orders_per_visit
    row.past_orders = _poisson(row.orders_per_year * row.tenure_days / 365.0, u_orders)
    row.past_spend_cents, latest_us = _sum_up(seed, row.shopper, row.past_orders, row.tenure_days, row.basket_cents)
    row.last_order_days = latest_us / DAY_US if row.past_orders > 0 else NO_ORDER
    row.lifetime_value_cents = row.past_spend_cents + int(row.orders_per_year * row.basket_cents + 0.5)


@compiled
def past_order(seed: int, shopper: int, k: int, tenure_days: float, basket_cents: float) -> tuple[int, int]:
    """Return (age in microseconds, value in cents) of a shopper's `k`-th past order; k is a name and no order of time.

    The age is at least 1 µs and at most the tenure; the value has mean `basket_cents`.
    """
    # One block of randomness makes two orders.
    u_age, u_value, v_age, v_value = four_uniforms(seed, shopper, k // 2, keys.PAST_ORDER)
    if k % 2 == 1:
        u_age, u_value = v_age, v_value
    return _age_us(u_age, tenure_days), _value_cents(u_value, basket_cents)


@compiled
def _sum_up(seed: int, shopper: int, orders: int, tenure_days: float, basket_cents: float) -> tuple[int, int]:
    """Return (value of all past orders, age of the latest), going through them two at a time."""
    spend_cents, latest_us = 0, _age_us(1.0, tenure_days)
    for pair in range((orders + 1) // 2):
        u_age, u_value, v_age, v_value = four_uniforms(seed, shopper, pair, keys.PAST_ORDER)
        spend_cents += _value_cents(u_value, basket_cents)
        latest_us = min(latest_us, _age_us(u_age, tenure_days))
        if 2 * pair + 1 < orders:
            spend_cents += _value_cents(v_value, basket_cents)
            latest_us = min(latest_us, _age_us(v_age, tenure_days))
    return spend_cents, latest_us


@inlined
def _age_us(u: float, tenure_days: float) -> int:
    return 1 + int(u * (tenure_days * DAY_US))


@inlined
def _value_cents(u: float, basket_cents: float) -> int:
    return int(basket_cents * math.exp(ORDER_SIGMA * normal_quantile(u) - 0.5 * ORDER_SIGMA * ORDER_SIGMA) + 0.5)


@compiled
def past_size(seed: int, shopper: int, k: int, total_cents: int, favourite: int) -> tuple[int, int]:
    """Return (items, category) of a shopper's `k`-th past order."""
    u_items, u_category, _, _ = four_uniforms(seed, shopper, k, keys.PAST_SIZE)
    further = max(total_cents / ITEM_CENTS - 1.0, 0.0)
    items = 1
    if further > 0.0:
        # Geometric with mean `further`: each further item comes with probability further/(1 + further).
        items += int(math.log(u_items) / math.log(further / (1.0 + further)))
    if u_category < FAVOURITE_SHARE:
        return items, favourite
    return items, int((u_category - FAVOURITE_SHARE) / (1.0 - FAVOURITE_SHARE) * len(CATEGORIES))


@compiled
def past_orders(
    seed: int,
    shopper: NDArray[np.int64],
    orders: NDArray[np.int64],
    tenure_days: NDArray[np.float64],
    basket_cents: NDArray[np.float64],
    favourite: NDArray[np.int64],
) -> tuple[
    NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]
]:
    """Return (shopper, k, age in microseconds, items, value in cents, category) of each past order of shoppers.

    The arguments are columns of the shoppers table: nothing else is needed to list a past.
    """
    columns = np.empty((6, orders.sum()), np.int64)
    row = 0
    for place in range(len(shopper)):
        for k in range(orders[place]):
            age_us, total_cents = past_order(seed, shopper[place], k, tenure_days[place], basket_cents[place])
            items, category = past_size(seed, shopper[place], k, total_cents, favourite[place])
            columns[0, row], columns[1, row], columns[2, row] = shopper[place], k, age_us
            columns[3, row], columns[4, row], columns[5, row] = items, total_cents, category
            row += 1
    return columns[0], columns[1], columns[2], columns[3], columns[4], columns[5]


@compiled
def _poisson(mean: float, u: float) -> int:
    """Return the Poisson count at `u`, by adding its probabilities up; at most `MOST_PAST_ORDERS`."""
    if mean <= 0.0:
        return 0
    if mean > 500.0:
        # e^-mean would vanish; the normal limit is as good as exact here.
        return min(int(mean + math.sqrt(mean) * normal_quantile(u) + 0.5), MOST_PAST_ORDERS)
    term = math.exp(-mean)
    count, total = 0, term
    while total < u and count < MOST_PAST_ORDERS:
        count += 1
        term *= mean / count
        total += term
    return count


RECENCY_DAYS = (365.0, 180.0, 90.0, 30.0)
FREQUENCY = (2, 3, 5, 10)
VALUE_CENTS = (5_000, 10_000, 25_000, 50_000)
"""Where the scores 2 to 5 begin: at most so many days ago, at least so many orders, at least so much spent. Fixed and
no quintiles, because a quintile of one shopper would depend on who else is there."""
RFM = tuple(f"{r}{f}{m}" for r in range(1, 6) for f in range(1, 6) for m in range(1, 6))
RFM_CLASSES = ("none", "champion", "loyal", "new", "promising", "at_risk", "lost")


def rfm_scores(
    last_order_days: NDArray[np.float64], orders: NDArray[np.int64], spend_cents: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the scores of recency, frequency and value, 1 to 5 each; all 0 where there is no order."""
    recency = 5 - np.searchsorted(RECENCY_DAYS[::-1], last_order_days)
    frequency = 1 + np.searchsorted(FREQUENCY, orders, side="right")
    value = 1 + np.searchsorted(VALUE_CENTS, spend_cents, side="right")
    some = orders > 0
    return recency * some, frequency * some, value * some


def rfm_codes(recency: NDArray[np.int64], frequency: NDArray[np.int64], value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions in `RFM` of scores, −1 where there is no order."""
    return np.where(recency > 0, 25 * recency + 5 * frequency + value - 31, -1)


def rfm_classes(recency: NDArray[np.int64], frequency: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions in `RFM_CLASSES` of scores; the first rule that fits counts, and value decides nothing.

    champion R ≥ 4 and F ≥ 4 · loyal R ≥ 3 and F ≥ 3 · new R ≥ 4 and F = 1 · promising R ≥ 3 · at_risk F ≥ 3 · lost the
    rest.
    """
    rules = {
        "none": recency == 0,
        "champion": (recency >= 4) & (frequency >= 4),
        "loyal": (recency >= 3) & (frequency >= 3),
        "new": (recency >= 4) & (frequency == 1),
        "promising": recency >= 3,
        "at_risk": frequency >= 3,
    }
    codes = [RFM_CLASSES.index(name) for name in rules]
    return np.select(list(rules.values()), codes, RFM_CLASSES.index("lost")).astype(np.int64)
