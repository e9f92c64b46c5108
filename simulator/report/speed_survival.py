"""How long visits last, arm by arm: survival curves with their risk table, and what ended visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.speed_plot import Box, between, end_names, percent_tick, room_of, steps
from simulator.report.svg import Scale, chart, path, ribbon, tag, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

TOP, BELOW, SIDE, RISK = 26.0, 38.0, 44.0, 17.0
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
STACKED = ("renege", "put_off", "exit", "convert")
"""What ends a visit, in the order in which the areas stand on each other."""


@dataclass(frozen=True, slots=True)
class Survival:
    """The share of an arm's visits that still go on after so many pages or seconds, with band and numbers at risk."""

    name: str
    class_: str
    x: Sequence[float]
    share: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    risk: Sequence[tuple[float, int]]


def survival(
    name: str,
    title: str,
    arms: Sequence[Survival],
    until: float,
    size: tuple[float, float],
    write: Callable[[float], str],
    *,
    across: str,
    least: float = 0.0,
) -> Markup:
    """Return step curves with ribbons, their names at the end, and the numbers at risk beneath.

    The area between the first and the last arm is shaded: up to `until` it is the difference of restricted means.
    """
    width, height = size
    box = Box(SIDE, width - room_of(arm.name for arm in arms), TOP, height - BELOW - RISK * (len(arms) + 1))
    x = between(0.0, until, box.left, box.right, ticks=6 if width > 400 else 4, least=least)
    y = Scale(0.0, 1.0, box.bottom, box.top)
    parts = box.axes(x, (y, list(SHARES)), (write, percent_tick), (across, "visits still going on"))
    drawn = [[(x[0](a), y(b)) for a, b in steps(_until(arm, until))] for arm in arms]
    if len(arms) > 1:
        parts.append(path([*drawn[0], *reversed(drawn[-1])], "gap", close=True))
    for arm in arms:
        lows, highs = (steps(list(zip(arm.x, side, strict=True))) for side in (arm.low, arm.high))
        band = [(x[0](a), y(b), y(c)) for (a, b), (_, c) in zip(lows, highs, strict=True) if a <= until]
        parts += [ribbon(band, f"ribbon {arm.class_}")] if len(band) > 1 else []
    parts += [path(line, f"curve {arm.class_}") for arm, line in zip(arms, drawn, strict=True)]
    ends = [(line[-1][1], arm.name, arm.class_) for arm, line in zip(arms, drawn, strict=True)]
    parts += end_names(ends, box.right + 7, box.top, box.bottom)
    parts += _risk_table(arms, x[0], box, until)
    said = "; ".join(f"{a.name}: {percent_tick(_until(a, until)[-1][1])} at {write(until)}" for a in arms)
    return chart(name, title, said, size, parts)


def _until(arm: Survival, until: float) -> list[tuple[float, float]]:
    kept = [(a, b) for a, b in zip(arm.x, arm.share, strict=True) if a <= until] or [(0.0, 1.0)]
    return [*kept, (until, kept[-1][1])]


def _risk_table(arms: Sequence[Survival], x: Scale, box: Box, until: float) -> list[Markup]:
    top = box.bottom + BELOW + 8
    parts = [text(0, top, "visits at risk", "axis-title")]
    for row, arm in enumerate(arms, 1):
        y = top + row * RISK
        free = -1e9
        for at, count in arm.risk:
            if at > until:
                continue
            words = f"{count:,}"
            half = len(words) * 3.2
            middle = max(x(at), half)
            if middle - half > free and middle + half < box.right:
                parts.append(text(middle, y, words, f"of-{arm.class_} risk", "middle"))
                free = middle + half + 6
        parts.append(text(box.right + 7, y, arm.name, f"of-{arm.class_} end-name"))
    return parts


@dataclass(frozen=True, slots=True)
class Ends:
    """What had ended an arm's visits by each x: shares by cause of STACKED, each as long as `x`."""

    name: str
    x: Sequence[float]
    shares: dict[str, Sequence[float]]


def cumulative(
    name: str, title: str, arms: Sequence[Ends], width: float, write: Callable[[float], str], *, across: str
) -> Markup:
    """Return one panel an arm with stacked areas of what ended visits; on a phone the panels stand below each other."""
    columns = min(len(arms), 4 if width > 800 else 2)
    rows = -(-len(arms) // columns)
    gap, tall = 14.0, 168.0 if columns > 2 else 150.0
    across_px = (width - SIDE + 8 - gap * (columns - 1)) / columns
    until = max(arm.x[-1] for arm in arms)
    parts = []
    for place, arm in enumerate(arms):
        row, column = divmod(place, columns)
        left = SIDE - 8 + column * (across_px + gap)
        box = Box(left, left + across_px, 22 + row * (tall + 52), 22 + row * (tall + 52) + tall)
        parts += _panel(arm, box, until, write, first=column == 0)
    bottom = 22 + rows * (tall + 52)
    parts.append(text(width, bottom - 8, across, "axis-title", "end"))
    said = "; ".join(
        f"{a.name}: " + ", ".join(f"{what} {percent_tick(a.shares[what][-1])}" for what in STACKED) for a in arms
    )
    return chart(name, title, said, (width, bottom), parts)


def _panel(arm: Ends, box: Box, until: float, write: Callable[[float], str], *, first: bool) -> list[Markup]:
    x, ticks = between(0.0, until, box.left, box.right, ticks=3)
    y = Scale(0.0, 1.0, box.bottom, box.top)
    parts = []
    base = [0.0] * len(arm.x)
    for what in STACKED:
        top = [min(a + b, 1.0) for a, b in zip(base, arm.shares[what], strict=True)]
        band = [(x(a), y(b), y(c)) for a, b, c in zip(arm.x, base, top, strict=True)]
        tip = tag("title", f"{arm.name}, {what.replace('_', ' ')}: {percent_tick(arm.shares[what][-1])} in the end")
        parts.append(tag("g", tip + ribbon(band, f"area-{what}")))
        base = top
    blank = (lambda _: "") if not first else percent_tick
    # The last label would run into the next panel's first.
    parts += box.axes((x, [tick for tick in ticks if tick < until * 0.9]), (y, list(SHARES)), (write, blank))
    parts.append(text(box.left, box.top - 8, arm.name, "panel-name"))
    return parts
