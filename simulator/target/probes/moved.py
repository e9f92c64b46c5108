"""H4: whether another place changes what is offered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from simulator.target.probes.clock import shows_daypart
from simulator.target.probes.pairs import shortened
from simulator.target.probes.probe import Difference, Probe, Ruling, total
from simulator.target.probes.seen import Lately
from simulator.target.probes.where import COUNTRY, POSITION, Telling, countries_of
from simulator.target.probes.world import around_the_world
from simulator.target.sends import named_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.model.places import City
    from simulator.target.fields import Json
    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen, Trace
    from simulator.target.probes.steps import Script
    from simulator.target.probes.world import Journey

ENOUGH = 3
"""Shoppers of so many countries who are offered the same countries' offers show that nobody asked for theirs."""
NOISY = "noisy"
ITEMS_ARE_OFFERS = ("offers", "store_near")
"""Operations whose items hang on the place; elsewhere they are goods, which may well be the same everywhere."""


@dataclass(slots=True)
class Moved(Probe):
    """Offers of countries are not the same for shoppers of all countries, and offers not the same in all places.

    The first is seen in every answer whose offers name their country. The second is asked: far-apart places, one of
    them twice; if even that one's two answers differ, differences say nothing.
    """

    code: ClassVar[str] = "H4"
    given: Lately[dict[str, Trace]] = field(default_factory=lambda: Lately(2_000))
    country: Telling = field(init=False)

    def __post_init__(self) -> None:
        """Find out which requests tell the target of a country."""
        self.country = Telling(self.ground.target, COUNTRY)

    def see(self, seen: Seen) -> None:
        """Remember to whom a set of countries' offers was given."""
        if not seen.ok or seen.odd:
            return
        fences = seen.evidence.get("fences")
        offered = frozenset(fence.country for fence in fences or () if fence and fence.country)
        if not offered or not self.country.told(seen):
            return
        if not offered - countries_of(seen.visitor):
            self.check(seen, True)
            return
        given = self.given.keep((seen.operation, offered), {})
        home = str(seen.visitor.value(COUNTRY))
        if len(given) < ENOUGH and home not in given:
            given[home] = seen.trace()
        if len(given) < ENOUGH:
            return
        other = next((country for country in given if country != home), home)
        says = f"{seen.operation} offers the same countries' offers to shoppers of {ENOUGH} countries and more"
        differs = (
            Difference(
                f"countries offered in {home} and in {other}", shortened(sorted(offered)), shortened(sorted(offered))
            ),
        )
        self.check(seen, False, says, other=given[other], differs=differs)

    def scripts(self) -> Iterable[Script]:
        """Ask for offers round the world."""
        asked = [
            name for name in self.ground.mapped("offers", "home", "store_near", "next_action") if self._judges(name)
        ]
        asked = asked[:2]
        if asked:
            clocks = [name for name in shows_daypart(self.ground)[:1] if name not in asked]
            yield around_the_world(self.ground, (*asked, *clocks), lambda journey: self._compare(journey, asked))

    def _judges(self, operation: str) -> bool:
        named = named_by(self.ground.target.file.operations[operation])
        if named.isdisjoint((POSITION, COUNTRY)):
            # Only the session was told of the place: offers without any place of their own may hold everywhere.
            return self.ground.observable(operation, "fences")
        return self.ground.observable(operation, "fences") or (
            operation in ITEMS_ARE_OFFERS and self.ground.observable(operation, "items")
        )

    def _compare(self, journey: Journey, operations: list[str]) -> None:
        for name in operations:
            named = named_by(self.ground.target.file.operations[name])
            if not named.isdisjoint((POSITION, COUNTRY)):
                self._moved(name, [(city, answers[name]) for city, answers in journey if name in answers])

    def _moved(self, operation: str, answers: list[tuple[City, Seen]]) -> None:
        """Compare what is offered at home with what is offered elsewhere, if it is the same twice at home."""
        if not answers:
            return
        home, first = answers[0]
        at_home = [_offered(seen) for city, seen in answers if city == home]
        elsewhere = [(city, seen) for city, seen in answers if city != home]
        if len(at_home) < 2 or not elsewhere or not any(_offered(seen) for _, seen in answers):
            return
        if at_home[0] != at_home[1]:
            self.count(first, NOISY)
            return
        held = any(_offered(seen) != at_home[0] for _, seen in elsewhere)
        city, there = elsewhere[-1]
        what = shortened(at_home[0])
        differs = (Difference(f"offered in {home.name} and in {city.name}", what, what),)
        says = f"{operation} offers the same in {len(elsewhere) + 1} cities"
        self.check(first, held, says, other=there, differs=differs)

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say what was noise where nothing else came."""
        found = Probe.rule(self, counts)
        noisy = found.held is None and total(counts, NOISY)
        return Ruling(None, "the same place is offered something else each time") if noisy else found


def _offered(seen: Seen) -> tuple[Json, ...]:
    """Return what is offered in an answer; empty where nothing is."""
    items = seen.evidence.get("items", ()) if seen.operation in ITEMS_ARE_OFFERS else ()
    fences = seen.evidence.get("fences", ())
    return (*items, *fences)
