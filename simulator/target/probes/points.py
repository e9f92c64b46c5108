"""How to come down to points for one reward alone, so that two redeemed at once can only be a mistake."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BEFORE = 3
"""Rewards that may be redeemed before; each further one is a request more."""
ORDERS = 2
"""A reward is redeemed once on each of so many orders, at most: asking again for the same may rightly take nothing."""


class Plan(NamedTuple):
    """`before` is redeemed in turn; then there are points for one `reward` of this `price`, and not for two."""

    before: tuple[str, ...]
    reward: str
    price: float


def plan_for(balance: float, prices: Mapping[str, float]) -> Plan | None:
    """Return the shortest plan for a balance and the prices of rewards, in points; None if there is none."""
    for many in range(MOST_BEFORE + 1):
        for before in combinations_with_replacement(sorted(prices), many):
            left = balance - sum(prices[name] for name in before)
            for reward, price in prices.items():
                fits = 0 < price <= left < 2 * price
                if fits and reward not in before and all(before.count(name) <= ORDERS for name in before):
                    return Plan(before, reward, price)
    return None
