"""H16: whether who is new, and who is nobody yet, is shown something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

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
            newcomer, nobody = people.somebody(), people.somebody(consents=())
            nobody.opened = True
            for page in pages:
                yield from self._ask(people, newcomer, page, nth, anonymous=False)
            for page in pages[:2]:
                yield from self._ask(people, nobody, page, nth, anonymous=True)

        cost = len(target.opening) + sum(request_count(target, name) for name in [*pages, *pages[:2]])
        yield Script("newcomers", cost, play)

    def _ask(
        self, people: People, visitor: Visitor, page: str, nth: int, *, anonymous: bool
    ) -> Generator[Any, Any, None]:
        last: Seen | None = None
        for pick in range(LOOKS):
            visitor.context.turn_to(None, nth + pick)
            if not anonymous:
                yield from reach(self.ground.target, visitor, page)
            seen: Seen | None = yield Ask(visitor, page)
            if seen is not None and seen.foreign and seen.request.method == "GET":
                seen = yield apart(seen)
            if seen is None or not _tells(seen, anonymous=anonymous):
                return
            if not _is_empty(seen):
                self.check(seen, True)
                return
            last = seen
        assert last is not None
        experienced = yield from self._experienced(people, page)
        more = experienced is not None and experienced.ok and not _is_empty(experienced)
        if more or (page in PAGES[:2] and experienced is not None):
            who = "who is nobody yet" if anonymous else "a newcomer"
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
