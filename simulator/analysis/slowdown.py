"""Randomised slow-downs: what the assignment did, by arm, a second, and a second that was really waited.

Intention to treat: arms are compared as they were assigned, whatever became of the delay on its way. The realised load
is used with the assignment as its instrument only (two-stage least squares), because who meets slow pages differs from
who does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.influence import Influenced
    from simulator.analysis.runs import Run


@dataclass(frozen=True, slots=True)
class ArmEffect:
    """One arm against control in one metric: `percent` is relative, in parts of control; `p` two-sided.

    `q` counts in how many effects were looked at (Benjamini & Hochberg 1995). `delay_s` is what was assigned, None
    where the arm does not delay all pages alike.
    """

    arm: str
    metric: str
    delay_s: float | None
    control: float
    treated: float
    difference: Estimate
    percent: Estimate
    p: float | None
    q: float | None
    paired: bool


@dataclass(frozen=True, slots=True)
class Slope:
    """What a second costs in one metric: `per_second` in parts of control's mean, straight in the assigned delay."""

    metric: str
    per_second: Estimate
    p: float | None
    arms: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Whether arms have the shoppers they should: counts by arm, the shares meant, and p by chi-square.

    `mismatch` at p < 0.001, the usual alarm (Fabijan et al. 2019): the run's effects are then not to be believed.
    `paired` runs have everybody in every arm, and nothing to test.
    """

    shoppers: dict[str, int]
    meant: dict[str, float]
    p: float | None
    mismatch: bool
    paired: bool


def delays_of(run: Run) -> dict[str, float | None]:
    """Return the seconds that each arm adds to every page, from the run's scenario; None where pages differ."""
    raise NotImplementedError


def arm_effects(run: Run) -> list[ArmEffect]:
    """Return every arm's effect on every compared metric, control first missing; empty without a second arm."""
    raise NotImplementedError


def slopes(run: Run) -> list[Slope]:
    """Return what a second costs in every compared metric; empty with fewer than two arms of known delay."""
    raise NotImplementedError


def two_stage(
    outcome: NDArray[np.float64],
    realised: NDArray[np.float64],
    assigned: NDArray[np.float64],
    clusters: NDArray[np.int64],
) -> Influenced:
    """Return outcome a unit of `realised`, with `assigned` as its instrument (two-stage least squares).

    All arrays are (n,). Raises `ArithmeticError` where the assignment does not move what is realised.
    """
    raise NotImplementedError


def balance(run: Run) -> Balance:
    """Return whether the run's arms have the shoppers that their shares promise (sample ratio mismatch)."""
    raise NotImplementedError


def same_arms(run: Run, shares: Mapping[str, float] | None = None) -> list[ArmEffect]:
    """Return control against arms that change nothing (A/A); without one, control's shoppers split in two by number."""
    raise NotImplementedError
