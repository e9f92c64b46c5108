"""A comparison for people and programs: one sentence a figure, Markdown, and JSON after the schema beside this file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from simulator.analysis.comparison import FLOOR_RUNS
from simulator.analysis.settings import settings_digest
from simulator.analysis.words import counted, difference, figure, interval
from simulator.report.markdown import escape
from simulator.report.summary import UNITS, rounded

if TYPE_CHECKING:
    from simulator.analysis.comparison import Change, Rules
    from simulator.analysis.manifest import Manifest

SCHEMA = "urn:footfall:comparison:1"
"""Names the shape; it changes when a field changes its meaning or goes."""
OUTCOMES = {
    "worse": "worse",
    "better": "better",
    "changed": "changed",
    "unproven": "differs, but too few runs tell how much runs differ anyway",
    "same": "shown to be no different",
    "not_shown": "no difference shown",
    "too_few": "too few to compare",
}
MARKS = {
    "worse": "❌",
    "better": "✅",
    "changed": "↔️",
    "unproven": "⚠️",
    "same": "✅",
    "not_shown": "⚪",
    "too_few": "⚠️",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against the runs of a baseline; `skipped` are figures that one of them cannot tell, with the reason."""

    run: Manifest
    baseline: str
    others: tuple[Manifest, ...]
    rules: Rules
    changes: tuple[Change, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def worse(self) -> int:
        """How many figures are worse."""
        return sum(change.outcome == "worse" for change in self.changes)

    @property
    def headline(self) -> str:
        """One sentence on the whole."""
        runs = counted(len(self.others), "run")
        told = f"{self.worse} of {counted(len(self.changes), 'figure')} {'is' if self.worse == 1 else 'are'} worse"
        none = f"None of {counted(len(self.changes), 'figure')} is shown to be worse"
        unproven = sum(change.outcome == "unproven" for change in self.changes)
        more = (
            f" {counted(unproven, 'figure')} differ{'s' if unproven == 1 else ''}, but {NO_FLOOR}." if unproven else ""
        )
        return f"{told if self.worse else none} than baseline {self.baseline} ({runs}).{more}"


def sentence(change: Change) -> str:
    """Return what became of one figure, so that it can stand alone in a log."""
    kind = change.figure.metric.kind
    values = f"{figure(change.before, kind)} → {figure(change.after, kind)}"
    if change.outcome == "too_few":
        return f"{change.figure}: {values}; {counted(change.change.n, 'value')}, too few to compare"
    floor = f"; runs differ by ±{figure(change.floor, 'share')} anyway" if change.floor is not None else ""
    return f"{change.figure}: {values}, {_change(change)} (n = {change.change.n:,}){floor}: {OUTCOMES[change.outcome]}"


def _change(change: Change) -> str:
    found, kind = change.change, change.figure.metric.kind
    if found.value is None:
        found = change.difference
        span = (difference(end, kind) for end in (found.low, found.high) if end is not None)
        ends = " to ".join(span)
        return f"{difference(found.value, kind)}{f' ({ends})' if ends else ''}"
    span_of = interval(found.low, found.high, "change")
    return f"{figure(found.value, 'change')}{f' ({span_of})' if span_of else ''}"


def cells(change: Change) -> tuple[str, ...]:
    """Return a table's row: figure, before, after, change with interval, noise floor, q, n, outcome."""
    kind = change.figure.metric.kind
    return (
        str(change.figure),
        figure(change.before, kind),
        figure(change.after, kind),
        _change(change) if change.outcome != "too_few" else "–",
        f"±{figure(change.floor, 'share')}" if change.floor is not None else "–",
        f"{change.q:.3f}" if change.q is not None else "–",
        f"{change.change.n:,}",
        "unproven" if change.outcome == "unproven" else OUTCOMES[change.outcome],
    )


NO_FLOOR = f"how much runs differ anyway is not known before {FLOOR_RUNS} are saved"
HEAD = ("figure", "baseline", "run", "change (95 %)", "noise floor", "q", "n", "")


def comparison_markdown(found: Comparison) -> str:
    """Return the comparison in Markdown (GitHub's), names escaped."""
    rows = [
        f"| {MARKS[change.outcome]} | {' | '.join(escape(cell) for cell in cells(change))} |"
        for change in found.changes
    ]
    lines = [
        f"### {'❌' if found.worse else '✅'} Footfall against {escape(found.baseline)}",
        "",
        f"**{escape(found.headline)}** {_how(found)}",
        "",
        f"| | {' | '.join(HEAD)} |",
        "|---|---|---:|---:|---|---|---:|---:|---|",
        *rows,
        "",
        *(f"- {escape(name)} {escape(reason)}" for name, reason in found.skipped),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _how(found: Comparison) -> str:
    margin, rate = figure(found.rules.margin, "share"), figure(found.rules.error_rate, "share")
    return (
        f"Worse and better are told with at most {rate} false among them (Benjamini and Hochberg); "
        f"within ±{margin} a figure counts as no different."
    )


def comparison(found: Comparison) -> dict[str, Any]:
    """Return the comparison for programs; changes are in parts of 1, other figures in the unit they name."""
    return {
        "$schema": SCHEMA,
        "run": _run(found.run),
        "baseline": {"name": found.baseline, "runs": [_run(other) for other in found.others]},
        "settings_digest": settings_digest(found.run),
        "rules": asdict(found.rules),
        "worse": found.worse,
        "exit_code": int(found.worse > 0),
        "headline": found.headline,
        "figures": [_figure(change) for change in found.changes],
        "skipped": [{"figure": name, "reason": reason} for name, reason in found.skipped],
    }


def comparison_text(found: Comparison) -> str:
    """Return the comparison as JSON text; the same runs give the same text."""
    return json.dumps(rounded(comparison(found)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _run(manifest: Manifest) -> dict[str, Any]:
    return manifest.model_dump(include={"footfall", "world", "name", "seed", "digest", "host"})


def _figure(change: Change) -> dict[str, Any]:
    metric = change.figure.metric
    return {
        "figure": str(change.figure),
        "metric": metric.name,
        "unit": UNITS[metric.kind],
        "better": metric.better,
        "before": change.before,
        "after": change.after,
        "change": asdict(change.change),
        "difference": asdict(change.difference),
        "noise_floor": change.floor,
        "p": change.p,
        "q": change.q,
        "outcome": change.outcome,
        "sentence": sentence(change),
    }
