"""What theory says of a visit that nothing disturbs: pages take no time, nothing fails, no time budget.

Such a visit is an absorbing Markov chain over places (state, flags after its page), with the kernel's own weights.
With Q its transitions between places and b where visits begin, the expected number of times at each place is
n = b (I − Q)⁻¹ (Kemeny and Snell 1960, chapter 3); everything else here follows from it.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import special

from simulator.journey.kernel import (
    ADD_TO_CART,
    AR_CAPABLE,
    ENROLLED,
    LOCATED,
    LOGGED_IN,
    PERSONALIZED,
    PURCHASE,
    PUSHED,
    S,
    entry_weight,
    hazard_sum,
    next_weight,
    think_of,
)
from simulator.journey.records import NOT_SEEN
from simulator.model.compiled import compiled
from simulator.model.distributions import sample
from simulator.model.schema import CONSENTS
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.journey.records import Record
    from simulator.model.population import Population
    from simulator.model.schema import Patience

NORMAL_SCORES = np.linspace(-8.0, 8.0, 2_049)
"""Where a distribution's quantile is taken to get its mean."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """Figures of an undisturbed visit; `visits` and `exits` are by state."""

    pages: float
    """Expected pages a visit."""
    pages_sd: float
    """Their standard deviation."""
    bounce: float
    """Share of visits with one page."""
    conversion: float
    """Share of visits with at least one order."""
    cart_reached: float
    """Share of visits that put something into the cart."""
    abandonment: float
    """Share of those that leave without an order; NaN where nobody reaches the cart."""
    engaged_s: float
    """Expected seconds looking at pages: think times, waiting excluded."""
    visits: dict[str, float]
    """Expected pages a visit of each state; they sum to `pages`."""
    exits: dict[str, float]
    """Share of visits that end at each state; they sum to 1."""


class Chain(NamedTuple):
    """The absorbing chain of one persona's shoppers who begin with the same flags, over N places."""

    states: NDArray[np.int64]
    """(N,) state of each place."""
    begin: NDArray[np.float64]
    """(N,) share of visits that begin there."""
    onward: NDArray[np.float64]
    """(N, N) probability of the next place; what a row lacks to 1 is exit."""


def expectations(population: Population, index: int) -> Expectations:
    """Return the figures of the persona at `index` of a population, mixed over the flags its shoppers arrive with."""
    persona = population.personas[index]
    sums, moves = np.zeros(5), expected_moves(population, index)
    for flags, share in _first_flags(population, index):
        chain = undisturbed(persona, flags)
        fundamental = np.linalg.inv(np.eye(len(chain.states)) - chain.onward)
        times, leave = chain.begin @ fundamental, 1.0 - chain.onward.sum(axis=1)
        # The second moment of the time to absorption: b (2N - I) N 1 (Kemeny and Snell 1960, theorem 3.3.5).
        second = 2.0 * times @ fundamental.sum(axis=1) - times.sum()
        carted, bought = reached(chain, ADD_TO_CART), reached(chain, PURCHASE)
        sums += share * np.array([times.sum(), second, chain.begin @ leave, carted, bought])
    pages, second, bounce, carted, bought = sums.tolist()
    return Expectations(
        pages=pages,
        pages_sd=math.sqrt(max(second - pages**2, 0.0)),
        bounce=bounce,
        conversion=bought,
        cart_reached=carted,
        abandonment=1.0 - bought / carted if carted > 0 else math.nan,
        engaged_s=_engaged_s(persona, population.tables, moves),
        visits=dict(zip(STATE_NAMES, moves.sum(axis=1).tolist(), strict=True)),
        exits=dict(zip(STATE_NAMES, moves[:, S].tolist(), strict=True)),
    )


def expected_moves(population: Population, index: int) -> NDArray[np.float64]:
    """Return (S, S + 1) the expected moves a visit from each state to each next one, or to exit, which is last."""
    moves = np.zeros((S, S + 1))
    for flags, share in _first_flags(population, index):
        chain = undisturbed(population.personas[index], flags)
        times = np.linalg.solve((np.eye(len(chain.states)) - chain.onward).T, chain.begin)
        np.add.at(moves[:, :S], np.ix_(chain.states, chain.states), share * times[:, None] * chain.onward)
        np.add.at(moves[:, S], chain.states, share * times * (1.0 - chain.onward.sum(axis=1)))
    return moves


def _engaged_s(persona: Record, tables: NDArray[Any], moves: NDArray[np.float64]) -> float:
    """Return the expected think time of a visit that makes these moves."""
    total_s = 0.0
    for state in np.flatnonzero(moves.sum(axis=1)):
        own = moves[state] * (persona.edge[state] < 0)
        total_s += float(own.sum()) * mean_of(persona.think[state], tables)
        for following in np.flatnonzero(moves[state] - own):
            think = tables[0].edges[persona.edge[state, following]]
            total_s += float(moves[state, following]) * mean_of(think, tables)
    return total_s


def think_quantiles(population: Population, index: int, shares: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the quantiles of the think time on each state that a visit comes to, over all that follows it."""
    persona, tables, found = population.personas[index], population.tables, {}
    moves = expected_moves(population, index)
    for state in np.flatnonzero(moves.sum(axis=1)):
        ways = np.flatnonzero(moves[state])
        if (persona.edge[state, ways] < 0).all():
            found[STATE_NAMES[state]] = values_at(persona.think[state], tables, shares)
            continue
        values = [values_at(think_of(persona, tables[0], int(state), int(way)), tables, _MIDDLES) for way in ways]
        weights = np.repeat(moves[state, ways], len(_MIDDLES))
        order = np.argsort(np.concatenate(values), kind="stable")
        below = np.cumsum(weights[order])
        places = np.searchsorted(below, shares * below[-1])
        found[STATE_NAMES[state]] = np.concatenate(values)[order][np.minimum(places, len(order) - 1)]
    return found


def pages_at_most(population: Population, index: int, most: int) -> NDArray[np.float64]:
    """Return the shares of visits with at most 0, 1, … `most` pages, (most + 1,): 1 − b Qⁿ 1, mixed over flags.

    The number of pages is phase-type (Neuts 1981, chapter 2).
    """
    shares = np.zeros(most + 1)
    for flags, share in _first_flags(population, index):
        chain = undisturbed(population.personas[index], flags)
        on_way = chain.begin
        for pages in range(most + 1):
            shares[pages] += share * (1.0 - on_way.sum())
            on_way = on_way @ chain.onward
    return shares


def undisturbed(persona: Record, flags: int) -> Chain:
    """Return the chain of a row of PERSONA for visits that begin with `flags`."""
    sets, clears = persona.sets.tolist(), persona.clears.tolist()

    def after(state: int, have: int) -> int:
        return int((have | sets[state]) & ~clears[state])

    begin = {(state, after(state, flags)): share for state, share in _entries(persona, flags)}
    places, moves = list(begin), []
    index = {place: number for number, place in enumerate(places)}
    for number, (state, have) in enumerate(places):  # grows while it is read
        for following, share in _onward(persona, state, have):
            place = (following, after(following, have))
            if place not in index:
                index[place] = len(places)
                places.append(place)
            moves.append((number, index[place], share))
    onward, starts = np.zeros((len(places), len(places))), np.zeros(len(places))
    starts[: len(begin)] = list(begin.values())
    for here, there, share in moves:
        onward[here, there] = share
    return Chain(np.array([state for state, _ in places]), starts, onward)


def reached(chain: Chain, state: int) -> float:
    """Return the share of visits that ever come to `state`: the chain is stopped there."""
    there = chain.states == state
    onward = np.where(there[:, None], 0.0, chain.onward)
    times = np.linalg.solve((np.eye(len(onward)) - onward).T, chain.begin)
    return float(times[there].sum())


def mean_of(distribution: Record, tables: NDArray[Any]) -> float:
    """Return the mean of a compiled row of DIST, clip included: ∫ quantile(Φ(z)) φ(z) dz, by the trapezoid rule."""
    return float(values_at(distribution, tables, _UNIFORMS) @ _WEIGHTS)


@compiled
def values_at(distribution: Record, tables: NDArray[Any], uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value of a compiled row of DIST at each uniform."""
    values = np.empty(len(uniforms))
    for place in range(len(uniforms)):
        values[place] = sample(distribution, tables[0], uniforms[place])
    return values


def survival(hazard: float, variance: float) -> float:
    """Return the share of shoppers still waiting at a cumulative hazard Λ: (1 + θΛ)^(−1/θ), θ the frailty's variance.

    The limit for θ → 0 is exp(−Λ).
    """
    return math.exp(-hazard) if variance == 0 else (1.0 + variance * hazard) ** (-1.0 / variance)


def still_waiting(patience: Patience, stage: str, wait_s: float, fcp_s: float = math.inf) -> float:
    """Return the share of shoppers who wait longer than `wait_s` for a page of this stage, first painted at `fcp_s`."""
    rate = patience.hazard_per_s * patience.by_stage.get(stage, 1.0)
    return survival(hazard_sum(rate, patience.shape, patience.feedback, fcp_s, wait_s), patience.frailty_variance)


_MIDDLES = (np.arange(2_000) + 0.5) / 2_000
_UNIFORMS = special.ndtr(NORMAL_SCORES)
_WEIGHTS = np.exp(-0.5 * NORMAL_SCORES**2)
_WEIGHTS /= _WEIGHTS.sum()


def _first_flags(population: Population, index: int) -> Iterator[tuple[int, float]]:
    """Yield the flags before the first page and the share of shoppers who have them.

    Flags that no guard of this persona's journey asks for are left out: they change nothing.
    """
    persona, asked = population.personas[index], _asked(population.personas[index])
    all_chances = {
        LOGGED_IN: persona.logged_in,
        LOCATED: persona.consent[CONSENTS.index("location")],
        PERSONALIZED: persona.consent[CONSENTS.index("personalization")],
        PUSHED: persona.consent[CONSENTS.index("push")],
    }
    chances = {flag: chance for flag, chance in all_chances.items() if flag & asked}
    for (able, share), there in itertools.product(
        _abilities(population, index, asked).items(), itertools.product((True, False), repeat=len(chances))
    ):
        flags = able | sum(flag for flag, yes in zip(chances, there, strict=True) if yes)
        odds = (chance if yes else 1.0 - chance for chance, yes in zip(chances.values(), there, strict=True))
        if (mixed := share * math.prod(odds)) > 0:
            yield flags, mixed


def _asked(persona: Record) -> int:
    """Return the flags that the guards of those states ask for that a visit can come to."""
    entered = (persona.entry > 0) | (persona.transition[:, :S] > 0).any(axis=0)
    return int(np.bitwise_or.reduce((persona.needs | persona.forbids)[entered], initial=0))


def _abilities(population: Population, index: int, asked: int) -> dict[int, float]:
    """Return the share of shoppers by those flags asked for that need a phone which can do it."""
    if not asked & (AR_CAPABLE | ENROLLED):
        return {0: 1.0}
    persona, shares = population.personas[index], defaultdict[int, float](float)
    for (ar, biometric), able in device_abilities(population, index).items():
        for uses, enrolled in itertools.product((0, 1), repeat=2):
            odds = (persona.ar if uses else 1.0 - persona.ar) * (
                persona.biometric if enrolled else 1.0 - persona.biometric
            )
            shares[(AR_CAPABLE * uses * ar | ENROLLED * enrolled * biometric) & asked] += able * odds
    return shares


def device_abilities(population: Population, index: int) -> dict[tuple[int, int], float]:
    """Return the share of a persona's shoppers by what their phone can do: (augmented reality, biometrics)."""
    countries = np.bincount(population.cities["country"], np.diff(population.city_cdf[index], prepend=0.0))
    devices = countries @ np.diff(population.device_cdf[index, : len(countries)], axis=1, prepend=0.0)
    shares = defaultdict[tuple[int, int], float](float)
    for device, share in zip(population.devices, devices.tolist(), strict=True):
        shares[int(device.ar), int(device.biometric)] += share
    return shares


def _entries(persona: Record, flags: int) -> list[tuple[int, float]]:
    """Return where visits with these flags begin, and with what probability."""
    weights = [entry_weight(persona, state, flags) for state in range(S)]
    total = sum(weights)
    if total == 0:
        return [(0, 1.0)]
    return [(state, weight / total) for state, weight in enumerate(weights) if weight > 0]


def _onward(persona: Record, state: int, flags: int) -> list[tuple[int, float]]:
    """Return the states that may follow, and with what probability; exit is left out."""
    weights = _next_weights(persona, state, flags, _NO_PULL).tolist()
    total = sum(weights)
    return [(following, weights[following] / total) for following in range(S) if weights[following] > 0]


_NO_PULL = np.ones(S + 1)


@compiled
def _next_weights(persona: Record, state: int, flags: int, pull: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (S + 1,) the weights of each next state and of exit; one by one, asking would take most of the time."""
    weights = np.empty(S + 1)
    for following in range(S + 1):
        weights[following] = next_weight(persona, state, following, flags, NOT_SEEN, pull)
    return weights
