"""How often one session may ask for what costs the shop most: a token bucket each, and 429 with the seconds to wait."""

from collections import OrderedDict
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import NamedTuple

from simulator.storefront.errors import ShopError

MOST = 10_000
"""Buckets that are remembered; a full one may be forgotten without anybody noticing."""


class Limit(NamedTuple):
    """So many calls a second, and so many at once."""

    rate: float
    burst: int


class Buckets:
    """What each (route, session) has left."""

    def __init__(self) -> None:
        self._left: OrderedDict[tuple[str, str], tuple[float, datetime]] = OrderedDict()

    def take(self, what: str, who: str, limit: Limit, now: datetime) -> None:
        """Take one; 429 with `Retry-After` if there is none left."""
        left, since = self._left.pop((what, who), (float(limit.burst), now))
        left = min(limit.burst, left + limit.rate * max(0.0, (now - since).total_seconds()))
        enough = left >= 1
        self._left[what, who] = (left - 1 if enough else left, now)
        if len(self._left) > MOST:
            self._left.popitem(last=False)
        if not enough:
            wait_s = ceil((1 - left) / limit.rate)
            raise ShopError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many_requests",
                f"at most {limit.rate:g} a second",
                {"retry-after": str(wait_s)},
            )
