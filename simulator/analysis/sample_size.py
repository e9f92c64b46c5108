"""How many shoppers it takes to see a change: arms apart, with CUPED, and paired by common random numbers.

All from a pilot run. The variance of a mean by shopper falls as one over their number, so what one shopper adds to it
says how many it takes. Pairs differ only where the delay changed something, so the variance of a paired difference
grows with the difference: as the difference itself does where it counts rare events, faster where shoppers differ in
how much they mind. Two delays tell how fast; with one in the pilot, the former is assumed, which asks for too many
shoppers rather than too few when the change is smaller than the pilot's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from simulator.analysis.arms import COMPARED, in_arm, mean_in
from simulator.analysis.cuped import arm_of, foreseen
from simulator.analysis.influence import difference, share_shoppers
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.cuped import Arm
    from simulator.analysis.influence import Influenced
    from simulator.analysis.runs import Run

POWER = 0.8
LEVEL = 0.05
"""Two-sided error rate of the test that is to see the change."""
ROUNDS = 60
FEWEST = 20
"""Pairs below which no interval is to be trusted, however clear the effect."""
APART = math.log(1.2)
"""Differences closer to each other than this do not tell how their variance grows."""


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


def needed(run: Run, change: float, *, power: float = POWER, metrics: Sequence[str] = COMPARED) -> list[Need]:
    """Return what every metric takes; `change` is in parts of control (0.01: one percent either way).

    Metrics that do not vary, or are 0, are left out.
    """
    others = [name for name in run.manifest.arms if name != CONTROL] if run.base_arm is not None else []
    base = CONTROL if run.base_arm is not None else run.manifest.arms[0]
    found = []
    for metric in metrics:
        control = arm_of(run, metric, base)
        treated = [in_arm(run, metric, arm) for arm in others]
        if len(control.values):
            means = [mean_in(one) for one in treated if len(one.values)]
            found.append(need_of(metric, control, means, change, power))
    return [one for one in found if one is not None]


def need_of(
    metric: str, control: Arm, treated: Sequence[Influenced], change: float, power: float = POWER
) -> Need | None:
    """Return what a metric takes, from a pilot's control arm and, for the pairing, the means of its other arms.

    None where control does not vary, or is 0.
    """
    mean = control.mean()
    target = abs(change * mean.value)
    if target == 0 or mean.variance == 0 or len(mean.clusters) < 2:
        return None
    visits_each = len(control.values) / len(mean.clusters)
    one_arm = mean.variance * len(mean.clusters)  # what a single shopper's mean would vary by
    pairs = _paired(treated, mean, target, power)
    return Need(
        metric,
        change,
        mean.value,
        _size(4.0 * one_arm, target, power, visits_each),
        _size(4.0 * one_arm * (1.0 - foreseen(control)), target, power, visits_each),
        None if pairs is None else Size(pairs, math.ceil(2.0 * visits_each * pairs)),
    )


def _size(variance: float, target: float, power: float, visits_each: float) -> Size:
    """Return the shoppers at which `variance` / shoppers is the square of what a test of this power needs."""
    shoppers = max(2, math.ceil(reach(power) ** 2 * variance / target**2))
    return Size(shoppers, math.ceil(shoppers * visits_each))


def reach(power: float) -> float:
    """Return how many standard errors a difference must measure to be seen with this power (Cohen 1988)."""
    return float(ndtri(1 - LEVEL / 2) + ndtri(power))


def _paired(treated: Sequence[Influenced], control: Influenced, target: float, power: float) -> int | None:
    """Return the shoppers who must be in both arms, were the difference `target`; None where no pairs tell.

    What a pair varies by goes as the power of the difference that leads through the two arms nearest to the target,
    between 1 and 2.
    """
    changes = [difference(one, control) for one in treated if share_shoppers(one, control)]
    shown = [one for one in changes if (p := one.p()) is not None and p < LEVEL]
    shown.sort(key=lambda one: abs(math.log(abs(one.value) / target)))
    if not shown:
        return None
    nearest, growth = shown[0], 1.0
    for other in shown[1:2]:
        apart = math.log(abs(other.value) / abs(nearest.value))
        if abs(apart) > APART:
            growth = min(2.0, max(1.0, math.log(other.variance / nearest.variance) / apart))
    each = nearest.variance * len(nearest.clusters) * (target / abs(nearest.value)) ** growth
    return _pairs(nearest, float(each) / target**2, abs(nearest.value) / target, power)


def _pairs(change: Influenced, per: float, rarer: float, power: float) -> int:
    """Return the pairs whose t test sees `change`, were what pairs vary by `per` squared targets, losses `rarer`.

    Where losses are few, the variance is known from few and the test asks for more (`influence.freedom_of`); it has two
    degrees of freedom a loss or so, however many pairs there are.
    """
    spread = _spread_of_t(change)
    kurtosis = float(np.mean(change.parts**4)) * len(change.parts) ** 2 / change.variance**2 * rarer
    pairs = float(FEWEST)
    for _ in range(ROUNDS):
        freedom = max(1.0, 2.0 * pairs / max(kurtosis - 1.0, 2.0))
        needed_t = float(stdtrit(freedom, 1 - LEVEL / 2)) + spread * float(ndtri(power))
        pairs = max(FEWEST, (pairs + needed_t**2 * per) / 2)
    return math.ceil(pairs)


def _spread_of_t(change: Influenced) -> float:
    """Return the standard deviation of t when the change is there, from the skewness and kurtosis of its parts.

    Losses are rare and all of one sign: with more of them than expected the standard error is larger too, so that t
    varies less than 1 (for equal losses by one half, as the root of a Poisson count does). By the delta method:
    1 − (m/s)·skewness + (m/2s)²·(kurtosis − 1); thinning the losses does not change it.
    """
    size = math.sqrt(change.variance)
    parts = change.parts * math.sqrt(len(change.parts)) / size
    per = change.value / size / math.sqrt(len(change.parts))
    skewness, kurtosis = float(np.mean(parts**3)), float(np.mean(parts**4))
    return math.sqrt(max(0.0, 1.0 - per * skewness + (per / 2) ** 2 * (kurtosis - 1.0)))
