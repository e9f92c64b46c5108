"""Where the time of a visit goes, and how far visits get: both arm by arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.speed_plot import Mark, percent_tick, seconds_tick
from simulator.report.svg import CHAR, axis, bar, chart, line, linear, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

NARROW = 480.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Mean seconds of an arm's visits by what they went into: (colour class, what, seconds)."""

    name: str
    n: int
    parts: Sequence[tuple[str, str, float]]


def budgets(name: str, title: str, rows: Sequence[Budget], width: float, write: Callable[[float], str]) -> Markup:
    """Return one stacked bar an arm, in seconds, with the sum at its end."""
    beside = width >= NARROW
    left = max(len(row.name) for row in rows) * 7.1 + 18 if beside else 0.0
    pitch, top = (32.0, 2.0) if beside else (44.0, 0.0)
    sums = [sum(seconds for _, _, seconds in row.parts) for row in rows]
    scale, ticks = linear(sums, left, width - 58, ticks=6 if beside else 3)
    bottom = top + pitch * len(rows)
    parts = axis(scale, ticks, top, bottom, seconds_tick)
    for place, (row, whole) in enumerate(zip(rows, sums, strict=True)):
        y = top + place * pitch + (5 if beside else 20)
        parts.append(text(left - 12, y + 15, row.name, "name", "end") if beside else text(0, y - 6, row.name, "name"))
        x = scale(0)
        for class_, what, seconds in row.parts:
            length = scale(seconds) - scale(0)
            parts.append(bar(x, y, max(length - 1, 0), 21, class_, tip=f"{row.name}, {what}: {write(seconds)}"))
            if length > len(write(seconds)) * CHAR + 10:
                parts.append(text(x + length / 2, y + 15, write(seconds), f"on-{class_}", "middle"))
            x += length
        parts.append(text(x + 6, y + 15, write(whole), "sum"))
    said = "; ".join(f"{r.name}: " + ", ".join(f"{what} {write(s)}" for _, what, s in r.parts) for r in rows)
    return chart(name, title, said, (width, bottom + 24), parts)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the funnel: for each arm the share of its visits that got there (`x` is the arm's place)."""

    name: str
    arms: Sequence[Mark]


def funnel(
    name: str,
    title: str,
    steps: Sequence[Step],
    arms: Sequence[tuple[str, str]],
    width: float,
    write: Callable[[float | None], str] = percent_tick,
) -> Markup:
    """Return a row a step with a bar an arm, from control down; `arms` are (name, colour class)."""
    beside = width >= NARROW
    left = max(len(step.name) for step in steps) * 7.1 + 18 if beside else 0.0
    thick, gap = 9.0, 1.5
    block = len(arms) * (thick + gap)
    pitch = block + (18.0 if beside else 32.0)
    scale, ticks = linear([m.high for s in steps for m in s.arms], left, width - 64, ticks=5 if beside else 3)
    bottom = pitch * len(steps)
    parts = axis(scale, ticks, 0, bottom, write)
    for place, step in enumerate(steps):
        y = place * pitch + (8 if beside else 24)
        if beside:
            parts.append(text(left - 12, y + block / 2 + 4, step.name, "name", "end"))
        else:
            parts.append(text(0, y - 8, step.name, "name"))
        for row, (mark, (arm, class_)) in enumerate(zip(step.arms, arms, strict=True)):
            parts += _bar(mark, f"{step.name}, {arm}", class_, (scale(0), scale, y + row * (thick + gap), thick), write)
        first, last = step.arms[0], step.arms[-1]
        if first.value is not None and last.value is not None:
            edge = max(scale(v) for m in step.arms for v in (m.value, m.high) if v is not None)
            words = f"{write(first.value)} → {write(last.value)}" if not beside else write(first.value)
            y_words = y - 8 if not beside else y + thick
            parts.append(text(width if not beside else edge + 8, y_words, words, "tick", "end" if not beside else None))
            if beside and len(step.arms) > 1:
                parts.append(text(edge + 8, y + block - 2, write(last.value), "tick"))
    said = "; ".join(f"{s.name}: {write(s.arms[0].value)} to {write(s.arms[-1].value)}" for s in steps)
    return chart(name, title, said, (width, bottom + 24), parts)


def _bar(
    mark: Mark,
    what: str,
    class_: str,
    place: tuple[float, Callable[[float], float], float, float],
    write: Callable[[float | None], str],
) -> list[Markup]:
    start, scale, y, thick = place
    if mark.value is None:
        return []
    span = "" if mark.low is None else f", 95 % {write(mark.low)} to {write(mark.high)}"
    tip = f"{what}: {write(mark.value)}{span}, n {mark.n:,}"
    look = f"fill-{class_}" if mark.enough else "fill-faint"
    parts = [bar(start, y, max(scale(mark.value) - start, 1), thick, look, tip=tip, radius=1.5)]
    if mark.low is not None and mark.high is not None:
        middle = y + thick / 2
        parts.append(line(scale(mark.low), middle, scale(mark.high), middle, "error-bar"))
    return parts
