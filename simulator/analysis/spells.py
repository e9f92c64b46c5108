"""Visits of a run as survival analysis takes them: how long, whether seen to the end, and what the end was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.runs import Run

Clock = Literal["wall_time", "engaged_time", "pages", "ga_time"]
CLOCKS: tuple[Clock, ...] = ("wall_time", "engaged_time", "pages", "ga_time")
"""The four session lengths, by the names of their metrics."""
KINDS = ("abandon", "exit", "convert")
"""How a visit was over: left while waiting, left otherwise, or left after an order."""
HORIZONS: dict[Clock, float] = {"wall_time": 1_800.0, "engaged_time": 1_800.0, "pages": 30.0, "ga_time": 1_800.0}
"""Where restricted means end: 30 minutes, after which GA4 and mPulse call it another session; and 30 pages."""


@dataclass(frozen=True, slots=True)
class Spells:
    """Visits of one arm; all arrays are (visits,). `times` are seconds or pages, `kinds` positions in KINDS, -1: cut."""

    times: NDArray[np.float64]
    kinds: NDArray[np.int64]
    shoppers: NDArray[np.int64]

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Which were seen to their end."""
        ended: NDArray[np.bool_] = self.kinds >= 0
        return ended


@dataclass(frozen=True, slots=True)
class Length:
    """One session length in one arm, and its change from control.

    `mean` and `restricted` (up to HORIZONS) are in seconds or pages, as `median`; `change` is of `restricted`, in parts
    of control's. None of `change` is known for control itself. `paired`: the arms share their shoppers.
    """

    arm: str
    clock: Clock
    mean: Estimate
    restricted: Estimate
    median: Estimate
    change: Estimate
    paired: bool


def spells(run: Run, clock: Clock, arm: str | None = None) -> Spells:
    """Return a run's visits of an arm (without one: of control, or of all where there are no arms)."""
    raise NotImplementedError


def lengths(run: Run) -> list[Length]:
    """Return the four session lengths of every arm, control first."""
    raise NotImplementedError
