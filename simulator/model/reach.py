"""Which states a visit can come to at all: the search of every path through rows and guards, whatever its odds."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from simulator.model.states import EXIT, STATE_INDEX, STATES, bits, guard_bits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from simulator.model.schema import Mix

FIRST_FLAGS = (
    "logged_in", "location_shared", "personalization_allowed", "push_allowed", "ar_capable", "biometric_enrolled",
)  # fmt: skip
"""What a visit can begin with; every other flag is set on its way."""
Place = tuple[str, int]
"""A state and the flags once its page has loaded."""


class Guard(NamedTuple):
    """Flags that a state needs and forbids, its own and those of the file."""

    needs: int
    forbids: int

    def is_open(self, flags: int) -> bool:
        """Return whether a visit with these flags may enter."""
        return flags & self.needs == self.needs and not flags & self.forbids

    def contradicts(self) -> bool:
        """Return whether no flags at all open it."""
        return bool(self.needs & self.forbids)


def guards_of(added: Mapping[str, list[str]]) -> dict[str, Guard]:
    """Return the guard of each state, those that a file adds included."""
    made = {}
    for state in STATES:
        needs, forbids = guard_bits(added.get(state.name, []))
        made[state.name] = Guard(bits(state.needs) | needs, bits(state.forbids) | forbids)
    return made


def entered_states(
    entry: Mix, rows: Mapping[str, Mix], guards: Mapping[str, Guard], odds: Mapping[str, Collection[bool]]
) -> set[str]:
    """Return the states that some visit can enter.

    `odds` says of each of `FIRST_FLAGS` whether a visit can begin with it, without it, or both.
    """
    asked = 0
    for state in _weighed([entry, *rows.values()]):
        asked |= guards[state].needs | guards[state].forbids
    seen: set[Place] = set()
    todo = [place for flags in _first_flags(odds, asked) for place in _onward(entry, guards, flags)]
    while todo:
        place = todo.pop()
        if place not in seen:
            seen.add(place)
            state, flags = place
            todo += _onward(rows.get(state, {}), guards, flags)
    return {state for state, _ in seen}


def _weighed(rows: Iterable[Mix]) -> set[str]:
    return {name for row in rows for name, share in row.items() if share > 0 and name in STATE_INDEX}


def weighed_states(entry: Mix, rows: Mapping[str, Mix], entered: Collection[str]) -> set[str]:
    """Return the states to which the entry or the row of an entered state gives a weight."""
    return _weighed([entry, *(row for state, row in rows.items() if state in entered)])


def _first_flags(odds: Mapping[str, Collection[bool]], asked: int) -> Iterator[int]:
    """Yield what visits can begin with, of the flags that some guard asks for."""
    free = [name for name in FIRST_FLAGS if bits([name]) & asked]
    for there in itertools.product(*(odds[name] for name in free)):
        yield bits([name for name, yes in zip(free, there, strict=True) if yes])


def _onward(row: Mix, guards: Mapping[str, Guard], flags: int) -> Iterator[Place]:
    """Yield the places that may follow with these flags."""
    for name, share in row.items():
        if share > 0 and name != EXIT and name in STATE_INDEX and guards[name].is_open(flags):
            sets, clears = _CHANGES[name]
            yield name, (flags | sets) & ~clears


_CHANGES = {state.name: (bits(state.sets), bits(state.clears)) for state in STATES}
"""The flags that a state's page sets and clears."""
