"""A forest plot: one effect a group, drawn towards the whole by how little the group alone can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.rows import under_heads
from simulator.report.speed_plot import FEW, spanning
from simulator.report.svg import axis, chart, dot, line, tag, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.report.svg import Scale

NARROW = 480.0


@dataclass(frozen=True, slots=True)
class Group:
    """One group's own effect with its interval, and the effect after shrinkage; `by` is what the groups are of."""

    by: str
    name: str
    n: int
    value: float
    low: float | None
    high: float | None
    shrunk: float | None = None
    shrunk_low: float | None = None
    shrunk_high: float | None = None

    @property
    def shown(self) -> tuple[float, float | None, float | None]:
        """What is drawn: the effect after shrinkage with its interval, or its own where nothing was shrunk."""
        own = (self.value, self.low, self.high)
        return own if self.shrunk is None else (self.shrunk, self.shrunk_low, self.shrunk_high)


def forest(
    name: str,
    title: str,
    whole: Group,
    groups: Sequence[Group],
    width: float,
    write: Callable[[float | None], str],
) -> Markup:
    """Return dots with whiskers after shrinkage, rings for the groups' own figures, the whole as an upright line."""
    beside = width >= NARROW
    pitch, head = (23.0, 30.0) if beside else (36.0, 26.0)
    longest = max(len(g.name) for g in (whole, *groups))
    left = min(200.0, longest * 7.1 + 20) if beside else 6.0
    right = width - (128 if beside else 10)
    scale, ticks = _scale(whole, groups, left, right, beside=beside)
    places, bottom = under_heads([group.by for group in groups], pitch, head, pitch)
    parts = axis(scale, ticks, 2, bottom, write)
    parts += [line(scale(0), 2, scale(0), bottom, "zero"),
              line(scale(whole.value), 2, scale(whole.value), bottom, "whole")]  # fmt: skip
    parts += _row(whole, 0.0, (left, width, pitch, beside), scale, write, "fill-ink")
    by = ""
    for group, y in zip(groups, places, strict=True):
        if group.by != by:
            by = group.by
            parts.append(text(0, y - 8, by, "group"))
        look = "fill-c1" if group.n >= FEW else "fill-faint"
        parts += _row(group, y, (left, width, pitch, beside), scale, write, look)
    said = "; ".join(f"{g.name}: {write(g.value if g.shrunk is None else g.shrunk)}" for g in (whole, *groups))
    return chart(name, title, said, (width, bottom + 24), parts)


def _scale(
    whole: Group, groups: Sequence[Group], left: float, right: float, *, beside: bool
) -> tuple[Scale, list[float]]:
    """Return a scale that holds what is shown after shrinkage; rings and whiskers beyond it end at its edge."""
    solid = [group for group in (whole, *groups) if group.n >= FEW] or [whole]
    values = [v for group in solid for v in group.shown]
    return spanning(values, left, right, ticks=6 if beside else 4)


def _row(
    group: Group,
    top: float,
    place: tuple[float, float, float, bool],
    scale: Scale,
    write: Callable[[float | None], str],
    look: str,
) -> list[Markup]:
    left, width, pitch, beside = place
    y = top + (pitch / 2 if beside else pitch * 0.7)
    value, *ends = group.shown
    tip = f"{group.name}: {write(value)}, alone {write(group.value)}, n {group.n:,}"
    if ends[0] is not None and ends[1] is not None:
        tip += f", 95 % {write(ends[0])} to {write(ends[1])}"
    if beside:
        parts = [
            text(left - 12, y + 4, group.name, "name", "end"),
            text(width, y + 4, f"{write(value)} · {group.n:,}", "tick", "end"),
        ]
    else:
        told = f"{write(value)} · n {group.n:,}"
        parts = [text(0, top + 13, group.name, "name halo"), text(width, top + 13, told, "tick halo", "end")]
    if ends[0] is not None and ends[1] is not None:
        colour = look.removeprefix("fill-")
        parts.append(line(scale(ends[0]), y, scale(ends[1]), y, f"whisker {colour}"))
    if group.shrunk is not None and scale.low <= group.value <= scale.high:
        parts.append(tag("circle", tag("title", tip), cx=scale(group.value), cy=y, r=3.4, class_="hollow-faint"))
    parts.append(dot(scale(value), y, 4.6, look, tip))
    return parts
