"""report.html: one file that needs nothing else, drawn on the server, readable on a phone, light and dark."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from simulator.analysis.caveats import caveats
from simulator.analysis.metrics import LEAVING, METRICS
from simulator.analysis.words import counted, difference, figure, interval, number, seconds
from simulator.model.schema import TECHNOLOGIES
from simulator.report.backend import stations
from simulator.report.basis import WORLDS, ground
from simulator.report.drawings import ENOUGH, bin_label, drawings, threshold_gauge
from simulator.report.glossary import CAUSE_NAMES, METRIC_NAMES, TERMS
from simulator.report.personal import personal_drawings
from simulator.report.runcard import facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.findings import Findings
    from simulator.analysis.loadtime import Cell
    from simulator.analysis.speed import Bin
    from simulator.analysis.verdict import Verdict

TEMPLATES = Path(__file__).parent / "templates"
GROUPED = {
    "network": "network",
    "tier": "device tier",
    "os": "operating system",
    "situation": "situation",
    "country": "country",
}
"""Labels that get a table of their own besides personas, and their titles."""
STATES = {"passed": "Passed", "failed": "Failed", "invalid": "Invalid"}
RESULTS = {
    "passed": "held",
    "failed": "broke",
    "too_few": "too few",
    "not_measured": "not measured",
    "not_judged": "not judged",
}


def html_text(findings: Findings, verdict: Verdict) -> str:
    """Return the report as one HTML document; the same run gives the same text."""
    return environment().get_template("report.html.j2").render(_context(findings, verdict)) + "\n"


def environment() -> Environment:
    """Return what renders templates: everything escaped, nothing undefined, figures written as everywhere."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "figure": figure,
        "seconds": seconds,
        "difference": difference,
        "span": _span,
        "whole": lambda n: number(n, 0),
    }
    made.globals |= {"counted": counted, "bin_label": bin_label}
    return made


def style() -> Markup:
    """Return the style of every page."""
    return Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - the project's own file


def _span(estimate: Estimate, kind: str) -> str:
    return interval(estimate.low, estimate.high, kind)  # type: ignore[arg-type] # templates pass a metric's kind


def _context(findings: Findings, verdict: Verdict) -> dict[str, Any]:
    manifest = findings.run.manifest
    return {
        "style": style(),
        "f": findings,
        "caveats": caveats(manifest),
        "m": manifest,
        "v": verdict,
        "state": STATES[verdict.state],
        "results": [
            (result, RESULTS[result.state], threshold_gauge(result, i)) for i, result in enumerate(verdict.results)
        ],
        "world": WORLDS[manifest.world],
        "ground": {name: ground(findings, name) for name in ("behaviour", "load_time", "requests", "backend")},
        "d": drawings(findings) | personal_drawings(manifest.probes, findings.shown_over_time),
        "heat": heat(findings.load_by["page_network"]),
        "kinds": {name: metric.kind for name, metric in METRICS.items()},
        "metric_names": METRIC_NAMES,
        "meanings": {name: metric.meaning for name, metric in METRICS.items()},
        "causes": [(cause, CAUSE_NAMES[cause]) for cause in LEAVING],
        "grouped": GROUPED,
        "stations": stations(manifest.backend),
        "contrast": (ends := contrast(findings.speed.bins)),
        "overlap": ends is not None and overlap(ends[0].metrics["engaged_time"], ends[1].metrics["engaged_time"]),
        "load_of_persona": {cell.where["persona"]: cell for cell in findings.load_by["persona"]},
        "most_p95": most(findings.load_by["page_network_persona"]),
        "facts": facts(findings),
        "enough": ENOUGH,
        "terms": TERMS,
    }


def heat(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return a table of p75 load times by page and network, each with a level: 0 fastest, 1 slowest, logarithmic."""
    known = [value for cell in cells if (value := cell.quantiles["p75"].value)]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    columns = sorted(dict.fromkeys(cell.where["network"] for cell in cells), key=TECHNOLOGIES.index)
    found = {(cell.where["page"], cell.where["network"]): cell for cell in cells}

    def level(cell: Cell | None) -> float:
        value = cell.quantiles["p75"].value if cell else None
        return math.log(value / low) / math.log(high / low) if value and high > low else 0.0

    rows = {
        name: [(found.get((name, other)), f"{level(found.get((name, other))):.2f}") for other in columns]
        for name in dict.fromkeys(cell.where["page"] for cell in cells)
    }
    return {"columns": columns, "rows": rows}


def most(cells: Sequence[Cell]) -> float:
    """Return the largest p95 of the cells, for bars beside them."""
    return max((cell.quantiles["p95"].value or 0.0 for cell in cells), default=0.0) or 1.0


def contrast(bins: Sequence[Bin]) -> tuple[Bin, Bin] | None:
    """Return the fastest and the slowest bin with enough visits, or None when there are not two."""
    solid = [found for found in bins if found.enough]
    return (solid[0], solid[-1]) if len(solid) > 1 else None


def overlap(one: Estimate, other: Estimate) -> bool:
    """Return whether two intervals have a value in common; an unknown end reaches everywhere."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return True
    return one.low <= other.high and other.low <= one.high
