"""H9, H10, H11: whether a shopper's variant stays the same, before and after they log in, and whom it is dealt to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from scipy.stats import chisquare

from simulator.target.probes.probe import CHECKED, Difference, Probe, Ruling
from simulator.target.probes.seen import Trace
from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from simulator.target.call import Request
    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

INTRODUCING = ("login", "identify", "auth_finish")
"""Operations after which the target may know a shopper by another id."""
TOLD_IN = ("decide", "home", "recommend", "next_action", "content", "search")
"""Operations that may be asked twice and should tell one variant, the cheapest first."""
NOTES = "variants"


class Change(NamedTuple):
    """Variants that one visit was told twice, for the same address; whether somebody logged in between."""

    before: tuple[str, ...]
    now: tuple[str, ...]
    logged_in: bool
    earlier: Trace


@dataclass(slots=True, eq=False)
class _Told:
    """What one visit was told so far. Two probes ask the same of each answer, so the last one is kept."""

    logins: int = 0
    by_address: dict[tuple[str, str], tuple[tuple[str, ...], int, Request, float]] = field(default_factory=dict)
    seen: Seen | None = None
    change: Change | None = None


def change_in(seen: Seen) -> Change | None:
    """Return the variant of this answer beside that of the last one to the same question; None if there is none.

    A question is an operation and a path: other products, and other operations, may have experiments of their own.
    """
    variants = seen.evidence.get("variant")
    introduces = seen.operation in INTRODUCING
    if (not variants and not introduces) or not seen.ok or seen.odd:
        return None
    notes = seen.visitor.notes
    told: _Told = notes.get(NOTES) or notes.setdefault(NOTES, _Told())
    if told.seen is seen:
        return told.change
    told.seen, told.change = seen, None
    told.logins += introduces
    if not variants:
        return None
    now = variants if len(variants) == 1 else tuple(sorted(variants))
    key = seen.operation, seen.request.url.partition("?")[0]
    before = told.by_address.get(key)
    told.by_address[key] = now, told.logins, seen.request, seen.at_s
    if before is not None:
        was, logins, request, at_s = before
        earlier = Trace(seen.visitor.number, seen.operation, request, "", at_s)
        told.change = Change(was, now, logins != told.logins, earlier)
    return told.change


@dataclass(slots=True)
class _Steady(Probe):
    """Compares two variants that one visit was told, across a login or not."""

    across: ClassVar[bool] = False
    says: ClassVar[str] = ""

    def see(self, seen: Seen) -> None:
        """Compare the variant with the one before it."""
        change = change_in(seen)
        if change is None or change.logged_in is not self.across:
            return
        differs = (Difference("variant", list(change.before), list(change.now)),)
        says = f"{seen.operation} {self.says}"
        self.check(seen, change.before == change.now, says, other=change.earlier, differs=differs)

    def _tells(self) -> list[str]:
        return [name for name in self.ground.mapped(*TOLD_IN) if self.ground.observable(name, "variant")][:2]


@dataclass(slots=True)
class Flip(_Steady):
    """The variant before a login is the variant after it."""

    code: ClassVar[str] = "H9"
    across: ClassVar[bool] = True
    says: ClassVar[str] = "showed another variant after a login than before it"

    def scripts(self) -> Iterable[Script]:
        """Look, log in, look again."""
        asked, logins = self._tells(), self.ground.mapped("login")
        if not asked or not logins:
            return

        def log_in_between(people: People, nth: int) -> Generator[Any, Any, None]:
            del nth
            visitor = people.somebody()
            for operation in (*asked, "login", *asked):
                yield Ask(visitor, operation)

        cost = 2 * len(asked) + 1 + len(self.ground.target.opening)
        yield Script("variant across a login", cost, log_in_between, times=3)


@dataclass(slots=True)
class Flicker(_Steady):
    """A shopper who asks again has the same variant."""

    code: ClassVar[str] = "H10"
    says: ClassVar[str] = "showed one shopper two variants in one visit"

    def scripts(self) -> Iterable[Script]:
        """Ask the same thing some times."""
        asked = self._tells()[:1]
        if not asked:
            return

        def ask_again(people: People, nth: int) -> Generator[Any, Any, None]:
            del nth
            visitor = people.somebody()
            for _ in range(ASKED_TIMES):
                yield Ask(visitor, asked[0])

        yield Script("variant asked again", ASKED_TIMES + len(self.ground.target.opening), ask_again)


ASKED_TIMES = 4
ARM = "arm "
"""Before the name of an arm: how many shoppers were in it when they were first told."""
LEAST_EXPECTED = 5.0
"""Shoppers in the smallest arm by promise; with fewer the chi-square distribution does not hold (Cochran 1954)."""
ALERT, WARNING, LEAST_DEVIATION = 0.001, 0.01, 0.001
"""Statsig's rule for a sample ratio mismatch: an alert below the first p where a share is off by so much at least."""


@dataclass(slots=True)
class SampleRatio(Probe):
    """Shoppers' first variants have the shares that were promised, by a chi-square test.

    The operation that most were told by rules: those deeper in a visit are reached by some arms more than by others.
    """

    code: ClassVar[str] = "H11"

    def see(self, seen: Seen) -> None:
        """Count a shopper's first variant of each operation."""
        variants = seen.evidence.get("variant")
        if not variants or not seen.ok or seen.odd or seen.visitor.visit:
            return
        told: set[str] = seen.visitor.notes.setdefault(self.code, set())
        if seen.operation in told:
            return
        if not told:
            self.count(seen, CHECKED)
        told.add(seen.operation)
        shares = self.ground.promises.variant_shares
        arm = next((name for name in variants if name in shares), "") if shares else variants[0]
        if arm and (shares or len(variants) == 1):
            self.count(seen, ARM + arm)

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Hold the arms of the most frequent operation to their shares."""
        operation, arms = _most_told(counts)
        shares = self.ground.promises.variant_shares
        if not arms:
            return Ruling(None, "no shopper was told a single variant")
        if not shares:
            told = ", ".join(f"{name} {number}" for name, number in sorted(arms.items()))
            return Ruling(None, f"promises.variant_shares is missing; {operation}: {told}")
        if len(shares) == 1:
            return Ruling(None, f"all {arms.total()} shoppers were told the same variant")
        total, weights = arms.total(), sum(shares.values())
        due = [total * share / weights for share in shares.values()]
        if min(due) < LEAST_EXPECTED:
            return Ruling(None, f"{total} shoppers are too few for {len(due)} variants")
        found = [arms[name] for name in shares]
        p = float(chisquare(found, due).pvalue)
        off = max(abs(one - other) / total for one, other in zip(found, due, strict=True))
        split = ", ".join(f"{name} {number}" for name, number in zip(shares, found, strict=True))
        told = f"{operation}: {split} of {total} shoppers, due as promised: p = {p:.2g}"
        if p < ALERT and off >= LEAST_DEVIATION:
            return Ruling(False, told)
        return Ruling(True, f"warning: {told}" if p < WARNING else told)


def _most_told(counts: Mapping[Key, int]) -> tuple[str, Counter[str]]:
    """Return the operation that told most shoppers their variant, and how many were in each arm."""
    by_operation: dict[str, Counter[str]] = {}
    for key, number in counts.items():
        if key.what.startswith(ARM):
            by_operation.setdefault(key.operation, Counter())[key.what.removeprefix(ARM)] += number
    if not by_operation:
        return "", Counter()
    return max(by_operation.items(), key=lambda entry: entry[1].total())
