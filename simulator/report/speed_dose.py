"""What added waiting does: the dose-response beside the observed curve, sensitivity over h, and the plateau."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from simulator.report.speed_plot import (
    Box,
    Mark,
    between,
    curve_of,
    end_names,
    percent_tick,
    room_of,
    seconds_tick,
    spanning,
    steps,
    tip_of,
)
from simulator.report.svg import bar, chart, dot, line, path, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.report.svg import Scale

TOP, BELOW, SIDE = 26.0, 38.0, 44.0


@dataclass(frozen=True, slots=True)
class Named:
    """A curve with its name and colour."""

    name: str
    marks: Sequence[Mark]
    class_: str
    dashed: bool = False


def effects(
    name: str, title: str, curves: Sequence[Named], size: tuple[float, float], *, across: str, up: str
) -> Markup:
    """Return changes in percent over seconds, zero being no change; every curve has its name at its end."""
    width, height = size
    box = Box(SIDE, width - room_of(curve.name for curve in curves), TOP, height - BELOW)
    marks = [mark for curve in curves for mark in curve.marks]
    x = between(min((m.x for m in marks), default=0.0), max((m.x for m in marks), default=1.0), box.left, box.right)
    y = spanning((v for m in marks for v in _shown(m)), box.bottom, box.top, ticks=5)
    parts = box.axes(x, y, (seconds_tick, percent_tick), (across, up))
    parts.append(line(box.left, y[0](0), box.right, y[0](0), "zero"))
    for curve in curves:
        tip = tip_of(curve.name, seconds_tick, percent_tick)
        parts += curve_of(curve.marks, x[0], y[0], curve.class_, tip, dashed=curve.dashed)
    parts += _names(curves, y[0], box)
    return chart(name, title, _said(curves), size, parts)


def _shown(mark: Mark) -> tuple[float | None, ...]:
    return (mark.value, mark.low, mark.high) if mark.enough else (mark.value,)


def _names(curves: Sequence[Named], y: Scale, box: Box) -> list[Markup]:
    ends = []
    for curve in curves:
        last = [mark.value for mark in curve.marks if mark.value is not None and mark.enough][-1:]
        ends += [(y(value), curve.name, curve.class_) for value in last]
    return end_names(ends, box.right + 7, box.top, box.bottom)


def _said(curves: Sequence[Named]) -> str:
    told = []
    for curve in curves:
        last = next((mark for mark in reversed(curve.marks) if mark.value is not None), None)
        if last is not None:
            told.append(f"{curve.name}: {percent_tick(last.value)} at {seconds_tick(last.x)}")
    return "; ".join(told)


def gap(
    name: str,
    title: str,
    causal: Sequence[Mark],
    observed: Sequence[Mark],
    size: tuple[float, float],
    names: tuple[str, str] = ("caused", "observed"),
    *,
    across: str,
    up: str,
) -> Markup:
    """Return the causal and the observed curve over the same seconds, and what lies between them shaded."""
    width, height = size
    box = Box(SIDE, width - room_of(names), TOP, height - BELOW)
    marks = [*causal, *observed]
    x = between(min(m.x for m in marks), max(m.x for m in marks), box.left, box.right)
    y = spanning((v for m in marks for v in _shown(m)), box.bottom, box.top, ticks=5)
    parts = box.axes(x, y, (seconds_tick, percent_tick), (across, up))
    parts.append(line(box.left, y[0](0), box.right, y[0](0), "zero"))
    parts += _shade(causal, observed, x[0], y[0])
    curves = [Named(names[0], causal, "c1"), Named(names[1], observed, "c2", dashed=True)]
    for curve in curves:
        tip = tip_of(curve.name, seconds_tick, percent_tick)
        parts += curve_of(curve.marks, x[0], y[0], curve.class_, tip, dashed=curve.dashed)
    parts += _names(curves, y[0], box)
    return chart(name, title, _said(curves), size, parts)


def _shade(one: Sequence[Mark], other: Sequence[Mark], x: Scale, y: Scale) -> list[Markup]:
    """Return the area between two curves where both are known."""
    first, second = ([(m.x, m.value) for m in marks if m.value is not None and m.enough] for marks in (one, other))
    if len(first) < 2 or len(second) < 2:
        return []
    low, high = max(first[0][0], second[0][0]), min(first[-1][0], second[-1][0])
    at = sorted({low, high, *(p for p, _ in (*first, *second) if low <= p <= high)})
    edge = [(x(p), y(_at(first, p))) for p in at] + [(x(p), y(_at(second, p))) for p in reversed(at)]
    return [path(edge, "gap", close=True)] if high > low else []


def _at(points: Sequence[tuple[float, float]], place: float) -> float:
    """Return the value of a polyline at a place within it."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= place <= x1:
            return y0 + (y1 - y0) * (place - x0) / (x1 - x0) if x1 > x0 else y1
    return points[-1][1]


@dataclass(frozen=True, slots=True)
class Knee:
    """Where a plateau begins, in seconds, with its interval; None where no knee was found."""

    at_s: float | None
    low_s: float | None = None
    high_s: float | None = None


def plateau(
    name: str,
    title: str,
    marks: Sequence[Mark],
    fit: Sequence[tuple[float, float]],
    knee: Knee,
    size: tuple[float, float],
    write: Callable[[float | None], str],
    *,
    across: str,
    up: str,
) -> Markup:
    """Return figures by load time, a fit through them and the knee with its interval as an upright band."""
    width, height = size
    box = Box(SIDE, width - 8, TOP, height - BELOW)
    x = between(min(m.x for m in marks), max(m.x for m in marks), box.left, box.right)
    y = spanning((v for m in marks for v in _shown(m)), box.bottom, box.top)
    parts = box.axes(x, y, (seconds_tick, write), (across, up))
    told = "no knee"
    if knee.at_s is not None:
        if knee.low_s is not None and knee.high_s is not None:
            left, right = x[0](knee.low_s), x[0](knee.high_s)
            parts.append(bar(left, box.top, max(right - left, 2), box.bottom - box.top, "knee-band", radius=0))
        at = x[0](knee.at_s)
        parts.append(line(at, box.top, at, box.bottom, "knee"))
        told = f"knee {knee.at_s:.1f}\u202fs"
        left_half = at < (box.left + box.right) / 2
        parts.append(text(at + (5 if left_half else -5), box.top + 11, told, "knee-name", None if left_half else "end"))
    parts.append(path([(x[0](a), y[0](b)) for a, b in steps(fit)], "curve fit"))
    tip = tip_of(up, seconds_tick, write)
    for mark in marks:
        if mark.value is None:
            continue
        if mark.low is not None and mark.high is not None and mark.enough:
            parts.append(line(x[0](mark.x), y[0](mark.low), x[0](mark.x), y[0](mark.high), "whisker c1"))
        parts.append(dot(x[0](mark.x), y[0](mark.value), 3.6, "fill-c1" if mark.enough else "hollow-faint", tip(mark)))
    return chart(name, title, told, size, parts)
