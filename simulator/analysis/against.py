"""Runs against baselines, and arms against control: the samples of both sides, ready to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.comparison import Change, Rules, Sides, changes
from simulator.analysis.grammar import parse_figures
from simulator.analysis.measuring import unmeasured
from simulator.analysis.metrics import METRICS, sample
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.figures import Figure
    from simulator.analysis.metrics import Sample
    from simulator.analysis.runs import Run

USUAL = (
    "engaged_time", "pages", "bounce", "conversion", "p75 of load_time", "p95 of load_time", "page_errors",
    "p50 of latency", "p95 of latency", "errors",
)  # fmt: skip
"""What is compared when nothing else is said."""


def usual_figures(run: Run) -> list[Figure]:
    """Return the figures of `USUAL` that a run of this world can tell."""
    return [one for one in parse_figures(USUAL) if run.manifest.world == "live" or not one.metric.live_only]


def against_runs(run: Run, others: Sequence[Run], figures: Sequence[Figure], rules: Rules) -> list[Change]:
    """Return the change of each figure from the mean of other runs to this one; every run can tell every figure."""
    sides = [Sides(one, _values(run, one), tuple(_values(other, one) for other in others)) for one in figures]
    seeds = [(one.manifest.seed, one.visits.integers("shopper")) for one in (run, *others)]
    return changes(sides, seeds, rules)


def against_control(run: Run, figure: Figure, rules: Rules) -> Change:
    """Return the change of a figure of an arm from control's."""
    where = {**dict(figure.where), "arm": CONTROL}
    control = sample(run, METRICS[figure.metric.name], where)
    seed = (run.manifest.seed, run.visits.integers("shopper"))
    return changes([Sides(figure, _values(run, figure), (control,))], [seed, seed], rules)[0]


def untold(runs: Sequence[Run], figure: Figure) -> str:
    """Return why one of the runs cannot tell a figure, or nothing."""
    if figure.metric.source == "requests" and any(run.requests is None for run in runs):
        return "is not measured: a run has no requests table"
    return next((reason for run in runs if (reason := unmeasured(run, figure))), "")


def _values(run: Run, figure: Figure) -> Sample:
    return sample(run, figure.metric, dict(figure.where))
