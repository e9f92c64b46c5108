"""A figure of a run: whether the run can tell it, and its value, sample size and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.estimates import NOTHING, Estimate
from simulator.analysis.metrics import labels_of, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.figures import Figure
    from simulator.analysis.latency import Clock, Histogram
    from simulator.analysis.metrics import Sample
    from simulator.analysis.runs import Run

CLOCKS: dict[str, Clock] = {"latency": "due", "service_time": "sent"}


def measure(run: Run, figure: Figure) -> Estimate:
    """Return a figure that `unmeasured` finds nothing against."""
    metric, where = figure.metric, dict(figure.where)
    if metric.source == "generator":
        assert run.manifest.generator is not None
        return Estimate(float(run.manifest.generator.dropped), run.manifest.generator.planned)
    if _from_histograms(run, figure):
        assert run.histograms is not None
        merged = run.histograms.merged(CLOCKS[metric.name], where.get("page"), where.get("persona"))
        return _of_histogram(merged, figure)
    return estimate_of(sample(run, metric, where), figure)


def estimate_of(found: Sample, figure: Figure) -> Estimate:
    """Return a figure of values that are at hand."""
    if figure.metric.kind == "share":
        return found.share()
    if figure.q is not None:
        return found.quantiles((figure.q,))[0]
    if figure.aggregate == "mean":
        return found.mean(figure.metric.least)
    extreme = np.min if figure.aggregate == "min" else np.max
    return Estimate(float(extreme(found.values)), len(found.values)) if len(found.values) else NOTHING


def unmeasured(run: Run, figure: Figure) -> str:
    """Return why this run cannot tell a figure, or nothing."""
    metric = figure.metric
    if metric.source == "generator" and run.manifest.generator is None:
        return "is not measured: the manifest has no generator section"
    if metric.source == "requests" and run.requests is None and not _from_histograms(run, figure):
        return "is not measured: the run has no requests table"
    for label, value in figure.where:
        names = _names(run, figure, label)
        if value not in names:
            return f"is not measured: the run has no {label}:{value}; there are {', '.join(names) or 'none'}"
    return ""


def _names(run: Run, figure: Figure, label: str) -> Sequence[str]:
    if label == "arm":
        return run.manifest.arms
    if _from_histograms(run, figure):
        assert run.histograms is not None
        labels = run.histograms.page if label == "page" else run.histograms.persona
    else:
        labels = labels_of(run, figure.metric.source, label)
    return list(labels.counts())


def _from_histograms(run: Run, figure: Figure) -> bool:
    """Latency by page and persona comes from the histograms, which hold every request; finer labels from the rows."""
    coarse = all(label in ("page", "persona") for label, _ in figure.where)
    return figure.metric.name in CLOCKS and run.histograms is not None and coarse


def _of_histogram(histogram: Histogram, figure: Figure) -> Estimate:
    if figure.q is not None:
        return histogram.estimate(figure.q)
    if figure.aggregate == "mean":
        return Estimate(histogram.mean_s(), histogram.n)
    return Estimate(histogram.percentile_s(0.0 if figure.aggregate == "min" else 1.0), histogram.n)
