"""Curves over one axis, each with its name at its end; and a figure within a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.svg import Scale, bar, chart, dot, line, linear, path, side_axis, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

LEFT, BELOW = 44.0, 34.0
GAP = 14.0
"""Between the names of two curves that end near each other."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A named curve of (x, share) points; `class_` is its colour, `dashed` whether its line is broken."""

    name: str
    points: Sequence[tuple[float, float]]
    class_: str
    dashed: bool = False


def shares(
    name: str, title: str, curves: Sequence[Curve], *, size: tuple[float, float], ticks: Sequence[float], unit: str
) -> Markup:
    """Return curves of shares, from 0 to 100 %, over x in `unit`."""
    width, height = size
    right = max((len(curve.name) for curve in curves), default=0) * 6.4 + 12
    across = Scale(0.0, ticks[-1], LEFT, width - right)
    up = Scale(0.0, 1.0, height - BELOW, 8.0)
    parts = side_axis(up, [0, 0.25, 0.5, 0.75, 1], LEFT, across.end, lambda share: f"{100 * share:.0f} %")
    for tick in ticks:
        parts.append(line(across(tick), up.end, across(tick), up.start, "grid"))
        parts.append(text(across(tick), up.start + 16, f"{tick:g} {unit}", "tick", "middle"))
    free = height
    for curve in sorted(curves, key=lambda curve: curve.points[-1][1]):
        at = [(across(x), up(share)) for x, share in curve.points]
        dashed = " dashed" if curve.dashed else ""
        parts.append(path(at, f"curve {curve.class_}{dashed}"))
        y = min(at[-1][1] + 4, free - GAP)
        parts.append(text(across.end + 6, y, curve.name, f"of-{curve.class_}"))
        free = y
    said = "; ".join(f"{c.name}: {100 * c.points[-1][1]:.0f} % at {c.points[-1][0]:g} {unit}" for c in curves)
    return chart(name, title, said, size, parts)


def within(name: str, title: str, value: float, low: float, high: float, write: Callable[[float], str]) -> Markup:
    """Return a figure as a dot, and the range it is compared with as a band, from zero."""
    width, y = 210.0, 13.0
    scale = Scale(0.0, max(high, value) * 1.15 or 1.0, 5, width - 5)
    inside = low <= value <= high
    said = f"{write(value)}, published {write(low)} to {write(high)}"
    parts = [
        bar(5, y - 3, width - 10, 6, "track", radius=3),
        bar(scale(low), y - 6, scale(high) - scale(low), 12, "allowed", tip=said, radius=3),
        dot(scale(value), y, 5, "fill-c1" if inside else "fill-c2", said),
    ]
    return chart(name, title, said, (width, 26.0), parts)


def columns(
    name: str, title: str, counts: Sequence[int], labels: Sequence[str], *, size: tuple[float, float], said: str
) -> Markup:
    """Return counts as bars with as many of the labels as have room."""
    width, height = size
    bottom = height - 24
    scale, ticks = linear([float(count) for count in counts], bottom, 8, ticks=3)
    left = 8 + 7 * len(f"{max(counts, default=0):,}")
    pitch = (width - left - 4) / max(len(counts), 1)
    parts = side_axis(scale, ticks, left, width, lambda value: f"{value:,.0f}")
    free = 0.0
    for index, (count, label) in enumerate(zip(counts, labels, strict=True)):
        x = left + index * pitch
        tip = f"{label}: {count:,}"
        parts.append(bar(x + pitch * 0.1, scale(count), pitch * 0.8, bottom - scale(count), "started", tip=tip))
        middle, half = x + pitch / 2, len(label) * 3.2
        if middle - half >= free and middle + half <= width:
            parts.append(text(middle, bottom + 16, label, "tick", "middle"))
            free = middle + half + 8
    return chart(name, title, said, size, parts)
