"""The values that limit a figure: in the metric's unit, or as a change against a reference."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulator.model.units import parse_duration_s, parse_share

if TYPE_CHECKING:
    from simulator.analysis.metrics import Metric

_CHANGE = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*(%|pp)|0")


def a_limit(text: str, metric: Metric) -> float:
    """Return a limit in the metric's unit. Raises `ValueError` that says what is allowed."""
    if metric.kind == "time":
        limit = parse_duration_s(0 if text == "0" else text)
        if limit < 0:
            raise ValueError("must not be negative")
        return limit
    if not re.fullmatch(r"\d+(\.\d+)?%?", text) or (metric.kind != "share" and text.endswith("%")):
        raise ValueError(
            "must be a share, as 1% or 0.01" if metric.kind == "share" else "must be a number without a unit"
        )
    return parse_share(text if text.endswith("%") else float(text)) if metric.kind == "share" else float(text)


def a_change(text: str, metric: Metric) -> tuple[float, bool]:
    """Return a change as a part of 1, and whether it is in percentage points instead of parts of the reference.

    `-2%` is (−0.02, False), `1pp` (0.01, True). Raises `ValueError` that says what is allowed.
    """
    match = _CHANGE.fullmatch(text.replace("\u2212", "-"))
    points = match is not None and match[2] == "pp"
    if match is None or (points and metric.kind != "share"):
        shares = ", or in percentage points, as 1pp" if metric.kind == "share" else ""
        raise ValueError(f"must be a change in percent, as 5% or -2%{shares}")
    return float(match[1] or 0) / 100, points
