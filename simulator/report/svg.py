"""Pieces of SVG as text: pure functions of numbers and names, every name escaped, every colour a class of the style."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CHAR = 6.2
"""Mean width of a character of the labels, in units of the drawing (11.5 px type)."""


def num(value: float) -> str:
    """Return a coordinate with at most two decimals, the same on every machine."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def tag(name: str, content: str = "", **attributes: float | str | None) -> Markup:
    """Return one element; `_` in a name becomes `-`, `class_` becomes `class`, None is left out, names are escaped."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(num(value) if isinstance(value, int | float) else value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{escape(content)}</{name}>" if content else f"<{name}{written}/>")  # noqa: S704


def text(x: float, y: float, words: str, class_: str = "", anchor: str | None = None) -> Markup:
    """Return a line of text; `anchor` is start (left out), middle or end."""
    return tag("text", words, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def bar(x: float, y: float, width: float, height: float, class_: str, *, tip: str = "", radius: float = 2) -> Markup:
    """Return a bar; `tip` is shown when a pointer rests on it."""
    title = tag("title", tip) if tip else ""
    return tag("rect", title, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), rx=radius, class_=class_)


def dot(x: float, y: float, radius: float, class_: str, tip: str = "") -> Markup:
    """Return a disc."""
    return tag("circle", tag("title", tip) if tip else "", cx=x, cy=y, r=radius, class_=class_)


def path(points: Sequence[tuple[float, float]], class_: str, *, close: bool = False) -> Markup:
    """Return a polyline through points, or the area inside it."""
    steps = " ".join(f"{'L' if index else 'M'}{num(x)} {num(y)}" for index, (x, y) in enumerate(points))
    return tag("path", d=f"{steps}{' Z' if close else ''}", class_=class_)


def ribbon(points: Sequence[tuple[float, float, float]], class_: str) -> Markup:
    """Return the area between a lower and an upper line; each point is (x, y low, y high)."""
    edge = [(x, low) for x, low, _ in points] + [(x, high) for x, _, high in reversed(points)]
    return path(edge, class_, close=True)


def chart(name: str, title: str, describe: str, size: tuple[float, float], parts: Iterable[Markup]) -> Markup:
    """Return a whole drawing, scaled to the width it is given, with the title and description that readers hear.

    `name` must be unique in the page; `size` is (width, height) in CSS pixels at scale 1.
    """
    width, height = size
    head = tag("title", title, id=f"{name}-title") + tag("desc", describe, id=f"{name}-desc")
    return tag(
        "svg",
        head + Markup("").join(parts),
        viewBox=f"0 0 {num(width)} {num(height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="chart",
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from [`low`, `high`] to [`start`, `end`]; a logarithmic one needs `low` > 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value; values outside land on the edge."""
        kept = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(kept / self.low) / math.log(self.high / self.low)
        else:
            share = (kept - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def linear(values: Iterable[float | None], start: float, end: float, *, ticks: int = 4) -> tuple[Scale, list[float]]:
    """Return a scale from 0 to a round number above all values, and its ticks."""
    top = max((value for value in values if value is not None and math.isfinite(value)), default=0.0)
    step = nice_step(top / ticks if top > 0 else 1.0)
    high = step * max(1, math.ceil(top / step - 1e-9))
    return Scale(0.0, high, start, end), [step * index for index in range(round(high / step) + 1)]


def around_zero(values: Iterable[float | None], start: float, end: float) -> tuple[Scale, list[float]]:
    """Return a scale with zero in its middle that holds all values, and its ticks."""
    most = max((abs(value) for value in values if value is not None), default=0.0)
    step = nice_step(most / 2 if most > 0 else 1.0)
    high = step * max(1, math.ceil(most / step - 1e-9))
    count = round(high / step)
    return Scale(-high, high, start, end), [step * index for index in range(-count, count + 1)]


def logarithmic(values: Iterable[float | None], start: float, end: float) -> tuple[Scale, list[float]]:
    """Return a logarithmic scale that holds all values above zero, and its ticks at 1, 2 and 5 of each decade."""
    known = [value for value in values if value is not None and value > 0]
    low, high = (min(known), max(known)) if known else (0.1, 1.0)
    steps = [mantissa * 10.0**decade for decade in range(-6, 6) for mantissa in (1, 2, 5)]
    first = max((step for step in steps if step <= low * 1.0001), default=steps[0])
    last = min((step for step in steps if step >= high * 0.9999 and step > first), default=steps[-1])
    return Scale(first, last, start, end, log=True), [step for step in steps if first <= step <= last]


def nice_step(rough: float) -> float:
    """Return the smallest of 1, 2, 2.5 or 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)


def axis(
    scale: Scale, ticks: Sequence[float], top: float, bottom: float, write: Callable[[float], str]
) -> list[Markup]:
    """Return a horizontal axis: a grid line and a label under it for each tick that has room."""
    parts, free = [], -math.inf
    for tick in ticks:
        x, words = scale(tick), write(tick)
        half = len(words) * CHAR / 2
        parts.append(line(x, top, x, bottom, "grid"))
        if x - half > free:
            anchor = "start" if x - half < 0 else "middle"
            parts.append(text(max(x, 0.0) if anchor == "middle" else 0.0, bottom + 14, words, "tick", anchor))
            free = x + half + 6
    return parts


def side_axis(
    scale: Scale, ticks: Sequence[float], left: float, right: float, write: Callable[[float], str]
) -> list[Markup]:
    """Return a vertical axis: a grid line and a label left of it for each tick."""
    parts = []
    for tick in ticks:
        y = scale(tick)
        parts += [line(left, y, right, y, "grid"), text(left - 6, y + 4, write(tick), "tick", "end")]
    return parts
