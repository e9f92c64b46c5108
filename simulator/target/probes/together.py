"""H18: what must happen once happens once, also where it is asked for twice at the same moment.

What one shopper does twice in turn says what is right here; another does the same twice at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.steps import Ask, Script, Together

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

    Play = Generator[Any, Any, Any]

LISTS = ("recommend", "home", "category", "search")
TO_BUY = ("product", "login", "add_to_cart", "checkout")
"""What leads to a purchase, behind a list; what a target does not map is left out."""
ONCE = ("payment", "purchase", "loyalty_redeem")
"""What must happen once, in the order in which one needs the other."""
BALANCE = "loyalty_balance"
MOST_SPENT = 6
"""Times that a reward is redeemed in turn, at most, to come down to points for one."""
ROUNDING = 1e-6


@dataclass(slots=True)
class Effect:
    """What two equal requests came to: `done` names what each good answer made, `spent` the points they took."""

    answers: list[Seen | None]
    done: set[str] = field(default_factory=set)
    before: float | None = None
    after: float | None = None
    first: float | None = None
    """Points after the first of two in turn."""

    @property
    def good(self) -> list[Seen]:
        """The answers that took the request."""
        return [one for one in self.answers if one is not None and not one.error]

    @property
    def spent(self) -> float | None:
        """Points that were taken, if the target tells of any."""
        return None if self.before is None or self.after is None else self.before - self.after


@dataclass(slots=True)
class Concurrency(Probe):
    """Two equal requests at once make no more, and take no more, than the same two in turn; no balance goes below 0."""

    code: ClassVar[str] = "H18"

    def scripts(self) -> Iterable[Script]:
        """Buy and redeem: each step twice, first in turn, then as somebody else at once."""
        ground = self.ground
        once = ground.mapped(*ONCE)
        if not once or not ground.mapped(*LISTS):
            return
        way = (*ground.mapped(*LISTS)[:1], *ground.mapped(*TO_BUY))
        tells = any(ground.observable(name, "balance") for name in (BALANCE, *once))

        def twice(people: People, nth: int) -> Play:
            del nth
            in_turn, at_once = people.somebody(), people.somebody()
            for visitor in (in_turn, at_once):
                for operation in way:
                    yield Ask(visitor, operation)
            for operation in once:
                right = yield from self._in_turn(in_turn, operation)
                if right is not None:
                    yield from self._at_once(at_once, operation, right)

        cost = 2 * (len(ground.target.opening) + len(way) + 2 * len(once) + 3 * tells)
        yield Script("twice at once", cost, twice)

    def _in_turn(self, visitor: Visitor, operation: str) -> Play:
        """Ask twice, one after the other; return what that came to, or None if the first was refused."""
        before = yield from self._balance(visitor, operation)
        one = yield Ask(visitor, operation)
        first = yield from self._balance(visitor, operation, one)
        if one is None or one.error:
            return None
        two = yield Ask(visitor, operation)
        after = yield from self._balance(visitor, operation, two)
        effect = self._effect(operation, [one, two], before, after)
        effect.first = first
        last = effect.good[-1]
        self._check_above(last, after)
        return effect

    def _at_once(self, visitor: Visitor, operation: str, right: Effect) -> Play:
        """Ask twice at the same moment, and compare with what is right."""
        before = yield from self._balance(visitor, operation)
        price = _price(right)
        if price is not None and before is not None:
            # Each request takes points: with enough for one alone, two can only be a mistake.
            for _ in range(MOST_SPENT):
                if before < 2 * price - ROUNDING:
                    break
                yield Ask(visitor, operation)
                before = yield from self._balance(visitor, operation)
            if before is None or not price - ROUNDING <= before < 2 * price - ROUNDING:
                return
        answers = yield Together((Ask(visitor, operation), Ask(visitor, operation)))
        good = [one for one in answers if one is not None and not one.error]
        after = yield from self._balance(visitor, operation, *good)
        effect = self._effect(operation, answers, before, after)
        if effect.good:
            self._compare(operation, effect, right, most=price)

    def _compare(self, operation: str, effect: Effect, right: Effect, most: float | None) -> None:
        seen, other = effect.good[-1], effect.good[0]
        if right.done:
            made = Difference("made by two equal requests", sorted(effect.done), f"{len(right.done)} in turn")
            held = len(effect.done) <= len(right.done)
            self.check(seen, held, f"{operation} twice at once was done twice", other=other, differs=(made,))
        spent, due = effect.spent, right.spent if most is None else most
        if spent is not None and due is not None:
            took = Difference("points taken by two equal requests at once", spent, due)
            held = spent <= due + ROUNDING
            self.check(seen, held, f"{operation} twice at once took points twice", other=other, differs=(took,))
        self._check_above(seen, effect.after)

    def _check_above(self, seen: Seen, balance: float | None) -> None:
        if balance is not None:
            below = Difference("balance", balance, 0)
            self.check(seen, balance >= -ROUNDING, f"{seen.operation} left fewer points than none", differs=(below,))

    def _balance(self, visitor: Visitor, operation: str, *answers: Seen | None) -> Play:
        """Return the points that a visitor has: asked for where that is possible, else as the last answers tell."""
        if operation == ONCE[-1] and self.ground.observable(BALANCE, "balance"):
            seen = yield Ask(visitor, BALANCE)
            return None if seen is None or seen.error else seen.evidence.get("balance")
        told = [one.evidence["balance"] for one in answers if one is not None and "balance" in one.evidence]
        return min(told, default=None)

    def _effect(self, operation: str, answers: list[Seen | None], before: float | None, after: float | None) -> Effect:
        effect = Effect(answers, before=before, after=after)
        for one in effect.good:
            told = self.ground.target.read(operation, one.status, one.headers, one.body).extracted
            if told:
                effect.done.add(repr(sorted(told.items())))
        return effect


def _price(right: Effect) -> float | None:
    """Return what one request takes where every repetition takes as much again; None where the second took nothing."""
    if right.before is None or right.first is None or right.after is None:
        return None
    one, two = right.before - right.first, right.first - right.after
    return one if one > 0 and abs(one - two) < ROUNDING else None
