"""H1: whether an answer holds the data of another shopper than the one who asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from simulator.target.fields import EXTRACTED
from simulator.target.hazards import OWN, SHOWN
from simulator.target.probes.cookies import may_be_shared
from simulator.target.probes.marks import Marks, marks_in
from simulator.target.probes.mirror import mirror
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.reach import ask, request_count
from simulator.target.probes.seen import Lately, Trace
from simulator.target.probes.sessions import is_taken_for_another
from simulator.target.probes.steps import WITHIN, Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

CANARIES = ("shopper.id", "shopper.email", "visit.id", "shopper.number", "extracted.account")
"""Fields by which a target may name a shopper in its answers."""
INTRODUCED = ("session", "identify", "login", "auth_finish")
"""Operations whose answer tells a shopper who they are."""
GETTING = ("home", "recommend", "search", "next_action", "content", "offers")
SHELVES = ("category", "suggest")
"""What may be the same for everybody, and so come out of a cache."""
PERSONAL = frozenset(
    EXTRACTED + name
    for name in ("account", "customer", "member", "user", "cart", "basket", "checkout", "order", "ticket")
)
"""What a target file calls ids that belong to one shopper."""
SHORTEST = 8
"""Characters of an id from which on it is no mere count of a shopper's own."""
OF_OTHERS = ("share",)
"""Operations whose answers may rightly name other shoppers."""


@dataclass(slots=True)
class Leak(Probe):
    """Every answer that names a shopper, or what belongs to one, names the one who asked.

    A subject is known by the ids that the visitor sent, and by what the target called them when they introduced
    themselves; one that is neither theirs nor anybody's we know is remembered as theirs, and proves nothing. Besides
    subjects, bodies are searched for ids and addresses of our shoppers, ids of carts, orders and accounts must not be
    given to two, and what names its shopper must not be marked as one for all.
    """

    code: ClassVar[str] = "H1"
    owners: Lately[tuple[int, Trace]] = field(default_factory=Lately)
    personal: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By operation, the fields with ids of a shopper's own that its answer tells."""

    def __post_init__(self) -> None:
        """Find out which operations tell ids of a shopper's own."""
        file = self.ground.target.file
        shared = {EXTRACTED + name for rest in file.setup.values() for name in rest.extract}
        if file.accounts is not None and file.accounts.share:
            return
        for operation, rest in file.operations.items():
            if found := tuple(EXTRACTED + name for name in rest.extract if EXTRACTED + name in PERSONAL - shared):
                self.personal[operation] = found

    def see(self, seen: Seen) -> None:
        """Compare whom the answer names with who asked."""
        if seen.error or seen.odd:
            return
        visitor = seen.visitor
        subject = seen.evidence.get("subject")
        marks = marks_in(seen.body, visitor)
        if is_taken_for_another(seen):
            owner = self.owners.get(subject) if subject is not None else None
            seen.foreign = bool(marks.other) or (owner is not None and owner[0] != visitor.number)
            return
        if subject is not None:
            self._subject(seen, subject)
        if not seen.foreign:
            self._marks(seen, marks, named=subject is not None)
        if not seen.foreign and seen.operation in self.personal:
            self._ids(seen)
        if "cache-control" in seen.headers and not seen.foreign:
            self._cacheable(seen, named=marks.own or subject is not None)

    def _subject(self, seen: Seen, subject: str) -> None:
        number = seen.visitor.number
        if seen.operation in INTRODUCED:
            self.owners.keep(subject, (number, seen.trace()))
        owner = self.owners.get(subject)
        if owner is None:
            mine = any(str(seen.visitor.value(name)) == subject for name in CANARIES)
            owner = self.owners.keep(subject, (number, seen.trace()))
            if not mine and seen.operation not in (*SHOWN, *OWN):
                return
        self._verdict(seen, owner, Difference("subject", subject, seen.visitor.value("shopper.id")))

    def _marks(self, seen: Seen, marks: Marks, *, named: bool) -> None:
        """Judge by the ids and addresses in the body; where a subject was judged, only what is wrong is new."""
        if marks.other and seen.operation not in OF_OTHERS:
            own = seen.visitor.value("shopper.email" if "@" in marks.other else "shopper.id")
            self._verdict(seen, None, Difference("somebody named in the body", marks.other, own))
        elif marks.own and not named:
            self._verdict(seen, (seen.visitor.number, seen.trace()), None)

    def _ids(self, seen: Seen) -> None:
        for name in self.personal[seen.operation]:
            value = seen.visitor.value(name)
            if not isinstance(value, str) or len(value) < SHORTEST:
                continue
            owner = self.owners.get((name, value))
            if owner is None:
                owner = self.owners.keep((name, value), (seen.visitor.number, seen.trace()))
            self._verdict(seen, owner, Difference(name.removeprefix(EXTRACTED), value, "one of this shopper's own"))

    def _verdict(self, seen: Seen, owner: tuple[int, Trace] | None, differs: Difference | None) -> None:
        same = owner is not None and owner[0] == seen.visitor.number
        seen.foreign = not same
        says = f"{seen.operation} answered with the data of another shopper"
        other = owner[1] if owner else None
        self.check(seen, same, says, other=other, differs=() if same or differs is None else (differs,))

    def _cacheable(self, seen: Seen, *, named: bool) -> None:
        """Count an answer that names its shopper, not in its address, and may be kept for others."""
        if not named or seen.request.method != "GET" or seen.status != 200 or not may_be_shared(seen):
            return
        if not marks_in(seen.request.url.encode(), seen.visitor).own:
            kept = Difference("cache-control", seen.headers["cache-control"], "private or no-store")
            says = f"{seen.operation} names its shopper and is marked as one for all"
            self.check(seen, False, says, differs=(kept,))

    def scripts(self) -> Iterable[Script]:
        """Ask for the same addresses as two shoppers, one right after the other."""
        target = self.ground.target
        asked = self.ground.mapped(*GETTING, *SHELVES)
        if not asked:
            return

        def twins(people: People, nth: int) -> Generator[Any, Any, None]:
            del nth
            one, other = people.somebody(), people.somebody()
            for operation in asked:
                yield from self._in_turn(operation, one, other)

        yield Script("twins", 2 * len(asked) + 2 * len(target.opening), twins)
        yield from self._own()
        blind = [name for name in asked if name in GETTING and not self.ground.observable(name, "subject")]
        if script := mirror(self, [name for name in blind if self.ground.observable(name, "items")]):
            yield script

    def _own(self) -> Iterable[Script]:
        """Ask for what belongs to them as two shoppers who have logged in and bought nothing."""
        target = self.ground.target
        first = [name for name in ("login", "add_to_cart") if name in target.operations]
        asked = self.ground.mapped("identify", "cart", "loyalty_balance", "support")

        def belongings(people: People, nth: int) -> Generator[Any, Any, None]:
            one, other = people.somebody(), people.somebody()
            for visitor in (one, other):
                visitor.context.turn_to(None, nth)
            for operation in (*first, *asked):
                for visitor in (one, other):
                    yield from ask(target, visitor, operation)

        if asked:
            cost = sum(request_count(target, name) for name in (*first, *asked))
            yield Script("belongings", 2 * (cost + len(target.opening)), belongings, when=WITHIN)

    def _in_turn(self, operation: str, *visitors: Visitor) -> Generator[Any, Any, None]:
        for visitor in visitors:
            yield Ask(visitor, operation)
