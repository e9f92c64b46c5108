"""The scorecard: what published studies found, beside what their designs give when simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from simulator.analysis.estimates import Estimate

Role = Literal["fitted", "predicted", "excluded"]


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure: `published` and `simulated` are relative changes (−0.049 is −4.9 %).

    `inside` says whether the published figure lies in the simulated interval; None where nothing was simulated.
    `role`: the fit of the consensus used it, or it is a prediction, or it is left out, for the reason in `note`.
    """

    id: str
    study: str
    design: str
    published: float
    simulated: Estimate
    inside: bool | None
    role: Role
    note: str


def scorecard(seed: int, visits: int, behaviour: str) -> list[Row]:
    """Return every published figure beside its simulation with the preset `behaviour`, `visits` in each arm."""
    del seed, visits, behaviour
    return []
