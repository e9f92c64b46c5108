"""Leaving because of the wait: how much of what ended visits was the load time, so that it is not planted twice.

P(go on | state, load) = (1 − e_state) · exp(−h · load), by maximum likelihood. `h` becomes the persona's hazard a second, and
what it explains is taken out of the rows' exits: the rows then describe a visit that nobody kept waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

from simulator.journey.kernel import S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.hits import Hits
    from simulator.fit.sessions import Visits

LOAD_BINS = 40
LEAST_KNOWN = 0.95
"""A log says nothing of waits when load times are missing more often, for leaving shoppers are whose are missing."""
LONGEST_LOAD_S = 60.0


@dataclass(frozen=True, slots=True)
class Waits:
    """Load times of hits in seconds, and where each falls: state × bin (−1: none)."""

    load_s: NDArray[np.float64]
    cell: NDArray[np.int64]
    mean_s: NDArray[np.float64]


def waits(hits: Hits, visits: Visits) -> Waits | None:
    """Return the load times of a log, or nothing where it does not know (enough of) them."""
    last = visits.next == S
    known = hits.load_us >= 0
    if not known.any() or known[last].mean() < LEAST_KNOWN or known.mean() < LEAST_KNOWN or not hits.load_us.max():
        return None
    load_s = np.where(known, np.minimum(hits.load_us / 1e6, LONGEST_LOAD_S), 0.0)
    cuts = np.quantile(load_s[known], np.arange(1, LOAD_BINS) / LOAD_BINS)
    cell = np.where(known, hits.state.astype(np.int64) * LOAD_BINS + np.searchsorted(cuts, load_s), -1)
    inside = cell >= 0
    n = np.bincount(cell[inside], minlength=S * LOAD_BINS)
    sums = np.bincount(cell[inside], load_s[inside], S * LOAD_BINS)
    return Waits(load_s, cell, sums / np.maximum(n, 1))


def hazard_per_s(found: Waits, visits: Visits, weights: NDArray[np.float64]) -> float:
    """Return the rate of leaving a second of load time, from hits with weights (H,)."""
    inside = found.cell >= 0
    n = np.bincount(found.cell[inside], weights[inside], S * LOAD_BINS)
    on = np.bincount(found.cell[inside], weights[inside] * (visits.next[inside] < S), S * LOAD_BINS)
    used = n > 0
    state = np.flatnonzero(used) // LOAD_BINS
    states, place = np.unique(state, return_inverse=True)
    n, on, load = n[used], on[used], found.mean_s[used]

    def cost(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        p = np.clip(np.exp(parameters[place] - parameters[-1] * load), 1e-12, 1.0 - 1e-12)
        slope = on - (n - on) * p / (1.0 - p)
        gradient = np.append(-np.bincount(place, slope, len(states)), slope @ load)
        return -float(on @ np.log(p) + (n - on) @ np.log1p(-p)), gradient

    start = np.append(np.full(len(states), -0.3), 0.02)
    bounds = [(-20.0, -1e-6)] * len(states) + [(0.0, 1.0)]
    best = optimize.minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(best.x[-1])


def left_waiting(found: Waits, hazard: float) -> NDArray[np.float64]:
    """Return (H,) the chance that each page's load time alone would have ended the visit."""
    chance: NDArray[np.float64] = -np.expm1(-hazard * found.load_s)
    return chance
