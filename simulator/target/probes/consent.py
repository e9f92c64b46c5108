"""H6: whether who refused is left alone: their pages are everybody's, their events and positions are not taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.model.schema import CONSENTS
from simulator.target.fields import EXTRACTED
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.reach import ask, reach, request_count
from simulator.target.probes.steps import WITHIN, Ask, Script
from simulator.target.sends import sends_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

PERSONAL = ("home", "recommend", "next_action", "search", "rank", "offers", "content")
PLACED = ("geofence", "offers", "store_near", "home")
MOST_PAGES = 2
LOOKS = 2
ELSEWHERE = (51.3813, -2.3590)
"""Bath: a position that nobody would guess of a shopper who lives in London (degrees)."""
NEAR_DEG = 0.2
HISTORY = ("items", "segments")
"""Evidence in which a history shows."""


@dataclass(slots=True)
class Consent(Probe):
    """A shopper who refused everything is asked for nothing, and is shown what another such shopper is shown.

    Metamorphic: their own pages before and after they looked around, beside those of somebody who only waits, whose
    pages must not have changed meanwhile, nor change while they are asked again. An experiment's arms, learning and
    sales do so no harm. An event of theirs is not to be kept, a position not to be used.
    """

    code: ClassVar[str] = "H6"

    def scripts(self) -> Iterable[Script]:
        """Look around as somebody who refused, and send what a phone should not."""
        pages = [name for name in self.ground.mapped(*PERSONAL) if self._shows(name)][:MOST_PAGES]
        if pages and "product" in self.ground.target.operations and self._asked_for("personalization", "analytics"):
            yield Script("refusal", self._cost(pages), self._play_pages(pages))
        taken = self.ground.mapped("track") if self._asked_for("analytics") and self._tells_stored() else ()
        placed = [name for name in self.ground.mapped(*PLACED) if self.ground.observable(name, "geo_used")]
        placed = placed[:MOST_PAGES] if self._asked_for("location") else []
        if taken or placed:
            cost = len(self.ground.target.opening) + len(placed) + (3 if taken else 0)
            yield Script("refused data", cost, self._play_data(tuple(taken), tuple(placed)), when=WITHIN)

    def _shows(self, operation: str) -> bool:
        return any(self.ground.observable(operation, name) for name in HISTORY)

    def _asked_for(self, *consents: str) -> bool:
        """Return whether the target is told of one of these consents at all."""
        sent = {f"consent.{name}" for name in consents}
        return any(sent & sends.fields for sends in sends_of(self.ground.target).values())

    def _tells_stored(self) -> bool:
        return self.ground.observable("track", "stored")

    def _cost(self, pages: list[str]) -> int:
        target = self.ground.target
        return 2 * len(target.opening) + 6 * len(pages) + LOOKS + request_count(target, "product")

    def _play_pages(self, pages: list[str]) -> Any:  # noqa: ANN401 - a script's play
        def play(people: People, nth: int) -> Generator[Any, Any, None]:
            one, other = people.somebody(consents=()), people.somebody(consents=())
            before = yield from self._look([one, other], pages)
            yield from self._browse(one, nth)
            after = yield from self._look([one, other], pages)
            changed = [page for page in pages if self._changed(page, before, after)]
            again = yield from self._look([one, other], changed)
            for page in pages:
                self._judge(page, before, after, again, confirmed=page in changed)

        return play

    def _look(self, visitors: list[Visitor], pages: list[str]) -> Generator[Any, Any, dict[tuple[int, str], Seen]]:
        """Ask for pages as each visitor; return what good answers of their own they got, by who it was and page."""
        found: dict[tuple[int, str], Seen] = {}
        for nth, visitor in enumerate(visitors):
            for page in pages:
                kept = visitor.context.values.copy()
                yield from reach(self.ground.target, visitor, page)
                seen = yield Ask(visitor, page)
                self._forget(visitor, kept)
                if seen is not None and seen.ok:
                    found[nth, page] = seen
        return found

    def _browse(self, visitor: Visitor, nth: int) -> Generator[Any, Any, None]:
        """Look at a product; then stand where they stood before.

        Nothing goes into the cart: what goes with a cart may be shown to who refused, too.
        """
        target, kept = self.ground.target, visitor.context.values.copy()
        # What stands last on a list moves the list most.
        visitor.context.turn_to(None, -1 - nth)
        for _ in range(LOOKS):
            yield from ask(target, visitor, "product")
        self._forget(visitor, kept)
        visitor.context.turn_to(None, 0)

    def _forget(self, visitor: Visitor, kept: dict[str, Any]) -> None:
        """Let a visitor's next request be the one that they would have made before."""
        values = visitor.context.values
        keep = {name for names in self._session_fields() for name in names}
        for name in [name for name in values if name.startswith(EXTRACTED) and name not in kept and name not in keep]:
            del values[name]

    def _session_fields(self) -> Iterable[tuple[str, ...]]:
        file = self.ground.target.file
        for operation in self.ground.target.opening:
            yield tuple(EXTRACTED + name for name in file.operations[operation].extract)

    def _changed(self, page: str, before: dict[tuple[int, str], Seen], after: dict[tuple[int, str], Seen]) -> bool:
        """Return whether who looked around is shown something else, and who waited is not."""
        rounds = before, after
        if not all((who, page) in found for who in (0, 1) for found in rounds):
            return False
        return _shown(before[0, page]) != _shown(after[0, page]) and _shown(before[1, page]) == _shown(after[1, page])

    def _judge(self, page: str, *rounds: dict[tuple[int, str], Seen], confirmed: bool) -> None:
        """Count a page: held if nothing changed, violated if it changed for who looked around, and stayed so."""
        before, after, again = rounds
        found = [one.get((who, page)) for one in (before, after) for who in (0, 1)]
        if any(seen is None for seen in found) or not _same_request(before[0, page], after[0, page]):
            return
        if not confirmed:
            if _shown(before[0, page]) == _shown(after[0, page]):
                self.check(after[0, page], True)
            return
        last, waited = again.get((0, page)), again.get((1, page))
        if last is None or waited is None or _shown(waited) != _shown(before[1, page]):
            return
        if _shown(last) != _shown(after[0, page]):
            return
        says = f"{page} changed with what a shopper did who had refused"
        differs = tuple(
            Difference(name, one, other)
            for name, one, other in zip(HISTORY, _shown(last), _shown(before[0, page]), strict=True)
            if one != other
        )
        self.check(last, False, says, other=waited, differs=differs)

    def _play_data(self, taken: tuple[str, ...], placed: tuple[str, ...]) -> Any:  # noqa: ANN401 - a script's play
        def play(people: People, nth: int) -> Generator[Any, Any, None]:
            del nth
            # Their phone's app sends what it should not; the target was told that they refused.
            visitor = people.somebody(at=ELSEWHERE)
            _refuse(visitor, people.somebody(consents=()))
            visitor.context.tell("view", 1_700_000_000_000)
            for operation in taken:
                seen = yield from ask(self.ground.target, visitor, operation)
                if seen is not None and seen.status < 500:
                    kept = seen.evidence.get("stored") or 0
                    differs = (Difference("stored", kept, 0),) if kept else ()
                    self.check(
                        seen, bool(seen.error) or not kept, "events were kept of who had refused", differs=differs
                    )
            for operation in placed:
                seen = yield from ask(self.ground.target, visitor, operation)
                if seen is not None and not seen.foreign and seen.status < 500:
                    self._placed(seen)

        return play

    def _placed(self, seen: Seen) -> None:
        used = None if seen.error else seen.evidence.get("geo_used")
        near = isinstance(used, tuple) and all(
            abs(one - other) < NEAR_DEG for one, other in zip(used, ELSEWHERE, strict=True)
        )
        says = f"{seen.operation} used the position of who had refused"
        self.check(seen, not near, says, differs=(Difference("geo_used", used, None),) if near else ())


def _refuse(visitor: Visitor, refuser: Visitor) -> None:
    """Let the target be told of a visitor what it would be told of a refuser."""
    for name in CONSENTS:
        visitor.context.values[f"consent.{name}"] = refuser.value(f"consent.{name}")


def _shown(seen: Seen) -> tuple[Any, ...]:
    return tuple(seen.evidence.get(name) for name in HISTORY)


def _same_request(one: Seen, other: Seen) -> bool:
    return one.request.url == other.request.url and one.request.body == other.request.body
