"""Charts of one row a name: strips of quantiles, figures with intervals, stacked bars, dumbbells.

Each is a pure function of its rows and a width; below `NARROW` the names stand above their rows instead of beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.svg import CHAR, Scale, around_zero, axis, bar, chart, dot, line, linear, logarithmic, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from markupsafe import Markup

    from simulator.analysis.estimates import Estimate

NARROW = 480
NAME = 7.1
"""Mean width of a character of a name (13 px type)."""
WIDEST_NAME = 170.0
END = 14.0
"""Room right of the last grid line for half a label."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the rows of a chart are: names left of `left` or above their row."""

    width: float
    left: float
    pitch: float
    top: float
    beside: bool

    def middle(self, row: int) -> float:
        """Return the y of a row's middle."""
        return self.top + row * self.pitch + (self.pitch / 2 if self.beside else self.pitch * 0.68)

    def bottom(self, rows: int) -> float:
        """Return the y under the last row."""
        return self.top + rows * self.pitch

    def name(self, row: int, words: str, note: str = "") -> list[Markup]:
        """Return a row's name and a note after it (narrow) or at the right edge of the name's column (wide)."""
        if self.beside:
            return [text(self.left - 12, self.middle(row) + 4, shorten(words, self.left - 12), "name", "end")]
        y = self.top + row * self.pitch + 12
        parts = [text(0, y, words, "name")]
        return [*parts, text(self.width, y, note, "tick", "end")] if note else parts


def layout(names: Sequence[str], width: float, pitch: float = 26.0) -> Layout:
    """Return the layout for rows with these names."""
    if width < NARROW:
        return Layout(width, END / 2, 38.0, 2.0, beside=False)
    left = min(WIDEST_NAME, max((len(name) for name in names), default=0) * NAME + 16)
    return Layout(width, left, pitch, 4.0, beside=True)


def shorten(words: str, room: float) -> str:
    """Return words that fit into `room`, cut with an ellipsis where they do not."""
    most = int(room / NAME) + 1
    return words if len(words) <= most else f"{words[: max(1, most - 1)]}…"


def under_heads(heads: Sequence[str], pitch: float, head: float, top: float = 0.0) -> tuple[list[float], float]:
    """Return the top of each row and where the last one ends; the first row of each heading has room for it above."""
    places, y, before = [], top, ""
    for name in heads:
        y += head if name != before else 0.0
        before = name
        places.append(y)
        y += pitch
    return places, y


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of quantiles p5, p25, p50, p75, p95 and p99, None where one is not known; `faint` from a small sample.

    `n` is 0 where the quantiles are of no sample.
    """

    name: str
    n: int
    quantiles: Mapping[str, float | None]
    faint: bool = False


def strips(name: str, title: str, rows: Sequence[Strip], width: float, write: Callable[[float | None], str]) -> Markup:
    """Return box-like strips on a logarithmic axis: p5 to p95 thin, p25 to p75 thick, p50 a notch, p99 a dot."""
    place = layout([row.name for row in rows], width)
    values = [value for row in rows for value in row.quantiles.values()]
    scale, ticks = logarithmic(values, place.left, width - END)
    parts = axis(scale, ticks, place.top, place.bottom(len(rows)), write)
    for index, row in enumerate(rows):
        parts += place.name(index, row.name, f"p50 {write(row.quantiles['p50'])} · p95 {write(row.quantiles['p95'])}")
        parts += _strip(row, place.middle(index), scale, write)
    said = "; ".join(f"{r.name}: median {write(r.quantiles['p50'])}, p95 {write(r.quantiles['p95'])}" for r in rows)
    return chart(name, title, said, (width, place.bottom(len(rows)) + 22), parts)


def _strip(row: Strip, y: float, scale: Scale, write: Callable[[float | None], str]) -> list[Markup]:
    at = {q: scale(value) if value is not None else None for q, value in row.quantiles.items()}
    tip = f"{row.name}: " + ", ".join(f"{q} {write(value)}" for q, value in row.quantiles.items())
    tip += f", n {row.n:,}" if row.n else ""
    edge, few = scale.end, " few" if row.faint else ""
    p5, p25, p50, p75, p95, p99 = (at[q] for q in ("p5", "p25", "p50", "p75", "p95", "p99"))
    parts = []
    if p5 is not None:
        end = edge if p95 is None else p95
        parts.append(bar(p5, y - 2.5, max(end - p5, 2), 5, f"strip-thin{few}", tip=tip, radius=2.5))
    if p25 is not None:
        end = edge if p75 is None else p75
        parts.append(bar(p25, y - 6, max(end - p25, 3), 12, f"strip-thick{few}", tip=tip, radius=3))
    if p50 is not None:
        parts.append(bar(p50 - 1.25, y - 8, 2.5, 16, "strip-mid", tip=tip, radius=1))
    if p99 is not None:
        parts.append(dot(p99, y, 2.6, f"strip-tail{few}", tip))
    return parts


@dataclass(frozen=True, slots=True)
class Point:
    """A row of one figure with its interval; `faint` where the sample is too small to conclude from."""

    name: str
    estimate: Estimate
    faint: bool = False


def points(
    name: str,
    title: str,
    rows: Sequence[Point],
    width: float,
    write: Callable[[float | None], str],
    *,
    centred: bool = False,
) -> Markup:
    """Return dots with whiskers, from zero, or round zero where they are differences (`centred`)."""
    place = layout([row.name for row in rows], width)
    values = [v for r in rows for v in (r.estimate.value, *(() if r.faint else (r.estimate.low, r.estimate.high)))]
    make = around_zero if centred else linear
    scale, ticks = make(values, place.left, width - END)
    parts = axis(scale, ticks, place.top, place.bottom(len(rows)), write)
    if centred:
        parts.append(line(scale(0), place.top, scale(0), place.bottom(len(rows)), "zero"))
    for index, row in enumerate(rows):
        parts += place.name(index, row.name, write(row.estimate.value))
        parts += _point(row, place.middle(index), scale, write)
    said = "; ".join(f"{row.name}: {write(row.estimate.value)}" for row in rows)
    return chart(name, title, said, (width, place.bottom(len(rows)) + 22), parts)


def _point(row: Point, y: float, scale: Scale, write: Callable[[float | None], str]) -> list[Markup]:
    estimate, class_ = row.estimate, "faint" if row.faint else "c1"
    if estimate.value is None:
        return [text(scale.start + 4, y + 4, "none", "tick")]
    tip = f"{row.name}: {write(estimate.value)}, n {estimate.n:,}"
    parts = []
    if estimate.low is not None and estimate.high is not None:
        tip += f", 95 % {write(estimate.low)} to {write(estimate.high)}"
        parts.append(line(scale(estimate.low), y, scale(estimate.high), y, f"whisker {class_}"))
    return [*parts, dot(scale(estimate.value), y, 4.5, f"fill-{class_}", tip)]


@dataclass(frozen=True, slots=True)
class Stack:
    """A row of shares that sum to 1; each is (class of its colour, what it is, share); `n` 0 for no sample."""

    name: str
    n: int
    shares: Sequence[tuple[str, str, float]]


def stacks(name: str, title: str, rows: Sequence[Stack], width: float, write: Callable[[float], str]) -> Markup:
    """Return stacked bars, each filling the width; shares with room for it carry their figure."""
    place = layout([row.name for row in rows], width, 30.0)
    left = place.left if place.beside else 0.0
    parts = []
    for index, row in enumerate(rows):
        parts += place.name(index, row.name, f"n {row.n:,}" if row.n else "")
        x, y = left, place.middle(index) - 9
        for class_, what, share in row.shares:
            length = share * (width - left)
            parts.append(bar(x, y, length - 1, 18, class_, tip=f"{row.name}, {what}: {write(share)}"))
            words = write(share)
            if length > len(words) * CHAR + 8:
                parts.append(text(x + length / 2, y + 13, words, f"on-{class_}", "middle"))
            x += length
    said = "; ".join(f"{r.name}: " + ", ".join(f"{what} {write(s)}" for _, what, s in r.shares) for r in rows)
    return chart(name, title, said, (width, place.bottom(len(rows)) + 4), parts)


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of two figures of the same thing, as latency on two clocks."""

    name: str
    first: float | None
    second: float | None


def pairs(
    name: str,
    title: str,
    rows: Sequence[Pair],
    width: float,
    write: Callable[[float | None], str],
    *,
    of: tuple[str, str],
) -> Markup:
    """Return dumbbells on a linear axis from zero: the first figure hollow, the second full."""
    place = layout([row.name for row in rows], width)
    scale, ticks = linear([v for row in rows for v in (row.first, row.second)], place.left, width - END)
    parts = axis(scale, ticks, place.top, place.bottom(len(rows)), write)
    for index, row in enumerate(rows):
        y = place.middle(index)
        parts += place.name(index, row.name, f"{write(row.first)} · {write(row.second)}")
        if row.first is None or row.second is None:
            continue
        tip = f"{row.name}: {of[0]} {write(row.first)}, {of[1]} {write(row.second)}"
        parts.append(line(scale(row.first), y, scale(row.second), y, "whisker c1"))
        parts += [dot(scale(row.second), y, 5, "fill-c1", tip), dot(scale(row.first), y, 4, "hollow-c1", tip)]
    said = "; ".join(f"{row.name}: {of[0]} {write(row.first)}, {of[1]} {write(row.second)}" for row in rows)
    return chart(name, title, said, (width, place.bottom(len(rows)) + 22), parts)
