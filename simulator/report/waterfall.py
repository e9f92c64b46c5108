"""A waterfall: what a page asked for when, what its main thread did, and when something could be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.svg import axis, bar, chart, line, linear, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

TOP, ROW, TALL, LABEL = 26.0, 18.0, 30.0, 230.0
"""Above the rows, a row beside its name and one below it, and the names' column on a desktop."""
NARROW = 600.0
MARK_GAP = 14.0


@dataclass(frozen=True, slots=True)
class Request:
    """One row, in seconds: known, sent, first byte, last byte."""

    name: str
    found_s: float
    asked_s: float
    first_s: float
    end_s: float
    said: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that people look for."""

    name: str
    at_s: float
    class_: str


def waterfall(
    name: str,
    title: str,
    requests: Sequence[Request],
    work: Sequence[tuple[float, float, str]],
    marks: Sequence[Mark],
    width: float,
) -> Markup:
    """Return the drawing; `work` are the main thread's tasks as (start, end, what), in seconds."""
    wide = width >= NARROW
    left, pitch = (LABEL, ROW) if wide else (0.0, TALL)
    last = max([*(one.end_s for one in requests), *(end for _, end, _ in work), *(mark.at_s for mark in marks)])
    across, ticks = linear([last], left, width - 6, ticks=6 if wide else 3)
    top = TOP + MARK_GAP * (len(marks) - 1)
    bottom = top + pitch * (len(requests) + 1) + 4
    parts = axis(across, ticks, top - 6, bottom, lambda value: f"{value:g} s")
    for number, one in enumerate(requests):
        parts += _row(one, top + pitch * number, left, across, wide=wide)
    y = top + pitch * len(requests)
    parts.append(text(0, y + 12, "main thread", "name"))
    for start, end, what in work:
        parts.append(
            bar(
                across(start),
                y + (2 if wide else 16),
                max(across(end) - across(start), 0.6),
                12,
                "fill-c2",
                tip=what,
                radius=1,
            )
        )
    for number, mark in enumerate(sorted(marks, key=lambda mark: mark.at_s)):
        parts += _mark(mark, across(mark.at_s), 10 + MARK_GAP * number, bottom, width)
    said = f"{len(requests)} requests; " + ", ".join(f"{mark.name} at {mark.at_s:.2f} s" for mark in marks)
    return chart(name, title, said, (width, bottom + 24), parts)


def _row(one: Request, y: float, left: float, across: object, *, wide: bool) -> list[Markup]:
    assert callable(across)
    room = int((left - 10) / 6.6) if wide else 50
    label = one.name if len(one.name) <= room else f"…{one.name[1 - room :]}"
    parts = [text(0, y + 12, label, "")]
    base = y + (2 if wide else 16)
    for start, end, class_ in (
        (one.found_s, one.asked_s, "count"),
        (one.asked_s, one.first_s, "started"),
        (one.first_s, one.end_s, "fill-c1"),
    ):
        if not (math.isnan(start) or math.isnan(end)):
            length = max(across(end) - across(start), 0.8)
            parts.append(bar(across(start), base, length, 12, class_, tip=one.said, radius=1))
    return parts


def _mark(mark: Mark, x: float, y: float, bottom: float, width: float) -> list[Markup]:
    words = f"{mark.name} {mark.at_s:.2f} s"
    fits = x + 8 + len(words) * 6.6 < width
    return [
        line(x, y - 8, x, bottom, mark.class_),
        text(x + 4 if fits else x - 4, y, words, f"of-{mark.class_}", None if fits else "end"),
    ]
