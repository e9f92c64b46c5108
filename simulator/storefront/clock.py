"""The shop's only way to the time of day, so that tests can set it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Anything that returns the present moment in UTC."""


def system_clock() -> datetime:
    """Return the machine's time in UTC: a server stamps its answers with it, and no table of a run is made of them."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock of the server


def end_of_day(now: datetime) -> datetime:
    """Return the next midnight (UTC) after `now`, when the day's offers expire."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
