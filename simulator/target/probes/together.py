"""H18: what must happen once happens once, also where it is asked for twice at the same moment.

One shopper asks for everything twice in turn, which must be right, and says what right is; another asks at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simulator.target.fields import EXTRACTED
from simulator.target.probes.points import plan_for
from simulator.target.probes.probe import CHECKED, Difference, Probe
from simulator.target.probes.steps import ALONE, AMONG, Ask, Script, Together

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

    Play = Generator[Any, Any, Any]

LISTS = ("recommend", "home", "category", "search")
BEFORE_BUYING, TO_PAY, ONCE = ("product", "login"), ("add_to_cart", "checkout"), ("payment", "purchase")
"""What leads to a purchase, behind a list, and what of it must happen once; what a target does not map is left out."""
BALANCE, REDEEM = "loyalty_balance", "loyalty_redeem"
REPEATS = "repeats "
"""Before an operation: it may rightly be done twice, as it was in turn."""


class Points(NamedTuple):
    """What a shopper has, and rewards with their prices in points, as far as they are told."""

    balance: float
    prices: Mapping[str, float]
    seen: Seen


@dataclass(slots=True)
class Concurrency(Probe):
    """Two equal requests at once do no more than the same two in turn, and no points are spent twice."""

    code: ClassVar[str] = "H18"
    once: set[str] = field(default_factory=set)
    """Operations that were done once for two equal requests in turn."""

    def scripts(self) -> Iterable[Script]:
        """Buy and redeem, each step twice: in turn before the load, at once within it."""
        ground = self.ground
        once = ground.mapped(*ONCE)
        if not once or not ground.mapped(*LISTS):
            return
        first = len(ground.target.opening) + 1 + len(ground.mapped(*BEFORE_BUYING))
        cost = first + len(ground.mapped(*TO_PAY)) + 2 * len(once)
        if self._redeems:
            cost += len(ground.mapped(*TO_PAY)) + len(once) + 6

        def in_turn(people: People, nth: int) -> Play:
            del nth
            yield from self._journey(people, at_once=False)

        def at_once(people: People, nth: int) -> Play:
            del nth
            yield from self._journey(people, at_once=True)

        yield Script("twice in turn", cost, in_turn, when=frozenset((ALONE,)))
        yield Script("twice at once", cost, at_once, when=frozenset((AMONG,)))

    @property
    def _redeems(self) -> bool:
        mapped = self.ground.mapped(BALANCE, REDEEM, ONCE[-1])
        return len(mapped) == len((BALANCE, REDEEM, ONCE[-1])) and self.ground.observable(BALANCE, "balance")

    def _journey(self, people: People, *, at_once: bool) -> Play:
        """Buy, asking twice for what must happen once; buy again, and redeem the points on both orders."""
        visitor = people.somebody()
        for operation in (*self.ground.mapped(*LISTS)[:1], *self.ground.mapped(*BEFORE_BUYING)):
            yield Ask(visitor, operation)
        for operation in self.ground.mapped(*TO_PAY):
            yield Ask(visitor, operation)
        for operation in self.ground.mapped(*ONCE):
            answers = yield from _both(Ask(visitor, operation), Ask(visitor, operation), at_once=at_once)
            self._compare(operation, answers, at_once=at_once)
        if not self._redeems:
            return
        orders = [_told(visitor)]
        for operation in self.ground.mapped(*TO_PAY, *ONCE):
            yield Ask(visitor, operation)
        orders.append(_told(visitor))
        if orders[0] != orders[1]:
            yield from self._redeem(visitor, orders, at_once=at_once)

    def _compare(self, operation: str, answers: Sequence[Seen | None], *, at_once: bool) -> None:
        """Compare what two equal requests made: in turn that says what is right, at once it must be no more."""
        good = [one for one in answers if one is not None and not one.error]
        made = {self._made(one) for one in good} - {""}
        if not made:
            return
        if not at_once:
            if len(made) == 1:
                self.once.add(operation)
                self.count(good[-1], CHECKED)
            return
        if operation in self.once:
            differs = (Difference("made by two equal requests", sorted(made), "one in turn"),)
            says = f"{operation} was done twice for two equal requests at once, and once in turn"
            self.check(good[-1], len(made) == 1, says, other=good[0], differs=differs)

    def _made(self, seen: Seen) -> str:
        told = self.ground.target.read(seen.operation, seen.status, seen.headers, seen.body).extracted
        return repr(sorted(told.items())) if told else ""

    def _redeem(self, visitor: Visitor, orders: list[dict[str, Any]], *, at_once: bool) -> Play:
        """Come down to points for one reward, and redeem it on two orders."""
        points = yield from self._points(visitor)
        plan = plan_for(points.balance, points.prices) if points else None
        if points is None or plan is None:
            return
        field_name = self._reward_field(visitor, points)
        for nth, reward in enumerate(plan.before):
            yield Ask(visitor, REDEEM, values=_on(orders[nth % 2], field_name, reward))
        one, other = (Ask(visitor, REDEEM, values=_on(order, field_name, plan.reward)) for order in orders)
        between = (yield from self._points(visitor)) if plan.before else points
        if between is None or not plan.price <= between.balance < 2 * plan.price:
            return
        answers = yield from _both(one, other, at_once=at_once)
        good = [one for one in answers if one is not None and not one.error]
        after = yield from self._points(visitor)
        if not good or after is None:
            return
        held = len(good) == 1 and after.balance >= 0
        says = f"{REDEEM} was accepted twice with points for one{', at the same moment' if at_once else ''}"
        differs = (Difference("points before and after", between.balance, after.balance),)
        self.check(good[-1], held, says, other=good[0], differs=differs)

    def _points(self, visitor: Visitor) -> Play:
        """Return the visitor's points, None where they are not told."""
        seen = yield Ask(visitor, BALANCE)
        if seen is None or seen.error or "balance" not in seen.evidence:
            return None
        names, prices = seen.evidence.get("items", ()), seen.evidence.get("price", ())
        known = dict(zip(names, prices, strict=True)) if len(names) == len(prices) else {}
        return Points(seen.evidence["balance"], known, seen)

    def _reward_field(self, visitor: Visitor, points: Points) -> str:
        """Return the extracted field that names a reward: one whose values are all rewards."""
        rest = self.ground.target.file.operations[BALANCE]
        for name in rest.extract:
            value = visitor.value(EXTRACTED + name)
            found = value if isinstance(value, tuple) else (value,)
            if all(str(one) in points.prices for one in found):
                return EXTRACTED + name
        return ""


def _both(one: Ask, other: Ask, *, at_once: bool) -> Play:
    """Make two calls, at the same moment or in turn; return their answers."""
    if at_once:
        return (yield Together((one, other)))
    first = yield one
    return [first, (yield other)]


def _told(visitor: Visitor) -> dict[str, Any]:
    """Return what the target has told a visitor so far."""
    return {name: value for name, value in visitor.context.values.items() if name.startswith(EXTRACTED)}


def _on(order: Mapping[str, Any], field_name: str, reward: str) -> dict[str, Any]:
    """Return the fields of a request that redeems a reward on an order."""
    return {**order, **({field_name: reward} if field_name else {})}
