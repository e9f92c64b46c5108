"""H17: whether personalization gives way under load; and the personalised share and relevance that a report shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from scipy.stats import norm

from simulator.page.card import page_file
from simulator.target.probes.baseline import Baseline
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
BIN_S = 5
MILLIONTHS = 1_000_000
ANSWERS, ELIGIBLE, KNOWN, OWN = "answers", "eligible", "known", "own"
"""Counts: good answers; those to who agreed and has a history in this visit; of these those of which is known whether
personalization gave way; and where it did not."""
RELEVANT, RANKED, RELEVANT_REST, RANKED_REST = "ndcg", "ranked", "ndcg rest", "ranked rest"
"""Sums of nDCG in millionths and how many lists they are of, of eligible answers and of the rest."""
NAMES = (ANSWERS, ELIGIBLE, KNOWN, OWN, RELEVANT, RANKED, RELEVANT_REST, RANKED_REST)
RANKING = ("home", "recommend", "rank", "next_action", "content")
"""Operations whose order is the target's choice for a shopper; what they searched for, they chose themselves."""
IN, AT = " in ", " at "
"""Joints of a count's name and the country, or the time bin, that it is of; bin -1 is all of what was asked alone."""
BEFORE = -1
ALERT, LEAST_DROP, LEAST_ALONE = 0.001, 0.02, 10
"""The share has fallen where chance does so less often, and by so much, than these; with fewer answers alone, the
run's own quiet and busy times are compared."""
BUSIER = 2.0
"""Quiet and busy times are such if the busy third of a run had so many times the answers of the quiet third."""


COUNTRIES = ("GB", "US", "DE", "FR")
"""Where those who are asked alone live; answers are compared within a country."""
ASKED, ASKED_TIMES = 3, 4
"""How many operations are asked alone, and how often each."""


class Pair(NamedTuple):
    """Answers that were the shopper's own, of those of which it is known."""

    own: int
    known: int


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

        def become_known(people: People, nth: int) -> Generator[Any, Any, None]:
            visitor = people.somebody(country=COUNTRIES[nth % len(COUNTRIES)])
            for operation in first:
                yield Ask(visitor, operation)
            for nth_asked in range(ASKED_TIMES * len(asked)):
                seen = yield Ask(visitor, asked[nth_asked % len(asked)])
                if not nth_asked and seen is not None and seen.evidence.get("fallback"):
                    yield Wait(ground.promises.event_lag)

        cost = len(ground.target.opening) + len(first) + ASKED_TIMES * len(asked)
        when = frozenset((ALONE,) if set(asked) & called() else (ALONE, AMONG))
        yield Script("personalised share", cost, become_known, when=when, times=2)

    def _shows(self, operation: str) -> bool:
        return any(self.ground.observable(operation, name) for name in ("fallback", "items"))

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Compare the shares of who was asked alone and of the load; without the former, quiet times and busy ones."""
        if not total(counts, CHECKED, WHEN[1]):
            return Ruling(None, "under load no answer to a shopper with a history says whether it was their own")
        alone, among = (_by_place(counts, when) for when in WHEN)
        shared = alone.keys() & among.keys()
        if sum(alone[place].known for place in shared) >= LEAST_ALONE:
            return _ruling([(alone[place], among[place]) for place in shared], ("alone", "among many"))
        quiet, busy = _quiet_and_busy(counts)
        shared_operations = quiet.keys() & busy.keys()
        if not shared_operations:
            return Ruling(None, f"fewer than {LEAST_ALONE} such answers came alone, and the load was always much alike")
        return _ruling([(quiet[name], busy[name]) for name in shared_operations], ("in quiet times", "in busy ones"))


def called() -> set[str]:
    """Return the operations that shoppers' pages call."""
    return {call.op for card in page_file().pages.values() for call in card.calls}


def _ruling(pairs: list[tuple[Pair, Pair]], words: tuple[str, str]) -> Ruling:
    drop, p = fallen(pairs)
    told = ", ".join(
        f"{_percent(sum(pair[side].own for pair in pairs), sum(pair[side].known for pair in pairs))} {word}"
        for side, word in enumerate(words)
    )
    says = f"personalised share: {told}; {100 * drop:.1f} points lower, operation by operation (p = {p:.2g})"
    if p < ALERT and drop >= LEAST_DROP:
        return Ruling(False, says)
    return Ruling(True, f"personalised share: {told}")


def _percent(own: int, known: int) -> str:
    return f"{100 * own / known:.1f} % of {known}"


def fallen(pairs: list[tuple[Pair, Pair]]) -> tuple[float, float]:
    """Return by how much the share has fallen from the first to the second of each pair, and the one-sided p.

    The test is Cochran's, with Mantel and Haenszel's variance: within each pair the successes of the first are compared
    with their hypergeometric mean. The fall is the mean of the pairs' falls, weighted by the second's trials.
    """
    excess = variance = fall = weight = 0.0
    for one, many in pairs:
        trials, successes = one.known + many.known, one.own + many.own
        excess += one.own - one.known * successes / trials
        if trials > 1:
            failures = trials - successes
            variance += one.known * many.known * successes * failures / (trials**2 * (trials - 1))
        fall += many.known * (one.own / one.known - many.own / many.known)
        weight += many.known
    return fall / weight, float(norm.sf(excess / sqrt(variance))) if variance else 1.0


def _by_place(counts: Mapping[Key, int], when: str) -> dict[tuple[str, str], Pair]:
    known: Counter[tuple[str, str]] = Counter()
    own: Counter[tuple[str, str]] = Counter()
    for key, number in counts.items():
        name, joint, country = key.what.partition(IN)
        if joint and key.when == when:
            (own if name == OWN else known)[key.operation, country] += number
    return {place: Pair(own[place], number) for place, number in known.items() if number}


def by_time(counts: Mapping[Key, int]) -> dict[tuple[str, str, int], Counter[str]]:
    """Return all that was counted of an operation, by (when, operation, time bin)."""
    found: defaultdict[tuple[str, str, int], Counter[str]] = defaultdict(Counter)
    for key, number in counts.items():
        name, joint, at = key.what.partition(AT)
        if joint:
            found[key.when, key.operation, int(at)][name] += number
    return found


def _quiet_and_busy(counts: Mapping[Key, int]) -> tuple[dict[str, Pair], dict[str, Pair]]:
    """Return pairs by operation of the third of the time bins with the fewest answers, and with the most."""
    table = by_time(counts)
    load: Counter[int] = Counter()
    for (when, _, at), found in table.items():
        if when == WHEN[1]:
            load[at] += found[ANSWERS]
    in_order = sorted(load, key=lambda at: (load[at], at))
    third = len(in_order) // 3
    quiet, busy = set(in_order[:third]), set(in_order[len(in_order) - third :])
    if not third or sum(load[at] for at in busy) < BUSIER * sum(load[at] for at in quiet):
        return {}, {}
    return _of_bins(table, quiet), _of_bins(table, busy)


def _of_bins(table: Mapping[tuple[str, str, int], Counter[str]], bins: set[int]) -> dict[str, Pair]:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (when, operation, at), found in table.items():
        if when == WHEN[1] and at in bins:
            sums[operation] += found
    return {name: Pair(one[OWN], one[KNOWN]) for name, one in sums.items() if one[KNOWN]}
