"""Times as files write them: a time stamp, seconds since 1970, a duration, a time of the clock or a number."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import NamedTuple

from simulator.model.units import SECONDS, parse_duration_s

TIME_COLUMNS = (
    "time",
    "timestamp",
    "datetime",
    "date",
    "at",
    "offset",
    "offset_s",
    "offset_ms",
    "offset_min",
    "elapsed",
)
"""Names by which a column of times is found."""
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")
_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))
"""(from which number on, seconds in one): nanoseconds, microseconds, milliseconds and seconds since 1970."""
OF_CLOCK = "a time of the clock"


class Moment(NamedTuple):
    """A cell of the time column: seconds from something, and how it was written; rows must agree in that."""

    seconds: float
    kind: str


def parse_moment(text: str, column: str) -> Moment:
    """Return a cell of time: a time stamp, seconds since 1970, a duration, a time of the clock or a number."""
    try:
        number = float(text)
    except ValueError:
        return _written_moment(text)
    if not math.isfinite(number):
        raise ValueError("must be a time")
    for least, seconds in _EPOCHS:
        if number >= least:
            return Moment(number * seconds, f"a number of {seconds:g} s since 1970")
    unit = column.rpartition("_")[2]
    return Moment(number * (SECONDS[unit] if "_" in column and unit in SECONDS else 1.0), "a number")


def _written_moment(text: str) -> Moment:
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        return Moment(int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3] or 0), OF_CLOCK)
    try:
        return Moment(parse_duration_s(text), "a duration")
    except ValueError:
        pass
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a time, as 2026-11-27T08:00:00Z, 08:00, 90s or a number of seconds") from None
    offset = stamp.utcoffset()
    if offset is None:
        # The difference of two counts; which zone it is does not matter as long as it is the same.
        return Moment((stamp - datetime(1970, 1, 1)).total_seconds(), "a time stamp without UTC offset")  # noqa: DTZ001
    return Moment(stamp.timestamp(), f"a time stamp of UTC{offset.total_seconds() / 3600:+g} h")
