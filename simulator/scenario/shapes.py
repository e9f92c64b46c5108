"""Shapes of arrival rates: pure functions from numbers to (second, rate) points."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Profile = list[tuple[float, float]]
"""(second, arrivals a second) points over a run, in order; the rate between them is linear."""
_EDGE_S = 1e-6


def scaled(points: Profile, mean: float | None, peak: float | None) -> Profile:
    """Return the points with rates of this mean over time, or this peak; as they are where neither is given."""
    if mean is not None:
        total = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
        factor = mean * (points[-1][0] - points[0][0]) / total
    elif peak is not None:
        factor = peak / max(rate for _, rate in points)
    else:
        return points
    return [(second, rate * factor) for second, rate in points]


def staircase(steps: Sequence[tuple[float, float]], duration_s: float) -> Profile:
    """Return a profile of (rate, length) steps that jumps: two points a microsecond apart at each step's edge."""
    points: Profile = []
    begin = 0.0
    for rate, length_s in steps:
        end = min(begin + length_s, duration_s)
        if begin >= duration_s:
            break
        points += [(begin + _EDGE_S if points else 0.0, rate), (end, rate)]
        begin = end
    if begin < duration_s:
        points.append((duration_s, points[-1][1]))
    return points


def spike(rate: float, peak: float, lengths: list[float], duration_s: float) -> Profile:
    """Return the rate, up to the peak, along it and back down; a side of no length is a jump of a microsecond."""
    corners, at = [(0.0, rate)], 0.0
    for length, level in zip(lengths, (rate, peak, peak, rate), strict=True):
        at += length
        if at > corners[-1][0] or level != corners[-1][1]:
            corners.append((max(at, corners[-1][0] + _EDGE_S), level))
    return _cut_at(corners, duration_s)


def _cut_at(points: Profile, duration_s: float) -> Profile:
    """Return the points up to the run's end, which gets a point of its own; after the last the rate stays."""
    kept = [point for point in points if point[0] < duration_s]
    later = [point for point in points if point[0] >= duration_s]
    if later:
        (a, low), (b, high) = kept[-1], later[0]
        return [*kept, (duration_s, low + (high - low) * (duration_s - a) / (b - a))]
    return [*kept, (duration_s, kept[-1][1])]
