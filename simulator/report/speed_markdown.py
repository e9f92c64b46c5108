"""speed.md: the speed report's answer and its tables, short enough for a comment on a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.words import figure, interval, seconds
from simulator.report import speed_words as words
from simulator.report.markdown import MARKS, escape
from simulator.study.speed_findings import HEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.analysis.estimates import Estimate
    from simulator.study.speed_findings import Judged, SpeedFindings


def speed_markdown(judged: Judged) -> str:
    """Return the report in Markdown (GitHub's), names of the run escaped."""
    f, verdict = judged.findings, judged.verdict
    lines = [
        f"### Footfall: {escape(''.join(words.headline(f)))}",
        "",
        f"**{escape(words.sure(f))}** {escape(words.basis_sentence(f))}",
        "",
        *([f"⚠️ {escape(verdict.headline)}", ""] if verdict.state == "invalid" else []),
        *_answer(f),
        *_flips(f),
        *_thresholds(judged),
        *_spend(f),
        "Simulated shoppers are no evidence about real ones. A chart by load time is an observation; arms tell cause.",
        "",
        f"<sub>{escape(f.title)}, behaviour {escape(f.behaviour)}: {verdict.headline}</sub>",
    ]
    return "\n".join(lines) + "\n"


def _with(estimate: Estimate) -> str:
    span = interval(estimate.low, estimate.high, "change")
    return f"{figure(estimate.value, 'change')}{f' ({span})' if span else ''}"


def _answer(f: SpeedFindings) -> list[str]:
    near = (
        next((a for a in f.arms.arms if a.relative and f.conclusions and a.delay_s == f.conclusions[0].delay_s), None)
        if f.arms
        else None
    )
    if near is None or f.arms is None:
        return []
    title = f.arms.titles.get(near.name, near.name)
    rows = [f"| metric | {escape(title)} on every page (95 % interval) | seen by landing, a second |", "|---|---|---|"]
    for name in HEADLINE:
        if name in near.relative:
            seen = f.landing.slope.get(name) if f.landing is not None else None
            rows.append(f"| {words.NAMES[name]} | {_with(near.relative[name])} | {_with(seen) if seen else '–'} |")
    return [*rows, "", f"n = {near.visits:,} visits; {f.arms.design}; marks: {f.basis['experiment']}.", ""]


def _flips(f: SpeedFindings) -> Iterator[str]:
    told = words.flips(f)
    if told:
        yield "<details><summary>Does a conclusion turn over under other assumptions?</summary>"
        yield ""
        yield from (f"- {escape(line)}" for line in told)
        yield from ("", "</details>", "")


def _thresholds(judged: Judged) -> list[str]:
    rows = [
        f"| {MARKS[one.state]} | <code>{escape(one.threshold.text)}</code> | {escape(one.text)} |"
        for one in judged.verdict.results
    ]
    return ["| | threshold | |", "|---|---|---|", *rows, ""] if rows else []


def _spend(f: SpeedFindings) -> list[str]:
    """Return the three pages on which the largest saving is worth most."""
    most = max((one.saved_s for one in f.savings), default=0.0)
    best = [one for one in f.savings if one.saved_s == most][:3]
    if not best:
        return []
    head = [f"| {seconds(most)} less on | engaged time | conversion |", "|---|---|---|"]
    rows = [
        f"| {one.page} | {_with(one.relative['engaged_time'])} | {_with(one.relative['conversion'])} |" for one in best
    ]
    return [*head, *rows, ""]
