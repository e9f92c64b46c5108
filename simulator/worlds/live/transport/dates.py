"""Dates that servers speak of. They are the Unix clock's, which nothing else here may look at."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from time import CLOCK_REALTIME, clock_gettime


def http_date_s(date: str) -> float | None:
    """Return an HTTP date as seconds of the Unix era, or None where it is none."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def seconds_until(date: str) -> float | None:
    """Return the seconds from now to an HTTP date, or None where it is none."""
    moment_s = http_date_s(date)
    return None if moment_s is None else moment_s - unix_s()


def unix_s() -> float:
    """Return the seconds of the Unix era."""
    return clock_gettime(CLOCK_REALTIME)
