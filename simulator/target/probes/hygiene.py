"""H22: whether test traffic shows in what is popular and in the counts of experiments, which are to be of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from scipy.stats import binomtest

from simulator.target.call import Skipped
from simulator.target.probes.probe import CHECKED, WHEN, Difference, Key, Probe, Ruling, total
from simulator.target.probes.steps import AFTER, BEFORE, Ask, Now, Script, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

    Play = Generator[Any, Any, Any]

EXPOSURES = "readings.exposures"
LEARNS_FROM = {
    "readings.popularity": ("product", "track", "add_to_cart", "purchase"),
    EXPOSURES: ("exposure", "decide", "home"),
}
"""Of each reading the operations of which it may be a count, the likeliest first."""
LISTS = ("recommend", "home", "category", "search")
FIRST, SECOND, NEXT, LAST = "first", "second", "next", "last"
"""Readings: two with nothing between them, one after `ACTORS` did something, one after the run."""
AT = " at ms"
SENT, SENT_BETWEEN = "sent", "sent between"
APART_S, SETTLE_S = 3.0, 2.0
"""From the first reading to the second, and at most from the end of the run to the last."""
ACTORS = 3
LEAST_SENT = 20
"""Requests of a kind with fewer of which nothing is said of a run."""
ALERT = 0.001


class Rise(NamedTuple):
    """A count before, and how much it rose in `before_s` by itself, and in `during_s` with so many requests `sent`."""

    what: str
    before: int
    before_s: float
    during: int
    during_s: float
    sent: Mapping[str, int]


@dataclass(slots=True)
class LearnedFrom(Probe):
    """Counts of what people look at, and are shown, rise no faster while we ask than while nobody of ours does."""

    code: ClassVar[str] = "H22"

    def see(self, seen: Seen) -> None:
        """Count what may be counted."""
        if seen.operation in _ALL and not seen.error:
            self.count(seen, SENT)

    def scripts(self) -> Iterable[Script]:
        """Read the counts twice, do a little, read again; and once more after the run."""
        readings = [name for name in LEARNS_FROM if self.ground.observable(name, "counts")]
        if not readings:
            return
        opening = len(self.ground.target.opening)

        def before(people: People, nth: int) -> Play:
            del nth
            yield from self._before(people, readings)

        def after(people: People, nth: int) -> Play:
            del nth
            yield Wait(min(self.ground.promises.event_lag, SETTLE_S))
            reader = people.somebody()
            for name in readings:
                seen = yield from self._read(Ask(reader, name), LAST)
                if seen is not None:
                    self._show(seen, name)

        cost = opening + 3 * len(readings) + ACTORS * (opening + 2 + len(readings))
        yield Script("counts before", cost, before, when=frozenset((BEFORE,)))
        yield Script("counts after", len(readings) + opening, after, when=frozenset((AFTER,)))

    def _before(self, people: People, readings: list[str]) -> Play:
        """Read, wait, read, do what may be counted, read."""
        reader, actors = people.somebody(), [people.somebody() for _ in range(ACTORS)]
        for name in readings:
            yield from self._read(Ask(reader, name), FIRST)
        yield Wait(APART_S)
        for actor in actors:
            # What opens a visit, and what the acts need to know, comes before the second reading.
            for operation in self._knows_first(actor):
                yield Ask(actor, operation)
        for name in readings:
            yield from self._read(Ask(reader, name), SECOND)
            for operation in self._acts(name)[:1]:
                for actor in actors:
                    seen = yield Ask(actor, operation)
                    if seen is not None and not seen.error:
                        self.counts[Key(WHEN[0], name, f"{SENT_BETWEEN} {operation}")] += 1
            seen = yield from self._read(Ask(reader, name), NEXT)
            if seen is not None:
                self._show(seen, name)

    def _knows_first(self, actor: Visitor) -> tuple[str, ...]:
        """Return what somebody has to ask for before they can look at a product and report an exposure."""
        blind = isinstance(self.ground.target.build("product", actor.context), Skipped)
        return (*(self.ground.mapped(*LISTS)[:1] if blind else ()), *self.ground.mapped("decide"))

    def _acts(self, name: str) -> tuple[str, ...]:
        """Return the operations that a reading may count: where exposures are reported, they alone are exposures."""
        mapped = self.ground.mapped(*LEARNS_FROM[name])
        return mapped[:1] if name == EXPOSURES else mapped

    def _read(self, ask: Ask, what: str) -> Play:
        """Read a count and note when; return the answer if it tells one."""
        seen = yield ask
        if seen is None or seen.error or "counts" not in seen.evidence:
            return None
        self.counts[Key(WHEN[0], ask.operation, what)] = int(sum(seen.evidence["counts"]))
        self.counts[Key(WHEN[0], ask.operation, what + AT)] = yield Now()
        return seen

    def _show(self, seen: Seen, name: str) -> None:
        """Count a check; keep the reading as a sample, for there is one alone that shows a rise."""
        self.count(seen, CHECKED)
        found = {what: self.counts[Key(WHEN[0], name, what)] for what in (FIRST, SECOND, NEXT, LAST)}
        risen = Difference("counts", found[SECOND], found[LAST] or found[NEXT])
        self.samples.append(self._sample(seen, WHEN[0], f"{_short(name)} rose while we asked", None, (risen,)))

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Judge each rise; one that is ours is one too many."""
        rulings = [_ruling(rise) for name in LEARNS_FROM for rise in _rises(name, self._acts(name), counts)]
        for held in (False, True):
            said = [one.why for one in rulings if one.held is held]
            if said:
                return Ruling(held, "; ".join(said))
        return rulings[0] if rulings else Ruling(None, "the counts were not read before and after anything was sent")


def _rises(name: str, operations: Iterable[str], counts: Mapping[Key, int]) -> Iterable[Rise]:
    """Yield how much a count rose while a little was done, and during the whole run."""
    value = {what: counts.get(Key(WHEN[0], name, what), 0) for what in (FIRST, SECOND, NEXT, LAST)}
    at_s = {what: counts.get(Key(WHEN[0], name, what + AT), 0) / 1e3 for what in value}
    if not (at_s[FIRST] and at_s[SECOND]):
        return
    sent = {op: total(counts, f"{SENT_BETWEEN} {op}", operation=name) for op in operations}
    in_run = {op: total(counts, SENT, operation=op) for op in operations}
    in_run = {op: number for op, number in in_run.items() if number >= LEAST_SENT}
    for what, asked in ((NEXT, {op: number for op, number in sent.items() if number}), (LAST, in_run)):
        if at_s[what] and asked:
            before, during = value[SECOND] - value[FIRST], value[what] - value[SECOND]
            before_s, during_s = at_s[SECOND] - at_s[FIRST], at_s[what] - at_s[SECOND]
            yield Rise(_short(name), max(before, 0), before_s, max(during, 0), during_s, asked)


def _ruling(rise: Rise) -> Ruling:
    """Say whether a rise is ours: at least half of what was sent, and beyond chance.

    If the rate stays the same, then of all that was counted before and meanwhile the part meanwhile is binomial.
    """
    by_itself = rise.before * rise.during_s / max(rise.before_s, 1e-3)
    judged = {operation: number for operation, number in rise.sent.items() if by_itself <= number}
    if not judged:
        return Ruling(None, f"{rise.what} rises by {by_itself:.0f} in such a time by itself, more than was sent")
    over = rise.during - by_itself
    operation = next((name for name, number in judged.items() if over >= number / 2), next(iter(judged)))
    says = f"{rise.what} rose by {rise.during} while {judged[operation]} requests of {operation} were sent"
    says += f", where {by_itself:.0f} was due by itself"
    if over < judged[operation] / 2:
        return Ruling(True, says)
    share = rise.during_s / (rise.before_s + rise.during_s)
    chance = binomtest(rise.during, rise.during + rise.before, share, alternative="greater").pvalue
    return Ruling(bool(chance >= ALERT), f"{says} (p = {chance:.2g})")


def _short(name: str) -> str:
    return name.partition(".")[2]


_ALL = frozenset(name for names in LEARNS_FROM.values() for name in names)
