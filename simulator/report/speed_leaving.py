"""How fast shoppers leave: by the seconds they have waited, and by how many pages they have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.report.speed_dose import SIDE
from simulator.report.speed_plot import Box, between, curve_of, end_names, room_of, tip_of
from simulator.report.svg import chart, linear, path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.report.speed_dose import Named

TOP, BELOW = 26.0, 38.0


def hazards(
    name: str,
    title: str,
    curves: Sequence[Named],
    truth: Sequence[tuple[float, float]],
    size: tuple[float, float],
    write: tuple[Callable[[float], str], Callable[[float | None], str]],
    *,
    across: str,
    up: str,
) -> Markup:
    """Return rates of leaving as lines with ribbons, each with its name; `truth` is the assumed one, dashed.

    The vertical axis ends above the figures of large samples, so that a few noisy ones cannot flatten the rest.
    """
    width, height = size
    box = Box(SIDE, width - room_of(curve.name for curve in curves), TOP, height - BELOW)
    marks = [mark for curve in curves for mark in curve.marks if mark.value is not None]
    x = between(min(m.x for m in marks), max(m.x for m in marks), box.left, box.right)
    known = [mark.high if mark.high is not None else mark.value for mark in marks if mark.enough]
    y = linear([*known, *(value for _, value in truth)], box.bottom, box.top)
    parts = box.axes(x, y, write, (across, up))
    if truth:
        inside = [(x[0](a), y[0](b)) for a, b in truth if x[0].low <= a <= x[0].high]
        parts.append(path(inside, "curve truth dashed"))
    ends = []
    for curve in curves:
        kept = [m for m in curve.marks if m.enough or (m.value is not None and m.value <= y[0].high)]
        parts += curve_of(kept, x[0], y[0], curve.class_, tip_of(curve.name, write[0], write[1]), dashed=curve.dashed)
        solid = [m for m in curve.marks if m.enough and m.value is not None]
        ends += [(y[0](m.value), curve.name, curve.class_) for m in solid[-1:] if m.value is not None]
    parts += end_names(ends, box.right + 7, box.top, box.bottom)
    said = "; ".join(
        f"{c.name}: {write[1](m.value)} at {write[0](m.x)}" for c in curves for m in [*c.marks][-1:] if c.marks
    )
    return chart(name, title, said, size, parts)
