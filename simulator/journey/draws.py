"""Keyed draws for many shoppers at once: the same numbers as `keys.uniform` gives one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.journey.keys import NOWHERE, uniform
from simulator.model.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


@compiled
def uniforms(seed: int, shoppers: NDArray[np.int64], nth: int, purpose: np.uint64) -> NDArray[np.float64]:
    """Return `uniform(seed, shopper, 0, NOWHERE, nth, purpose)` of each shopper."""
    drawn = np.empty(len(shoppers))
    for place in range(len(shoppers)):
        drawn[place] = uniform(seed, shoppers[place], 0, NOWHERE, nth, purpose)
    return drawn
