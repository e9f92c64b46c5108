"""What was open to a shopper at each page: the flags of the visit, and so the states its guards let in.

The kernel gives the share of a closed state to the others in proportion, so a count of taps says nothing about a
state that was closed. The planted row is found again only with the exposure: which states were open at each tap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.fit.hits import first_known
from simulator.model.states import FLAGS, STATES, bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.hits import Hits
    from simulator.fit.sessions import Visits

NEEDS = np.array([bits(state.needs) for state in STATES])
FORBIDS = np.array([bits(state.forbids) for state in STATES])
OF_FACTS = {
    "logged_in": "logged_in",
    "location": "location_shared",
    "personalization": "personalization_allowed",
    "push": "push_allowed",
    "ar": "ar_capable",
    "biometric": "biometric_enrolled",
}
"""Which fact of a shopper sets which flag before their first page."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Flags before and after each hit (H,), which of `OF_FACTS` were logged, and taps that broke a guard."""

    before: NDArray[np.int32]
    after: NDArray[np.int32]
    logged: tuple[str, ...]
    broken: dict[str, int]
    """State → taps that led to it although its guards were closed: in the log, a cart outlives a visit."""


def open_states(flags: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return (…, S + 1): whether the states' own guards let a visit with these flags in; exit is always open."""
    have = flags[..., None]
    inside = ((have & NEEDS) == NEEDS) & ((have & FORBIDS) == 0)
    return np.concatenate([inside, np.ones((*flags.shape, 1), bool)], axis=-1)


def expose(hits: Hits, visits: Visits) -> Exposure:
    """Return the flags of every hit.

    A flag that the log says nothing of is absent until a page sets it, unless the shopper once was where it is needed.
    """
    before, after = np.zeros(len(hits), np.int32), np.zeros(len(hits), np.int32)
    logged = tuple(flag for fact, flag in OF_FACTS.items() if fact in hits.facts)
    for name, bit in FLAGS.items():
        have_before, have_after = _flag(hits, visits, name, _at_start(hits, visits, name))
        before |= np.where(have_before, bit, 0).astype(np.int32)
        after |= np.where(have_after, bit, 0).astype(np.int32)
    entered = hits.state.astype(np.int64)
    closed = ~np.take_along_axis(open_states(before), entered[:, None], 1)[:, 0]
    names, counts = np.unique(entered[closed], return_counts=True)
    return Exposure(before, after, logged, {STATES[n].name: int(c) for n, c in zip(names, counts, strict=True)})


def _at_start(hits: Hits, visits: Visits, flag: str) -> NDArray[np.bool_]:
    """Return (V,) whether a visit begins with the flag."""
    fact = next((fact for fact, of in OF_FACTS.items() if of == flag), None)
    if fact is None:
        return np.zeros(len(visits), bool)
    known = np.full(len(hits.users), -1, np.int32)
    if fact in hits.facts:
        known = first_known(hits.user, hits.facts[fact], len(hits.users))
    if flag != "logged_in":
        needing = np.array([flag in state.needs for state in STATES])[hits.state]
        known[hits.user[needing & (known[hits.user] < 0)]] = 1
    there: NDArray[np.bool_] = known[visits.user] == 1
    return there


def _flag(
    hits: Hits, visits: Visits, flag: str, at_start: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether the flag stands before and after each hit: the last page that set or cleared it decides."""
    sets = np.array([flag in state.sets for state in STATES])[hits.state]
    clears = np.array([flag in state.clears for state in STATES])[hits.state]
    place = np.arange(len(hits))
    begin = visits.first[visits.visit]
    last_set = np.maximum.accumulate(np.where(sets, place, -1))
    last_clear = np.maximum.accumulate(np.where(clears, place, -1))
    cleared = last_clear >= begin
    after = np.where(last_set >= begin, last_set > last_clear, at_start[visits.visit] & ~cleared)
    before = np.where(place == begin, at_start[visits.visit], np.append(False, after[:-1]))
    return before, after
