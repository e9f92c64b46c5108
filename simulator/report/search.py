"""What a search for the highest rate leaves behind: a page, a text for a pull request, and JSON with all probes."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from simulator import __version__
from simulator.analysis.search import as_plain
from simulator.analysis.words import figure, seconds, tick
from simulator.report.drawings import FULL, HALF, twice
from simulator.report.html import environment, style
from simulator.report.markdown import escape
from simulator.report.rates import Tried, by_rate
from simulator.report.write import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from markupsafe import Markup

    from simulator.analysis.search import Found, Judged, Limits, Probe

FILES = ("report.html", "report.md", "search.json")
OUTCOMES = {"held": "held", "failed": "failed", "invalid": "generator gave up", "unjudged": "could not be judged"}
MARKS = {"held": "✅", "failed": "❌", "invalid": "⚠️", "unjudged": "⚠️"}
TONES = {"held": "passed", "failed": "failed", "invalid": "invalid", "unjudged": "invalid"}
HEIGHT = 250.0


@dataclass(frozen=True, slots=True)
class Searched:
    """A search: what was tried with which limits, of which scenario against which target, and what came out."""

    scenario: str
    describe: str
    host: str
    digest: str
    duration_s: float
    limits: Limits
    probes: Sequence[Probe]
    found: Found


def write_search(folder: Path, searched: Searched) -> None:
    """Write the three files. Raises `FileFaults` where the folder cannot take them."""
    texts = (search_html(searched), search_markdown(searched), search_json(searched))
    for name, text in zip(FILES, texts, strict=True):
        write_whole(folder / name, text)


def search_html(searched: Searched) -> str:
    """Return the page: the rate, how each threshold fared by rate, and every probe with its evidence."""
    context = {
        "style": style(),
        "version": __version__,
        "s": searched,
        "found": searched.found,
        "big": f"{searched.found.held_per_s:g}" if searched.found.held_per_s is not None else "none",
        "tone": _tone(searched.found),
        "outcomes": OUTCOMES,
        "tones": TONES,
        "panels": _panels(searched),
    }
    return environment().get_template("search.html.j2").render(context) + "\n"


def _tone(found: Found) -> str:
    return {0: "passed", 1: "failed"}.get(found.exit_code, "invalid")


def _panels(searched: Searched) -> list[tuple[str, Markup]]:
    """Return (threshold, drawing) of each threshold that has a figure."""
    made = []
    texts = dict.fromkeys(judged.text for probe in searched.probes for judged in probe.thresholds)
    for index, text in enumerate(texts):
        rows = [(probe, judged) for probe in searched.probes for judged in probe.thresholds if judged.text == text]
        if all(judged.value is None for _, judged in rows):
            continue
        tried = [Tried(p.rate_per_s, p.outcome, j.value, j.low, j.high, j.n) for p, j in rows]
        wide = FULL if len(texts) == 1 else HALF
        made.append((text, _panel(f"rates-{index}", text, tried, rows[0][1], searched.found.held_per_s, wide)))
    return made


def _panel(name: str, text: str, tried: list[Tried], judged: Judged, held_per_s: float | None, wide: float) -> Markup:
    def draw(part: str, width: float) -> Markup:
        return by_rate(
            part,
            f"{text} by rate of visits",
            tried,
            judged.limit,
            held_per_s=held_per_s,
            size=(width, HEIGHT),
            write=lambda value: tick(value, judged.kind),  # type: ignore[arg-type] # a metric's kind
        )

    return twice(name, wide, draw)


def search_markdown(searched: Searched) -> str:
    """Return the search in Markdown: the sentence, and a row for each probe."""
    rows = [
        f"| {index} | {probe.rate_per_s:g}/s | {MARKS[probe.outcome]} {OUTCOMES[probe.outcome]} "
        f"| {seconds(probe.latency_s[1])} | {probe.requests:,} | {probe.errors:,} | {escape(_why(probe))} |"
        for index, probe in enumerate(searched.probes, 1)
    ]
    held = searched.found.held_per_s
    rate = "no rate" if held is None else f"{held:g} visits a second"
    where = f"{escape(searched.scenario)}, {searched.duration_s:g} s a probe, {escape(searched.host)}."
    lines = [
        f"### {MARKS[_mark(searched.found)]} Footfall: {rate}",
        "",
        f"**{escape(searched.found.sentence)}** {where}",
        "",
        "| probe | visits | outcome | latency p95 | requests | errors | why |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"<sub>Footfall {__version__}, scenario digest `{escape(searched.digest[:12])}`</sub>",
    ]
    return "\n".join(lines) + "\n"


def _mark(found: Found) -> str:
    return {"passed": "held", "failed": "failed", "invalid": "invalid"}[_tone(found)]


def _why(probe: Probe) -> str:
    return "; ".join(probe.reasons) or probe.headline


def search_json(searched: Searched) -> str:
    """Return everything as JSON."""
    limits = {key: None if value == math.inf else value for key, value in asdict(searched.limits).items()}
    content = {
        "footfall": __version__,
        "scenario": searched.scenario,
        "digest": searched.digest,
        "host": searched.host,
        "duration_s": searched.duration_s,
        "limits": limits,
        "found": asdict(searched.found),
        "probes": [as_plain(probe) for probe in searched.probes],
    }
    return json.dumps(content, indent=2) + "\n"


def threshold_line(probe: Probe) -> str:
    """Return a probe in one line for a console: its first broken threshold, or its p95."""
    broken = next((judged for judged in probe.thresholds if judged.state not in ("passed", "not_judged")), None)
    if probe.outcome == "held" or broken is None:
        return f"latency p95 {figure(probe.latency_s[1], 'time')}, {probe.requests:,} requests"
    return broken.said if probe.outcome != "invalid" else _why(probe)
