"""Arms compiled for the kernel: one treatment each, `control` first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey import keys
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.records import ARM
from simulator.model.compiled import compiled
from simulator.model.population import name_key
from simulator.model.states import EXIT, STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

CONTROL = "control"


def control_arm() -> NDArray[Any]:
    """Return the arm that changes nothing, as an array of one."""
    return compile_arms([(CONTROL, 1.0, {}, {})])


def compile_arms(
    arms: Iterable[tuple[str, float, Mapping[str, float], Mapping[str, float]]],
) -> NDArray[Any]:
    """Return arms as an array of ARM.

    Each is (name, share, seconds added by state, factor by next state); the state `all` stands for every state.
    """
    rows = []
    for name, share, delays_s, pulls in arms:
        row = np.zeros((), ARM)
        row["key"], row["share"] = name_key(name), share
        row["delay_us"] = [round(1e6 * delays_s.get(state, delays_s.get("all", 0.0))) for state in STATE_NAMES]
        row["pull"] = [pulls.get(state, 1.0) for state in (*STATE_NAMES, EXIT)]
        rows.append(row)
    return np.array(rows, ARM)


@compiled
def choose_arm(arms: NDArray[Any], seed: int, shopper: int) -> int:
    """Return the arm a shopper is assigned to, by weighted rendezvous (see `choose_persona`)."""
    best, smallest = 0, math.inf
    for index in range(len(arms)):
        if arms[index].share > 0.0:
            u = uniform(seed, shopper, 0, NOWHERE, 0, keys.ARM ^ arms[index].key)
            score = -math.log(u) / arms[index].share
            if score < smallest:
                best, smallest = index, score
    return best
