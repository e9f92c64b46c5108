"""A few shoppers' visits as they went, once for each arm: what they waited for, what they looked at, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.speed_plot import seconds_tick
from simulator.report.svg import CHAR, axis, bar, chart, dot, linear, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

NARROW = 480.0
CAUSE_WORDS = {
    "done": "done",
    "impatient": "left while waiting",
    "put_off": "put off",
    "error": "left after an error",
    "budget": "out of time",
    "ongoing": "still there",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a visit: its name, how long the shopper waited for it and then looked at it, in seconds."""

    name: str
    waited_s: float
    looked_s: float


@dataclass(frozen=True, slots=True)
class Journey:
    """One visit in one arm."""

    arm: str
    pages: Sequence[Page]
    cause: str
    orders: int


def journeys(name: str, title: str, visits: Sequence[Journey], width: float, write: Callable[[float], str]) -> Markup:
    """Return a line of time an arm: waits dark, looks light, the end marked with its cause."""
    beside = width >= NARROW
    left = max(len(visit.arm) for visit in visits) * 7.1 + 18 if beside else 0.0
    pitch = 40.0 if beside else 56.0
    longest = [sum(p.waited_s + p.looked_s for p in visit.pages) for visit in visits]
    scale, ticks = linear(longest, left, width - (130 if beside else 10), ticks=6 if beside else 4)
    bottom = pitch * len(visits) + 4
    parts = axis(scale, ticks, 2, bottom, seconds_tick)
    for place, visit in enumerate(visits):
        y = place * pitch + (12 if beside else 22)
        parts.append(text(left - 12, y + 13, visit.arm, "name", "end") if beside else text(0, y - 8, visit.arm, "name"))
        x = _pages(parts, visit, y, scale, write)
        end = CAUSE_WORDS.get(visit.cause, visit.cause) + (", ordered" if visit.orders else "")
        look = f"cause-{visit.cause}"
        parts.append(dot(x, y + 8, 4.5, look, end))
        parts.append(text(x + 8, y + 12, end, "ended") if beside else text(width, y - 8, end, "ended", "end"))
    said = "; ".join(f"{v.arm}: {len(v.pages)} pages, {CAUSE_WORDS.get(v.cause, v.cause)}" for v in visits)
    return chart(name, title, said, (width, bottom + 24), parts)


def _pages(
    parts: list[Markup], visit: Journey, y: float, scale: Callable[[float], float], write: Callable[[float], str]
) -> float:
    """Add the pages' bars; return where the last one ends."""
    at, free = 0.0, -1e9
    for page in visit.pages:
        waited, looked = scale(at + page.waited_s), scale(at + page.waited_s + page.looked_s)
        tip = f"{page.name}: waited {write(page.waited_s)}, looked {write(page.looked_s)}"
        parts.append(bar(scale(at), y, max(waited - scale(at) - 0.5, 0.8), 16, "fill-c2", tip=tip, radius=1))
        parts.append(bar(waited, y, max(looked - waited - 0.5, 0), 16, "looked", tip=tip, radius=1))
        if len(page.name) * CHAR * 0.9 < looked - scale(at) - 2 and scale(at) > free:
            parts.append(text(scale(at) + 1, y + 26, page.name, "tick small"))
            free = scale(at) + len(page.name) * CHAR * 0.9 + 4
        at += page.waited_s + page.looked_s
    return scale(at)
