"""Arms of a run, or of a scenario played under delays, as a report shows them: effects, curves, ends, the funnel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.assignment import balance, delays_of
from simulator.analysis.estimates import NOTHING, Estimate, share
from simulator.analysis.frames import among
from simulator.analysis.incidence import aalen_johansen
from simulator.analysis.influence import difference, mean_of, relative
from simulator.analysis.metrics import METRICS, Sample, matching, sample
from simulator.analysis.spells import spells
from simulator.analysis.survival import kaplan_meier
from simulator.analysis.visits import FUNNEL, keys_of
from simulator.journey.arms import CONTROL
from simulator.study.speed_findings import Arm, Ends, FunnelStep, Survival

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simulator.analysis.runs import Run
    from simulator.analysis.spells import Clock

    Ints = NDArray[np.int64]

MEASURED = ("engaged_time", "wall_time", "waited_time", "ga_time", "pages", "bounce", "conversion")
REVENUE = "revenue_per_1000"
CURVES: tuple[tuple[Clock, float, int], ...] = (("pages", 1.0, 30), ("engaged_time", 5.0, 120), ("wall_time", 5.0, 120))
"""The clocks that have a survival curve, the step of its grid (pages, seconds), and most points."""
SHOWN_QUANTILE = 0.95
"""Where the grids of curves end: by then so many of control's visits are over."""
RISK_POINTS = 6
ENDS = {"renege": 0, "put_off": 1, "exit": 2, "convert": 3}
"""What ended a visit; a shopper who has ordered counts as converted whatever made them leave afterwards."""


def arms_of(run: Run) -> list[str]:
    """Return the arms that have visits, control first; one that stands for all visits where there are no arms."""
    if run.base_arm is None:
        return [CONTROL]
    there = run.visits.labels("arm").counts()
    return [name for name in run.manifest.arms if name in there]


def arm_table(run: Run) -> tuple[Arm, ...]:
    """Return every arm with its means and, where it is a treatment, its changes from control."""
    delays = delays_of(run) if run.base_arm is not None else {}
    base = {name: of_arm(run, name, CONTROL) for name in (*MEASURED, REVENUE)}
    return tuple(_arm(run, name, delays.get(name, 0.0 if name == CONTROL else None), base) for name in arms_of(run))


def of_arm(run: Run, metric: str, arm: str) -> Sample | None:
    """Return a metric's values in an arm; None for revenue where the run does not hold it."""
    where = {} if run.base_arm is None else {"arm": arm}
    if metric != REVENUE:
        return sample(run, METRICS[metric], where)
    if "revenue_cents" not in run.visits.columns:
        return None
    pages = sample(run, METRICS["pages"], where)
    rows = matching(run, "visits", where)
    rows = rows & run.counted if not run.finished.all() else rows
    # Cents a visit are a tenth of whole units for 1,000 visits.
    return pages._replace(values=run.visits.numbers("revenue_cents")[rows] * 10.0)


def _arm(run: Run, name: str, delay_s: float | None, base: Mapping[str, Sample | None]) -> Arm:
    means, changes, relatives, shoppers, visits = {}, {}, {}, 0, 0
    for metric, control in base.items():
        own = of_arm(run, metric, name)
        if own is None or control is None or not len(own.values):
            continue
        kind = METRICS[metric].kind if metric in METRICS else "total"
        means[metric] = own.share() if kind == "share" else own.mean(0.0)
        shoppers, visits = len(np.unique(own.clusters)), len(own.values)
        if name != CONTROL and len(control.values):
            after, before = (mean_of(part.values, part.clusters, part.weights) for part in (own, control))
            changes[metric] = difference(after, before).estimate()
            relatives[metric] = relative(after, before).estimate(-1.0) if before.value > 0 else NOTHING
            if not own.values.any():
                # Of what never happened there is no spread to judge by: −100 % would look certain.
                relatives[metric] = Estimate(relatives[metric].value, relatives[metric].n)
    return Arm(name, delay_s, visits, shoppers, means, changes, relatives)


def survival(run: Run, arms: Sequence[str]) -> tuple[dict[str, tuple[Survival, ...]], dict[str, float]]:
    """Return survival curves of the arms by clock, and where their restricted means end."""
    found: dict[str, tuple[Survival, ...]] = {}
    ends: dict[str, float] = {}
    for clock, step, most in CURVES:
        base = spells(run, clock, None if run.base_arm is None else CONTROL)
        if not len(base.times):
            continue
        last = float(np.quantile(base.times, SHOWN_QUANTILE))
        until = max(2 * step, min(step * np.ceil(last / step), step * most * 4))
        ends[clock] = float(until)
        found[clock] = tuple(_survival(run, clock, arm, np.arange(0.0, until + step / 2, step), until) for arm in arms)
    return found, ends


def _survival(run: Run, clock: Clock, arm: str, grid: NDArray[np.float64], until: float) -> Survival:
    where = None if run.base_arm is None else arm
    one = spells(run, clock, where)
    curve = kaplan_meier(one.times, one.ended, one.shoppers, one.weights).at(grid)
    own, change = one.restricted_mean(until), NOTHING
    if arm != CONTROL:
        base = spells(run, clock, CONTROL).restricted_mean(until)
        change = relative(own, base).estimate(-1.0) if base.value > 0 else NOTHING
    sides = ([None if np.isnan(v) else float(v) for v in side] for side in (curve.low, curve.high))
    low, high = (tuple(side) for side in sides)
    at_risk = tuple(round(count) for count in curve.at_risk.tolist())
    share_ = tuple(curve.survival.tolist())
    return Survival(arm, tuple(grid.tolist()), share_, low, high, at_risk, own.estimate(0.0), change)


def ends(run: Run, arms: Sequence[str], points: int = 60) -> tuple[Ends, ...]:
    """Return what had ended each arm's visits by each second since the first tap (Aalen & Johansen 1978)."""
    base = spells(run, "wall_time", None if run.base_arm is None else CONTROL)
    if not len(base.times):
        return ()
    grid = np.linspace(0.0, float(np.quantile(base.times, SHOWN_QUANTILE)), points)
    return tuple(_ends(run, arm, grid) for arm in arms)


def _ends(run: Run, arm: str, grid: NDArray[np.float64]) -> Ends:
    where = None if run.base_arm is None else arm
    one = spells(run, "wall_time", where)
    rows = matching(run, "visits", {} if where is None else {"arm": arm}) & run.counted
    cause = run.visits.labels("cause").take(rows)
    kinds = np.select([cause.are("impatient"), cause.are("put_off")], [0, 1], 2)
    kinds = np.where(run.visits.numbers("orders")[rows] > 0, 3, kinds)
    kinds = np.where(one.ended, kinds, -1)
    curves = aalen_johansen(one.times, kinds, list(ENDS), one.shoppers, one.weights)
    return Ends(arm, tuple(grid.tolist()), {name: tuple(c.at(grid).survival.tolist()) for name, c in curves.items()})


def funnel(run: Run, reached: Mapping[str, Sequence[Ints]], arms: Sequence[str]) -> tuple[FunnelStep, ...]:
    """Return each step's share of visits, of all and of the step before, arm by arm."""
    keys = keys_of(run.visits, run.manifest.arms)
    there = {page: among(keys, np.concatenate(parts)) for page, parts in reached.items() if parts}
    steps: list[FunnelStep] = []
    before = {arm: np.ones(len(keys), np.bool_) for arm in arms}
    for name, page in FUNNEL:
        hits = there.get(page, np.zeros(len(keys), np.bool_))
        of_all = {arm: _share(run, hits, _rows(run, arm)) for arm in arms}
        steps.append(FunnelStep(name, of_all, {arm: _share(run, hits, _rows(run, arm) & before[arm]) for arm in arms}))
        before = dict.fromkeys(arms, hits)
    return tuple(steps)


def _rows(run: Run, arm: str) -> NDArray[np.bool_]:
    return matching(run, "visits", {} if run.base_arm is None else {"arm": arm}) & run.counted


def _share(run: Run, hits: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Estimate:
    return share(hits[rows], run.visits.integers("shopper")[rows], run.visit_weights[rows])


def how_dealt(run: Run) -> tuple[bool, tuple[str, ...]]:
    """Return whether all arms are of the same visits, and what is to be said of how shoppers were dealt to them."""
    found = balance(run)
    if found.paired:
        return True, ("The same visits in every arm.",)
    counts = ", ".join(f"{arm} {count:,}" for arm, count in found.shoppers.items())
    if found.mismatch:
        told = "Arms do not have the shoppers that their shares promise: these effects are not to be believed."
    else:
        told = "Arms have the shoppers that their shares promise."
    return False, (f"Shoppers dealt to arms at random, compared as dealt: {counts}. {told}",)


def titles(run: Run) -> dict[str, str]:
    """Return how each arm is called in pictures: by its delay where it delays all pages alike."""
    delays = delays_of(run)
    told = {arm: f"+{delays[arm]:g} s" if delays.get(arm) else arm for arm in arms_of(run)}
    twice = {title for title in told.values() if list(told.values()).count(title) > 1}
    return {arm: f"{arm} ({title})" if title in twice else title for arm, title in told.items()}
