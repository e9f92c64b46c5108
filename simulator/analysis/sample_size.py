"""How many shoppers it takes to see a change: arms apart, with CUPED, and paired by common random numbers.

All from a pilot run. The variance of a mean by shopper falls as one over their number, so what one shopper adds to it
says how many it takes. Pairs differ only where the delay changed something, and how often it does is in proportion to
the delay: so the variance of a paired difference is taken as proportional to the difference, as a count's is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.special import ndtri

from simulator.analysis.arms import COMPARED, in_arm, mean_in
from simulator.analysis.cuped import arm_of, foreseen
from simulator.analysis.influence import Influenced, difference, share_shoppers
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.runs import Run

POWER = 0.8
LEVEL = 0.05
"""Two-sided error rate of the test that is to see the change."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many shoppers, over both arms, and how many visits they make: where paired, each is played twice."""

    shoppers: int
    visits: int


@dataclass(frozen=True, slots=True)
class Need:
    """What one metric takes to show a `change` (in parts of its `mean`) with the power asked for.

    `unpaired`: shoppers fall into two equal arms. `cuped`: the same, adjusted by what is known of a visit beforehand.
    `paired`: every shopper is played in both arms; None without such a pilot, or where its arms do not differ.
    """

    metric: str
    change: float
    mean: float
    unpaired: Size
    cuped: Size
    paired: Size | None


def needed(
    run: Run, change: float, *, arm: str | None = None, power: float = POWER, metrics: Sequence[str] = COMPARED
) -> list[Need]:
    """Return what every metric takes; `change` is in parts of control (0.01: one percent either way).

    `arm` is the one whose pairing with control is looked at; without it, the last that there is. Metrics that do not
    vary, or are 0, are left out.
    """
    others = [name for name in run.manifest.arms if name != CONTROL] if run.base_arm is not None else []
    arm = arm or (others[-1] if others else None)
    base = CONTROL if run.base_arm is not None else run.manifest.arms[0]
    found = [_need(run, metric, change, (base, arm), power) for metric in metrics]
    return [one for one in found if one is not None]


def _need(run: Run, metric: str, change: float, arms: tuple[str, str | None], power: float) -> Need | None:
    control = arm_of(run, metric, arms[0])
    if not len(control.values):
        return None
    mean = control.mean()
    target = abs(change * mean.value)
    if target == 0 or mean.variance == 0 or len(mean.clusters) < 2:
        return None
    visits_each = len(control.values) / len(mean.clusters)
    one_arm = mean.variance * len(mean.clusters)  # what a single shopper's mean would vary by
    kept = 1.0 - foreseen(control)
    pairs = None if arms[1] is None else _paired(run, metric, arms[1], mean, target)
    return Need(
        metric,
        change,
        mean.value,
        _size(4.0 * one_arm, target, power, visits_each),
        _size(4.0 * one_arm * kept, target, power, visits_each),
        None if pairs is None else _size(pairs, target, power, 2.0 * visits_each),
    )


def _size(variance: float, target: float, power: float, visits_each: float) -> Size:
    """Return the shoppers at which `variance` / shoppers is the square of what a test of this power needs."""
    shoppers = max(2, math.ceil(reach(power) ** 2 * variance / target**2))
    return Size(shoppers, math.ceil(shoppers * visits_each))


def reach(power: float) -> float:
    """Return how many standard errors a difference must measure to be seen with this power (Cohen 1988)."""
    return float(ndtri(1 - LEVEL / 2) + ndtri(power))


def _paired(run: Run, metric: str, arm: str, mean: Influenced, target: float) -> float | None:
    """Return what a single pair would vary by, were the difference `target`."""
    treated = mean_in(in_arm(run, metric, arm))
    if not share_shoppers(treated, mean):
        return None
    pilot = difference(treated, mean)
    p = pilot.p()
    if p is None or p > LEVEL:
        return None
    return pilot.variance * len(pilot.clusters) * target / abs(pilot.value)
