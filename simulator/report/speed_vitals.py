"""How long pages took: what the largest paint was made of, and how it spreads against what the field sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.speed_plot import Box, between, end_names, percent_tick, room_of, seconds_tick
from simulator.report.svg import CHAR, Scale, axis, bar, chart, line, linear, path, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

PARTS = (
    ("timeToFirstByte", "lcp-ttfb"),
    ("resourceLoadDelay", "lcp-delay"),
    ("resourceLoadDuration", "lcp-duration"),
    ("elementRenderDelay", "lcp-render"),
)
"""The sub-parts of LCP as the web-vitals library names them, and their colour classes."""
GOOD_S, POOR_S = 2.5, 4.0
"""The bounds of good and poor LCP (web.dev/articles/lcp)."""
NARROW = 480.0


@dataclass(frozen=True, slots=True)
class Cohort:
    """Pages that belong together, and the seconds of each part of LCP in the order of `PARTS`.

    A `reference` is no cohort of this run: it is drawn pale.
    """

    name: str
    n: int
    seconds: Sequence[float]
    reference: bool = False


def lcp_parts(name: str, title: str, rows: Sequence[Cohort], width: float, write: Callable[[float], str]) -> Markup:
    """Return one stacked bar a cohort; references stand below a line, hatched."""
    beside = width >= NARROW
    left = max(len(row.name) for row in rows) * 7.1 + 18 if beside else 0.0
    pitch = 29.0 if beside else 41.0
    scale, ticks = linear([sum(row.seconds) for row in rows], left, width - 56, ticks=7 if beside else 4)
    bottom = pitch * len(rows) + (16 if any(row.reference for row in rows) else 0)
    parts = axis(scale, ticks, 0, bottom, seconds_tick)
    moved, y = False, 0.0
    for row in rows:
        if row.reference and not moved:
            moved = True
            parts.append(line(0, y + 7, width, y + 7, "divide"))
            y += 16
        parts += _stack(row, y + (4 if beside else 18), (left, beside), scale, write)
        y += pitch
    said = "; ".join(
        f"{row.name}: " + ", ".join(f"{part} {write(s)}" for (part, _), s in zip(PARTS, row.seconds, strict=True))
        for row in rows
    )
    return chart(name, title, said, (width, bottom + 24), parts)


def _stack(
    row: Cohort, y: float, place: tuple[float, bool], scale: Scale, write: Callable[[float], str]
) -> list[Markup]:
    left, beside = place
    parts = [text(left - 12, y + 14, row.name, "name", "end") if beside else text(0, y - 5, row.name, "name")]
    x, tall = scale(0), 20.0
    for (what, class_), seconds in zip(PARTS, row.seconds, strict=True):
        length = scale(seconds) - scale(0)
        look = f"{class_} pale" if row.reference else class_
        n = f", n {row.n:,}" if row.n else ""
        tip = f"{row.name}, {what}: {write(seconds)}{n}"
        parts.append(bar(x, y, max(length - 1, 0.4), tall, look, tip=tip, radius=1.5))
        if length > len(write(seconds)) * CHAR + 8:
            parts.append(text(x + length / 2, y + 14, write(seconds), f"on-{class_}", "middle"))
        x += length
    return [*parts, text(x + 6, y + 14, write(sum(row.seconds)), "sum")]


@dataclass(frozen=True, slots=True)
class Spread:
    """How load times of some pages spread: (seconds, share not above it), rising."""

    name: str
    class_: str
    n: int
    points: Sequence[tuple[float, float]]


def against_field(
    name: str, title: str, spreads: Sequence[Spread], until_s: float, size: tuple[float, float]
) -> Markup:
    """Return cumulative shares over LCP on the field's bins: good, needs improvement, poor; with the p75 of each."""
    width, height = size
    box = Box(44.0, width - room_of(s.name for s in spreads), 42.0, height - 38.0)
    x = between(0.0, until_s, box.left, box.right, ticks=8 if width > 400 else 5)
    y = Scale(0.0, 1.0, box.bottom, box.top)
    parts = []
    for low, high, class_, words in (
        (0.0, GOOD_S, "bin-good", "good"),
        (GOOD_S, POOR_S, "bin-middle", "needs work" if width > 400 else "so-so"),
        (POOR_S, until_s, "bin-poor", "poor"),
    ):
        start, end = x[0](low), x[0](high)
        parts.append(bar(start, box.top, end - start, box.bottom - box.top, class_, radius=0))
        parts.append(text((start + end) / 2, box.top - 7, words, "bin-name", "middle"))
    parts += box.axes(x, (y, [0, 0.25, 0.5, 0.75, 1]), (seconds_tick, percent_tick), ("LCP", ""))
    parts.append(text(0, 12, "pages that were not slower", "axis-title"))
    parts.append(line(box.left, y(0.75), box.right, y(0.75), "p75"))
    ends = []
    for spread in spreads:
        kept = [(x[0](a), y(b)) for a, b in spread.points if a <= until_s]
        parts.append(path(kept, f"curve {spread.class_}"))
        if kept:
            ends.append((kept[-1][1], spread.name, spread.class_))
    parts += end_names(ends, box.right + 7, box.top, box.bottom)
    said = "; ".join(f"{s.name}: p75 {seconds_tick(p75(s.points))}" for s in spreads if s.points)
    return chart(name, title, said, size, parts)


def p75(points: Sequence[tuple[float, float]]) -> float:
    """Return the seconds that three quarters of the pages do not exceed, to a tenth; infinite where none is known."""
    return next((round(a, 1) for a, b in points if b >= 0.75), float("inf"))
