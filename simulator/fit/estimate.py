"""What one kind of shopper does: everything a persona file says, with how many observations stand behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.fit.clusters import Clusters, cluster
from simulator.fit.exposure import expose
from simulator.fit.features import Features, features
from simulator.fit.hits import first_known
from simulator.fit.leaving import Leaving, Waits, ended_otherwise, fit_leaving, think_weights, waits
from simulator.fit.moves import ENTRY, Rows, fit_rows
from simulator.fit.sessions import DAY_US, Visits, cut
from simulator.fit.thinking import Think, fit_think
from simulator.journey.kernel import PURCHASE, S
from simulator.model.population import ENDS
from simulator.model.states import EXIT, STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.exposure import Exposure
    from simulator.fit.hits import Coded, Hits

CV_RANGE = 0.1, 3.0
"""Coefficients of variation of the rate of visits that are believed."""
ROW_WEIGHT = 2.0
"""Pseudo-taps of all shoppers' rows in each row of a kind (Dirichlet)."""
LEAST_WEIGHT = 0.02
"""Users who are of a kind with less probability do not count for it."""
LEAST_EDGE = 200
"""Fewer taps of an edge give it no think time of its own."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares by name of `n` shoppers, visits or pages of which something is known."""

    shares: dict[str, float]
    n: float


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of shopper; weights are probabilities, so counts are no whole numbers."""

    share: float
    users: float
    visits: float
    pages: float
    bounce: float
    conversion: float
    entry: dict[str, float]
    rows: dict[str, dict[str, float]]
    taps: dict[str, float]
    guards: dict[str, list[str]]
    tempo: dict[str, Think]
    edges: dict[tuple[str, str], Think]
    leaving: Leaving
    visits_per_week: float
    visits_cv: float
    hours: list[float]
    weekend: float
    mixes: dict[str, Mix]
    networks: dict[str, Mix]
    facts: dict[str, Mix]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything that was found: kinds by size, who is of which, and what the log was."""

    hits: Hits
    visits: Visits
    exposure: Exposure
    features: Features
    clusters: Clusters
    kinds: tuple[Kind, ...]
    has_loads: bool


def fit(hits: Hits, kinds: int | None = None, seed: int = 0) -> Fitted:
    """Return the kinds of shoppers in a log of at least one hit; `kinds` asks for a number of them."""
    visits = cut(hits)
    exposure = expose(hits, visits)
    made = features(hits, visits, exposure)
    found = cluster(made, hits.users, kinds, seed)
    loads = waits(hits, visits)
    one = np.ones(len(hits))
    everybody = fit_leaving(hits, visits, loads, one, _tempo(hits, visits, one, edges=False)[0])
    log = _Log(hits, visits, made, loads, everybody)
    each = tuple(_kind(log, float(found.mixture.share[k]), found.of_user[:, k]) for k in range(found.mixture.kinds))
    return Fitted(hits, visits, exposure, made, found, each, loads.logged)


class _Log(NamedTuple):
    hits: Hits
    visits: Visits
    made: Features
    loads: Waits
    everybody: Leaving


def _kind(log: _Log, share: float, of_user: NDArray[np.float64]) -> Kind:
    hits, visits, made, loads, everybody = log
    of_user = np.where(of_user < LEAST_WEIGHT, 0.0, of_user)
    of_visit, of_hit = of_user[visits.user], of_user[hits.user]
    users, came, pages = float(of_user.sum()), float(of_visit.sum()), float(of_hit.sum())
    length = np.diff(np.append(visits.first, len(hits)))
    bought = np.bincount(visits.visit, hits.state == PURCHASE, len(visits)) > 0
    first, _ = _tempo(hits, visits, of_hit, edges=False)
    leaving = fit_leaving(hits, visits, loads, of_hit, first, everybody)
    tempo, edges = _tempo(hits, visits, of_hit * think_weights(visits, loads, leaving))
    rows, taps = _rows(made, of_user, of_hit * ended_otherwise(hits, loads, leaving, tempo))
    per_week, cv = _visits_a_week(made, of_user)
    situations, networks = _networks(hits, visits, of_visit)
    return Kind(
        share=share,
        users=users,
        visits=came,
        pages=pages / came,
        bounce=float(of_visit[length == 1].sum() / came),
        conversion=float(of_visit[bought].sum() / came),
        entry=_named(rows.p[ENTRY, :, 0]),
        rows={STATE_NAMES[s]: _named(rows.p[s, :, 0]) for s in range(S) if rows.p[s, :, 0].any()},
        taps={STATE_NAMES[s]: float(taps[s]) for s in range(S) if taps[s] > 0},
        guards=_guards(made, rows),
        tempo=tempo,
        edges=edges,
        leaving=leaving,
        visits_per_week=per_week,
        visits_cv=cv,
        hours=(np.bincount(visits.hour, of_visit, 24) / came).tolist(),
        weekend=_weekend(hits, visits, of_visit),
        mixes=_mixes(hits, of_user, of_hit) | situations,
        networks=networks,
        facts={name: _of_users(hits, values, ("no", "yes"), of_user) for name, values in hits.facts.items()},
    )


def _rows(made: Features, of_user: NDArray[np.float64], ended: NDArray[np.float64]) -> tuple[Rows, NDArray[np.float64]]:
    """Return the rows and the taps behind each; `ended` (H,) are exits that are no evidence of wanting to leave."""
    moves = made.moves
    counts = np.asarray(made.counts[:, made.moving].T @ of_user)
    taps = np.bincount(moves.row[moves.situation], counts, S + 1).astype(np.float64)
    leaves = np.bincount(made.situation_of_hit, ended, len(moves.row))
    exits = np.flatnonzero(moves.target == S)
    counts[exits] = np.maximum(counts[exits] - leaves[moves.situation[exits]], 0.0)
    return fit_rows(moves, counts[:, None], weight=ROW_WEIGHT, rounds=100, leak=0.0), taps


def _named(row: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(p) for name, p in zip((*STATE_NAMES, EXIT), row, strict=True) if p > 0}


def _guards(made: Features, rows: Rows) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for target, flag in np.argwhere(rows.guards[:, :, 0]):
        found.setdefault(STATE_NAMES[target], []).append(made.moves.asked[flag])
    return found


def _tempo(
    hits: Hits, visits: Visits, of_hit: NDArray[np.float64], *, edges: bool = True
) -> tuple[dict[str, Think], dict[tuple[str, str], Think]]:
    """Return think times by state, and by edge."""
    timed = (visits.think_us > 0) & (of_hit > 0)
    state, following = hits.state[timed].astype(np.int64), visits.next[timed].astype(np.int64)
    times_s, weights = visits.think_us[timed] / 1e6, of_hit[timed]
    tempo: dict[str, Think] = {}
    of_edge: dict[tuple[str, str], Think] = {}
    for s in np.unique(state):
        there = state == s
        if think := fit_think(times_s[there], weights[there]):
            tempo[STATE_NAMES[s]] = think
        for t in np.unique(following[there]) if edges else ():
            both = there & (following == t)
            if weights[both].sum() >= LEAST_EDGE and (think := fit_think(times_s[both], weights[both])):
                of_edge[STATE_NAMES[s], ENDS[t]] = think
    if everywhere := fit_think(times_s, weights):
        tempo["default"] = everywhere
    return tempo, of_edge


def _visits_a_week(made: Features, of_user: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and coefficient of variation of the rate of visits after the first.

    A log knows only shoppers who came: the first visit is why they are in it. How many of their kind stayed away all
    along it cannot tell without the law of their gaps, so that over four weeks this is within a fifth of the truth for
    gaps of a power law: above it for who comes rarely, below it for who comes often. The variance is taken as that of
    Poisson counts at each shopper's own gamma rate, m + (cv·m)².
    """
    more = made.visits - 1.0
    total = of_user.sum()
    mean = float(of_user @ more / total)
    variance = float(of_user @ (more - mean) ** 2 / total)
    cv = np.sqrt(max(variance - mean, 0.0)) / mean if mean > 0 else 1.0
    return max(mean, 1e-3) / made.weeks, float(np.clip(cv, *CV_RANGE))


def _weekend(hits: Hits, visits: Visits, of_visit: NDArray[np.float64]) -> float:
    """Return how much busier a weekend day is than a weekday; 1 where the log has not both.

    The days the log covers are counted on each shopper's own clock.
    """
    ahead_us = visits.local_us - hits.at_us[visits.first]
    begin, end = int(hits.at_us.min()), int(hits.at_us.max())
    free = _weekend_us(end + ahead_us) - _weekend_us(begin + ahead_us)
    came, came_weekend = float(of_visit.sum()), float(of_visit[visits.weekend].sum())
    at_weekend = float(of_visit @ free)
    others = came * (end - begin) - at_weekend
    if at_weekend <= 0 or others <= 0 or came == came_weekend:
        return 1.0
    return (came_weekend / at_weekend) / ((came - came_weekend) / others)


def _weekend_us(until_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how much of the time since 1970 was weekend: 1970 began on a Thursday, two days before one."""
    weeks, rest = np.divmod(until_us - 2 * DAY_US, 7 * DAY_US)
    return weeks * 2 * DAY_US + np.minimum(rest, 2 * DAY_US)


def _mixes(hits: Hits, of_user: NDArray[np.float64], of_hit: NDArray[np.float64]) -> dict[str, Mix]:
    mixes: dict[str, Mix] = {
        name: _of_users(hits, hits.kinds[name].codes, hits.kinds[name].words, of_user)
        for name in ("country", "os", "tier", "channel")
        if name in hits.kinds
    }
    if "category" in hits.kinds:
        seen = np.where(hits.state == STATE_NAMES.index("product"), of_hit, 0.0)
        mixes["category"] = _mix(hits.kinds["category"], seen)
    return mixes


def _networks(hits: Hits, visits: Visits, of_visit: NDArray[np.float64]) -> tuple[dict[str, Mix], dict[str, Mix]]:
    """Return the mix of situations, if logged, and of networks by situation (`all` where none is logged)."""
    if "network" not in hits.kinds:
        return {}, {}
    network = hits.kinds["network"].take(visits.first)
    if "situation" not in hits.kinds:
        return {}, {"all": _mix(network, of_visit)}
    situation = hits.kinds["situation"].take(visits.first)
    each = {
        word: _mix(network, np.where(situation.codes == code, of_visit, 0.0))
        for code, word in enumerate(situation.words)
    }
    return {"situation": _mix(situation, of_visit)}, {word: mix for word, mix in each.items() if mix.n > 0}


def _of_users(
    hits: Hits, values: NDArray[np.int8] | NDArray[np.int32], words: tuple[str, ...], of_user: NDArray[np.float64]
) -> Mix:
    codes = first_known(hits.user, values, len(of_user))
    return _shares(codes, words, of_user)


def _mix(column: Coded, weights: NDArray[np.float64]) -> Mix:
    return _shares(column.codes, column.words, weights)


def _shares(codes: NDArray[np.int32], words: tuple[str, ...], weights: NDArray[np.float64]) -> Mix:
    known = codes >= 0
    counts = np.bincount(codes[known], weights[known], len(words))
    total = float(counts.sum())
    return Mix({w: float(c) / total for w, c in zip(words, counts, strict=True) if c > 0} if total else {}, total)
