"""Think times of a persona: by state, and by edge (`product > cart`) where what follows says how long they looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.model.faults import suggestion
from simulator.model.states import EXIT, STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulator.model.distributions import Distribution
    from simulator.model.faults import Problem
    from simulator.model.schema import Journey

BETWEEN = " > "
"""What stands between the states of an edge."""


def edge_name(state: str, following: str) -> str:
    """Return the key of an edge's think time."""
    return f"{state}{BETWEEN}{following}"


def edges_of(tempo: Mapping[str, Distribution]) -> dict[tuple[str, str], Distribution]:
    """Return the think times that belong to edges, by (state, next state or exit)."""
    split = ((*key.partition(BETWEEN), think) for key, think in tempo.items())
    return {(state, following): think for state, between, following, think in split if between}


def think_of(tempo: Mapping[str, Distribution], state: str, following: str = "") -> Distribution | None:
    """Return the think time on a state before the next one: the edge's own, or the state's, or the default."""
    return tempo.get(edge_name(state, following), tempo.get(state, tempo.get("default")))


def tempo_problems(tempo: Mapping[str, Distribution], journey: Journey | None) -> list[Problem]:
    """Return what is wrong with the names, and which edges the journey does not have."""
    problems = [problem for key in tempo for problem in _name_problems(key)]
    if journey is None:
        return problems
    if "default" not in tempo and set(journey.rows) - set(tempo):
        problems.append((("tempo", "default"), "is missing", "states without their own think time need it", ""))
    return problems + list(_no_edges(tempo, journey))


def _name_problems(key: str) -> Iterator[Problem]:
    state, between, following = key.partition(BETWEEN)
    allowed = ("default", *STATE_NAMES) if not between else STATE_NAMES
    for name, known, what in ((state, allowed, "a state"), (following, (*STATE_NAMES, EXIT), "a state or exit")):
        if name and name not in known:
            where = f"is not {what}" if not between else f"has {name}, which is not {what}"
            yield ("tempo", key), where, f"allowed are {', '.join(known)}", suggestion(name, known)


def _no_edges(tempo: Mapping[str, Distribution], journey: Journey) -> Iterator[Problem]:
    for state, following in edges_of(tempo):
        known = state in STATE_NAMES and following in (*STATE_NAMES, EXIT)
        if known and not journey.rows.get(state, {}).get(following):
            key = edge_name(state, following)
            hint = f"give journey.rows.{state} a probability of {following}, or leave this think time out"
            yield ("tempo", key), "is an edge that the journey does not have", "each must have a probability", hint
