"""How many shoppers it takes to see a change: arms apart, with CUPED, and paired by common random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.analysis.runs import Run

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Need:
    """What one metric takes to show a relative `change` with the power asked for.

    All are numbers over both arms: of shoppers, and of visits at the pilot's visits a shopper. `cuped` is None without
    a covariate, `paired` without a pilot that played the same visits in both arms.
    """

    metric: str
    change: float
    mean: float
    unpaired_shoppers: int
    unpaired_visits: int
    cuped_shoppers: int | None
    cuped_visits: int | None
    paired_shoppers: int | None
    paired_visits: int | None


def needed(run: Run, change: float, *, arm: str | None = None, power: float = POWER) -> list[Need]:
    """Return what every compared metric takes; `change` is in parts of control (0.01: one percent either way).

    `arm` is the one whose pairing with control is looked at; without it, the first that there is.
    """
    raise NotImplementedError
