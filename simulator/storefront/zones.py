"""What time it is where the shopper is."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.model.places import city_table
from simulator.storefront.errors import invalid
from simulator.storefront.sessions import Caller

DAYPARTS = ((5, "night"), (11, "morning"), (17, "afternoon"), (22, "evening"), (24, "night"))
"""First hour that no longer belongs to it, and its name."""


@cache
def zone_of(country: str) -> str:
    """Return the time zone of a country's largest city that we know, or UTC."""
    cities = [city for city in city_table() if city.country == country]
    return max(cities, key=lambda city: city.population).timezone if cities else "UTC"


@cache
def zone_named(name: str) -> ZoneInfo:
    """Return a zone by its IANA name; 422 if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid("timezone must be an IANA name, as Europe/Berlin") from None


def local_time(caller: Caller, now: datetime) -> datetime:
    """Return the moment on the clock of the caller's own wall."""
    return now.astimezone(zone_named(caller.zone))


def daypart(local: datetime) -> str:
    """Return `night`, `morning`, `afternoon` or `evening`."""
    return next(name for end, name in DAYPARTS if local.hour < end)
