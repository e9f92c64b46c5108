"""Shoppers' own clocks: the offset from UTC at any instant of a run, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HOUR_US = 3_600_000_000
_CHUNK = 512
"""Hours looked up at a time, and remembered."""


def offsets_us(since_epoch_us: NDArray[np.int64], zone: NDArray[np.int64], zones: Sequence[str]) -> NDArray[np.int64]:
    """Return local time minus UTC of instants, each in the zone of that place in `zones`.

    The clocks of all shipped cities change at whole hours UTC, so an hour has one offset.
    """
    chunk, hour = np.divmod(since_epoch_us // HOUR_US, _CHUNK)
    offsets = np.zeros(len(since_epoch_us), np.int64)
    for one in np.unique(zone):
        for part in np.unique(chunk[zone == one]):
            rows = (zone == one) & (chunk == part)
            offsets[rows] = _hours(zones[one], int(part))[hour[rows]]
    return offsets


@cache
def _hours(zone: str, chunk: int) -> NDArray[np.int64]:
    begin, here = datetime.fromtimestamp(chunk * _CHUNK * 3_600, UTC), ZoneInfo(zone)
    found = ((begin + timedelta(hours=hour)).astimezone(here).utcoffset() or timedelta() for hour in range(_CHUNK))
    return np.array([offset // timedelta(microseconds=1) for offset in found], np.int64)
