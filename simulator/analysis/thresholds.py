"""Thresholds judged against a run. Nothing passes in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.analysis.estimates import NOTHING, Estimate
from simulator.analysis.grammar import Problem, Threshold, ThresholdError, parse_thresholds, spelled
from simulator.analysis.metrics import labels_of, sample
from simulator.analysis.words import counted, figure, with_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.latency import Clock, Histogram
    from simulator.analysis.runs import Run

__all__ = ["Problem", "Result", "Threshold", "ThresholdError", "judge", "parse_thresholds"]

MIN_SAMPLES = 30
State = Literal["passed", "failed", "too_few", "not_measured", "not_judged"]
"""`not_measured`: the run should hold the figure and does not. `not_judged`: its world has no such thing."""
CLOCKS: dict[str, Clock] = {"latency": "due", "service_time": "sent"}


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


def judge(run: Run, thresholds: Sequence[Threshold], min_samples: int = MIN_SAMPLES) -> list[Result]:
    """Return one result a threshold, in order.

    The point estimate is judged. A share, mean or quantile from fewer than `min_samples` values is `too_few`, which
    does not pass; totals need no minimum. Figures are control's where a run has several arms and the threshold names
    none.
    """
    return [_judge(run, threshold, min_samples) for threshold in thresholds]


def _judge(run: Run, threshold: Threshold, min_samples: int) -> Result:
    metric = threshold.metric
    if metric.live_only and run.manifest.world != "live":
        elsewhere = f"needs a live run; the {run.manifest.world} world has no such thing, so it was not judged"
        return Result(threshold, "not_judged", NOTHING, f"{_name(threshold)} {elsewhere}")
    if reason := _not_measured(run, threshold):
        return Result(threshold, "not_measured", NOTHING, f"{_name(threshold)} {reason}")
    estimate = _estimate(run, threshold)
    kind = metric.kind
    if kind != "total" and estimate.n < min_samples:
        few = f"{_name(threshold)} has {counted(estimate.n, 'value')}, too few to judge; {min_samples} are needed"
        return Result(threshold, "too_few", estimate, few)
    said = figure(estimate.value, kind) if kind == "total" else with_interval(estimate, kind)
    if estimate.value is None:
        few_seen = (
            f"{_name(threshold)} was never reached (n = {estimate.n:,}): too many pages were left before they loaded"
        )
        return Result(threshold, "failed", estimate, few_seen)
    ok = threshold.holds(estimate.value)
    limit = f"{'keeps' if ok else 'breaks'} {threshold.operator} {threshold.written}{_caveat(run, threshold)}"
    return Result(threshold, "passed" if ok else "failed", estimate, f"{_name(threshold)} is {said}: {limit}")


def _name(threshold: Threshold) -> str:
    return spelled(threshold.aggregate, threshold.metric.name, threshold.where)


def _caveat(run: Run, threshold: Threshold) -> str:
    """Return how many visits the figure had to do without, or nothing."""
    cut = int((~run.finished).sum()) if threshold.metric.source == "visits" and not threshold.metric.live_only else 0
    return f"; {counted(cut, 'visit')} still went on when the run ended" if cut else ""


def _not_measured(run: Run, threshold: Threshold) -> str:
    """Return why this run cannot answer, or nothing."""
    metric = threshold.metric
    if metric.source == "generator" and run.manifest.generator is None:
        return "is not measured: the manifest has no generator section"
    if metric.source == "requests" and run.requests is None and not _from_histograms(run, threshold):
        return "is not measured: the run has no requests table"
    for label, value in threshold.where:
        names = _names(run, threshold, label)
        if value not in names:
            return f"is not measured: the run has no {label}:{value}; there are {', '.join(names) or 'none'}"
    return ""


def _names(run: Run, threshold: Threshold, label: str) -> Sequence[str]:
    if label == "arm":
        return run.manifest.arms
    if _from_histograms(run, threshold):
        assert run.histograms is not None
        labels = run.histograms.page if label == "page" else run.histograms.persona
    else:
        labels = labels_of(run, threshold.metric.source, label)
    return list(labels.counts())


def _from_histograms(run: Run, threshold: Threshold) -> bool:
    """Latency by page and persona comes from the histograms, which hold every request; finer labels from the rows."""
    coarse = all(label in ("page", "persona") for label, _ in threshold.where)
    return threshold.metric.name in CLOCKS and run.histograms is not None and coarse


def _estimate(run: Run, threshold: Threshold) -> Estimate:
    metric, where = threshold.metric, dict(threshold.where)
    if metric.source == "generator":
        assert run.manifest.generator is not None
        return Estimate(float(run.manifest.generator.dropped), run.manifest.generator.planned)
    if _from_histograms(run, threshold):
        assert run.histograms is not None
        merged = run.histograms.merged(CLOCKS[metric.name], where.get("page"), where.get("persona"))
        return _of_histogram(merged, threshold)
    found = sample(run, metric, where)
    if metric.kind == "share":
        return found.share()
    if threshold.q is not None:
        return found.quantiles((threshold.q,))[0]
    if threshold.aggregate == "mean":
        return found.mean(metric.least)
    extreme = np.min if threshold.aggregate == "min" else np.max
    return Estimate(float(extreme(found.values)), len(found.values)) if len(found.values) else NOTHING


def _of_histogram(histogram: Histogram, threshold: Threshold) -> Estimate:
    if threshold.q is not None:
        return histogram.estimate(threshold.q)
    if threshold.aggregate == "mean":
        return Estimate(histogram.mean_s(), histogram.n)
    return Estimate(histogram.percentile_s(0.0 if threshold.aggregate == "min" else 1.0), histogram.n)
