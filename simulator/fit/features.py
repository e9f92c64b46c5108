"""What tells shoppers apart, as counts: one row a shopper, one block of columns for each thing that can differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from simulator.fit.hits import first_known
from simulator.fit.moves import Moves, count_moves
from simulator.fit.sessions import DAY_US
from simulator.journey.kernel import S
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.exposure import Exposure
    from simulator.fit.hits import Hits
    from simulator.fit.sessions import Visits

THINK_BINS = 8
"""Think times are told apart by which eighth of all shoppers' times in that state they fall in."""
OF_SHOPPER = ("country", "channel")


@dataclass(frozen=True, slots=True)
class Block:
    """Columns `begin` to `end` − 1 hold counts of one multinomial."""

    name: str
    begin: int
    end: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Features:
    """Counts (U, F, a sparse matrix) of U users in blocks, and how many visits each has over how many weeks.

    `situation_of_hit` (H,) is where `moves` counts each hit.
    """

    counts: Any
    blocks: tuple[Block, ...]
    moves: Moves
    situation_of_hit: NDArray[np.int64]
    visits: NDArray[np.int64]
    weeks: float

    @property
    def moving(self) -> slice:
        """The last columns, which count `moves`."""
        return slice(self.blocks[-1].end if self.blocks else 0, self.counts.shape[1])

    def rows(self, which: NDArray[np.int64]) -> Features:
        """Return the features of some users."""
        return replace(self, counts=self.counts[which], visits=self.visits[which])


class _Columns:
    def __init__(self, users: int) -> None:
        self.users, self.width = users, 0
        self.parts: list[Any] = []
        self.blocks: list[Block] = []

    def add(self, name: str, user: NDArray[np.int32], code: NDArray[Any], labels: tuple[str, ...]) -> None:
        """Count codes by user; negative codes are not logged, columns that nobody has are left out."""
        known = code >= 0
        user, code = user[known], code[known]
        used, code = np.unique(code, return_inverse=True)
        if len(used) < 2:
            return
        shape = (self.users, len(used))
        self.parts.append(sparse.coo_matrix((np.ones(len(code)), (user, code)), shape).tocsr())
        kept = tuple(labels[u] for u in used)
        self.blocks.append(Block(name, self.width, self.width + len(used), kept))
        self.width += len(used)


def features(hits: Hits, visits: Visits, exposure: Exposure) -> Features:
    """Return the counts of every user."""
    columns = _Columns(len(hits.users))
    everyone = np.arange(len(hits.users), dtype=np.int32)
    for name in OF_SHOPPER:
        if name in hits.kinds:
            column = hits.kinds[name]
            columns.add(name, everyone, first_known(hits.user, column.codes, len(everyone)), column.words)
    _devices(columns, hits, everyone)
    for name, values in hits.facts.items():
        columns.add(name, everyone, first_known(hits.user, values, len(everyone)), (f"not {name}", name))
    _of_visits(columns, hits, visits)
    _of_pages(columns, hits, visits)
    moves, who, place = count_moves(hits, visits, exposure)
    shape = (len(everyone), len(moves.situation))
    taps = sparse.coo_matrix((np.ones(len(who)), (who, place)), shape).tocsr()
    counted = np.bincount(visits.user, minlength=len(everyone))
    counts: Any = sparse.hstack([*columns.parts, taps], format="csr")
    situations = moves.situation[place[len(visits) :]]
    return Features(counts, tuple(columns.blocks), moves, situations, counted, weeks(hits, visits))


def weeks(hits: Hits, visits: Visits) -> float:
    """Return how many weeks lie between the first and the last visit: at least a day."""
    starts = hits.at_us[visits.first]
    return max(float(starts.max() - starts.min()) / DAY_US, 1.0) / 7.0


def _devices(columns: _Columns, hits: Hits, everyone: NDArray[np.int32]) -> None:
    """Systems count within each country, tiers within each system, because each follows from the other first.

    Counted side by side they would look like kinds of shoppers: no iPhone is a low-end device.
    """
    of_user: dict[str, NDArray[np.int32]] = {
        name: first_known(hits.user, hits.kinds[name].codes, len(everyone))
        for name in ("country", "os", "tier")
        if name in hits.kinds
    }
    for name, within in (("os", "country"), ("tier", "os")):
        if name not in of_user:
            continue
        groups = of_user.get(within, np.zeros(len(everyone), np.int32))
        words = hits.kinds[within].words if within in of_user else ("all",)
        for code in np.unique(groups[groups >= 0]):
            inside = np.where(groups == code, of_user[name], -1)
            columns.add(f"{name} in {words[code]}", everyone, inside, hits.kinds[name].words)


def _of_visits(columns: _Columns, hits: Hits, visits: Visits) -> None:
    columns.add("hour", visits.user, visits.hour, tuple(f"{hour} h" for hour in range(24)))
    columns.add("weekend", visits.user, visits.weekend.astype(np.int64), ("weekday", "weekend"))
    if "situation" in hits.kinds:
        situation = hits.kinds["situation"].take(visits.first)
        columns.add("situation", visits.user, situation.codes, situation.words)
    if "network" in hits.kinds:
        network = hits.kinds["network"].take(visits.first)
        columns.add("network", visits.user, network.codes, network.words)


def _of_pages(columns: _Columns, hits: Hits, visits: Visits) -> None:
    states = hits.state.astype(np.int64)
    edges = np.array([visits.think_us > 0, visits.next.astype(np.int64) < S]).all(axis=0)
    for state in np.unique(states):
        there = states == state
        name = STATE_NAMES[state]
        timed = there & edges
        if timed.sum() >= 50 * THINK_BINS:
            cuts = np.quantile(visits.think_us[timed], np.arange(1, THINK_BINS) / THINK_BINS)
            which = np.searchsorted(cuts, visits.think_us[timed])
            columns.add(f"think on {name}", hits.user[timed], which, tuple(f"{1 + b}/{THINK_BINS}" for b in range(8)))
    if "category" in hits.kinds:
        category = hits.kinds["category"]
        seen = np.where(hits.state == STATE_NAMES.index("product"), category.codes, -1)
        columns.add("category", hits.user, seen, category.words)
