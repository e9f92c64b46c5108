"""H16: whether who is new, and who is nobody yet, is shown something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.target.probes.marks import marks_in
from simulator.target.probes.mirror import apart
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.reach import ask, reach, request_count
from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

PAGES = ("home", "recommend", "category", "search", "content")
"""Operations that have something to show to anybody. Offers, suggestions and next actions may rightly have nothing."""
LOOKS = 3
"""Products, categories or searches that must all lead to nothing, for one of them may rightly do."""
TOO_MANY, FAULT = 429, 500
UNASKED = (401, 403, 404, 405, 407)
"""Answers by which a target says that it does not serve who has not said who they are."""


@dataclass(slots=True)
class Newcomer(Probe):
    """A newcomer, and an anonymous one where those are served, get a list with something in it.

    A list is empty, or an answer bad, only if it stays so for three choices, and if somebody with a history gets more
    or the page is one that anybody is shown: the front page and recommendations.
    """

    code: ClassVar[str] = "H16"

    def scripts(self) -> Iterable[Script]:
        """Come as nobody, and as somebody new."""
        pages = [name for name in self.ground.mapped(*PAGES) if self.ground.observable(name, "items")]
        target = self.ground.target
        if not pages:
            return

        def play(people: People, nth: int) -> Generator[Any, Any, None]:
            newcomer = people.somebody()
            for page in pages:
                last = yield from self._ask(people, newcomer, page, nth)
                if last is not None and page in pages[:2]:
                    yield from self._ask_bare(people, last)

        cost = len(target.opening) + sum(request_count(target, name) for name in [*pages, *pages[:2]])
        yield Script("newcomers", cost, play)

    def _ask(self, people: People, visitor: Visitor, page: str, nth: int) -> Generator[Any, Any, Seen | None]:
        """Ask for a page as a newcomer, up to three times if it is empty; return the last answer."""
        seen: Seen | None = None
        for pick in range(LOOKS):
            visitor.context.turn_to(None, nth + pick)
            yield from reach(self.ground.target, visitor, page)
            seen = yield Ask(visitor, page)
            if seen is not None and seen.foreign and seen.request.method == "GET":
                seen = yield apart(seen)
            if seen is None or not _tells(seen, anonymous=False):
                return seen
            if not _is_empty(seen):
                self.check(seen, True)
                return seen
        assert seen is not None
        yield from self._compare(people, seen, "a newcomer")
        return seen

    def _ask_bare(self, people: People, last: Seen) -> Generator[Any, Any, None]:
        """Ask the same without credentials, past caches: what is made for nobody must not be kept for somebody."""
        if marks_in(last.request.url.encode() + (last.request.body or b""), last.visitor).own:
            return
        get = last.request.method == "GET"
        seen: Seen | None = yield apart(last, bare=True) if get else Ask(last.visitor, last.operation, bare=True)
        if seen is None or not _tells(seen, anonymous=True):
            return
        if _is_empty(seen):
            yield from self._compare(people, seen, "who is nobody yet")
        else:
            self.check(seen, True)

    def _compare(self, people: People, last: Seen, who: str) -> Generator[Any, Any, None]:
        """Count an empty page, beside that of somebody with a history."""
        page = last.operation
        experienced = yield from self._experienced(people, page)
        more = experienced is not None and experienced.ok and not _is_empty(experienced)
        if more or (page in PAGES[:2] and experienced is not None):
            due = list((experienced.evidence.get("items") if more and experienced else None) or ())
            differs = (Difference("items", last.error or [], due or "something"),)
            self.check(last, False, f"{page} had nothing for {who}", other=experienced, differs=differs)

    def _experienced(self, people: People, page: str) -> Generator[Any, Any, Seen | None]:
        """Return what somebody is shown who has looked at products; None where nobody can look at any."""
        target, visitor = self.ground.target, people.somebody()
        if "product" in target.operations:
            for pick in range(LOOKS):
                visitor.context.turn_to(None, pick)
                yield from ask(target, visitor, "product")
        visitor.context.turn_to(None, 0)
        seen: Seen | None = yield from ask(target, visitor, page)
        return seen


def _tells(seen: Seen, *, anonymous: bool) -> bool:
    """Return whether an answer says anything of how newcomers are served."""
    if seen.foreign or not seen.status or seen.status in (TOO_MANY, 503):
        return False
    if anonymous and (seen.status in UNASKED or (seen.error and seen.status < FAULT)):
        return False
    return not seen.error or seen.status >= FAULT or seen.error.startswith("missing") or "items" in seen.evidence


def _is_empty(seen: Seen) -> bool:
    return bool(seen.error) or not seen.evidence.get("items")
