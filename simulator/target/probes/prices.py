"""H12: whether the price that was shown is the price in the cart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from simulator.target.hazards import LISTED
from simulator.target.probes.pairs import Pairs
from simulator.target.probes.probe import CHECKED, VIOLATED, Difference, Probe, Ruling, total
from simulator.target.probes.steps import Ask, Script, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from simulator.target.probes.probe import Ground, Key
    from simulator.target.probes.seen import Seen, Trace
    from simulator.target.probes.steps import People

IN_CART = ("add_to_cart", "cart")
PAYING = ("checkout", "payment", "purchase")
TURNS = ("session", "identify", "login", "auth_finish", "consent_set", "loyalty_redeem")
"""Operations after which a shopper may rightly have another price list."""
NOTED = frozenset((*LISTED, *IN_CART, *PAYING))
PICKS = 4
LONGEST_GRACE_S = 10.0
SMALLEST = 0.005
"""Half of the smallest amount in which prices are written."""
MOST_TIMES = 100
IN_TIME = "price in time"


class Price(NamedTuple):
    """A price as it was seen last, at `at_s` of the run, and since when it was the same each time."""

    amount: float
    at_s: float
    trace: Trace
    since_s: float = 0.0


@dataclass(slots=True)
class Basket:
    """What a visit has seen of prices, by item: shown, and in the cart; and what it was asked to pay."""

    currency: str | None = None
    shown: dict[str, Price] = field(default_factory=dict)
    charged: dict[str, Price] = field(default_factory=dict)
    due: Price | None = None


@dataclass(slots=True)
class Prices(Probe):
    """Within a visit, lists, pages and price calls agree with the cart, and payments with their checkout.

    Prices may change at any moment. So a difference counts only if it is certain that it was none of these: the price
    shown was the same before and after the cart said another one (or the cart's on both sides of a page), and longer
    apart than the promised grace. A line that is a whole number of times the price shown may be a line of so many.
    """

    code: ClassVar[str] = "H12"
    pairs: Pairs = field(init=False)

    def __post_init__(self) -> None:
        """Find the operations of whose answers it is clear which price is whose."""
        self.pairs = Pairs(self.ground.target, "price")

    def see(self, seen: Seen) -> None:
        """Note prices, and compare those of the same thing."""
        operation = seen.operation
        if operation in TURNS:
            seen.visitor.notes.pop(self.code, None)
        elif seen.ok and not seen.odd and operation in NOTED:
            self._note(seen, operation)

    def _note(self, seen: Seen, operation: str) -> None:
        currency = seen.evidence.get("currency")
        basket: Basket = seen.visitor.notes.setdefault(self.code, Basket(currency))
        if basket.currency != currency:
            return
        if operation in PAYING:
            self._pay(seen, basket)
            return
        prices = self.pairs.of(seen)
        if not prices:
            return
        trace = seen.trace()
        step = self._charged if operation in IN_CART else self._shown
        for item, amount in prices.items():
            step(seen, basket, item, Price(amount, seen.at_s, trace, seen.at_s))

    def _shown(self, seen: Seen, basket: Basket, item: str, price: Price) -> None:
        price = basket.shown[item] = _going_on(basket.shown.get(item), price)
        if charged := basket.charged.get(item):
            self._between(seen, charged, price, f"{seen.operation} shows another price than the cart charges")

    def _charged(self, seen: Seen, basket: Basket, item: str, price: Price) -> None:
        price = basket.charged[item] = _going_on(basket.charged.get(item), price)
        shown = basket.shown.get(item)
        if shown and _same(shown, price):
            self.count(seen, IN_TIME)
            self.check(seen, True)
        elif shown:
            self._between(seen, shown, price, f"the cart charges another price than {shown.trace.operation} shows")

    def _between(self, seen: Seen, between: Price, price: Price, says: str) -> None:
        """Count a price that differs from one that was the same before it and, late enough, after it."""
        if _same(between, price) or _is_multiple(between.amount, price.amount):
            return
        at_s = between.since_s if between.since_s >= price.since_s else between.at_s
        if at_s < price.since_s or price.at_s - at_s <= self.ground.promises.price_grace:
            return
        self.count(seen, IN_TIME)
        differs = (Difference("price", price.amount, between.amount),)
        self.check(seen, False, says, other=between.trace, differs=differs)

    def _pay(self, seen: Seen, basket: Basket) -> None:
        """Compare what is charged with what the checkout said; what comes on top of a cart's lines is the shop's."""
        amount = seen.evidence.get("total")
        if amount is None:
            return
        due, price = basket.due, Price(amount, seen.at_s, seen.trace())
        if seen.operation == "checkout":
            basket.due = price
        elif due is not None:
            says = f"{seen.operation} is of another total than {due.trace.operation}"
            held = _same(due, price) or _is_multiple(due.amount, amount)
            self.check(seen, held, says, other=due.trace, differs=(Difference("total", amount, due.amount),))

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say held only where prices of things were compared: a payment's total alone shows little."""
        if total(counts, VIOLATED):
            return Ruling(held=False)
        if not total(counts, IN_TIME):
            some = (
                "only totals could be compared" if total(counts, CHECKED) else "nothing that was shown came into a cart"
            )
            return Ruling(None, some)
        return Ruling(held=True)

    def scripts(self) -> Iterable[Script]:
        """Put a few things of a list into the cart, and look at their pages before and after."""
        ground = self.ground
        lists = ground.mapped("recommend", "home", "search", "category")
        carts = [name for name in ground.mapped(*IN_CART) if self.pairs.readable(name)]
        grace_s = ground.promises.price_grace
        if not lists or not carts or not ground.mapped("add_to_cart") or grace_s > LONGEST_GRACE_S:
            return

        def shop(people: People, nth: int) -> Generator[Any, Any, None]:
            visitor = people.somebody()
            yield Ask(visitor, lists[nth % len(lists)])
            calls = _calls(ground, carts)
            for pick in range(nth * PICKS, (nth + 1) * PICKS):
                visitor.context.turn_to(None, pick)
                for name in calls:
                    yield Ask(visitor, name)
            yield Wait(grace_s + 0.001)
            for pick in range(nth * PICKS, (nth + 1) * PICKS):
                visitor.context.turn_to(None, pick)
                for name in calls[:1]:
                    yield Ask(visitor, name)

        yield Script("basket", 1 + len(ground.target.opening) + PICKS * (len(_calls(ground, carts)) + 1), shop)


def _calls(ground: Ground, carts: list[str]) -> list[str]:
    """Return the calls by which one thing comes into the cart: its page first, where there is one."""
    page = ground.mapped("product", "price")[:1]
    return [*page, "add_to_cart", *(carts[:1] if "add_to_cart" not in carts else [])]


def _going_on(before: Price | None, price: Price) -> Price:
    """Return a price with the time since which it is the same."""
    return price._replace(since_s=before.since_s) if before and _same(before, price) else price


def _same(one: Price, other: Price) -> bool:
    return abs(one.amount - other.amount) < SMALLEST


def _is_multiple(one: float, other: float) -> bool:
    """Return whether one amount may be that of several things at the other, or be written in hundredths of it."""
    small, large = sorted((one, other))
    times = round(large / small) if small > 0 else 0
    return 2 <= times <= MOST_TIMES and abs(large - times * small) < SMALLEST * times
