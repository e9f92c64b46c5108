"""Arms against control, as they were assigned: the difference each treatment makes, with its 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scipy.stats import false_discovery_control

from simulator.analysis.assignment import delays_of, halves
from simulator.analysis.estimates import NOTHING, Estimate
from simulator.analysis.influence import Influenced, difference, mean_of, percent, share_shoppers
from simulator.analysis.metrics import METRICS, sample
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.metrics import Sample
    from simulator.analysis.runs import Run

COMPARED = ("engaged_time", "pages", "wall_time", "ga_time", "bounce", "conversion")


@dataclass(frozen=True, slots=True)
class Effect:
    """One arm's difference from control in one metric's unit; `percent` is in parts of control.

    `paired` says that the same shoppers were in both arms, so that each is their own control; otherwise the arms are
    different shoppers. `delay_s` is what was assigned to every page, None where the arm does not delay all alike.
    `p` is two-sided, `q` counts in how many effects were looked at (Benjamini & Hochberg 1995); both are None where
    there is nothing to judge by.
    """

    arm: str
    metric: str
    control: float | None
    treated: float | None
    difference: Estimate
    paired: bool
    percent: Estimate = NOTHING
    p: float | None = None
    q: float | None = None
    delay_s: float | None = None


def effects(run: Run, metrics: Sequence[str] = COMPARED) -> list[Effect]:
    """Return every arm's effect on every metric of visits; empty without a second arm."""
    if run.base_arm is None:
        return []
    others = [name for name in run.manifest.arms if name != CONTROL]
    return with_q([effect(run, arm, metric) for arm in others for metric in metrics])


def effect(run: Run, arm: str, metric: str) -> Effect:
    """Return what an arm does to a metric."""
    control, treated = (in_arm(run, metric, name) for name in (CONTROL, arm))
    return replace(effect_of(treated, control, arm, metric), delay_s=delays_of(run).get(arm))


def effect_of(treated: Sample, control: Sample, arm: str, metric: str) -> Effect:
    """Return the effect between samples of visits, with intervals by shopper (Welch's where they are others)."""
    if not len(control.values) or not len(treated.values):
        return Effect(arm, metric, control.mean().value, treated.mean().value, NOTHING, paired=False)
    after, before = mean_in(treated), mean_in(control)
    change, paired = difference(after, before), share_shoppers(after, before)
    known, parts = change.estimate(), percent(after, before)
    if change.variance == 0 and not paired:
        # Without any spread, arms of other shoppers say nothing about chance.
        known, parts = (Estimate(one.value, one.n) for one in (known, parts))
    return Effect(arm, metric, before.value, after.value, known, paired, parts, change.p())


def in_arm(run: Run, metric: str, arm: str) -> Sample:
    """Return a metric of an arm's visits."""
    return sample(run, METRICS[metric], {"arm": arm})


def mean_in(found: Sample) -> Influenced:
    """Return the mean of a sample of visits."""
    return mean_of(found.values, found.clusters, found.weights)


def with_q(found: Sequence[Effect]) -> list[Effect]:
    """Return the effects with `q` among all that have a p."""
    known = [one.p for one in found if one.p is not None]
    adjusted = iter(false_discovery_control(known) if known else ())
    return [one if one.p is None else replace(one, q=float(next(adjusted))) for one in found]


def same_arms(run: Run, metrics: Sequence[str] = COMPARED) -> list[Effect]:
    """Return control against arms that change nothing (A/A), which should show nothing.

    Without such an arm control's shoppers are split in two halves, by their numbers; the arm is then called `half`.
    """
    equal = [arm for arm, delay in delays_of(run).items() if delay == 0 and arm != CONTROL]
    if equal and run.base_arm is not None:
        return with_q([effect(run, arm, metric) for arm in equal for metric in metrics])
    found = []
    for metric in metrics:
        whole = sample(run, METRICS[metric])
        half = halves(whole.clusters)
        found.append(effect_of(whole.only(half), whole.only(~half), "half", metric))
    return with_q(found)
