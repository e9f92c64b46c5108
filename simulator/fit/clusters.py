"""Kinds of shoppers: a mixture of Markov chains with covariates, by expectation and maximisation.

Each kind has its own multinomial in every block of the features (after Cadez et al., KDD 2000, who cluster visitors by
mixtures of Markov chains), and a negative binomial number of further visits: a gamma rate a shopper, Poisson visits.
The number of kinds is the one with the smallest BIC on the way from many kinds down to one, each step merging the two
that lose least.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from simulator.fit.moves import fit_rows, log_chances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.fit.features import Features

SHRINKAGE = 4.0
"""Pseudo-counts of the whole log's shares in each block of each kind (Dirichlet)."""
MOST_KINDS = 24
"""Where the way down begins."""
STARTS = 3
"""Ways down, from different seeds."""
SELECTION_USERS = 12_000
"""The number of kinds is found on so many users; all users are then assigned."""
LEAST_USERS = 40
"""No kind has fewer users: they would not fill its rows."""
MOVE_ROUNDS = 3
"""Rounds of the rows' own iteration within each round of the mixture."""
NEAREST = 12
"""Pairs whose merging is looked at closely, of all pairs."""
TOLERANCE = 1e-4
"""Gain of likelihood a user at which a run ends."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """K kinds: (K,) shares, (F, K) log-probabilities of the features' columns, (K, 2) mean and size of visits."""

    share: NDArray[np.float64]
    log_p: NDArray[np.float64]
    visits: NDArray[np.float64]

    @property
    def kinds(self) -> int:
        """The number of kinds."""
        return len(self.share)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Who is of which kind: (U, K) probabilities, the mixture, and BIC by number of kinds."""

    of_user: NDArray[np.float64]
    mixture: Mixture
    bic: dict[int, float]

    @property
    def best(self) -> NDArray[np.int64]:
        """The (U,) most probable kind of each user."""
        best: NDArray[np.int64] = self.of_user.argmax(axis=1)
        return best


def cluster(features: Features, users: Sequence[str], kinds: int | None = None, seed: int = 0) -> Clusters:
    """Return the kinds of users; `kinds` asks for a number, otherwise BIC finds it (never below `LEAST_USERS` each).

    Users are drawn and seeded by a checksum of their name, so that the order of a log changes nothing.
    """
    kinds = None if kinds is None else min(kinds, len(users))
    order = np.argsort([zlib.crc32(f"{seed}:{user}".encode()) for user in users], kind="stable")
    some = features.rows(np.sort(order[:SELECTION_USERS]))
    most = max(1, min(MOST_KINDS if kinds is None else 2 * kinds - 1, len(order) // LEAST_USERS))
    path: list[tuple[Mixture, float]] = []
    for start in range(1 if kinds == 1 else STARTS):
        path += _way_down(some, _seeded(some, max(most, kinds or 1), seed + start), kinds or 1)
    bic = {k: min(value for m, value in path if m.kinds == k) for k in sorted({m.kinds for m, _ in path})}
    chosen = min(path, key=lambda step: (abs(step[0].kinds - kinds) if kinds else 0, step[1]))[0]
    mixture, of_user, _ = run(features, chosen, 30)
    large = np.argsort(-mixture.share, kind="stable")
    mixture = Mixture(mixture.share[large], mixture.log_p[:, large], mixture.visits[large])
    return Clusters(of_user[:, large], mixture, bic)


def run(features: Features, mixture: Mixture, most: int) -> tuple[Mixture, NDArray[np.float64], float]:
    """Return the mixture after up to `most` rounds, each user's probabilities and the log-likelihood."""
    of_user, likelihood = expect(features, mixture)
    for _ in range(most):
        mixture = maximise(features, of_user)
        of_user, better = expect(features, mixture)
        if better - likelihood < TOLERANCE * len(of_user):
            likelihood = better
            break
        likelihood = better
    return mixture, of_user, likelihood


def expect(features: Features, mixture: Mixture) -> tuple[NDArray[np.float64], float]:
    """Return (U, K) probabilities of the kinds for each user, and the log-likelihood."""
    score = features.counts @ mixture.log_p + np.log(mixture.share) + _visits(features, mixture.visits)
    top = score.max(axis=1, keepdims=True)
    weight = np.exp(score - top)
    total = weight.sum(axis=1, keepdims=True)
    return weight / total, float((top + np.log(total)).sum())


def maximise(features: Features, of_user: NDArray[np.float64]) -> Mixture:
    """Return the mixture that explains the users best, given who is of which kind with what probability."""
    summed = np.asarray(features.counts.T @ of_user)
    pooled = np.asarray(features.counts.sum(axis=0))[0] + 0.5
    log_p = np.empty_like(summed)
    for block in features.blocks:
        here = slice(block.begin, block.end)
        counts = summed[here] + SHRINKAGE * (pooled[here] / pooled[here].sum())[:, None]
        log_p[here] = np.log(counts) - np.log(counts.sum(axis=0))
    rows = fit_rows(features.moves, summed[features.moving], weight=SHRINKAGE, rounds=MOVE_ROUNDS)
    log_p[features.moving] = log_chances(features.moves, rows)
    share = of_user.sum(axis=0) + 1e-9
    more = features.visits - 1.0
    mean = (of_user.T @ more + 1e-3) / share
    spread = np.maximum((of_user.T @ more**2) / share - mean**2 - mean, 0.01 * mean**2 + 1e-9)
    return Mixture(share / share.sum(), log_p, np.stack([mean, np.clip(mean**2 / spread, 0.1, 100.0)], axis=1))


def _visits(features: Features, visits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (U, K) log-probabilities of each user's number of visits after the first."""
    mean, size = visits.T
    unique, back = np.unique(features.visits, return_inverse=True)
    n = (unique - 1.0)[:, None]
    log_p = special.gammaln(n + size) - special.gammaln(size) - special.gammaln(n + 1)
    log_p += size * np.log(size / (size + mean)) + n * np.log(mean / (size + mean))
    found: NDArray[np.float64] = log_p[back]
    return found


def bic_of(features: Features, mixture: Mixture, likelihood: float) -> float:
    """Return the Bayesian information criterion (Schwarz 1978); smaller is better."""
    free = sum(block.end - block.begin - 1 for block in features.blocks) + features.moves.free + 2
    return -2.0 * likelihood + (mixture.kinds * (free + 1) - 1) * float(np.log(len(features.visits)))


def _seeded(features: Features, kinds: int, seed: int) -> Mixture:
    """Return a first mixture: kinds grow round users that the earlier ones explain worst, compared with all users."""
    users = len(features.visits)
    alone = maximise(features, np.ones((users, 1)))
    basis = features.counts @ alone.log_p[:, 0]
    pages = np.asarray(features.counts.sum(axis=1))[:, 0]
    best = np.full(users, -np.inf)
    chosen: list[int] = []
    weight = 1.0 + np.sqrt(pages)
    while len(chosen) < kinds:
        worth = (basis - best) / weight if chosen else pages
        worth[chosen] = -np.inf
        keep = max(1, users // 50)
        near = np.argsort(-worth, kind="stable")[:keep]
        pick = int(near[(len(chosen) * 7 + seed) % len(near)])
        chosen.append(pick)
        only = np.zeros((users, 1))
        only[pick] = 1.0
        best = np.maximum(best, features.counts @ maximise(features, only).log_p[:, 0])
    only = np.zeros((users, kinds))
    only[chosen, range(kinds)] = 1.0
    return maximise(features, only)


def _way_down(features: Features, mixture: Mixture, least: int) -> list[tuple[Mixture, float]]:
    """Return a mixture and its BIC for each number of kinds on the way down to `least`."""
    path = []
    rounds = 15
    while True:
        mixture, of_user, likelihood = run(features, mixture, rounds)
        path.append((mixture, bic_of(features, mixture, likelihood)))
        if mixture.kinds <= least:
            return path
        mixture, rounds = maximise(features, _merged(features, mixture, of_user)), 6


def _merged(features: Features, mixture: Mixture, of_user: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the users' probabilities with those two kinds made one whose merging costs the least likelihood.

    Which pairs are near is judged without their rows; of the nearest, the rows have a say too.
    """
    summed = np.asarray(features.counts.T @ of_user)
    pairs = np.array([(a, b) for a in range(mixture.kinds) for b in range(a + 1, mixture.kinds)])
    costs = _costs(features, summed, of_user.sum(axis=0), pairs)
    nearest = np.argsort(costs, kind="stable")[:NEAREST]
    full = [costs[n] + _moving(features, mixture, summed, *pairs[n]) for n in nearest]
    one, other = pairs[nearest[int(np.argmin(full))]]
    joined = np.delete(of_user, other, axis=1)
    joined[:, one] += of_user[:, other]
    return joined


def _costs(
    features: Features, summed: NDArray[np.float64], users: NDArray[np.float64], pairs: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return (P,) the likelihood that each pair of kinds loses when one distribution a block has to serve both."""
    begins = [block.begin for block in features.blocks]
    counts = summed[: features.moving.start]
    alone = _entropies(counts, begins) - special.xlogy(users, users)
    one, other = pairs.T
    together = users[one] + users[other]
    both = _entropies(counts[:, one] + counts[:, other], begins) - special.xlogy(together, together)
    costs: NDArray[np.float64] = both - alone[one] - alone[other]
    return costs


def _entropies(counts: NDArray[np.float64], begins: list[int]) -> NDArray[np.float64]:
    """Return the sum over blocks of −Σ n ln(n/N) for each column of (F, K) counts."""
    totals = np.add.reduceat(counts, begins, axis=0)
    found: NDArray[np.float64] = special.xlogy(totals, totals).sum(axis=0) - special.xlogy(counts, counts).sum(axis=0)
    return found


def _moving(features: Features, mixture: Mixture, summed: NDArray[np.float64], one: int, other: int) -> float:
    """Return what the rows of two kinds lose when one set of rows has to serve both."""
    here, pair = features.moving, [one, other]
    both = summed[here][:, pair].sum(axis=1, keepdims=True)
    rows = fit_rows(features.moves, both, weight=SHRINKAGE, rounds=MOVE_ROUNDS)
    apart = float((summed[here][:, pair] * mixture.log_p[here][:, pair]).sum())
    return apart - float((both * log_chances(features.moves, rows)).sum())
