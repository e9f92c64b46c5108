"""The cache in front of the shop: keeps what is the same for everybody in a market, and nothing else (RFC 9111).

Answers are keyed by address and market. What a cache further out would need to know stands in the answers: `Vary`,
`ETag`, `Age`. Answers made for one shopper are `private, no-store`, and pass.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

MOST = 2_048
"""Answers that are kept; the one that was asked for longest ago goes first."""

Key: TypeAlias = tuple[object, ...]
Market: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Caching:
    """What may be kept, and how it is found again.

    `key` takes the request, a function that tells the market, and whether the route's answers are shared; None passes
    the cache.
    `keeps` says whether an answer may be kept, `strips` names headers that are never kept with it.
    """

    key: Callable[[Request, Market, bool], Key | None]
    keeps: Callable[[Response], bool]
    strips: frozenset[str] = frozenset({"set-cookie"})


def shared_key(request: Request, market: Market, shared: bool) -> Key | None:
    """Key what is the same for everybody by its whole address and the market it was made for."""
    return (request.scope["path"], request.scope["query_string"], market()) if shared else None


def is_public(answer: Response) -> bool:
    """Return whether an answer says that a shared cache may keep it (RFC 9111, 3)."""
    return answer.status_code == HTTPStatus.OK and answer.headers.get("cache-control", "").startswith("public")


BY_THE_BOOK = Caching(shared_key, is_public)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer in the cache."""

    headers: dict[str, str]
    body: bytes
    since: datetime
    lasts_s: float


class Edge:
    """The answers that are kept. The clock is the shop's."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def find(self, key: Key, request: Request, now: datetime) -> Response | None:
        """Return the answer that was kept, with its age, or 304 for whoever has it; None if there is none."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        age_s = (now - kept.since).total_seconds()
        if age_s >= kept.lasts_s:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        headers = {**kept.headers, "age": str(int(age_s)), "x-cache": "HIT"}
        return _unless_known(request, kept.body, headers)

    def keep(self, key: Key, request: Request, answer: Response, caching: Caching, now: datetime) -> Response:
        """Keep an answer if it may be kept, and return it as it is sent."""
        if not caching.keeps(answer):
            return answer
        body = bytes(answer.body)
        answer.headers.setdefault("etag", tag_of(body))
        kept = {name: value for name, value in answer.headers.items() if name not in caching.strips}
        kept.pop("content-length", None)
        self._kept[key] = Kept(kept, body, now, max_age_s(answer))
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        answer.headers["x-cache"] = "MISS"
        if knows(request, answer.headers["etag"]):
            return _unless_known(request, body, {k: v for k, v in answer.headers.items() if k != "content-length"})
        return answer


def tag_of(body: bytes) -> str:
    """Return the entity tag of a body."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def knows(request: Request, etag: str) -> bool:
    """Return whether If-None-Match names the tag, by the weak comparison (RFC 9110, 13.1.2)."""
    condition = request.headers.get("if-none-match")
    if not condition:
        return False
    names = [name.strip().removeprefix("W/") for name in condition.split(",")]
    return etag in names or names == ["*"]


def max_age_s(answer: Response) -> float:
    """Return the seconds for which an answer is fresh; five where it does not say."""
    _, found, rest = answer.headers.get("cache-control", "").partition("max-age=")
    return float(rest.split(",")[0]) if found else 5.0


def _unless_known(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    if knows(request, headers["etag"]):
        return Response(None, HTTPStatus.NOT_MODIFIED, {k: v for k, v in headers.items() if k != "content-type"})
    return Response(body, HTTPStatus.OK, headers)
