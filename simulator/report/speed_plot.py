"""What the pictures of a speed report have in common: a box with two axes, lines with ribbons, names at line ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from simulator.report.svg import CHAR, Scale, axis, dot, line, nice_step, path, ribbon, side_axis, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from markupsafe import Markup

    from simulator.analysis.estimates import Estimate

FEW = 200
"""Bins and groups with fewer visits are drawn grey, and no conclusion is drawn from them."""
LABEL_GAP = 14.0
"""Between the middles of two names above each other."""
LITTLE = 0.25
"""Share of a step between two ticks for which no further tick is drawn."""
DOSES = 8
"""How many colours there are for arms, from no delay to the longest."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure at a place of the horizontal axis, with its 95 % interval and the number of visits behind it."""

    x: float
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0

    @property
    def enough(self) -> bool:
        """Whether there are enough visits to say anything."""
        return self.n >= FEW


def mark(x: float, estimate: Estimate) -> Mark:
    """Return an estimate at a place."""
    return Mark(x, estimate.value, estimate.low, estimate.high, estimate.n)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a plot's axes are, in units of the drawing."""

    left: float
    right: float
    top: float
    bottom: float

    def axes(
        self,
        x: tuple[Scale, Sequence[float]],
        y: tuple[Scale, Sequence[float]],
        write: tuple[Callable[[float], str], Callable[[float], str]],
        titles: tuple[str, str] = ("", ""),
    ) -> list[Markup]:
        """Return both axes with grid lines; the titles stand under the one and above the other."""
        parts = [*side_axis(*y, self.left, self.right, write[1]), *axis(*x, self.top, self.bottom, write[0])]
        if titles[0]:
            parts.append(text(self.right, self.bottom + 30, titles[0], "axis-title", "end"))
        if titles[1]:
            parts.append(text(0, self.top - 10, titles[1], "axis-title"))
        return parts


def dose_class(place: int, count: int) -> str:
    """Return the colour class of the `place`-th of `count` arms, spread over the ramp from blue to orange."""
    return f"dose-{round(place * (DOSES - 1) / max(count - 1, 1))}"


def spanning(values: Iterable[float | None], start: float, end: float, ticks: int = 4) -> tuple[Scale, list[float]]:
    """Return a scale from a round number below all values and 0 to one above them all, and its ticks.

    Where values reach only a little beyond a tick, the scale ends with them.
    """
    known = [0.0, *(value for value in values if value is not None and math.isfinite(value))]
    low, high = min(known), max(known)
    step = nice_step((high - low) / ticks if high > low else 1.0)
    first, last = math.floor(low / step + LITTLE), math.ceil(high / step - LITTLE)
    last = max(last, first + 1)
    scale = Scale(min(first * step, low), max(last * step, high), start, end)
    return scale, [step * place for place in range(first, last + 1)]


def between(
    low: float, high: float, start: float, end: float, ticks: int = 5, *, least: float = 0.0
) -> tuple[Scale, list[float]]:
    """Return a scale of exactly [`low`, `high`] and the round ticks within it, no closer together than `least`."""
    high = max(high, low + 1e-9)
    step = max(nice_step((high - low) / ticks), least)
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return Scale(low, high, start, end), [step * place for place in places]


def solid_runs(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Return the stretches of neighbouring marks that have a figure from enough visits."""
    runs: list[list[Mark]] = [[]]
    for mark in marks:
        if mark.enough and mark.value is not None:
            runs[-1].append(mark)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def curve_of(
    marks: Sequence[Mark], x: Scale, y: Scale, class_: str, tip: Callable[[Mark], str], *, dashed: bool = False
) -> list[Markup]:
    """Return a line with its ribbon and a dot for each mark; small samples are hollow, grey and joined to nothing."""
    parts = []
    look = f"curve {class_}{' dashed' if dashed else ''}"
    for run in solid_runs(marks):
        bounded = [(x(m.x), y(m.low), y(m.high)) for m in run if m.low is not None and m.high is not None]
        if len(bounded) > 1:
            parts.append(ribbon(bounded, f"ribbon {class_}"))
        elif bounded:
            parts.append(line(bounded[0][0], bounded[0][1], bounded[0][0], bounded[0][2], f"whisker {class_}"))
        parts.append(path([(x(m.x), y(m.value)) for m in run if m.value is not None], look))
    for mark in marks:
        if mark.value is not None:
            radius, fill = (3.6, f"fill-{class_}") if mark.enough else (3.0, "hollow-faint")
            parts.append(dot(x(mark.x), y(mark.value), radius, fill, tip(mark)))
    return parts


def tip_of(name: str, write_x: Callable[[float], str], write: Callable[[float | None], str]) -> Callable[[Mark], str]:
    """Return what is told of a mark when a pointer rests on it."""

    def tip(mark: Mark) -> str:
        known = mark.low is not None and mark.high is not None
        span = f", 95 % {write(mark.low)} to {write(mark.high)}" if known else ""
        few = "" if mark.enough else " (too few to conclude from)"
        return f"{name}, {write_x(mark.x)}: {write(mark.value)}{span}, n {mark.n:,}{few}"

    return tip


def steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of a step curve that keeps each value until the next x."""
    corners = list(points[:1])
    for (_, before), (at, after) in pairwise(points):
        corners += [(at, before), (at, after)]
    return corners


def apart(wanted: Sequence[float], low: float, high: float, gap: float = LABEL_GAP) -> list[float]:
    """Return places near the wanted ones, in their order, at least `gap` apart and as far as it goes within bounds."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    found = [0.0] * len(wanted)
    free = low
    for place in order:
        found[place] = max(wanted[place], free)
        free = found[place] + gap
    limit = high
    for place in reversed(order):
        found[place] = min(found[place], limit)
        limit = found[place] - gap
    return found


def end_names(ends: Sequence[tuple[float, str, str]], x: float, low: float, high: float) -> list[Markup]:
    """Return the names of lines beside their ends; each is (y, name, colour class)."""
    places = apart([y for y, _, _ in ends], low, high)
    return [text(x, y + 4, name, f"of-{class_} end-name") for (_, name, class_), y in zip(ends, places, strict=True)]


def room_of(names: Iterable[str]) -> float:
    """Return the width that the longest of some names needs."""
    return max((len(name) for name in names), default=0) * CHAR + 10


def seconds_tick(value: float) -> str:
    """Return seconds on an axis, as `2.5 s`."""
    return "0" if value == 0 else f"{value:g}\u202fs"


def percent_tick(value: float | None) -> str:
    """Return a share or a change on an axis, as `-5 %`."""
    if value is None:
        return "\u2013"
    return f"{100 * value:.3g}\u202f%".replace("-", "\u2212")
