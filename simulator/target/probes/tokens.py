"""H14: whether what a shopper reports is attributed to what they were shown, and to nobody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from simulator.target.hazards import ACTS, SHOWN
from simulator.target.probes.pairs import Carried
from simulator.target.probes.probe import VIOLATED, Difference, Probe, Ruling, total
from simulator.target.probes.seen import Lately
from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen, Trace
    from simulator.target.probes.steps import People

MOST_TOKENS = 5_000
MOST_A_VISIT = 50
ISSUED, SHARED, SENT_BACK = "issued", "shared", "sent back"


@dataclass(slots=True)
class Tokens(Probe):
    """A token is given to one shopper, and what comes back with it, from them and in the same visit, is attributed.

    A report counts if the thing that it is about stood in the list that the token came with: targets may refuse others.
    Where most tokens are given to several shoppers they name a list, and not to whom it was shown.
    """

    code: ClassVar[str] = "H14"
    owners: Lately[tuple[int, Trace]] = field(default_factory=lambda: Lately(MOST_TOKENS))
    carried: Carried = field(init=False)

    def __post_init__(self) -> None:
        """Find what requests send back."""
        self.carried = Carried(self.ground.target)

    def see(self, seen: Seen) -> None:
        """Note tokens that were given, and see what came of those that were sent back."""
        if not seen.ok or seen.odd:
            return
        if seen.operation in ACTS:
            if seen.evidence.get("attributed") is not None:
                self._sent_back(seen)
        elif tokens := seen.evidence.get("token"):
            for token in tokens[:MOST_A_VISIT]:
                self._issued(seen, token)

    def _issued(self, seen: Seen, token: str) -> None:
        number = seen.visitor.number
        known: dict[str, frozenset[str]] = seen.visitor.notes.setdefault(self.code, {})
        if len(known) < MOST_A_VISIT:
            known[token] = frozenset(seen.evidence.get("items", ()))
        owner = self.owners.get(token) or self.owners.keep(token, (number, seen.trace()))
        self.count(seen, ISSUED)
        same = owner[0] == number
        if not same:
            self.count(seen, SHARED)
        says = f"{seen.operation} gave a token that another shopper had been given"
        self.check(seen, same, says, other=owner[1], differs=() if same else (Difference("token", token, token),))

    def _sent_back(self, seen: Seen) -> None:
        known = seen.visitor.notes.get(self.code, {})
        ids = self.carried.ids_of(seen)
        for token in self.carried.tokens_of(seen):
            items = known.get(token)
            if items is None or seen.evidence.get("stored") == 0:
                continue
            if ids and not items.isdisjoint(ids):
                self.count(seen, SENT_BACK)
                held, owner = seen.evidence["attributed"] > 0, self.owners.get(token)
                says = f"{seen.operation} did not know the token that this shopper was given in this visit"
                differs = (Difference("attributed", seen.evidence["attributed"], 1),)
                self.check(seen, held, says, other=owner[1] if owner else None, differs=differs)

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say violated for tokens of two shoppers only where most have one."""
        issued, shared, violated = (total(counts, what) for what in (ISSUED, SHARED, VIOLATED))
        if violated > shared:
            return Ruling(held=False, why="a shopper's own token was not known")
        if shared and 2 * shared <= issued:
            return Ruling(held=False, why="tokens of one shopper were given to another")
        if total(counts, SENT_BACK):
            return Ruling(held=True)
        if shared:
            return Ruling(None, "tokens are the same for most shoppers: they name lists, not whom they were shown to")
        return Ruling(held=True) if issued else Ruling(None, "no token came")

    def scripts(self) -> Iterable[Script]:
        """Take a token, look at something of the list it came with, and report it."""
        ground = self.ground
        lists = [name for name in ground.mapped(*SHOWN) if self._gives_token(name)][:1]
        acts = [name for name in ground.mapped(*ACTS) if self._takes_token(name)][:1]
        if not lists or not acts:
            return
        calls = (*lists, *ground.mapped("product"), *acts)

        def report(people: People, nth: int) -> Generator[Any, Any, None]:
            visitor = people.somebody()
            visitor.context.turn_to(None, nth)
            for name in calls:
                yield Ask(visitor, name)

        yield Script("attribution", len(ground.target.opening) + len(calls), report)

    def _gives_token(self, operation: str) -> bool:
        return self.ground.observable(operation, "token") and operation != "product"

    def _takes_token(self, operation: str) -> bool:
        return bool(self.carried.tokens.get(operation)) and self.ground.observable(operation, "attributed")
