"""Where shoppers go from where: rows of a Markov chain whose guards close some states at some taps.

With the weights w of a row and the states open at a tap, the kernel goes to state j with probability w_j / Σ_open w.
That is Luce's choice model; its likelihood is maximised by the minorisation of Hunter (Annals of Statistics 2004),
w_j ← n_j / Σ_taps [j open] / Σ_open w. A share that was closed at a tap is thus no evidence against the state, and the
row that was planted is found again. Row S is where visits begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.fit.exposure import open_states
from simulator.journey.kernel import S
from simulator.model.states import FLAGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.exposure import Exposure
    from simulator.fit.hits import Hits
    from simulator.fit.sessions import Visits

ENTRY = S
"""The row of where visits begin."""
ASKED = ("location_shared", "personalization_allowed", "push_allowed")
"""Flags that a persona's own guards may ask for, on top of the states' own."""
LEAK = 0.02
"""What a guard that was found lets through while kinds are told apart: some shoppers are of another kind after all."""
GUARD_RATIO = 0.2
"""A guard is found where shoppers without the flag come so much more seldom than those with it …"""
GUARD_EXPECTED = 20.0
"""… and would have been expected so many times …"""
GUARD_HAVING = 0.05
"""… and so much of the kind has the flag: fewer may be shoppers of another kind."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Taps counted by what was open. R situations, each of one row; M columns, each a situation and a target.

    `row` (R,), `open` (R, S + 1), `lacks` (R, A) whether each flag of `asked` was absent; `situation` and `target`
    (M,); `pooled` (S + 1, S + 1) the rows of all shoppers together.
    """

    row: NDArray[np.int64]
    open: NDArray[np.bool_]
    lacks: NDArray[np.bool_]
    asked: tuple[str, ...]
    situation: NDArray[np.int64]
    target: NDArray[np.int64]
    pooled: NDArray[np.float64]

    @property
    def free(self) -> int:
        """How many probabilities a set of rows has to be told: those that any shopper used, but one a row."""
        used = self.pooled > 0
        return int(used.sum() - used.any(axis=1).sum())


@dataclass(frozen=True, slots=True)
class Rows:
    """K sets of rows (S + 1, S + 1, K) and their guards (S + 1 targets, A, K)."""

    p: NDArray[np.float64]
    guards: NDArray[np.bool_]


def count_moves(hits: Hits, visits: Visits, exposure: Exposure) -> tuple[Moves, NDArray[np.int32], NDArray[np.int64]]:
    """Return the moves of a log, and for each tap (entries, then all hits) its user and column.

    A tap into a state whose guards were closed opens it for that tap: the log knows better.
    """
    asked = tuple(flag for flag in ASKED if flag in exposure.logged)
    flags = np.concatenate([exposure.before[visits.first], exposure.after])
    row = np.concatenate([np.full(len(visits), ENTRY), hits.state]).astype(np.int64)
    target = np.concatenate([hits.state[visits.first], visits.next]).astype(np.int64)
    known, word = np.unique(flags, return_inverse=True)
    is_open = open_states(known)
    proven = ~is_open[word, target]
    lacks = (
        np.stack([(known & FLAGS[flag]) == 0 for flag in asked], axis=1) if asked else np.zeros((len(known), 0), bool)
    )
    signature = np.concatenate([is_open, lacks], axis=1)
    kinds, of_word = np.unique(signature, axis=0, return_inverse=True)
    key = (row * len(kinds) + of_word[word]) * (S + 2) + np.where(proven, target, S + 1)
    places, situation = np.unique(key, return_inverse=True)
    open_at = kinds[(places // (S + 2)) % len(kinds)]
    extra = places % (S + 2)
    opened = open_at[:, : S + 1].copy()
    opened[np.flatnonzero(extra <= S), extra[extra <= S]] = True
    opened[places // (S + 2) // len(kinds) == ENTRY, S] = False
    cells, column = np.unique(situation * (S + 1) + target, return_inverse=True)
    made = Moves(
        places // (S + 2) // len(kinds),
        opened,
        open_at[:, S + 1 :],
        asked,
        cells // (S + 1),
        cells % (S + 1),
        np.zeros((S + 1, S + 1)),
    )
    rows = fit_rows(made, np.bincount(column)[:, None].astype(float), weight=0.0, rounds=40)
    made.pooled[:] = rows.p[:, :, 0]
    user = np.concatenate([visits.user, hits.user])
    return made, user, column


def fit_rows(moves: Moves, counts: NDArray[np.float64], *, weight: float, rounds: int, leak: float = LEAK) -> Rows:
    """Return the rows that explain (M, K) counts best, shrunk to the pooled rows by `weight` pseudo-counts each."""
    cells = np.zeros((len(moves.row), S + 1, counts.shape[1]))
    cells[moves.situation, moves.target] = counts
    guards = _guards(moves, cells)
    shut = np.einsum("ra,jak->rjk", moves.lacks, guards) > 0
    through = moves.open[:, :, None] * np.where(shut, leak, 1.0)
    if leak == 0.0:
        cells = cells * ~shut
    totals = cells.sum(axis=1)
    wanted = _by_row(moves, cells) + weight * moves.pooled[:, :, None]
    p = wanted / np.maximum(wanted.sum(axis=1, keepdims=True), 1e-300)
    for _ in range(rounds):
        chance = np.maximum(np.einsum("rjk,rjk->rk", p[moves.row], through), 1e-12)
        exposed = _by_row(moves, through * (totals / chance)[:, None, :]) + weight
        p = wanted / np.maximum(exposed, 1e-12)
        p /= np.maximum(p.sum(axis=1, keepdims=True), 1e-300)
    return Rows(p, guards)


def log_chances(moves: Moves, rows: Rows, *, leak: float = LEAK) -> NDArray[np.float64]:
    """Return the (M, K) log-probability of each column: the row's share among what was open."""
    shut = np.einsum("ra,jak->rjk", moves.lacks, rows.guards) > 0
    weights = rows.p[moves.row] * (moves.open[:, :, None] * np.where(shut, leak, 1.0))
    weights = np.maximum(weights, 1e-9 * moves.open[:, :, None])
    chances = weights / weights.sum(axis=1, keepdims=True)
    found: NDArray[np.float64] = np.log(chances[moves.situation, moves.target])
    return found


def _by_row(moves: Moves, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum (R, S + 1, K) over the situations of each row."""
    summed = np.zeros((S + 1, S + 1, cells.shape[2]))
    begins = np.flatnonzero(np.diff(moves.row, prepend=-1))  # situations stand in the order of their rows
    summed[moves.row[begins]] = np.add.reduceat(cells, begins, axis=0)
    return summed


def _guards(moves: Moves, cells: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (S + 1, A, K): which target needs which flag, judged by those who lack it."""
    found = np.zeros((S + 1, len(moves.asked), cells.shape[2]), bool)
    for place in range(len(moves.asked)):
        without = moves.lacks[:, place]
        among = cells * moves.open[:, :, None]
        have, lack = _by_row(moves, among * ~without[:, None, None]), _by_row(moves, among * without[:, None, None])
        seen = have.sum(axis=1, keepdims=True)
        share = np.where(seen > 0, have / np.maximum(seen, 1e-300), 0.0)
        expected = (share * lack.sum(axis=1, keepdims=True)).sum(axis=0)
        came = lack.sum(axis=0)
        enough = have.sum(axis=(0, 1)) >= GUARD_HAVING * cells.sum(axis=(0, 1))
        found[:S, place] = ((expected >= GUARD_EXPECTED) & (came < GUARD_RATIO * expected) & enough)[:S]
    return found
