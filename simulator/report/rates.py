"""The drawing of a search for the highest rate: a threshold's figure at every rate that was tried."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.curves import SIDE
from simulator.report.svg import axis, bar, chart, dot, line, linear, logarithmic, side_axis, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.report.svg import Scale

LOOKS = {"held": "good", "failed": "bad", "invalid": "faint", "unjudged": "faint"}
WIDEST = 20.0
"""Figures that lie further apart than so many times are drawn on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A figure at one rate, with its interval, and what the whole probe came to."""

    rate_per_s: float
    outcome: str
    value: float | None
    low: float | None
    high: float | None
    n: int


def by_rate(
    name: str,
    title: str,
    tried: Sequence[Tried],
    limit: float,
    *,
    held_per_s: float | None,
    size: tuple[float, float],
    write: Callable[[float | None], str],
) -> Markup:
    """Return the figures over the rates, the limit as a line, and the rate that is reported as an upright one."""
    width, height = size
    bottom = height - 40
    across, rates = logarithmic([one.rate_per_s for one in tried], SIDE + 8, width - 10)
    up, ticks = _upright(tried, limit, bottom)
    parts = [*axis(across, rates, 8, bottom, lambda rate: f"{rate:g}"), *side_axis(up, ticks, SIDE, width, write)]
    parts.append(text((SIDE + width) / 2, height - 6, "visits planned a second", "tick", "middle"))
    if held_per_s is not None:
        parts.append(bar(SIDE, 8, max(across(held_per_s) - SIDE, 0.0), bottom - 8, "allowed", radius=0))
    parts.append(line(SIDE, up(limit), width, up(limit), "limit"))
    for one in tried:
        parts += _mark(one, across, up, write)
    said = "; ".join(_tip(one, write) for one in tried)
    return chart(name, title, f"limit {write(limit)}; {said}", size, parts)


def _upright(tried: Sequence[Tried], limit: float, bottom: float) -> tuple[Scale, list[float]]:
    known = [one.value for one in tried if one.value is not None] + [limit]
    if min(known) > 0 and max(known) > WIDEST * min(known):
        scale, ticks = logarithmic(known, bottom, 12)
        few = ticks if len(ticks) <= 6 else [tick for tick in ticks if math.log10(tick).is_integer()]
        return scale, few
    return linear([*known, *(one.high for one in tried)], bottom, 12)


def _mark(one: Tried, across: Scale, up: Scale, write: Callable[[float | None], str]) -> list[Markup]:
    if one.value is None:
        return []
    x, look = across(one.rate_per_s), LOOKS[one.outcome]
    parts = []
    if one.low is not None and one.high is not None:
        parts.append(line(x, up(one.low), x, up(one.high), f"whisker {look}"))
    fill = f"fill-{look}" if look != "faint" else "hollow-faint"
    return [*parts, dot(x, up(one.value), 5, fill, _tip(one, write))]


def _tip(one: Tried, write: Callable[[float | None], str]) -> str:
    span = f", 95 % {write(one.low)} to {write(one.high)}" if one.low is not None and one.high is not None else ""
    return f"{one.rate_per_s:g}/s {one.outcome}: {write(one.value)}{span}, n {one.n:,}"
