"""Arms against control: the difference each treatment makes, with its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from simulator.analysis.estimates import TAIL, Estimate, mean, variance_of_mean, weighted_mean
from simulator.analysis.metrics import METRICS, Sample, matching, sample
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

COMPARED = ("engaged_time", "pages", "wall_time", "ga_time", "bounce", "conversion")


@dataclass(frozen=True, slots=True)
class Effect:
    """One arm's difference from control in one metric's unit.

    `paired` says that the same visits were played in both arms, so that each is its own control; otherwise the arms are
    different shoppers.
    """

    arm: str
    metric: str
    control: float | None
    treated: float | None
    difference: Estimate
    paired: bool


def effects(run: Run) -> list[Effect]:
    """Return every arm's effect on every compared metric; empty without a second arm."""
    if run.base_arm is None:
        return []
    others = [name for name in run.manifest.arms if name != CONTROL]
    return [effect(run, arm, metric) for arm in others for metric in COMPARED]


def effect(run: Run, arm: str, metric: str) -> Effect:
    """Return the difference between an arm and control."""
    control, treated = (sample(run, METRICS[metric], {"arm": name}) for name in (CONTROL, arm))
    order = _pairs(run, arm)
    if order is not None:
        change = treated.values[order[1]] - control.values[order[0]]
        difference = mean(change, control.clusters[order[0]])
    else:
        difference = _unpaired(control, treated)
    means = [part.mean().value for part in (control, treated)]
    return Effect(arm, metric, means[0], means[1], difference, order is not None)


def _pairs(run: Run, arm: str) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the orders in which control's and the arm's visits stand side by side, or None when they are others."""
    if not run.finished.all():
        return None
    keys = run.visits.integers("shopper") << 16 | run.visits.integers("visit")
    control, treated = (keys[matching(run, "visits", {"arm": name})] for name in (CONTROL, arm))
    orders = np.argsort(control, kind="stable"), np.argsort(treated, kind="stable")
    if len(control) == 0 or not np.array_equal(control[orders[0]], treated[orders[1]]):
        return None
    return orders


def _unpaired(control: Sample, treated: Sample) -> Estimate:
    """Return a difference of means with Welch's interval, its variances and degrees of freedom by shopper."""
    n = min(len(control.values), len(treated.values))
    if n == 0:
        return Estimate(None, 0)
    before, after = (weighted_mean(part.values, part.weights) for part in (control, treated))
    difference = after - before
    (v1, g1), (v2, g2) = (variance_of_mean(p.values, p.clusters, p.weights) for p in (control, treated))
    if min(g1, g2) < 2 or v1 + v2 == 0:
        return Estimate(difference, n)
    freedom = (v1 + v2) ** 2 / (v1 * v1 / (g1 - 1) + v2 * v2 / (g2 - 1))
    half = float(stdtrit(freedom, 1 - TAIL)) * math.sqrt(v1 + v2)
    return Estimate(difference, n, difference - half, difference + half)
