"""summary.json: the figures of a report for programs, after the schema beside this file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from simulator.analysis.metrics import METRICS
from simulator.analysis.settings import settings_digest
from simulator.report.basis import ground

if TYPE_CHECKING:
    from simulator.analysis.estimates import Estimate
    from simulator.analysis.failures import Failures
    from simulator.analysis.findings import Clocked, Findings
    from simulator.analysis.loadtime import Cell
    from simulator.analysis.thresholds import Result
    from simulator.analysis.verdict import Verdict
    from simulator.analysis.visits import Group
    from simulator.analysis.words import Kind

SCHEMA = "urn:footfall:summary:1"
"""Names the shape; it changes when a field changes its meaning or goes."""
UNITS: dict[Kind, str] = {
    "share": "share", "time": "s", "count": "count", "total": "count", "change": "change", "points": "share",
}  # fmt: skip
"""The unit of each kind of figure; a `change` is in parts of what it is compared with."""
RUN = {
    "footfall", "world", "name", "seed", "digest", "reference", "versions", "arms", "interrupted", "aborted",
    "permission",
}  # fmt: skip
"""What is said of the manifest as it stands."""
DIGITS = 9
"""Significant digits of a figure."""


def summary(findings: Findings, verdict: Verdict) -> dict[str, Any]:
    """Return the summary of a run; times are in seconds, shares between 0 and 1, unknown figures null."""
    manifest = findings.run.manifest
    return {
        "$schema": SCHEMA,
        "run": {**manifest.model_dump(include=RUN), "settings_digest": settings_digest(manifest)},
        "verdict": {
            "state": verdict.state,
            "exit_code": verdict.exit_code,
            "headline": verdict.headline,
            "reasons": list(verdict.reasons),
        },
        "thresholds": [_threshold(result) for result in verdict.results],
        "visits": _visits(findings),
        "load_time": _load_time(findings),
        "speed": _speed(findings),
        "arms": _arms(findings),
        "arrivals": _arrivals(findings),
        "latency": _latency(findings),
        "errors": _errors(findings),
        "generator": manifest.generator.model_dump() if manifest.generator else None,
        "probes": manifest.probes.model_dump() if manifest.probes else None,
        "backend": {"basis": "modelled", **manifest.backend} if manifest.backend else None,
        "assumed": manifest.assumed,
        "measured": manifest.measured,
    }


def summary_text(findings: Findings, verdict: Verdict) -> str:
    """Return the summary as JSON text; the same run gives the same text."""
    return json.dumps(rounded(summary(findings, verdict)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with its figures rounded, and null for what is no number."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return asdict(estimate)


def _threshold(result: Result) -> dict[str, Any]:
    threshold = result.threshold
    return {
        "text": threshold.text,
        "state": result.state,
        "close": result.close,
        "metric": threshold.metric.name,
        "unit": UNITS[threshold.kind],
        "aggregate": threshold.figure.aggregate,
        "labels": dict(threshold.figure.where),
        "versus": str(threshold.versus).removeprefix("vs ") if threshold.versus else None,
        "window_s": threshold.window_s,
        "abort": threshold.abort,
        "operator": threshold.operator,
        "limit": threshold.limit,
        **_estimate(result.estimate),
        "sentence": result.text,
    }


def _visits(findings: Findings) -> dict[str, Any]:
    return {
        "basis": ground(findings, "behaviour").basis,
        "of_arm": findings.run.base_arm,
        "beyond": findings.beyond,
        "all": _group(findings.whole),
        "lengths": {
            one.metric: {
                "unit": "count" if METRICS[one.metric].kind == "count" else "s",
                "mean": _estimate(one.mean),
                "median": one.median,
                "p90": one.p90,
            }
            for one in findings.lengths
        },
        "funnel": [
            {
                "step": step.name,
                "visits": step.visits,
                "of_all": _estimate(step.of_all),
                "of_previous": _estimate(step.of_previous),
            }
            for step in findings.funnel
        ],
        "by": {label: {group.name: _group(group) for group in groups} for label, groups in findings.by.items()},
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "visits": group.visits,
        "shoppers": group.shoppers,
        "ongoing": group.ongoing,
        "metrics": {name: _estimate(estimate) for name, estimate in group.metrics.items()},
        "causes": {name: _estimate(estimate) for name, estimate in group.causes.items()},
    }


def _load_time(findings: Findings) -> dict[str, Any]:
    return {
        "basis": ground(findings, "load_time").basis,
        "measured_share": findings.measured_share,
        "of_arm": findings.run.base_arm,
        "all": _cell(findings.load_whole),
        **{f"by_{labels}": [_cell(cell) for cell in cells] for labels, cells in findings.load_by.items()},
    }


def _cell(cell: Cell) -> dict[str, Any]:
    quantiles = {name: _estimate(estimate) for name, estimate in cell.quantiles.items()}
    return {**cell.where, "n": cell.n, "unseen": cell.unseen, "quantiles": quantiles}


def _speed(findings: Findings) -> dict[str, Any]:
    return {
        "basis": ground(findings, "behaviour").basis,
        "design": "observed association by landing load time, simulated shoppers",
        "unseen": findings.speed.unseen,
        "bins": [
            {
                "from_s": found.low_s,
                "to_s": found.high_s,
                "visits": found.visits,
                "enough": found.enough,
                "median_s": found.middle_s,
                "metrics": {name: _estimate(estimate) for name, estimate in found.metrics.items()},
            }
            for found in findings.speed.bins
        ],
    }


def _arms(findings: Findings) -> list[dict[str, Any]]:
    return [
        {
            "arm": effect.arm,
            "metric": effect.metric,
            "control": effect.control,
            "treated": effect.treated,
            "difference": _estimate(effect.difference),
            "paired": effect.paired,
        }
        for effect in findings.effects
    ]


def _arrivals(findings: Findings) -> dict[str, Any] | None:
    found = findings.arrivals
    if found is None:
        return None
    return {
        "basis": "measured",
        "planned": found.total_planned,
        "started": found.total_started,
        "dropped": found.dropped,
        "width_s": found.width_s,
        "planned_by_time": [int(count) for count in found.planned],
        "started_by_time": [int(count) for count in found.started],
    }


def _latency(findings: Findings) -> dict[str, Any] | None:
    if not findings.latency:
        return None
    parts = {
        part: {one.name: {"due": _clocked(one.due), "sent": _clocked(one.sent)} for one in rows}
        for part, rows in findings.latency.items()
    }
    return {"basis": "measured", "all": parts["all"]["all"], "by_page": parts["page"], "by_persona": parts["persona"]}


def _clocked(found: Clocked) -> dict[str, Any]:
    quantiles = {name: _estimate(estimate) for name, estimate in found.quantiles.items()}
    return {"n": found.n, "quantiles": quantiles, "max_s": found.max_s}


def _errors(findings: Findings) -> dict[str, Any] | None:
    if findings.failures is None:
        return None
    return {
        "basis": "measured",
        "all": _failures(findings.failures),
        "by_operation": {one.operation: _failures(one) for one in findings.failures_by},
    }


def _failures(one: Failures) -> dict[str, Any]:
    return {"requests": one.requests, "failed": _estimate(one.failed), "kinds": one.kinds, "abandoned": one.abandoned}
