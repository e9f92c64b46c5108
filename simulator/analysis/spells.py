"""Visits of a run as survival analysis takes them: how long, whether seen to the end, and what the end was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.analysis.estimates import NOTHING, Estimate
from simulator.analysis.influence import mean_of, percent, share_shoppers
from simulator.analysis.metrics import METRICS, matching, sample
from simulator.analysis.survival import kaplan_meier, median_of, restricted_mean
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.influence import Influenced
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
    """Visits of one arm; all arrays are (visits,). `times` are seconds or pages, `kinds` positions in KINDS, -1: cut.

    Visits that the run's end cut are left out where finished ones stand in for them, by `weights` (see `cut`): on a
    clock other than the one that cut them, their length says something about how long they would have been.
    """

    times: NDArray[np.float64]
    kinds: NDArray[np.int64]
    shoppers: NDArray[np.int64]
    weights: NDArray[np.float64]

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Which were seen to their end."""
        ended: NDArray[np.bool_] = self.kinds >= 0
        return ended

    def restricted_mean(self, until: float) -> Influenced:
        """Return the mean of min(time, until)."""
        return restricted_mean(self.times, self.ended, until, self.shoppers, self.weights)


@dataclass(frozen=True, slots=True)
class Length:
    """One session length in one arm, and its change from control.

    `mean`, `restricted` (up to HORIZONS) and `median` are in seconds or pages; `finished_only` is the mean that a
    dashboard shows, without the visits that were cut, and is biased where there are any. `change` is of `restricted`,
    in parts of control's, and has no value for control itself. `paired`: the arms share their shoppers.
    """

    arm: str
    clock: Clock
    mean: Estimate
    restricted: Estimate
    median: Estimate
    finished_only: float | None
    change: Estimate
    paired: bool


def spells(run: Run, clock: Clock, arm: str | None = None) -> Spells:
    """Return a run's visits of an arm; without one, control's, or all visits of a run without arms."""
    rows = matching(run, "visits", {} if arm is None else {"arm": arm}) & run.counted
    found = sample(run, METRICS[clock], {} if arm is None else {"arm": arm})
    visits = run.visits
    left = np.where(visits.labels("cause").are("impatient")[rows], 0, 1)
    kinds = np.where(visits.numbers("orders")[rows] > 0, 2, left)
    kinds = np.where(run.finished[rows], kinds, -1)
    return Spells(found.values, kinds, found.clusters, run.visit_weights[rows])


def lengths(run: Run) -> list[Length]:
    """Return the four session lengths of every arm, control first; arms without a visit are left out."""
    arms = run.manifest.arms if run.base_arm is not None else [None]
    return [length for clock in CLOCKS for length in _of_clock(run, clock, arms)]


def _of_clock(run: Run, clock: Clock, arms: list[str] | list[None]) -> list[Length]:
    found, base = [], None
    for arm in arms:
        one = spells(run, clock, arm)
        if not len(one.times):
            continue
        restricted = one.restricted_mean(HORIZONS[clock])
        base = restricted if arm in (CONTROL, None) else base
        found.append(_length(run, clock, arm, one, (restricted, base)))
    return found


def _length(
    run: Run, clock: Clock, arm: str | None, one: Spells, restricted: tuple[Influenced, Influenced | None]
) -> Length:
    own, base = restricted
    change, paired = NOTHING, False
    if base is not None and own is not base:
        change = percent(own, base)
        paired = share_shoppers(own, base)
    finished = one.times[one.ended]
    return Length(
        arm or run.manifest.arms[0],
        clock,
        mean_of(one.times, one.shoppers, one.weights).estimate(METRICS[clock].least),
        own.estimate(0.0),
        median_of(kaplan_meier(one.times, one.ended, one.shoppers, one.weights)),
        float(finished.mean()) if len(finished) else None,
        change,
        paired,
    )
