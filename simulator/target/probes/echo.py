"""H1: whether an answer holds the data of another shopper than the one who asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from simulator.target.hazards import OWN, SHOWN
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.seen import Lately, Trace
from simulator.target.probes.steps import Ask, Script

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


@dataclass(slots=True)
class Leak(Probe):
    """Every answer that names a subject names the one who asked.

    A subject is known by the ids that the visitor sent, and by what the target called them when they introduced
    themselves; one that is neither theirs nor anybody's we know is remembered as theirs, and proves nothing.
    """

    code: ClassVar[str] = "H1"
    owners: Lately[tuple[int, Trace]] = field(default_factory=Lately)

    def see(self, seen: Seen) -> None:
        """Compare the subject with who asked."""
        subject = seen.evidence.get("subject")
        if subject is None or seen.error or seen.odd:
            return
        number = seen.visitor.number
        if seen.operation in INTRODUCED:
            self.owners.keep(subject, (number, seen.trace()))
        owner = self.owners.get(subject)
        if owner is None:
            mine = any(str(seen.visitor.value(name)) == subject for name in CANARIES)
            owner = self.owners.keep(subject, (number, seen.trace()))
            if not mine and seen.operation not in (*SHOWN, *OWN):
                return
        same = owner[0] == number
        seen.foreign = not same
        says = f"{seen.operation} answered with the data of another shopper"
        self.check(seen, same, says, other=owner[1], differs=() if same else (self._difference(seen, subject),))

    def _difference(self, seen: Seen, subject: str) -> Difference:
        return Difference("subject", subject, seen.visitor.notes.get("subject") or seen.visitor.value("shopper.id"))

    def scripts(self) -> Iterable[Script]:
        """Ask for the same addresses as two shoppers, one right after the other."""
        asked = [name for name in self.ground.mapped(*GETTING) if self.ground.observable(name, "subject")]
        if not asked:
            return

        def twins(people: People, nth: int) -> Generator[Any, Any, None]:
            del nth
            one, other = people.somebody(), people.somebody()
            for operation in asked:
                yield from self._in_turn(operation, one, other)

        yield Script("twins", 2 * len(asked) + 2 * len(self.ground.target.opening), twins)

    def _in_turn(self, operation: str, *visitors: Visitor) -> Generator[Any, Any, None]:
        for visitor in visitors:
            yield Ask(visitor, operation)
