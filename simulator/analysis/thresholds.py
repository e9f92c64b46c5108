"""Thresholds judged against a run. Nothing passes in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.analysis.against import against_control, against_runs, untold
from simulator.analysis.comparison import FLOOR_RUNS, Change, Rules
from simulator.analysis.estimates import NOTHING, Estimate
from simulator.analysis.figures import Threshold
from simulator.analysis.grammar import Problem, ThresholdError, parse_thresholds
from simulator.analysis.measuring import measure, unmeasured
from simulator.analysis.windows import said, stretches, worst
from simulator.analysis.words import counted, figure, with_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.baselines import Store
    from simulator.analysis.runs import Run

__all__ = ["Problem", "Result", "Threshold", "ThresholdError", "judge", "parse_thresholds"]

MIN_SAMPLES = 30
State = Literal["passed", "failed", "too_few", "not_measured", "not_judged"]
"""`not_measured`: the run should hold the figure and does not. `not_judged`: its world has no such thing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one threshold; `text` is one sentence with the value, n and interval."""

    threshold: Threshold
    state: State
    estimate: Estimate
    text: str

    @property
    def ok(self) -> bool:
        """Whether the threshold holds."""
        return self.state == "passed"

    @property
    def broken(self) -> bool:
        """Whether it decides against the run: everything that was to be judged and did not hold."""
        return self.state not in ("passed", "not_judged")

    @property
    def close(self) -> bool:
        """Whether the 95 % interval contains the limit, so that a run of this size cannot tell for sure."""
        limit, low, high = self.threshold.limit, self.estimate.low, self.estimate.high
        if self.state not in ("passed", "failed") or (low is None and high is None):
            return False
        return (low is None or low <= limit) and (high is None or limit <= high)


def judge(
    run: Run, thresholds: Sequence[Threshold], min_samples: int = MIN_SAMPLES, store: Store | None = None
) -> list[Result]:
    """Return one result a threshold, in order; `store` holds the baselines that thresholds may name.

    The point estimate is judged; over windows, each window's interval (see `windows`). A share, mean or quantile from
    fewer than `min_samples` values, or than the threshold itself asks for, is `too_few`, which does not pass; totals
    need no minimum. Figures are control's where a run has several arms and the threshold names none.
    """
    return [_judge(run, threshold, threshold.min_samples or min_samples, store) for threshold in thresholds]


def _judge(run: Run, threshold: Threshold, least: int, store: Store | None) -> Result:
    if threshold.metric.live_only and run.manifest.world != "live":
        elsewhere = f"needs a live run; the {run.manifest.world} world has no such thing, so it was not judged"
        return Result(threshold, "not_judged", NOTHING, f"{threshold.figure} {elsewhere}")
    if reason := unmeasured(run, threshold.figure):
        return _not_measured(threshold, reason)
    if threshold.window_s is not None:
        return _windowed(run, threshold, least)
    if threshold.versus is not None:
        return _compared(run, threshold, least, store)
    return _whole(run, threshold, least)


def _whole(run: Run, threshold: Threshold, least: int) -> Result:
    estimate = measure(run, threshold.figure)
    if threshold.kind != "total" and estimate.n < least:
        return _too_few(threshold, estimate, least)
    if estimate.value is None:
        never = f"was never reached (n = {estimate.n:,}): too many pages were left before they loaded"
        return Result(threshold, "failed", estimate, f"{threshold.figure} {never}")
    kind = threshold.kind
    told = figure(estimate.value, kind) if kind == "total" else with_interval(estimate, kind)
    return _of_value(threshold, estimate, f"{threshold.figure} is {told}", _caveat(run, threshold))


def _of_value(threshold: Threshold, estimate: Estimate, told: str, caveat: str = "") -> Result:
    ok = estimate.value is not None and threshold.holds(estimate.value)
    limit = f"{'keeps' if ok else 'breaks'} {threshold.operator} {threshold.written}{caveat}"
    return Result(threshold, "passed" if ok else "failed", estimate, f"{told}: {limit}")


def _not_measured(threshold: Threshold, reason: str) -> Result:
    return Result(threshold, "not_measured", NOTHING, f"{threshold.figure} {reason}")


def _too_few(threshold: Threshold, estimate: Estimate, least: int) -> Result:
    few = f"{threshold.figure} has {counted(estimate.n, 'value')}, too few to judge; {least} are needed"
    return Result(threshold, "too_few", estimate, few)


def _windowed(run: Run, threshold: Threshold, least: int) -> Result:
    if run.requests is None:
        return _not_measured(threshold, "is not measured over windows: the run has no requests table")
    judged = stretches(run, threshold, least)
    found = worst(threshold, judged)
    if found is None:
        span = figure(threshold.window_s, "time")
        few = f"{threshold.figure} never had {counted(least, 'value')} within {span}, too few to judge"
        return Result(threshold, "too_few", NOTHING, few)
    broke = sum(stretch.breaks for stretch in judged)
    tail = f"; {broke:,} of {counted(len(judged), 'window')} broke it" if broke else f"; the worst of {len(judged):,}"
    return Result(threshold, "failed" if broke else "passed", found.estimate, f"{said(threshold, found)}{tail}")


def _compared(run: Run, threshold: Threshold, least: int, store: Store | None) -> Result:
    versus, rules = threshold.versus, Rules(min_samples=least)
    assert versus is not None
    if versus.reference == "control":
        if reason := untold([run], threshold.figure):
            return _not_measured(threshold, reason)
        return _of_change(run, threshold, against_control(run, threshold.figure, rules), least, "control")
    name = versus.name or run.manifest.name
    reason = "no folder of baselines is at hand" if store is None else store.reason_against(run.manifest, name)
    if store is None or reason:
        return _not_measured(threshold, f"cannot be compared: {reason}")
    others = store.runs(name)
    if reason := untold([run, *others], threshold.figure):
        return _not_measured(threshold, reason)
    change = against_runs(run, others, [threshold.figure], rules)[0]
    return _of_change(run, threshold, change, least, f"baseline {name} ({counted(len(others), 'run')})")


def _of_change(run: Run, threshold: Threshold, change: Change, least: int, reference: str) -> Result:
    versus = threshold.versus
    assert versus is not None
    estimate = change.difference if versus.points else change.change
    if change.outcome == "too_few":
        return _too_few(threshold, estimate, least)
    kind = threshold.metric.kind
    values = f"{figure(change.after, kind)} against {figure(change.before, kind)} in {reference}"
    if estimate.value is None:
        return _not_measured(threshold, f"is {values}, which gives no change in percent")
    live = run.manifest.world == "live" and versus.reference == "baseline"
    unknown = f"; how much runs differ anyway is not known before {FLOOR_RUNS} are saved" if live else ""
    floor = f"; runs differ by \u00b1{figure(change.floor, 'share')} anyway" if change.floor is not None else unknown
    told = f"{threshold.figure} is {values}, {with_interval(estimate, threshold.kind)}"
    return _of_value(threshold, estimate, told, floor)


def _caveat(run: Run, threshold: Threshold) -> str:
    """Return how many visits the figure had to do without, or nothing."""
    cut = int((~run.finished).sum()) if threshold.metric.source == "visits" and not threshold.metric.live_only else 0
    return f"; {counted(cut, 'visit')} still went on when the run ended" if cut else ""
