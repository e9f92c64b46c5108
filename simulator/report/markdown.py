"""report.md: the verdict and the key figures, short enough for a pull request's comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulator.analysis.caveats import caveats
from simulator.analysis.metrics import METRICS
from simulator.analysis.words import figure, interval, seconds
from simulator.report.basis import WORLDS, ground
from simulator.report.glossary import METRIC_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.findings import Findings
    from simulator.analysis.manifest import Found, Probed
    from simulator.analysis.thresholds import Result
    from simulator.analysis.verdict import Verdict
    from simulator.analysis.words import Kind

MARKS = {"passed": "✅", "failed": "❌", "invalid": "⚠️", "too_few": "❌", "not_measured": "❌", "not_judged": "⏭️"}


def markdown_text(findings: Findings, verdict: Verdict) -> str:
    """Return the report in Markdown (GitHub's), names of the run escaped."""
    manifest = findings.run.manifest
    who = f"{findings.whole.visits:,} visits by {findings.whole.shoppers:,} shoppers, seed {manifest.seed}"
    lines = [
        f"### {MARKS[verdict.state]} Footfall: {verdict.state}",
        "",
        f"**{verdict.headline}** {escape(manifest.name)}: {who}. {WORLDS[manifest.world]}",
        "",
        *_unfit(verdict),
        *_thresholds(verdict.results),
        *_probes(manifest.probes),
        *_figures(findings),
        *_cut(findings),
        *(f"{escape(caveat)}\n" for caveat in caveats(manifest)),
        *_pages(findings),
        f"{ground(findings, 'behaviour').why} Simulated shoppers are no evidence about real ones.",
        "",
        f"<sub>Footfall {escape(manifest.footfall)}, scenario digest `{escape(manifest.digest[:12])}`</sub>",
    ]
    return "\n".join(lines) + "\n"


def escape(words: str) -> str:
    """Return words that Markdown shows as they are: no markup, no table cell's end, no HTML, no mention of people."""
    flat = " ".join(words.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~])", r"\\\1", flat).replace("@", "@\u200b")


def _cut(findings: Findings) -> list[str]:
    whole = findings.whole
    if not whole.ongoing:
        return []
    beyond = f"; {figure(findings.beyond, 'share')} were longer than the run could see" if findings.beyond > 0 else ""
    return [f"{whole.ongoing:,} of {whole.visits:,} visits were still going on when the run ended{beyond}.", ""]


def _unfit(verdict: Verdict) -> list[str]:
    broken = {result.text for result in verdict.results}
    reasons = [f"- {escape(reason)}" for reason in verdict.reasons if reason not in broken]
    return [*reasons, ""] if reasons else []


def _thresholds(results: Iterable[Result]) -> list[str]:
    rows = [
        f"| {MARKS[one.state]} | <code>{escape(one.threshold.text)}</code> | {_value(one)} | {one.estimate.n:,} |"
        for one in results
    ]
    return ["| | threshold | value (95 % interval) | n |", "|---|---|---|---:|", *rows, ""] if rows else []


def _probes(probed: Probed | None) -> list[str]:
    """Return the hazards that were found, and in a line how many held and how many could not be judged."""
    if probed is None or not probed.findings:
        return []
    rows = [
        f"| ❌ | {found.code} {escape(found.name)} | {escape(found.says)} | {_times(found)} | "
        f"{escape(', '.join(found.operations))} |"
        for found in probed.blamed
    ]
    head = ["| | hazard found | due | violated | where |", "|---|---|---|---|---|"]
    table = [*head, *rows, ""] if rows else []
    held = sum(found.state == "held" for found in probed.findings)
    unseen = sum(found.state == "not observable" for found in probed.findings)
    asked = f"{probed.requests:,} requests of their own"
    return [*table, f"Probes: {held} hazards held, {len(rows)} found, {unseen} not observable; {asked}.", ""]


def _times(found: Found) -> str:
    return f"{found.violated:,} of {found.checked:,}"


def _value(result: Result) -> str:
    if result.state in ("too_few", "not_measured", "not_judged"):
        return escape(result.text)
    return f"{_with(result.estimate, result.threshold.kind)}{', close call' if result.close else ''}"


def _pages(findings: Findings) -> list[str]:
    """Return load time by page, folded away: whoever asks which page it was need not open the report."""
    rows = [
        f"| {escape(cell.where['page'])} | {seconds(cell.quantiles['p50'].value)} | "
        f"{seconds(cell.quantiles['p75'].value)} | {seconds(cell.quantiles['p95'].value)} | {cell.n:,} |"
        for cell in findings.load_by["page"]
    ]
    if not rows:
        return []
    head = ["| page | load time p50 | p75 | p95 | n |", "|---|---:|---:|---:|---:|"]
    return ["<details><summary>Load time by page</summary>", "", *head, *rows, "", "</details>", ""]


def _with(estimate: Estimate, kind: Kind) -> str:
    span = interval(estimate.low, estimate.high, kind)
    return f"{figure(estimate.value, kind)}{f' ({span})' if span else ''}"


def _figures(findings: Findings) -> list[str]:
    rows = [
        (METRIC_NAMES[name], _with(findings.whole.metrics[name], METRICS[name].kind), "modelled")
        for name in ("engaged_time", "wall_time", "pages", "ga_time", "bounce", "conversion")
    ]
    load = findings.load_whole.quantiles
    quantiles = f"{seconds(load['p50'].value)} · {seconds(load['p95'].value)}"
    rows.append(("Load time p50 · p95", quantiles, ground(findings, "load_time").basis))
    if findings.latency:
        due = findings.latency["all"][0].due.quantiles
        quantiles = f"{seconds(due['p50'].value)} · {seconds(due['p95'].value)} · {seconds(due['p99'].value)}"
        rows.append(("Latency p50 · p95 · p99", quantiles, "measured"))
    if findings.failures is not None:
        rows.append(("Failed requests", _with(findings.failures.failed, "share"), "measured"))
    return ["| figure | value | basis |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows), ""]
