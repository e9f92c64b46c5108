"""Who does not come back, by one definition: no visit starts in the last third of the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.export.ids import hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario

US = 1_000_000
REPLAYS = 64
"""Arrivals dealt anew to get a shopper's chance of staying away; its standard error is at most 0.5/√64 = 0.063."""


def cutoff_us(scenario: Scenario) -> int:
    """Return where the last third of the horizon begins, in microseconds from the reference instant."""
    return int(scenario.spec.horizon) * US * 2 // 3


def stays_away(plan: Plan, first: int, last: int, cutoff: int) -> NDArray[np.bool_]:
    """Return of each shopper of a range whether none of their visits starts at the cutoff or later."""
    late = np.bincount(plan.shopper[plan.start_us >= cutoff] - first, minlength=last - first)
    away: NDArray[np.bool_] = late == 0
    return away


def chance_of_staying_away(
    scenario: Scenario, first: int, last: int, shoppers: NDArray[Any], replays: int = REPLAYS
) -> NDArray[np.float64]:
    """Return the chance that each shopper of a range has no visit in the last third, given who they are.

    `shoppers` are their rows of SHOPPER. It is the share of replays of the arrivals alone, under seeds that follow from
    the run's: same persona, rate, home and habits, other luck.
    """
    spec, counts = scenario.spec, np.zeros(last - first)
    seeds = hashes(spec.seed, "churn", np.arange(replays)) >> np.uint64(1)
    for seed in seeds.tolist():
        plan = scenario.calendar_plan(first, last, shoppers, seed=seed)
        counts += stays_away(plan, first, last, cutoff_us(scenario))
    return counts / replays
