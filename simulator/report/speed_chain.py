"""The chain from load to behaviour: arrival rate, server time, LCP, session length, in panels over one axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.speed_plot import Box, Mark, between, curve_of, end_names, tip_of
from simulator.report.svg import chart, linear, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

PANEL, GAP, SIDE, ROOM = 128.0, 34.0, 52.0, 40.0
"""A panel's height, what is between two, and what is left beside them: for the axis, and for the names of lines."""


@dataclass(frozen=True, slots=True)
class Link:
    """One panel: what it shows, how its figures are written, and its lines as (name, colour class, marks)."""

    title: str
    basis: str
    write: Callable[[float | None], str]
    lines: Sequence[tuple[str, str, Sequence[Mark]]]


def links(name: str, title: str, panels: Sequence[Link], width: float, *, across: str) -> Markup:
    """Return the panels below each other over one axis, so that the eye can follow one rate down."""
    marks = [mark for panel in panels for _, _, line_ in panel.lines for mark in line_]
    ends = min(mark.x for mark in marks), max(mark.x for mark in marks)
    parts, top = [], 24.0
    for place, panel in enumerate(panels):
        box = Box(SIDE, width - ROOM, top, top + PANEL)
        parts += _panel(panel, box, ends, across if place == len(panels) - 1 else "", width)
        top += PANEL + GAP
    return chart(name, title, "; ".join(_said(panel) for panel in panels), (width, top + 12), parts)


def _panel(panel: Link, box: Box, ends: tuple[float, float], across: str, width: float) -> list[Markup]:
    """Return one panel; the one that has a title `across` has the axis's labels too. A single line needs no name."""
    x = between(*ends, box.left, box.right, ticks=6 if width > 400 else 4)
    y = linear(
        (v for _, _, line_ in panel.lines for m in line_ for v in (m.value, m.high)), box.bottom, box.top, ticks=3
    )
    parts = box.axes(x, y, (_rate if across else _nothing, panel.write), (across, ""))
    parts.append(text(0, box.top - 9, panel.title, "panel-name"))
    parts.append(text(width, box.top - 9, panel.basis, "axis-title", "end"))
    names = []
    for words, class_, line_ in panel.lines:
        parts += curve_of(line_, x[0], y[0], class_, tip_of(words, lambda rate: f"{rate:g}/s", panel.write))
        known = [mark.value for mark in line_ if mark.value is not None][-1:]
        names += [(y[0](value), words, class_) for value in known]
    return parts + (end_names(names, box.right + 8, box.top, box.bottom) if len(names) > 1 else [])


def _rate(value: float) -> str:
    return f"{value:g}"


def _nothing(value: float) -> str:
    del value
    return ""


def _said(panel: Link) -> str:
    lines = [(w, marks) for w, _, marks in panel.lines if marks]
    told = (f"{w} {panel.write(marks[0].value)} to {panel.write(marks[-1].value)}" for w, marks in lines)
    return f"{panel.title}: {', '.join(told)}"
