"""The drawings of a report, each twice: one for a desktop and one for a phone, of which the style shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from simulator.analysis.estimates import Estimate
from simulator.analysis.metrics import LEAVING, METRICS
from simulator.analysis.words import figure, tick
from simulator.report.curves import Station, Tone, arrivals, curve, gauge, spark
from simulator.report.glossary import CAUSE_NAMES, METRIC_NAMES
from simulator.report.rows import Pair, Point, Stack, Strip, pairs, points, stacks, strips
from simulator.report.svg import tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.analysis.findings import Findings
    from simulator.analysis.loadtime import Cell
    from simulator.analysis.speed import Bin
    from simulator.analysis.thresholds import Result
    from simulator.analysis.visits import Group, Spread
    from simulator.analysis.words import Kind

PHONE, HALF, FULL = 326.0, 490.0, 1000.0
"""Widths of a drawing at scale 1: on a phone, and in half or the whole of a desktop's column."""
ENOUGH = 30


def twice(name: str, wide: float, draw: Callable[[str, float], Markup]) -> Markup:
    """Return a drawing for a desktop and one for a phone."""
    return tag("div", draw(f"{name}-wide", wide), class_="wide") + tag(
        "div", draw(f"{name}-narrow", PHONE), class_="narrow"
    )


def drawings(findings: Findings) -> dict[str, Markup]:
    """Return every drawing of the page by name; those that the run has no data for are missing."""
    made = {
        "causes": _causes(findings),
        "bounce_by_persona": _by_persona(findings, "bounce"),
        "engaged_by_persona": _by_persona(findings, "engaged_time"),
        **{f"spread_{spread.metric}": _spread(spread) for spread in findings.lengths},
        **{f"load_by_{label}": _load(findings, label) for label in ("page", "network", "persona")},
        **{
            f"speed_{metric}": _speed(findings, metric)
            for metric in ("engaged_time", "pages", "bounce", "wall_time", "ga_time")
        },
        **{
            f"effect_{metric}": _effect(findings, metric)
            for metric in {effect.metric: 0 for effect in findings.effects}
        },
    }
    if findings.arrivals is not None:
        made["arrivals"] = _arrivals(findings)
    if findings.latency.get("page"):
        made |= {f"latency_{q}": _latency(findings, q) for q in ("p50", "p95", "p99")}
    return made


def threshold_gauge(result: Result, index: int) -> Markup:
    """Return the gauge of one threshold; nothing where there is no figure, a limit of 0, or a change."""
    if result.estimate.value is None or result.threshold.limit <= 0 or result.threshold.versus is not None:
        return Markup("")
    below = result.threshold.operator.startswith("<")
    limit = result.threshold.limit
    tone: Tone = "good" if result.ok else "faint" if result.state == "too_few" else "bad"
    return gauge(f"gauge-{index}", result.text, result.estimate, limit, below=below, tone=tone)


def writer(kind: Kind) -> Callable[[float | None], str]:
    """Return how an axis and its figures are written."""
    return lambda value: tick(value, kind)


def _causes(findings: Findings) -> Markup:
    rows = [_stack(findings.whole, "all visits"), *(_stack(group, group.name) for group in findings.by["persona"])]
    title = "Causes of leaving, all visits and by persona"
    return twice(
        "causes",
        FULL,
        lambda name, width: stacks(name, title, rows, width, lambda share: tick(round(share, 3), "share")),
    )


def _stack(group: Group, name: str) -> Stack:
    shares = [(f"cause-{cause}", CAUSE_NAMES[cause], group.causes[cause].value or 0.0) for cause in LEAVING]
    return Stack(name, group.visits, shares)


def _by_persona(findings: Findings, metric: str) -> Markup:
    rows = [Point(g.name, g.metrics[metric], faint=g.visits < ENOUGH) for g in findings.by["persona"]]
    title, write = f"{METRIC_NAMES[metric]} by persona with 95 % intervals", writer(METRICS[metric].kind)
    return twice(f"{metric}-by-persona", HALF, lambda name, width: points(name, title, rows, width, write))


def _spread(spread: Spread) -> Markup:
    kind = METRICS[spread.metric].kind
    name = METRIC_NAMES[spread.metric]
    low, high = spread.span
    said = f"up to {figure(high, kind)}; mean {figure(spread.mean.value, kind)}"
    marks = [((spread.mean.value - low) / (high - low), "mark")] if spread.mean.value is not None else []
    return spark(f"spread-{spread.metric}", f"How {name.lower()} spreads over visits", spread.counts, said, marks)


def _load(findings: Findings, label: str) -> Markup:
    rows = [_strip(cell, cell.where[label]) for cell in findings.load_by[label]]
    title, write = f"Load time by {label}: p5, p25, p50, p75, p95 and p99", writer("time")
    width = FULL if label == "page" else HALF
    return twice(f"load-by-{label}", width, lambda name, width: strips(name, title, rows, width, write))


def _strip(cell: Cell, name: str) -> Strip:
    return Strip(name, cell.n, {q: e.value for q, e in cell.quantiles.items()}, faint=cell.n < ENOUGH)


def bin_label(found: Bin) -> str:
    """Return a bin's seconds, as `2–3` or `15+`."""
    return f"{found.low_s:g}+" if found.high_s == float("inf") else f"{found.low_s:g}\u2013{found.high_s:g}"


def _speed(findings: Findings, metric: str) -> Markup:
    stations = [Station(bin_label(b), b.metrics[metric], b.enough) for b in findings.speed.bins]
    title, write = f"{METRIC_NAMES[metric]} by landing load time in seconds", writer(METRICS[metric].kind)
    class_ = "c2" if metric == "bounce" else "c1"
    return twice(
        f"speed-{metric}",
        HALF,
        lambda name, width: curve(name, title, stations, size=(width, 232.0), write=write, class_=class_),
    )


def _effect(findings: Findings, metric: str) -> Markup:
    rows = [Point(effect.arm, effect.difference) for effect in findings.effects if effect.metric == metric]
    title, kind = f"{METRIC_NAMES[metric]}: difference from control", METRICS[metric].kind

    def write(value: float | None) -> str:
        return tick(value, kind).replace("%", "pp")

    return twice(f"effect-{metric}", HALF, lambda name, width: points(name, title, rows, width, write, centred=True))


def _arrivals(findings: Findings) -> Markup:
    found = findings.arrivals
    assert found is not None
    title = "Visits planned and started over time"
    counts = [[float(count) for count in counts] for counts in (found.planned, found.started)]
    return twice(
        "arrivals",
        FULL,
        lambda name, width: arrivals(name, title, *counts, width_s=found.width_s, size=(width, 190.0)),
    )


def _latency(findings: Findings, q: str) -> Markup:
    rows = [
        Pair(one.name, one.sent.quantiles.get(q, Estimate(None, 0)).value, one.due.quantiles[q].value)
        for one in findings.latency["page"]
    ]
    title, of = f"{q} of latency by page, from sent and from due", ("from sent", "from due")
    return twice(f"latency-{q}", HALF, lambda name, width: pairs(name, title, rows, width, writer("time"), of=of))
