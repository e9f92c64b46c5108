"""H23: whether language and currency of an answer are those of the shopper's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simulator.target.probes.probe import Difference, Probe, Ruling
from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

ROUNDS = 4


@dataclass(slots=True)
class Market(Probe):
    """Every answer names the currency or language of the shopper's country, if the target promises to know it."""

    code: ClassVar[str] = "H23"

    def see(self, seen: Seen) -> None:
        """Compare both with the shopper's country."""
        opening = self.ground.target.opening
        if not seen.ok or seen.odd or (opening and seen.visitor.context.made.isdisjoint(opening)):
            return  # Who has not said where they are can be shown any market.
        for name, field in (("currency", "shopper.currency"), ("language", "shopper.language")):
            found, due = seen.evidence.get(name), seen.visitor.value(field)
            if found is not None and due is not None and _primary(due) in self._promised(name):
                held = _primary(found) == _primary(due)
                says = f"{seen.operation} is in the {name} of another market"
                self.check(seen, held, says, differs=(Difference(name, found, due),))

    def scripts(self) -> Iterable[Script]:
        """Look at the front page from several markets."""
        shown = [name for name in self.ground.mapped("home", "recommend", "search") if self._tells(name)][:1]
        if not shown:
            return

        def visit(people: People, nth: int) -> Generator[Any, Any, None]:
            yield Ask(people.somebody(country=people.countries[nth % len(people.countries)]), shown[0])

        yield Script("market", 1 + len(self.ground.target.opening), visit, times=ROUNDS)

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Nothing can be said of a target that promises no currency and no language."""
        promises = self.ground.promises
        if not promises.currencies and not promises.languages:
            return Ruling(None, "promises.currencies and promises.languages are missing")
        return Probe.rule(self, counts)

    def _promised(self, name: str) -> set[str]:
        promises = self.ground.promises
        return {_primary(one) for one in (promises.currencies if name == "currency" else promises.languages)}

    def _tells(self, operation: str) -> bool:
        return any(self.ground.observable(operation, name) for name in ("currency", "language"))


def _primary(code: str) -> str:
    """Return a currency as it is, of a language tag its first part (BCP 47): `de` of `de-CH`."""
    return code.replace("_", "-").partition("-")[0].casefold()
