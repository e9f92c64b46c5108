"""H5: whether the same place in another spelling changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simulator.target.probes.pairs import shortened
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.steps import Ask, Script
from simulator.target.probes.where import COUNTRY, POSITION, Telling, metres
from simulator.target.sends import named_by

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import Any

    from simulator.target.fields import Json
    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

    Asking = Generator[Any, Any, Seen | None]

COMPARED = ("items", "fences", "currency", "language")
LANGUAGE, LONGITUDE = "shopper.language", "place.lon"
AGAIN = 2
"""How often a difference must be seen again, with the usual spelling between: what changes by itself would not be."""
SPELLINGS: dict[str, Callable[[float], Json]] = {
    "six digits": lambda degrees: f"{degrees:.6f}",
    "an exponent": lambda degrees: f"{degrees:.8e}",
    "a sign": lambda degrees: f"{degrees:+.5f}",
}
"""Ways to write degrees as text, which JSON, RFC 7946 and ISO 6709 know."""
CENTIMETRE_DEG = 1e-7


@dataclass(slots=True)
class Spelling(Probe):
    """Countries and languages in small letters, degrees with more digits, an exponent or a sign: nothing changes.

    Each other spelling is asked between two usual ones, of which the answers must be the same before a difference
    counts. An answer that refuses a spelling says so, and is no violation.
    """

    code: ClassVar[str] = "H5"

    def scripts(self) -> Iterable[Script]:
        """Ask in small letters, and with other numbers."""
        asked = [name for name in self.ground.mapped("offers", "home", "store_near", "recommend") if self._shows(name)]
        opening = len(self.ground.target.opening)
        telling = Telling(self.ground.target, COUNTRY, LANGUAGE)
        words = [name for name in asked if telling.by(name)][:2]
        if words:
            cost = (3 + 2 * AGAIN) * (opening + 1)
            yield Script(
                "spelling of words", cost, lambda people, nth: self._words(people, nth, words[nth % len(words)])
            )
        numbers = [name for name in asked if POSITION in named_by(self.ground.target.file.operations[name])][:2]
        if numbers:
            cost = opening + 2 + len(SPELLINGS) + 2 * AGAIN
            yield Script("spelling of numbers", cost, lambda people, nth: self._numbers(people, nth, numbers))

    def _shows(self, operation: str) -> bool:
        return any(self.ground.observable(operation, name) for name in (*COMPARED, "geo_used"))

    def _words(self, people: People, nth: int, operation: str) -> Generator[Any, Any, None]:
        """Let somebody come back with small letters, and with usual ones again: the same person, so the same arms."""
        country = people.countries[nth % len(people.countries)]
        visitor = people.somebody(country=country)
        small = {name: str(visitor.value(name)).lower() for name in (COUNTRY, LANGUAGE)}
        answers: list[Seen | None] = []
        visits: list[dict[str, str] | None] = [None, small, None]
        while visits:
            visitor = people.again(visitor, visits.pop(0))
            seen = yield Ask(visitor, operation)
            answers.append(seen if self._is_in(visitor) else None)
            if len(answers) == 3 and self._differs(*answers):
                visits += [small, None] * AGAIN
        self._judge(answers, f"{country.lower()} is taken for another place than {country}")

    def _is_in(self, visitor: Visitor) -> bool:
        """Return whether what opens a visit was accepted: a target may refuse a spelling there."""
        return set(self.ground.target.opening) <= visitor.context.made

    def _numbers(self, people: People, nth: int, operations: list[str]) -> Generator[Any, Any, None]:
        visitor = people.somebody(country=people.countries[nth % len(people.countries)])
        yield from self._spelt(visitor, operations[nth % len(operations)])

    def _spelt(self, visitor: Visitor, operation: str) -> Generator[Any, Any, None]:
        rest = self.ground.target.file.operations[operation]
        textual = POSITION in named_by(rest.model_copy(update={"body": None, "graphql": None}))
        spellings = SPELLINGS if textual else {"seven digits": lambda degrees: round(degrees + CENTIMETRE_DEG, 7)}
        usual = yield Ask(visitor, operation)
        others: dict[str, Seen | None] = {}
        for name in spellings:
            others[name] = yield self._with(visitor, operation, spellings[name])
        then = yield Ask(visitor, operation)
        for name, other in others.items():
            answers = [usual, other, then]
            if self._differs(*answers):
                for _ in range(AGAIN):
                    answers.append((yield self._with(visitor, operation, spellings[name])))
                    answers.append((yield Ask(visitor, operation)))
            self._judge(answers, f"{operation} takes degrees with {name} for another place")

    def _with(self, visitor: Visitor, operation: str, spell: Callable[[float], Json]) -> Ask:
        assert visitor.position
        latitude, longitude = visitor.position
        return Ask(visitor, operation, values={POSITION: spell(latitude), LONGITUDE: spell(longitude)})

    def _differs(self, usual: Seen | None, other: Seen | None, then: Seen | None) -> bool:
        """Return whether an answer between two that agree is another."""
        return bool(_good(usual, other, then) and not self._between(usual, then) and self._between(usual, other))

    def _judge(self, answers: list[Seen | None], says: str) -> None:
        """Count what usual answers (even places) and others (odd places) came to, if it can be said at all."""
        usual, others = answers[::2], answers[1::2]
        first = usual[0]
        if first is None or not _good(*answers) or any(self._between(first, one) for one in usual):
            return
        differs = [self._between(first, one) for one in others]
        self.check(first, not all(differs), says, other=others[0], differs=differs[0])

    def _between(self, one: Seen | None, other: Seen | None) -> list[Difference]:
        """Return how two answers differ."""
        assert one is not None
        assert other is not None
        pairs = [(name, one.evidence.get(name), other.evidence.get(name)) for name in COMPARED]
        found = [Difference(name, shortened(a), shortened(b)) for name, a, b in pairs if a != b]
        used = [seen.evidence.get("geo_used") for seen in (one, other)]
        if not self._same_place(*used):
            found.append(Difference("geo_used", *used))
        return found

    def _same_place(self, one: Json, other: Json) -> bool:
        if isinstance(one, tuple) and isinstance(other, tuple):
            return metres(one, other) <= self.ground.promises.position_error
        return bool(one == other)


def _good(*answers: Seen | None) -> bool:
    return all(seen is not None and seen.ok for seen in answers)
