"""H17: whether personalization gives way under load; and the personalised share and relevance that a report shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.model.schema import CONSENTS
from simulator.page.card import page_file
from simulator.target.probes.baseline import Baseline
from simulator.target.probes.fall import (
    ANSWERS,
    AT,
    BEFORE,
    BIN_S,
    ELIGIBLE,
    IN,
    KNOWN,
    NAMES,
    OWN,
    RANKED,
    RANKED_REST,
    RELEVANT,
    RELEVANT_REST,
    ruling_of,
)
from simulator.target.probes.probe import CHECKED, WHEN, Key, Probe, Ruling, total
from simulator.target.probes.relevance import ndcg
from simulator.target.probes.steps import ALONE, AMONG, Ask, Script, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

PERSONAL = ("home", "recommend", "search", "rank", "next_action", "content")
"""Operations that show what is chosen for somebody; where they say so (`fallback`), `offers` is one too."""
REMEMBERED = ("product", "add_to_cart", "purchase")
"""Operations after which a target has something to go by."""
RANKING = ("home", "recommend", "rank", "next_action", "content")
"""Operations whose order is the target's choice for a shopper; what they searched for, they chose themselves."""
MILLIONTHS = 1_000_000
COMMON = ("US", "GB", "DE", "FR")
"""Where who is asked alone lives, if the load's shoppers come from there too: answers are compared within a country,
and these are the commonest of the shipped personas."""
ANONYMOUS = tuple(name for name in CONSENTS if name != "personalization")
ASKED, ASKED_TIMES = 3, 8
"""How many operations are asked alone, and how often each."""


@dataclass(slots=True)
class Fallback(Probe):
    """Of answers to shoppers who agreed and have a history in this visit, as many are personal under load as alone.

    A check is one such answer, a violation one where personalization gave way; the rule compares their shares, within
    each operation and country, because both differ by themselves.
    """

    code: ClassVar[str] = "H17"
    baseline: Baseline = field(default_factory=Baseline)
    told: dict[str, bool] = field(default_factory=dict)
    """Of each operation, whether its answers say themselves that personalization gave way."""
    bin: int = BEFORE
    names: dict[str, dict[str, Key]] = field(default_factory=dict)
    """Of each operation the counts of the present time bin, made once."""
    places: dict[tuple[str, bool, str], tuple[Key, Key]] = field(default_factory=dict)

    def see(self, seen: Seen) -> None:
        """Note a history; count an answer that was chosen for somebody."""
        operation = seen.operation
        if not seen.ok or seen.odd:
            return
        if operation in REMEMBERED:
            seen.visitor.notes[self.code] = seen.evidence.get("generated_at") or 0
            return
        told = self.told.get(operation)
        if told is None:
            told = self.told[operation] = self.ground.observable(operation, "fallback")
        if told or (operation in PERSONAL and "items" in seen.evidence):
            self._look(seen, told=told)

    def _look(self, seen: Seen, *, told: bool) -> None:
        visitor, evidence, counts = seen.visitor, seen.evidence, self.counts
        since = visitor.notes.get(self.code)
        agreed = visitor.allows("personalization")
        eligible = agreed and since is not None
        if eligible and evidence.get("generated_at", since) < since:
            return  # It is older than what the shopper did, so it could not know.
        keys = self._keys(seen)
        counts[keys[ANSWERS]] += 1
        self._rank(seen, keys, eligible=eligible)
        if not told and not eligible and not (agreed and visitor.visit):
            self.baseline.keep(seen)
        if not eligible:
            return
        counts[keys[ELIGIBLE]] += 1
        own = self._is_own(seen, told=told)
        if own is None:
            return
        known_there, own_there = self._place(seen)
        counts[keys[KNOWN]] += 1
        counts[known_there] += 1
        if own:
            counts[keys[OWN]] += 1
            counts[own_there] += 1
        self.check(seen, own, f"{seen.operation} gave a shopper with a history what everybody gets")

    def _is_own(self, seen: Seen, *, told: bool) -> bool | None:
        """Return whether a shopper's own data had a part in an answer, None where that is not known."""
        if not told:
            return self.baseline.differs(seen)
        fallback = seen.evidence.get("fallback")
        return None if fallback is None else not fallback

    def _rank(self, seen: Seen, keys: Mapping[str, Key], *, eligible: bool) -> None:
        categories = seen.evidence.get("categories")
        if not categories or seen.operation not in RANKING:
            return
        favourite = seen.visitor.context.favourite
        words = self.ground.target.categories.get(favourite)
        relevance = ndcg(categories, words.slug if words else favourite, given=seen.operation == "rank")
        if relevance is not None:
            self.counts[keys[RELEVANT if eligible else RELEVANT_REST]] += round(relevance * MILLIONTHS)
            self.counts[keys[RANKED if eligible else RANKED_REST]] += 1

    def _keys(self, seen: Seen) -> Mapping[str, Key]:
        """Return the counts of an answer's operation at its time of the run."""
        at = BEFORE if seen.alone else int(seen.at_s // BIN_S)
        if at != self.bin:
            self.bin = at
            self.names.clear()
        found = self.names.get(seen.operation)
        if found is None:
            when = WHEN[not seen.alone]
            found = {name: Key(when, seen.operation, f"{name}{AT}{at}") for name in NAMES}
            self.names[seen.operation] = found
        return found

    def _place(self, seen: Seen) -> tuple[Key, Key]:
        """Return the two counts of an answer's operation and country."""
        country = str(seen.visitor.value("shopper.country"))
        place = seen.operation, seen.alone, country
        found = self.places.get(place)
        if found is None:
            when = WHEN[not seen.alone]
            known, own = (Key(when, seen.operation, f"{name}{IN}{country}") for name in (KNOWN, OWN))
            found = self.places[place] = known, own
        return found

    def scripts(self) -> Iterable[Script]:
        """Look at a product, then ask for what suits whoever did, before anybody else asks."""
        ground = self.ground
        asked = [name for name in ground.mapped(*PERSONAL) if self._shows(name)][:ASKED]
        lists = ground.mapped("recommend", "home", "category", "search")[:1]
        if not asked or not ground.mapped("product"):
            return
        first = (*lists, "product", *ground.mapped("track"))
        silent = [name for name in asked if not ground.observable(name, "fallback")]

        def become_known(people: People, nth: int) -> Generator[Any, Any, None]:
            del nth
            country = next((name for name in COMMON if name in people.countries), people.countries[0])
            if silent:
                # What everybody gets has to be seen twice before it can be told from what is one's own.
                for nobody in (people.somebody(country=country, consents=ANONYMOUS) for _ in range(2)):
                    for operation in (*first, *silent):
                        yield Ask(nobody, operation)
            visitor = people.somebody(country=country)
            for operation in first:
                yield Ask(visitor, operation)
            for nth_asked in range(ASKED_TIMES * len(asked)):
                seen = yield Ask(visitor, asked[nth_asked % len(asked)])
                if not nth_asked and seen is not None and seen.evidence.get("fallback"):
                    yield Wait(ground.promises.event_lag)

        begun = len(ground.target.opening) + len(first)
        cost = begun + ASKED_TIMES * len(asked) + (2 * (begun + len(silent)) if silent else 0)
        when = frozenset((ALONE,) if set(asked) & called() else (ALONE, AMONG))
        yield Script("personalised share", cost, become_known, when=when)

    def _shows(self, operation: str) -> bool:
        return any(self.ground.observable(operation, name) for name in ("fallback", "items"))

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Compare the shares of who was asked alone and of the load; without the former, quiet times and busy ones."""
        if not total(counts, CHECKED, WHEN[1]):
            return Ruling(None, "under load no answer to a shopper with a history says whether it was their own")
        return ruling_of(counts)


def called() -> set[str]:
    """Return the operations that shoppers' pages call."""
    return {call.op for card in page_file().pages.values() for call in card.calls}
