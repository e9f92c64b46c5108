"""The drawings of the personalization section: personal share over the run, offers on a map, pushes by local hour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from simulator.analysis.words import figure, tick
from simulator.report.curves import Station, curve
from simulator.report.drawings import ENOUGH, FULL, HALF, twice
from simulator.report.svg import bar, chart, dot, line, linear, side_axis, tag, text
from simulator.target.probes.hours import is_quiet_hour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.manifest import Offered, Probed
    from simulator.analysis.personal import Moment

PANELS = 6
"""Places that are drawn to scale, those where an offer did not hold first."""
DEGREE_KM = 111.2
HOURS = 24


def personal_drawings(probed: Probed | None, moments: Sequence[Moment]) -> dict[str, Markup]:
    """Return the drawings by name; those that the run has no data for are missing."""
    made: dict[str, Markup] = {}
    if any(moment.share.value is not None for moment in moments):
        made["personal_share"] = _share(moments)
    if probed is not None and probed.offers:
        made["offers_map"] = twice("offers-map", FULL, lambda name, width: offers_map(name, probed.offers, width))
        made["offers_near"] = tag("div", _panels(probed.offers), class_="panels")
    if probed is not None and any(probed.pushes_by_hour):
        hours, quiet = probed.pushes_by_hour, probed.quiet_hours
        made["push_calendar"] = twice(
            "push-calendar", HALF, lambda name, width: push_calendar(name, hours, quiet, width)
        )
    return made


def _share(moments: Sequence[Moment]) -> Markup:
    stations = [Station(f"{m.from_s}", m.share, m.share.n >= ENOUGH) for m in moments]
    title = "Share of personal answers over the run, by second, with the number of answers beneath"
    return twice(
        "personal-share",
        HALF,
        lambda name, width: curve(
            name, title, stations, size=(width, 232.0), write=lambda value: tick(value, "share"), of="answers"
        ),
    )


def offers_map(name: str, offers: Sequence[Offered], width: float) -> Markup:
    """Return the places that offers were asked for, on an equirectangular map with a grid of degrees; no coast."""
    lats, lons = [one.at[0] for one in offers], [one.at[1] for one in offers]
    south, north = _round_out(lats)
    west, east = _round_out(lons)
    height = min(max(width * (north - south) / (east - west), 120.0), width * 0.7)
    left, bottom = 40.0, height

    def x(lon: float) -> float:
        return left + (lon - west) / (east - west) * (width - left - 8)

    def y(lat: float) -> float:
        return 8 + (north - lat) / (north - south) * (bottom - 16)

    parts: list[Markup] = []
    for lon in _degrees(west, east):
        parts += [line(x(lon), 0, x(lon), bottom, "grid"), text(x(lon), bottom + 14, f"{lon:g}°", "tick", "middle")]
    for lat in _degrees(south, north):
        parts += [line(left, y(lat), width, y(lat), "grid"), text(left - 6, y(lat) + 4, f"{lat:g}°", "tick", "end")]
    for one in sorted(offers, key=lambda one: not one.held):
        tip = f"{one.country} {one.at[0]:.2f}, {one.at[1]:.2f}: {len(one.fences)} offers"
        tip += ", all hold here" if one.held else ", one does not hold here"
        parts.append(dot(x(one.at[1]), y(one.at[0]), 5, "fill-good" if one.held else "fill-bad", tip))
    wrong = sum(not one.held for one in offers)
    said = f"{len(offers)} places; at {wrong} of them an offer was shown that does not hold there"
    return chart(name, "Where offers were asked for, and whether they hold there", said, (width, bottom + 22), parts)


def _round_out(degrees: Sequence[float]) -> tuple[float, float]:
    low, high = math.floor(min(degrees) / 10 - 0.2) * 10, math.ceil(max(degrees) / 10 + 0.2) * 10
    return float(low), float(high)


def _degrees(low: float, high: float) -> list[float]:
    step = 10 if high - low <= 80 else 20 if high - low <= 160 else 60
    first = math.ceil(low / step) * step
    return [float(value) for value in range(int(first), int(high) + 1, step)]


def _panels(offers: Sequence[Offered]) -> Markup:
    chosen = sorted(offers, key=lambda one: one.held)[:PANELS]
    parts = [offer_panel(f"offer-{index}", one) for index, one in enumerate(chosen)]
    return Markup("").join(tag("figure", part) for part in parts)


def offer_panel(name: str, offer: Offered, size: float = 220.0) -> Markup:
    """Return one place to scale: the shopper in the middle, the circles in which the offers hold."""
    lat, lon = offer.at
    east = math.cos(math.radians(lat)) * DEGREE_KM
    fences = [
        ((f_lon - lon) * east, (f_lat - lat) * DEGREE_KM, radius_m / 1e3, inside)
        for f_lat, f_lon, radius_m, inside in offer.fences
    ]
    reach_km = max((math.hypot(x, y) + radius for x, y, radius, _ in fences), default=1.0) * 1.08
    middle, scale = size / 2, size / 2 / reach_km
    parts = [
        tag(
            "circle",
            tag("title", f"holds within {radius:.1f} km, {math.hypot(x, y):.1f} km away"),
            cx=middle + x * scale,
            cy=middle - y * scale,
            r=max(radius * scale, 2.0),
            class_="fence" if inside else "fence out",
        )
        for x, y, radius, inside in fences
    ]
    parts.append(dot(middle, middle, 4, "fill-good" if offer.held else "fill-bad", "the shopper"))
    words = f"{offer.country}, {offer.operation}; {2 * reach_km:,.0f} km across"
    parts.append(text(size / 2, size + 14, words, "tick", "middle"))
    wrong = sum(not inside for *_, inside in fences)
    said = f"{len(fences)} offers, {wrong} of which do not hold where the shopper is"
    return chart(name, f"Offers near {lat:.2f}, {lon:.2f}", said, (size, size + 22), parts)


def push_calendar(name: str, hours: Sequence[int], quiet: tuple[int, int], width: float) -> Markup:
    """Return how many messages came in each local hour of their recipients; the quiet hours are shaded."""
    height, left = 150.0, 40.0
    scale, ticks = linear([float(max(hours))], height, 8)
    pitch = (width - left) / HOURS
    begins, ends = quiet
    night = [hour for hour in range(HOURS) if is_quiet_hour(hour, quiet)]
    parts = [bar(left + hour * pitch, 8, pitch, height - 8, "night", radius=0) for hour in night]
    parts += side_axis(scale, ticks, left, width, lambda value: f"{value:g}" if value == round(value) else "")
    for hour, count in enumerate(hours):
        class_ = "fill-bad" if is_quiet_hour(hour, quiet) else "fill-c1"
        top = scale(float(count))
        tip = f"{hour}:00 to {hour + 1}:00, {count:,} messages"
        parts.append(bar(left + hour * pitch + 1, top, pitch - 2, height - top, class_, tip=tip))
    parts += [text(left + hour * pitch, height + 14, f"{hour}:00", "tick") for hour in range(0, HOURS, 6)]
    late = sum(hours[hour] for hour in night)
    share = figure(late / max(sum(hours), 1), "share")
    said = f"{sum(hours):,} messages, {share} of them between {begins}:00 and {ends}:00"
    return chart(name, "Messages by the recipient's local hour", said, (width, height + 22), parts)
