"""Figures as people read them: one way of writing each kind of number, used by every text and report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from simulator.analysis.estimates import Estimate

Kind = Literal["share", "time", "count", "total", "change", "points"]
"""What numbers are: a share of 1, seconds, a mean count, a whole number; a change in parts of 1 or of shares."""
NONE = "\u2013"
THIN = "\u202f"
"""Narrow no-break space, between a number and its unit and between thousands."""


def figure(value: float | None, kind: Kind) -> str:
    """Return a figure with its unit, as `12.4 %`, `840 ms`, `2.31 s`, `1,204`; a dash where there is none."""
    if value is None or math.isnan(value):
        return NONE
    if kind in ("change", "points"):
        return _signed(f"{number(100 * value, 1)}{THIN}{'%' if kind == 'change' else 'pp'}", value)
    if kind == "share":
        return f"{number(100 * value, 2 if 0 < abs(value) < 0.00995 else 1)}{THIN}%"
    if kind == "time":
        return seconds(value)
    return number(value, 0 if kind == "total" else 2)


def difference(value: float | None, kind: Kind) -> str:
    """Return a difference with its sign; that of two shares in percentage points, as `+1.2 pp`."""
    if value is None:
        return NONE
    text = f"{number(100 * value, 2)}{THIN}pp" if kind == "share" else figure(value, kind)
    return _signed(text, value)


def _signed(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else text


def seconds(value: float | None) -> str:
    """Return a duration of `value` seconds in the unit that suits it: ms below one second, minutes from ten on."""
    if value is None:
        return NONE
    size = abs(value)
    if size == 0:
        return f"0{THIN}s"
    if size < 0.9995:
        return f"{number(1000 * value, 1 if 0 < size < 0.00995 else 0)}{THIN}ms"
    if size < 599.5:
        return f"{number(value, 2 if size < 9.995 else 1 if size < 99.95 else 0)}{THIN}s"
    if size < 7200:
        return f"{number(value / 60, 1)}{THIN}min"
    return f"{number(value / 3600, 1)}{THIN}h"


def number(value: float, digits: int) -> str:
    """Return a number with `digits` decimals, thousands set apart and a true minus sign; no negative zero."""
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        return text[1:] if float(text.replace(",", "")) == 0 else f"\u2212{text[1:]}"
    return text


def interval(low: float | None, high: float | None, kind: Kind) -> str:
    """Return an interval as `10.1 % to 14.9 %`; an open end is written out. Empty when neither end is known."""
    if low is None and high is None:
        return ""
    if low is None:
        return f"up to {figure(high, kind)}"
    if high is None:
        return f"{figure(low, kind)} or more"
    return f"{figure(low, kind)} to {figure(high, kind)}"


def with_interval(estimate: Estimate, kind: Kind) -> str:
    """Return a figure, its sample size and its interval in one phrase."""
    text = f"{figure(estimate.value, kind)} (n = {estimate.n:,}"
    span = interval(estimate.low, estimate.high, kind)
    return f"{text}; 95{THIN}% {span})" if span else f"{text})"


def counted(count: int, one: str, many: str = "") -> str:
    """Return `1 visit`, `2 visits`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: list[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def tick(value: float | None, kind: Kind) -> str:
    """Return a figure as short as an axis wants it: `40 %`, `2.5 s`, `200 ms`, `1,500`; rounded to three digits."""
    if value is None:
        return NONE
    if kind in ("share", "change", "points"):
        return f"{_short(100 * value)}{THIN}%"
    if kind != "time":
        return _short(value)
    if value == 0:
        return "0"
    if abs(value) < 1:
        return f"{_short(1000 * value)}{THIN}ms"
    return f"{_short(value)}{THIN}s"


def _short(value: float) -> str:
    return number(float(f"{value:.3g}"), 0) if abs(value) >= 100 else f"{value:.3g}".replace("-", "\u2212")
