"""Randomised slow-downs: what the assignment did, by arm, a second, and a second that was really waited.

Arms are compared as they were assigned (`arms`: intention to treat), whatever became of the delay on its way. The
realised load is used with the assignment as its instrument only (two-stage least squares), because who meets slow pages
differs from who does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.arms import COMPARED, in_arm, mean_in
from simulator.analysis.assignment import delays_of
from simulator.analysis.influence import Influenced, combined, influenced
from simulator.analysis.metrics import METRICS, matching
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.runs import Run

    Floats = NDArray[np.float64]

WEAK = 10.0
"""An instrument whose first stage has a smaller F than this is too weak to be used (Staiger & Stock 1997)."""


@dataclass(frozen=True, slots=True)
class Slope:
    """What a second costs in one metric: `per_second` in parts of its value without delay; `arms` stand behind it."""

    metric: str
    per_second: Estimate
    p: float | None
    arms: int


def slopes(run: Run, metrics: Sequence[str] = COMPARED) -> list[Slope]:
    """Return what a second costs in every metric; empty with fewer than two arms of known delay."""
    delays = {arm: delay for arm, delay in delays_of(run).items() if delay is not None}
    if run.base_arm is None:
        return []
    found = []
    for metric in metrics:
        samples = {arm: in_arm(run, metric, arm) for arm in delays}
        means = [(delays[arm], mean_in(one)) for arm, one in samples.items() if len(one.values)]
        if len({delay for delay, _ in means}) > 1 and (slope := slope_of(means)) is not None:
            found.append(Slope(metric, slope.estimate(), slope.p(), len(means)))
    return found


def slope_of(means: Sequence[tuple[float, Influenced]]) -> Influenced | None:
    """Return the slope a second through arms of (delay in seconds, mean), in parts of the value at no delay.

    The straight line of least squares with a weight a visit, as a regression over visits has it; None where its value
    at no delay is 0. If the true curve bends, it is the slope that serves these delays best.
    """
    x = np.array([delay for delay, _ in means])
    n = np.array([one.n for _, one in means], np.float64)
    y = np.array([one.value for _, one in means])
    middle = float(n @ x) / float(n.sum())
    of_slope = n * (x - middle) / float(n @ (x - middle) ** 2)
    of_start = n / n.sum() - middle * of_slope
    slope, start = float(of_slope @ y), float(of_start @ y)
    if start == 0:
        return None
    gradient = (of_slope - slope / start * of_start) / start
    return combined(slope / start, tuple((float(g), one) for g, (_, one) in zip(gradient, means, strict=True)))


def two_stage(outcome: Floats, realised: Floats, assigned: Floats, clusters: NDArray[np.int64]) -> Influenced:
    """Return outcome a unit of `realised`, with `assigned` as its instrument (two-stage least squares).

    All arrays are (n,). Raises `ArithmeticError` where the assignment hardly moves what is realised (F below WEAK).
    """
    z, d, y = (column - column.mean() for column in (assigned, realised, outcome))
    moved = float(z @ d)
    if float(z @ z) == 0:
        raise ArithmeticError("all were assigned the same")
    first = influenced(moved / float(z @ z), z * (d - moved / float(z @ z) * z) / float(z @ z), clusters)
    if first.variance > 0 and first.value**2 / first.variance < WEAK:
        raise ArithmeticError("the assignment hardly moves what is realised, so it tells nothing about it")
    value = float(z @ y) / moved
    return influenced(value, z * (y - value * d) / moved, clusters)


def landing_slope(run: Run, metric: str) -> Slope | None:
    """Return what a second of the landing page's realised load costs, in parts of control's mean.

    A landing page that was never seen counts with its assigned delay and what the others took besides. None where no
    arm of known delay differs from control, or where the delays did not arrive.
    """
    delays = delays_of(run)
    rows = matching_arms(run, [arm for arm, delay in delays.items() if delay is not None])
    if run.base_arm is None or not rows.any() or METRICS[metric].name == "cart_abandonment":
        return None
    arms = run.visits.labels("arm").take(rows)
    assigned = np.array([delays.get(name) or 0.0 for name in arms.names])[arms.codes]
    load = run.visits.numbers("landing_load_us")[rows] / 1e6
    load = np.where(np.isnan(load), assigned + np.nanmean(load - assigned), load)
    outcome, clusters = _all_arms(run, metric, arms.names, arms.codes)
    base = mean_in(in_arm(run, metric, CONTROL)).value
    try:
        found = two_stage(outcome / base if base else outcome, load, assigned, clusters)
    except ArithmeticError:
        return None
    return Slope(metric, found.estimate(), found.p(), len(set(assigned.tolist()))) if base else None


def matching_arms(run: Run, arms: Sequence[str]) -> NDArray[np.bool_]:
    """Return the visits of these arms that count."""
    here: NDArray[np.bool_] = np.any([matching(run, "visits", {"arm": arm}) for arm in arms], axis=0) & run.counted
    return here


def _all_arms(
    run: Run, metric: str, names: Sequence[str], codes: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the metric and the shopper of each visit, in the order of the table."""
    values, clusters = np.zeros(len(codes)), np.zeros(len(codes), np.int64)
    for code in np.unique(codes):
        found = in_arm(run, metric, names[code])
        values[codes == code], clusters[codes == code] = found.values, found.clusters
    return values, clusters
