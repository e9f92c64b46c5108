"""Charts with two axes: arrivals over time, and figures by landing load time with their intervals and sample sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.report.svg import CHAR, Scale, bar, chart, dot, line, linear, path, ribbon, side_axis, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.analysis.estimates import Estimate

Tone = Literal["good", "bad", "faint"]
SIDE = 46.0
"""Room for the labels of a vertical axis."""
COUNTS = 34.0
"""Height of the bars of sample sizes under a curve."""


@dataclass(frozen=True, slots=True)
class Station:
    """One place on a curve: its label under the axis, its figure, and whether the sample is large enough."""

    label: str
    estimate: Estimate
    enough: bool


def curve(
    name: str,
    title: str,
    stations: Sequence[Station],
    *,
    size: tuple[float, float],
    write: Callable[[float | None], str],
    class_: str = "c1",
    of: str = "visits",
) -> Markup:
    """Return a line with its 95 % ribbon over equally spaced places, with sample sizes (`of` what) as bars beneath.

    Places without a large enough sample are hollow and grey, and neither line nor ribbon runs through them.
    """
    width, height = size
    bottom = height - COUNTS - 34
    solid = [s.estimate for s in stations if s.enough]
    shown = [v for e in solid for v in (e.value, e.high)] + [s.estimate.value for s in stations]
    scale, ticks = linear(shown, bottom, 8, ticks=4)
    pitch = (width - SIDE - 6) / max(len(stations), 1)
    xs = [SIDE + (index + 0.5) * pitch for index in range(len(stations))]
    parts = side_axis(scale, ticks, SIDE, width, write)
    for run in _runs(stations):
        parts += _stretch([(xs[i], stations[i].estimate) for i in run], scale, class_)
    parts += _dots(stations, xs, scale, write, class_)
    parts += _counts(stations, xs, pitch, bottom + 8, of)
    said = "; ".join(_tip(station, write) for station in stations)
    return chart(name, title, said, size, parts)


def _dots(
    stations: Sequence[Station],
    xs: Sequence[float],
    scale: Scale,
    write: Callable[[float | None], str],
    class_: str,
) -> list[Markup]:
    parts = []
    for x, station in zip(xs, stations, strict=True):
        if station.estimate.value is not None:
            radius, look = (4, f"fill-{class_}") if station.enough else (3, "hollow-faint")
            parts.append(dot(x, scale(station.estimate.value), radius, look, _tip(station, write)))
    return parts


def _runs(stations: Sequence[Station]) -> list[list[int]]:
    """Return the stretches of neighbouring places whose samples are large enough."""
    runs: list[list[int]] = [[]]
    for index, station in enumerate(stations):
        if station.enough and station.estimate.value is not None:
            runs[-1].append(index)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _stretch(points: Sequence[tuple[float, Estimate]], scale: Scale, class_: str) -> list[Markup]:
    known = [(x, e.value) for x, e in points if e.value is not None]
    bounded = [(x, scale(e.low), scale(e.high)) for x, e in points if e.low is not None and e.high is not None]
    parts = []
    if len(bounded) > 1:
        parts.append(ribbon(bounded, f"ribbon {class_}"))
    elif bounded:
        x, low, high = bounded[0]
        parts.append(line(x, low, x, high, f"whisker {class_}"))
    return [*parts, path([(x, scale(value)) for x, value in known], f"curve {class_}")]


def _tip(station: Station, write: Callable[[float | None], str]) -> str:
    e = station.estimate
    few = "" if station.enough else " (too few to conclude from)"
    span = f", 95 % {write(e.low)} to {write(e.high)}" if e.low is not None and e.high is not None else ""
    return f"{station.label}: {write(e.value)}{span}, n {e.n:,}{few}"


def _counts(stations: Sequence[Station], xs: Sequence[float], pitch: float, top: float, of: str) -> list[Markup]:
    """Return bars of sample sizes, the number on each that has room, and the labels under them."""
    most = max((station.estimate.n for station in stations), default=0) or 1
    parts = [text(0, top + COUNTS - 2, of, "tick")]
    for x, station in zip(xs, stations, strict=True):
        n = station.estimate.n
        height = (COUNTS - 12) * n / most
        class_ = "count" if station.enough else "count faint"
        parts.append(bar(x - pitch * 0.32, top + COUNTS - height, pitch * 0.64, height, class_, radius=1.5))
        if len(f"{n:,}") * CHAR * 0.9 < pitch + 4:
            parts.append(text(x, top + COUNTS - height - 3, f"{n:,}", "tick small", "middle"))
        parts.append(text(x, top + COUNTS + 15, station.label, "tick", "middle"))
    return parts


def arrivals(
    name: str,
    title: str,
    planned: Sequence[float],
    started: Sequence[float],
    *,
    width_s: float,
    size: tuple[float, float],
) -> Markup:
    """Return started arrivals as bars and planned ones as a stepped line; both are counts a stretch of `width_s`."""
    width, height = size
    bottom = height - 24
    scale, ticks = linear([*planned, *started], bottom, 8, ticks=3)
    pitch = (width - SIDE - 6) / max(len(planned), 1)
    parts = side_axis(scale, ticks, SIDE, width, lambda value: f"{value:g}")
    steps: list[tuple[float, float]] = []
    for index, (due, begun) in enumerate(zip(planned, started, strict=True)):
        x = SIDE + index * pitch
        tip = f"from {index * width_s:g} s: {due:g} planned, {begun:g} started"
        parts.append(
            bar(x + pitch * 0.1, scale(begun), pitch * 0.8, bottom - scale(begun), "started", tip=tip, radius=1)
        )
        steps += [(x, scale(due)), (x + pitch, scale(due))]
    if steps:
        parts.append(path(steps, "curve c2"))
    parts += _seconds(len(planned), width_s, pitch, bottom + 16)
    return chart(name, title, f"{sum(planned):,g} planned, {sum(started):,g} started", size, parts)


def _seconds(count: int, width_s: float, pitch: float, y: float) -> list[Markup]:
    """Return labels of elapsed seconds about every 60 units of the drawing."""
    every = max(1, round(60 / pitch)) if pitch else 1
    return [
        text(SIDE + index * pitch, y, f"{index * width_s:g} s", "tick", "start" if index == 0 else "middle")
        for index in range(0, count, every)
    ]


def spark(name: str, title: str, counts: Sequence[int], describe: str, marks: Sequence[tuple[float, str]]) -> Markup:
    """Return a small histogram; each mark is (share of the width, class of the line)."""
    width, height = 260.0, 56.0
    most, pitch = max(counts, default=0) or 1, width / max(len(counts), 1)
    parts = [
        bar(
            i * pitch + 0.6,
            height - 2 - (height - 10) * n / most,
            pitch - 1.2,
            (height - 10) * n / most + 1,
            "spark",
            radius=1,
        )
        for i, n in enumerate(counts)
    ]
    parts += [line(share * width, 2, share * width, height, class_) for share, class_ in marks if 0 <= share <= 1]
    return chart(name, title, describe, (width, height), parts)


def gauge(name: str, title: str, estimate: Estimate, limit: float, *, below: bool, tone: Tone) -> Markup:
    """Return a threshold at a glance: the allowed side of the limit (above 0) shaded, the figure and its interval."""
    width, height, y = 180.0, 30.0, 15.0
    values = [limit * 1.35, estimate.value or 0.0, min(estimate.high or 0.0, limit * 2.2)]
    top = max(values) * 1.06
    scale = Scale(0.0, top, 4.0, width - 4)
    edge = scale(limit)
    span = (4.0, edge - 4.0) if below else (edge, width - 4 - edge)
    parts = [bar(4, y - 3, width - 8, 6, "track", radius=3), bar(span[0], y - 3, span[1], 6, "allowed", radius=3)]
    parts.append(line(edge, 4, edge, height - 4, "limit"))
    if estimate.low is not None or estimate.high is not None:
        low, high = estimate.low or 0.0, top if estimate.high is None else estimate.high
        parts.append(line(scale(low), y, scale(high), y, f"whisker {tone}"))
    if estimate.value is not None:
        parts.append(dot(scale(estimate.value), y, 5, f"fill-{tone}"))
    return chart(name, title, "", (width, height), parts)
