"""Who of an open run's arrivals was here before: keyed by the arrival's index, so that any worker deals the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey import keys
from simulator.journey.keys import NOWHERE, uniform
from simulator.model.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIES = 16
"""How many of those who were here are asked before somebody new comes: most of them may have been here just now."""


@compiled
def who_comes(starts_us: NDArray[np.int64], seed: int, share: float, after_us: int) -> NDArray[np.int64]:
    """Return whose each arrival is, given when they start, in order; shoppers are numbered as they come first.

    With probability `share` it is a shopper whose latest visit started at least `after_us` before, each such shopper as
    likely as any other; somebody new where there is none. So the share of visits by returning shoppers is `share` from
    `after_us` on, and less before.
    """
    who = np.empty(len(starts_us), np.int64)
    first, last = np.empty(len(starts_us), np.int64), np.empty(len(starts_us), np.int64)
    people, known = 0, 0
    for index in range(len(starts_us)):
        now = starts_us[index]
        while known < people and first[known] <= now - after_us:
            known += 1
        found = -1
        if known and uniform(seed, index, 0, NOWHERE, 0, keys.RETURNS) < share:
            for nth in range(TRIES):
                asked = int(uniform(seed, index, 0, NOWHERE, nth, keys.RETURNER) * known)
                if last[asked] <= now - after_us:
                    found = asked
                    break
        if found < 0:
            found = people
            first[found] = now
            people += 1
        who[index], last[found] = found, now
    return who


def comes_again(seed: int, shoppers: int, shopper: int, visit: int, share: float) -> tuple[int, int]:
    """Return (shopper, visit) of who comes when a visit of a closed run ends, in which so many `shoppers` are at once.

    The same shopper again with probability `share`, and otherwise somebody new: `shoppers` numbers on, so that no two
    places of the run ever have the same one.
    """
    if uniform(seed, shopper, visit, NOWHERE, 0, keys.RETURNS) < share:
        return shopper, visit + 1
    return shopper + shoppers, 0


def numbered(names: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of each name: 0 for the first that stands there, 1 for the next other one, and so on."""
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
