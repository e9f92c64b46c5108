"""Leaving because of waits and because time is up: taken out of the rows' exits, so that nothing is planted twice.

A visit goes on after a page with the probability

    (1 − e_state) · exp(−(h · load + g · ln(1 + load))) · E_T[ S(elapsed + load + T) / S(elapsed) ]

h is the persona's impatience a second, g what a slow page puts off, S the survival of a log-normal time budget and T
the think time of the state: the kernel's own parts, without frailty and memory. What h, g and S explain of the exits is
no evidence of wanting to leave, and a think time that was seen had to end before the budget: it counts for the inverse
of the chance of that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from simulator.journey.kernel import S
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.hits import Hits
    from simulator.fit.sessions import Visits
    from simulator.fit.thinking import Think

LOAD_BINS, ELAPSED_BINS = 10, 16
QUANTILES = (np.arange(9) + 0.5) / 9
LEAST_KNOWN = 0.95
"""A log says nothing of waits when load times are missing more often: those who left are whose are missing."""
LONGEST_LOAD_S = 60.0
SPREAD = np.array([0.6, 0.3])
"""How far the logarithms of a kind's median and sigma usually lie from everybody's (prior standard deviations)."""
LEAST_CHANCE = 0.1
"""No think time counts for more than ten."""


@dataclass(frozen=True, slots=True)
class Waits:
    """For each hit (H,): seconds of load time (0 where not logged), and seconds since the visit's first tap."""

    load_s: NDArray[np.float64]
    elapsed_s: NDArray[np.float64]
    logged: bool


@dataclass(frozen=True, slots=True)
class Leaving:
    """Why visits end besides wanting to: (h, g) of waits, `None` without load times; ln median, sigma of the budget."""

    wait: tuple[float, float] | None
    budget: tuple[float, float] | None


def waits(hits: Hits, visits: Visits) -> Waits:
    """Return the waits of a log; load times count only where nearly all are known, also on last pages."""
    last = visits.next == S
    known = hits.load_us >= 0
    logged = bool(known.mean() >= LEAST_KNOWN and known[last].mean() >= LEAST_KNOWN and hits.load_us.max() > 0)
    load_s = np.where(known, np.minimum(hits.load_us / 1e6, LONGEST_LOAD_S), 0.0) if logged else np.zeros(len(hits))
    begin = hits.at_us[visits.first][visits.visit]
    return Waits(load_s, (hits.at_us - begin) / 1e6, logged)


class _Cells:
    """Taps of one kind, counted by state, load time and time since the visit's start."""

    def __init__(
        self, hits: Hits, visits: Visits, found: Waits, weights: NDArray[np.float64], tempo: dict[str, Think]
    ) -> None:
        used = weights > 0
        weight, state = weights[used], hits.state[used].astype(np.int64)
        load, elapsed = found.load_s[used], found.elapsed_s[used]
        load_bin = np.searchsorted(np.quantile(load, np.arange(1, LOAD_BINS) / LOAD_BINS), load)
        later = elapsed[elapsed > 0]
        cuts = np.quantile(later, np.arange(ELAPSED_BINS - 1) / (ELAPSED_BINS - 1)) if len(later) else np.zeros(1)
        elapsed_bin = np.searchsorted(cuts, elapsed)
        key = (state * (LOAD_BINS + 1) + load_bin) * (ELAPSED_BINS + 1) + elapsed_bin
        cells, place = np.unique(key, return_inverse=True)
        self.n = np.bincount(place, weight)
        self.on = np.bincount(place, weight * (visits.next[used] < S))
        self.load = np.bincount(place, weight * load) / self.n
        self.elapsed = np.bincount(place, weight * elapsed) / self.n
        self.states, self.state = np.unique(cells // ((LOAD_BINS + 1) * (ELAPSED_BINS + 1)), return_inverse=True)
        self.think = np.array([quantiles_of(tempo, s) for s in self.states])
        self.usual: NDArray[np.float64] | None = None
        wish = np.bincount(self.state, self.on) / np.bincount(self.state, self.n)
        self._stay = np.clip(wish, 1e-6, 1 - 1e-6)

    def chance(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each cell's chance of not being ended by the wait or the budget, for (h, g, ln median, ln sigma)."""
        waited: NDArray[np.float64] = np.exp(-(parameters[0] * self.load + parameters[1] * np.log1p(self.load)))
        if len(parameters) == 2:
            return waited
        budget = (parameters[2], math.exp(parameters[3]))
        stays: NDArray[np.float64] = waited * in_time(budget, self.elapsed, self.load, self.think[self.state])
        return stays

    def cost(self, parameters: NDArray[np.float64]) -> float:
        """Return the negative log-likelihood, each state's own wish to stay being the one that fits best."""
        if (parameters[:2] < 0).any() or (len(parameters) > 2 and not -3 < parameters[3] < 1.5):
            return math.inf
        chance = np.clip(self.chance(parameters), 1e-9, 1.0)
        p = self._staying(chance)[self.state] * chance
        p = np.clip(p, 1e-12, 1 - 1e-12)
        far = 0.0 if self.usual is None else float((((parameters[2:] - self.usual) / SPREAD) ** 2).sum()) / 2
        return far - float(self.on @ np.log(p) + (self.n - self.on) @ np.log1p(-p))

    def _staying(self, chance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each state's probability q of wanting to go on: Newton steps on ln q, from the last ones found."""
        count = len(self.states)
        log_q = np.log(self._stay)
        for _ in range(6):
            p = np.clip(np.exp(log_q)[self.state] * chance, 1e-12, 1 - 1e-9)
            off = (self.n - self.on) * p / (1 - p)
            slope = np.bincount(self.state, self.on - off, count)
            bend = np.bincount(self.state, off / (1 - p), count)
            log_q = np.clip(log_q + np.clip(slope / np.maximum(bend, 1e-9), -1, 1), -15.0, -1e-7)
        self._stay = np.exp(log_q)
        return self._stay


def fit_leaving(
    hits: Hits,
    visits: Visits,
    found: Waits,
    weights: NDArray[np.float64],
    tempo: dict[str, Think],
    everybody: Leaving | None = None,
) -> Leaving:
    """Return why visits of one kind end, from hits with weights (H,) and the kind's think times.

    Few visits say little of a budget, so a kind's is drawn to `everybody`'s (`SPREAD`); everybody's is left out where
    it does not raise the likelihood by more than chance would (BIC).
    """
    cells = _Cells(hits, visits, found, weights, tempo)
    start = np.array([0.02, 0.01]) if found.logged else np.zeros(2)
    if everybody is not None and everybody.budget is not None:
        cells.usual = np.array([everybody.budget[0], math.log(everybody.budget[1])])
        parameters = _search(cells, np.concatenate([start, cells.usual]), found.logged)[1]
    elif everybody is not None:
        parameters = _search(cells, start, found.logged)[1]
    else:
        with_budget = _search(cells, np.append(start, [math.log(300.0), 0.0]), found.logged)
        without = _search(cells, start, found.logged)
        worth = math.log(max(float(weights.sum()), 2.0))
        parameters = (with_budget if with_budget[0] + worth < without[0] else without)[1]
    wait = (float(parameters[0]), float(parameters[1])) if found.logged else None
    budget = (float(parameters[2]), math.exp(parameters[3])) if len(parameters) > 2 else None
    return Leaving(wait, budget)


def _search(cells: _Cells, start: NDArray[np.float64], logged: bool) -> tuple[float, NDArray[np.float64]]:
    """Return the best cost and parameters; without load times the first two stay zero."""
    free = slice(0 if logged else 2, len(start))
    if len(start[free]) == 0:
        return cells.cost(start), start

    def cost(some: NDArray[np.float64]) -> float:
        return cells.cost(np.concatenate([start[: free.start], some]))

    simplex = np.vstack([start[free], *(start[free] + step for step in np.diag(STEPS[free]))])
    found = optimize.minimize(
        cost, start[free], method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-3, "fatol": 0.05, "maxfev": 400},
    )  # fmt: skip
    return float(found.fun), np.concatenate([start[: free.start], found.x])


STEPS = np.array([0.02, 0.02, 0.7, -0.3])


def quantiles_of(tempo: dict[str, Think], state: int) -> NDArray[np.float64]:
    """Return `QUANTILES` of a state's think time in seconds; the default's where the state has none of its own."""
    think = tempo.get(STATE_NAMES[state], tempo.get("default"))
    return np.zeros(len(QUANTILES)) if think is None else think.quantiles_s(QUANTILES)


def in_time(
    budget: tuple[float, float],
    elapsed_s: NDArray[np.float64],
    load_s: NDArray[np.float64],
    think_s: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the chance that the budget outlasts a page, being left at its tap; `think_s` may have a last axis."""
    now = survives(budget, elapsed_s)
    ahead = (elapsed_s + load_s)[..., None] + think_s.reshape(len(elapsed_s), -1)
    found: NDArray[np.float64] = survives(budget, ahead).mean(axis=-1) / np.maximum(now, 1e-12)
    return found


def survives(budget: tuple[float, float], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chance that a log-normal budget is longer than each time."""
    found: NDArray[np.float64] = special.ndtr((budget[0] - np.log(np.maximum(at_s, 1e-9))) / budget[1])
    return found


def ended_otherwise(hits: Hits, found: Waits, leaving: Leaving, tempo: dict[str, Think]) -> NDArray[np.float64]:
    """Return (H,) the chance that each page's wait or the budget ends the visit, whatever the shopper wants."""
    stay = np.ones(len(hits))
    if leaving.wait:
        stay *= np.exp(-(leaving.wait[0] * found.load_s + leaving.wait[1] * np.log1p(found.load_s)))
    if leaving.budget:
        quantiles = np.array([quantiles_of(tempo, state) for state in range(S)])
        stay *= in_time(leaving.budget, found.elapsed_s, found.load_s, quantiles[hits.state])
    return 1.0 - stay


def think_weights(visits: Visits, found: Waits, leaving: Leaving) -> NDArray[np.float64]:
    """Return (H,) what each think time counts for: the inverse of the chance that the budget let it end."""
    if leaving.budget is None:
        return np.ones(len(visits.next))
    think_s = np.maximum(visits.think_us, 0) / 1e6
    chance = in_time(leaving.budget, found.elapsed_s, found.load_s, think_s)
    return 1.0 / np.maximum(chance, LEAST_CHANCE)
