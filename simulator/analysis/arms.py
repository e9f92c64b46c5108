"""Arms against control: the difference each treatment makes, with its 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.analysis.estimates import NOTHING, Estimate
from simulator.analysis.influence import difference, mean_of, share_shoppers
from simulator.analysis.metrics import METRICS, sample
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
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
    """Return the difference between an arm and control, its interval by shopper (Welch's where they are others)."""
    control, treated = (sample(run, METRICS[metric], {"arm": name}) for name in (CONTROL, arm))
    if not len(control.values) or not len(treated.values):
        return Effect(arm, metric, control.mean().value, treated.mean().value, NOTHING, paired=False)
    before, after = (mean_of(part.values, part.clusters, part.weights) for part in (control, treated))
    change = difference(after, before)
    paired = share_shoppers(after, before)
    # Without any spread at all, two arms of other shoppers say nothing about chance.
    known = Estimate(change.value, change.n) if not paired and change.variance == 0 else change.estimate()
    return Effect(arm, metric, before.value, after.value, known, paired)
