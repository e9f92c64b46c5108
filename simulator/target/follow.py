"""What comes after an answer: the next part of a long one, or another look at what is not there yet. Always bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from simulator.target.fields import EXTRACTED, Json
from simulator.target.places import MOST_FOUND, Finder

if TYPE_CHECKING:
    from simulator.target.answers import Answer
    from simulator.target.call import Request
    from simulator.target.context import Context
    from simulator.target.schema import Rest

ELSEWHERE = "next page is elsewhere"
NOTHING: tuple[Json, ...] = (None, False, "", [], {})


class Step(NamedTuple):
    """The next request: after `wait_s` seconds, with this cursor, or for this URL instead of the call's own."""

    wait_s: float = 0.0
    cursor: Json = None
    url: str = ""


class Follow:
    """A compiled `paging` or `poll`."""

    __slots__ = ("_next", "_paging", "_poll", "_until")

    def __init__(self, rest: Rest) -> None:
        self._paging, self._poll = rest.paging, rest.poll
        self._next = Finder(rest.paging.next) if rest.paging else None
        self._until = Finder(rest.poll.until) if rest.poll and rest.poll.until is not None else None

    def step(self, request: Request, answer: Answer, context: Context, base_url: str) -> Step | None:
        """Return what to ask next. Changes the answer: what is not there yet is pending, after the last look an error.

        Candidates of later parts join those of the parts before.
        """
        if self._poll and self._is_pending(answer):
            if request.nth < self._poll.most:
                answer.error, answer.pending = "", True
                return Step(self._poll.every)
            answer.error = f"not seen in {self._poll.most} looks"
            return None
        return self._part(request, answer, context, base_url) if self._paging and answer.ok else None

    def _is_pending(self, answer: Answer) -> bool:
        assert self._poll
        if answer.error in {f"status {status}" for status in self._poll.status}:
            return True
        if self._until is None or not answer.ok:
            return False
        return all(value in NOTHING for value in _found(self._until, answer))

    def _part(self, request: Request, answer: Answer, context: Context, base_url: str) -> Step | None:
        assert self._paging
        assert self._next
        if request.nth > 1:
            _join(answer, context)
        found = _found(self._next, answer)
        if request.nth >= self._paging.most or not found or found[0] in NOTHING or isinstance(found[0], list | dict):
            return None
        if not self._paging.link:
            return Step(cursor=found[0])
        url = below(base_url, request.url, str(found[0]))
        if not url:
            answer.error = ELSEWHERE
            return None
        return Step(url=url)


def _found(finder: Finder, answer: Answer) -> list[Json]:
    try:
        return finder.find(answer.view)
    except ValueError:
        return []


def _join(answer: Answer, context: Context) -> None:
    """Put the candidates that earlier parts told before those of this one."""
    for name, value in answer.extracted.items():
        before = context.values.get(EXTRACTED + name)
        if type(value) is tuple and type(before) is tuple:
            answer.extracted[name] = (*before, *value)[-MOST_FOUND:]


def below(base_url: str, here: str, link: str) -> str:
    """Return path and query of a link below the base URL, or nothing where it leads elsewhere."""
    base = urlsplit(base_url)
    try:
        there = urlsplit(urljoin(f"{base_url}{here}", link))
    except ValueError:
        return ""
    prefix = base.path.rstrip("/")
    if (there.scheme, there.netloc) != (base.scheme, base.netloc) or not there.path.startswith(f"{prefix}/"):
        return ""
    path = there.path.removeprefix(prefix)
    return f"{path}?{there.query}" if there.query else path
