"""A week as a picture: 24 hours × 7 days, the stronger the colour the busier; on a phone the days are columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.report.svg import chart, tag, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = 24


def week_map(
    name: str,
    title: str,
    week: Sequence[Sequence[float]],
    width: float,
    write: Callable[[float], str],
    *,
    wide: bool,
) -> Markup:
    """Return a heat map of `week`, 24 rows of 7 values from Monday on; `write` says a value in words."""
    most = max((value for row in week for value in row), default=0.0) or 1.0
    side, top = (40.0, 18.0) if wide else (26.0, 18.0)
    across, down = (HOURS, len(DAYS)) if wide else (len(DAYS), HOURS)
    pitch_x, pitch_y = (width - side) / across, 26.0 if wide else 19.0
    parts = []
    for hour in range(HOURS):
        for day, full in enumerate(DAYS):
            column, row = (hour, day) if wide else (day, hour)
            value = week[hour][day]
            tip = f"{full} {hour}:00 to {hour + 1}:00, {write(value)}"
            parts.append(_cell(side + column * pitch_x, top + row * pitch_y, pitch_x, pitch_y, value / most, tip))
    parts += _labels(side, top, pitch_x, pitch_y, wide=wide)
    busiest = max(((week[h][d], -d, -h) for h in range(HOURS) for d in range(len(DAYS))), default=(0.0, 0, 0))
    said = f"busiest: {DAYS[-busiest[1]]} from {-busiest[2]}:00, {write(busiest[0])}"
    return chart(name, title, said, (width, top + down * pitch_y + 2), parts)


def _cell(x: float, y: float, width: float, height: float, level: float, tip: str) -> Markup:
    title = tag("title", tip)
    return tag(
        "rect", title, x=x + 1, y=y + 1, width=width - 2, height=height - 2, rx=3, class_="heat-cell",
        fill_opacity=round(0.04 + 0.96 * level, 3),
    )  # fmt: skip


def _labels(side: float, top: float, pitch_x: float, pitch_y: float, *, wide: bool) -> list[Markup]:
    parts = []
    for hour in range(0, HOURS, 3):
        if wide:
            parts.append(text(side + (hour + 0.5) * pitch_x, top - 6, f"{hour}", "tick", "middle"))
        else:
            parts.append(text(side - 6, top + (hour + 0.5) * pitch_y + 4, f"{hour}", "tick", "end"))
    for place, full in enumerate(DAYS):
        if wide:
            parts.append(text(side - 8, top + (place + 0.5) * pitch_y + 4, full[:3], "tick", "end"))
        else:
            parts.append(text(side + (place + 0.5) * pitch_x, top - 6, full[:2], "tick", "middle"))
    return parts
