"""A visitor's HTTP cache, as a browser's: private, for GET alone, with validators (RFC 9111)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from simulator.worlds.live.transport.dates import http_date_s, seconds_until

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOPPER_BYTES = 1_048_576
"""One visitor's cache: their shop's answers, which are what is really asked here, and no pictures."""
ALL_BYTES = 134_217_728
"""All visitors' caches in one process."""
ENTRY_BYTES = 600
"""What an entry takes besides its body: keys, headers, objects (measured with `sys.getsizeof`, rounded up)."""
GUESSED_SHARE = 0.1
"""Of the time since an answer last changed it is fresh where nothing is said (RFC 9111 section 4.2.2)."""
_VALIDATED = frozenset(("cache-control", "etag", "expires", "last-modified"))


class Budget:
    """Bytes that all caches of a process share."""

    __slots__ = ("left_bytes",)

    def __init__(self, most_bytes: int = ALL_BYTES) -> None:
        self.left_bytes = most_bytes


class Stored(NamedTuple):
    """An answer that is kept."""

    headers: dict[str, str]
    content: bytes
    fresh_until_s: float
    varies: tuple[tuple[str, str], ...]

    @property
    def validators(self) -> dict[str, str]:
        """The headers that ask whether it still holds; empty when nothing could tell."""
        asked = {}
        if etag := self.headers.get("etag"):
            asked["If-None-Match"] = etag
        if changed := self.headers.get("last-modified"):
            asked["If-Modified-Since"] = changed
        return asked

    @property
    def size_bytes(self) -> int:
        """What it takes of the budget."""
        return len(self.content) + ENTRY_BYTES


class Cache:
    """Answers by URL, the least lately used given up first."""

    __slots__ = ("_bytes", "_kept", "budget")

    def __init__(self, budget: Budget) -> None:
        self._kept: OrderedDict[str, Stored] = OrderedDict()
        self._bytes = 0
        self.budget = budget

    def __bool__(self) -> bool:
        return bool(self._kept)

    def __del__(self) -> None:
        """Give back what it took: a visitor who does not come again is forgotten."""
        self.budget.left_bytes += self._bytes

    def find(self, url: str, asked: Mapping[str, str]) -> Stored | None:
        """Return what is kept for a URL and these request headers, fresh or not."""
        stored = self._kept.get(url)
        if stored is None or (stored.varies and stored.varies != _picked(stored.varies, asked)):
            return None
        self._kept.move_to_end(url)
        return stored

    def keep(self, url: str, asked: Mapping[str, str], headers: dict[str, str], content: bytes, now_s: float) -> None:
        """Keep a good answer if it may be kept and could be used."""
        if _VALIDATED.isdisjoint(headers):
            if self._kept:
                self.forget(url)
            return
        said = directives(headers.get("cache-control", ""))
        vary = headers.get("vary", "")
        self.forget(url)
        if "no-store" in said or "*" in vary:
            return
        varies = _picked([(name.strip().lower(), "") for name in vary.split(",") if name.strip()], asked)
        kept = {name: value for name, value in headers.items() if name != "set-cookie"}
        stored = Stored(kept, content, now_s + fresh_s(headers, said), varies)
        if stored.fresh_until_s > now_s or stored.validators:
            self._put(url, stored)

    def renew(self, url: str, stored: Stored, headers: Mapping[str, str], now_s: float) -> Stored:
        """Return what is kept with the headers of the 304 that said it still holds (section 4.3.4)."""
        merged = stored.headers | {name: value for name, value in headers.items() if name not in _BODYS}
        said = directives(merged.get("cache-control", ""))
        renewed = Stored(merged, stored.content, now_s + fresh_s(merged, said), stored.varies)
        self.forget(url)
        if "no-store" not in said:
            self._put(url, renewed)
        return renewed

    def forget(self, url: str) -> None:
        """Forget what is kept for a URL: a POST to it has changed it (section 4.4)."""
        stored = self._kept.pop(url, None)
        if stored is not None:
            self._bytes -= stored.size_bytes
            self.budget.left_bytes += stored.size_bytes

    def _put(self, url: str, stored: Stored) -> None:
        size = stored.size_bytes
        if size > SHOPPER_BYTES:
            return
        while self._kept and (self._bytes + size > SHOPPER_BYTES or size > self.budget.left_bytes):
            self.forget(next(iter(self._kept)))
        if size > self.budget.left_bytes:
            return
        self._kept[url] = stored
        self._bytes += size
        self.budget.left_bytes -= size


_BODYS = frozenset(("content-length", "content-encoding", "transfer-encoding", "set-cookie"))


def directives(text: str) -> dict[str, str]:
    """Return the directives of a Cache-Control."""
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name.strip()}


def fresh_s(headers: Mapping[str, str], said: Mapping[str, str]) -> float:
    """Return for how many seconds from now an answer is fresh (RFC 9111 section 4.2)."""
    if "no-cache" in said:
        return 0.0
    age = headers.get("age", "0")
    spent_s = float(age) if age.isdigit() else 0.0
    if "max-age" in said:
        return float(said["max-age"]) - spent_s if said["max-age"].isdigit() else 0.0
    date_s = http_date_s(headers.get("date", ""))
    if "expires" in headers:
        until_s = http_date_s(headers["expires"])
        if until_s is None:
            return 0.0  # `0` and the like mean: already over
        return until_s - date_s - spent_s if date_s is not None else (seconds_until(headers["expires"]) or 0.0)
    changed_s = http_date_s(headers.get("last-modified", ""))
    if changed_s is None or date_s is None:
        return 0.0
    return GUESSED_SHARE * max(0.0, date_s - changed_s) - spent_s


def _picked(varies: object, asked: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    lower = {name.lower(): value for name, value in asked.items()}
    return tuple((name, lower.get(name, "")) for name, _ in varies)  # type: ignore[attr-defined]
