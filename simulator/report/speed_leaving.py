"""How fast shoppers leave: by the seconds they have waited, and by how many pages they have seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.report.speed_dose import SIDE
from simulator.report.speed_plot import Box, between, curve_of, end_names, room_of, tip_of
from simulator.report.svg import chart, linear

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.report.speed_dose import Named

TOP, BELOW = 26.0, 38.0


def hazards(
    name: str,
    title: str,
    curves: Sequence[Named],
    size: tuple[float, float],
    write: tuple[Callable[[float], str], Callable[[float | None], str]],
    *,
    across: str,
    up: str,
) -> Markup:
    """Return rates of leaving as lines, each with its name; the first has its interval and its small samples too.

    The axes end with the first curve's large samples, so that a few noisy figures cannot flatten the rest.
    """
    width, height = size
    box = Box(SIDE, width - room_of(curve.name for curve in curves), TOP, height - BELOW)
    first = [mark for mark in curves[0].marks if mark.value is not None]
    last = max((mark.x for mark in first if mark.enough), default=first[-1].x if first else 1.0)
    shown = [mark for curve in curves for mark in curve.marks if mark.enough and mark.x <= last]
    x = between(min((m.x for m in first), default=0.0), last, box.left, box.right)
    known = [mark.high for mark in first if mark.enough] + [mark.value for mark in shown]
    y = linear(known, box.bottom, box.top)
    parts = box.axes(x, y, write, (across, up))
    ends = []
    for place, curve in enumerate(curves):
        solid = [m for m in curve.marks if m.enough and m.value is not None and m.x <= last]
        bare = solid if place == 0 else [replace(m, low=None, high=None) for m in solid]
        parts += curve_of(bare, x[0], y[0], curve.class_, tip_of(curve.name, write[0], write[1]), dashed=curve.dashed)
        ends += [(y[0](m.value), curve.name, curve.class_) for m in solid[-1:] if m.value is not None]
    parts += end_names(ends, box.right + 7, box.top, box.bottom)
    said = "; ".join(
        f"{c.name}: {write[1](m.value)} at {write[0](m.x)}" for c in curves for m in [*c.marks][-1:] if c.marks
    )
    return chart(name, title, said, size, parts)
