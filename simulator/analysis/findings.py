"""Everything a report shows of a run, computed once; HTML, Markdown, JUnit and JSON are four ways to write it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.analysis import arms, failures, loadtime, personal, speed, visits
from simulator.analysis.arrivals import Arrivals, per_stretch
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from simulator.analysis.estimates import Estimate
    from simulator.analysis.failures import Failures
    from simulator.analysis.latency import Histogram
    from simulator.analysis.runs import Run

LATENCY_QUANTILES: dict[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Clocked:
    """Requests on one clock: count, quantiles and maximum in seconds."""

    n: int
    quantiles: dict[str, Estimate]
    max_s: float | None


@dataclass(frozen=True, slots=True)
class Latency:
    """The requests of one page or persona (or `all`) from when they were due and from when they were sent."""

    name: str
    due: Clocked
    sent: Clocked


@dataclass(frozen=True)
class Findings:
    """What a run came to. Figures of visits and pages are control's where there are several arms.

    `beyond` is the share of visits that were too long for the run to see.
    """

    run: Run
    whole: visits.Group
    lengths: list[visits.Spread]
    funnel: list[visits.Step]
    by: dict[str, list[visits.Group]]
    load_whole: loadtime.Cell
    load_by: dict[str, list[loadtime.Cell]]
    measured_share: float | None
    beyond: float
    speed: speed.Speed
    effects: list[arms.Effect]
    arrivals: Arrivals | None
    latency: dict[str, list[Latency]]
    failures: Failures | None
    failures_by: list[Failures]
    shown: list[personal.Operation]
    shown_over_time: list[personal.Moment]


def examine(run: Run) -> Findings:
    """Return the findings of a run."""
    return Findings(
        run=run,
        whole=visits.group(run, "all"),
        lengths=visits.lengths(run),
        funnel=visits.funnel(run),
        by=visits.all_groups(run),
        load_whole=loadtime.cell(run, {}, loadtime.STRIP),
        load_by={
            "page": loadtime.by(run, "page", wanted=loadtime.STRIP),
            "network": loadtime.by(run, "network", wanted=loadtime.STRIP),
            "persona": loadtime.by(run, "persona", wanted=loadtime.STRIP),
            "page_network": loadtime.by(run, "page", "network"),
            "page_network_persona": loadtime.by(run, "page", "network", "persona"),
        },
        measured_share=loadtime.measured_share(run),
        beyond=_beyond(run),
        speed=speed.by_landing(run),
        effects=arms.effects(run),
        arrivals=per_stretch(run),
        latency=_latency(run),
        failures=failures.overall(run),
        failures_by=failures.by_operation(run),
        shown=personal.by_operation(run),
        shown_over_time=personal.over_time(run),
    )


def _beyond(run: Run) -> float:
    """Return the share of visits that were cut and that no longer one of the run can stand in for."""
    weights = run.visit_weights
    return float(weights[~run.finished].sum() / weights.sum()) if len(weights) else 0.0


def _latency(run: Run) -> dict[str, list[Latency]]:
    """Return both clocks of all requests, of each page and of each persona; empty where nothing was recorded."""
    found = run.histograms
    if found is None:
        return {}
    pages = [name for name in STATE_NAMES if name in found.page.counts()]
    return {
        "all": [Latency("all", _clocked(found.merged("due")), _clocked(found.merged("sent")))],
        "page": [Latency(n, _clocked(found.merged("due", n)), _clocked(found.merged("sent", n))) for n in pages],
        "persona": [
            Latency(n, _clocked(found.merged("due", None, n)), _clocked(found.merged("sent", None, n)))
            for n in loadtime.names(run, "persona")
        ],
    }


def _clocked(histogram: Histogram) -> Clocked:
    quantiles = {name: histogram.estimate(q) for name, q in LATENCY_QUANTILES.items()}
    return Clocked(histogram.n, quantiles, histogram.percentile_s(1.0))
