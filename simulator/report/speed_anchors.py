"""Published studies beside what the same design gives in simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.rows import under_heads
from simulator.report.speed_plot import spanning
from simulator.report.svg import axis, bar, chart, dot, line, tag, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.report.svg import Scale

NARROW = 480.0
OUTLYING = 2.0
"""Simulated figures that lie so many times further out than any published one end at the axis's edge."""
ROW, TALL, HEAD = 24.0, 40.0, 30.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """A published figure and the simulated one with its interval.

    `low` and `high` of the published one are how far it may be off and still count as reproduced. `fitted` says that
    the behaviour was fitted to it, so that agreement is no evidence.
    """

    study: str
    what: str
    published: float
    published_low: float | None
    published_high: float | None
    simulated: float | None
    low: float | None
    high: float | None
    n: int
    inside: bool | None
    fitted: bool


def anchors(
    name: str, title: str, rows: Sequence[Anchor], width: float, write: Callable[[float | None], str]
) -> Markup:
    """Return one row a published figure, under its study's name: a diamond for it, a dot for the simulated one."""
    beside = width >= NARROW
    pitch = ROW if beside else TALL
    left = min(300.0, max(len(row.what) for row in rows) * 6.6 + 20) if beside else 8.0
    values = [v for r in rows for v in (r.published, r.published_low, r.published_high, r.simulated, r.low, r.high)]
    most = OUTLYING * max((abs(row.published) for row in rows), default=1.0)
    right = width - (118 if beside else 14)
    scale, ticks = spanning(
        [v for v in values if v is not None and abs(v) <= most], left, right, ticks=6 if beside else 4
    )
    places, bottom = under_heads([row.study for row in rows], pitch, HEAD)
    parts = axis(scale, ticks, 4, bottom, write)
    parts.append(line(scale(0), 4, scale(0), bottom, "zero"))
    study = ""
    for row, y in zip(rows, places, strict=True):
        if row.study != study:
            study = row.study
            parts.append(text(0, y - (8 if beside else 6), study, "group"))
        parts += _row(row, y, (left, width, beside), scale, write)
    said = "; ".join(f"{r.study}, {r.what}: published {write(r.published)}, here {write(r.simulated)}" for r in rows)
    return chart(name, title, said, (width, bottom + 24), parts)


def _row(
    row: Anchor,
    top: float,
    place: tuple[float, float, bool],
    scale: Scale,
    write: Callable[[float | None], str],
) -> list[Markup]:
    left, width, beside = place
    y = top + (ROW / 2 if beside else TALL * 0.68)
    parts = [text(left - 12, y + 4, row.what, "name", "end") if beside else text(0, top + 12, row.what, "name")]
    told = f"{write(row.published)} · {write(row.simulated)}"
    parts.append(text(width, y + 4 if beside else top + 12, told, "tick halo", "end"))
    tip = f"{row.study}, {row.what}: published {write(row.published)}; simulated {write(row.simulated)}"
    if row.low is not None and row.high is not None:
        tip += f", 95 % {write(row.low)} to {write(row.high)}, n {row.n:,}"
    if row.published_low is not None and row.published_high is not None:
        start, end = scale(row.published_low), scale(row.published_high)
        parts.append(bar(start, y - 7, max(end - start, 2), 14, "tolerance", tip=tip, radius=3))
    if row.simulated is not None:
        look = "faint" if row.fitted else "good" if row.inside else "bad"
        if row.low is not None and row.high is not None:
            parts.append(line(scale(row.low), y, scale(row.high), y, f"whisker {look}"))
        parts.append(dot(scale(row.simulated), y, 4.8, f"fill-{look}", tip))
    parts.append(_diamond(scale(row.published), y, tip))
    return parts


def _diamond(x: float, y: float, tip: str) -> Markup:
    corners = f"{x:.1f},{y - 6:.1f} {x + 6:.1f},{y:.1f} {x:.1f},{y + 6:.1f} {x - 6:.1f},{y:.1f}"
    return tag("polygon", tag("title", tip), points=corners, class_="diamond")
