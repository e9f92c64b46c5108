"""Charts as dashboards of real shoppers draw them, and the way from what they show to what speed caused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.speed_plot import (
    FEW,
    Box,
    Mark,
    between,
    curve_of,
    seconds_tick,
    spanning,
    tip_of,
)
from simulator.report.svg import axis, bar, chart, line, linear, tag, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.report.svg import Scale

TOP, BELOW, SIDE = 26.0, 38.0, 44.0


@dataclass(frozen=True, slots=True)
class Columns:
    """A histogram: `counts` of visits between neighbouring `edges`, in seconds."""

    edges: Sequence[float]
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure by load time, drawn over the histogram."""

    name: str
    marks: Sequence[Mark]
    class_: str
    write: Callable[[float | None], str]


def over_histogram(
    name: str,
    title: str,
    columns: Columns,
    figure: Line,
    size: tuple[float, float],
    *,
    across: str,
    stamp: str = "",
) -> Markup:
    """Return a figure's line over grey columns of visits: the industry's chart, here with interval and sample sizes.

    `stamp` is written across the drawing, for what must not be mistaken for a result.
    """
    width, height = size
    box = Box(SIDE, width - 6, TOP, height - BELOW)
    x = between(columns.edges[0], columns.edges[-1], box.left, box.right, ticks=8 if width > 400 else 5)
    shown = [v for m in figure.marks for v in ((m.value, m.high) if m.enough else (m.value,))]
    y = linear(shown, box.bottom, box.top)
    parts = _columns(columns, x[0], box)
    parts += box.axes(x, y, (seconds_tick, figure.write), (across, figure.name))
    if stamp:
        parts.append(_stamp(stamp, box))
    tip = tip_of(figure.name, seconds_tick, figure.write)
    parts += curve_of([m for m in figure.marks if columns.edges[0] <= m.x <= columns.edges[-1]], x[0], y[0],
                      figure.class_, tip)  # fmt: skip
    said = "; ".join(tip(mark) for mark in figure.marks)
    return chart(name, title, f"{stamp}. {said}" if stamp else said, size, parts)


def _columns(columns: Columns, x: Scale, box: Box) -> list[Markup]:
    most = max(columns.counts, default=0) or 1
    parts = []
    for place, count in enumerate(columns.counts):
        left, right = x(columns.edges[place]), x(columns.edges[place + 1])
        tall = (box.bottom - box.top) * 0.92 * count / most
        tip = f"{columns.edges[place]:g} to {columns.edges[place + 1]:g} s: {count:,} visits"
        look = "count" if count >= FEW else "count faint"
        parts.append(bar(left + 0.6, box.bottom - tall, right - left - 1.2, tall, look, tip=tip, radius=1))
    return parts


def _stamp(words: str, box: Box) -> Markup:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return tag("text", words, x=x, y=y, class_="stamp", text_anchor="middle", transform=f"rotate(-14 {x:.0f} {y:.0f})")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the way from one figure to another; `kind` is start, part or end."""

    name: str
    value: float
    kind: str = "part"
    low: float | None = None
    high: float | None = None


def bridge(name: str, title: str, parts: Sequence[Part], width: float, write: Callable[[float | None], str]) -> Markup:
    """Return a bridge: whole bars at both ends, and floating ones for what lies between, each from the one before."""
    beside = width >= 480
    left = max(len(part.name) for part in parts) * 7.1 + 16 if beside else 0.0
    pitch, top = (30.0, 6.0) if beside else (46.0, 2.0)
    running, spans = 0.0, []
    for part in parts:
        start = 0.0 if part.kind != "part" else running
        running = part.value if part.kind != "part" else running + part.value
        spans.append((start, running))
    ends = [end for span in spans for end in span]
    scale, ticks = spanning(ends, left + (44 if min(ends) < 0 else 0), width - 62)
    bottom = top + pitch * len(parts)
    drawn = axis(scale, ticks, top, bottom, write)
    drawn.append(line(scale(0), top, scale(0), bottom, "zero"))
    for place, (part, (start, end)) in enumerate(zip(parts, spans, strict=True)):
        y = top + place * pitch
        drawn += _bridge_row(part, scale(start), scale(end), y, (left, beside), write)
        if place + 1 < len(parts):
            drawn.append(line(scale(end), y + pitch * 0.6, scale(end), y + pitch * 1.6, "bridge-step"))
    said = "; ".join(f"{part.name}: {write(part.value)}" for part in parts)
    return chart(name, title, said, (width, bottom + 22), drawn)


def _bridge_row(
    part: Part,
    start: float,
    end: float,
    y: float,
    place: tuple[float, bool],
    write: Callable[[float | None], str],
) -> list[Markup]:
    left, beside = place
    look = {"start": "fill-c1", "end": "fill-c2"}.get(part.kind, "bridge-part")
    low, high = min(start, end), max(start, end)
    tip = f"{part.name}: {write(part.value)}"
    if part.low is not None and part.high is not None:
        tip += f", 95 % {write(part.low)} to {write(part.high)}"
    base = y + (6 if beside else 22)
    name = text(left - 12, base + 13, part.name, "name", "end") if beside else text(0, y + 14, part.name, "name")
    after = end >= start
    words = text(high + 6 if after else low - 6, base + 13, write(part.value), "tick", None if after else "end")
    return [name, bar(low, base, max(high - low, 1.5), 18, look, tip=tip), words]
