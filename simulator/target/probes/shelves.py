"""H19: whether what is sold out, or was just bought, is put before somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.target.probes.mirror import apart, items_of
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.reach import BUYING, ask, buy, request_count
from simulator.target.probes.steps import WITHIN, Script, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

PUSHED = ("home", "recommend", "next_action")
"""Operations that choose what to put before somebody; searches and shelves may rightly list what is sold out."""


@dataclass(slots=True)
class Available(Probe):
    """What is recommended can be had, and is not what this shopper has just bought.

    The second is asked after a purchase and the promised grace, and not where an answer says that it is everybody's.
    """

    code: ClassVar[str] = "H19"

    def see(self, seen: Seen) -> None:
        """Look whether each thing that is recommended can be had."""
        if seen.operation not in PUSHED or not seen.ok or seen.odd:
            return
        in_stock = seen.evidence.get("in_stock")
        if not in_stock:
            return
        held = all(in_stock)
        differs = () if held else (Difference("sold out", _sold_out(seen), "nothing"),)
        self.check(seen, held, f"{seen.operation} showed what is sold out", differs=differs)

    def scripts(self) -> Iterable[Script]:
        """Buy what was recommended, and look whether it still is."""
        target = self.ground.target
        pages = [name for name in self.ground.mapped(*PUSHED[:2]) if self.ground.observable(name, "items")]
        if not pages or not {"purchase", "product"} <= set(target.operations):
            return

        def play(people: People, nth: int) -> Generator[Any, Any, None]:
            buyer = people.somebody()
            buyer.context.turn_to(None, nth % 3)
            shown = yield from ask(target, buyer, pages[0])
            bought: Seen | None = yield from buy(target, buyer)
            sold = str(buyer.value("extracted.viewed") or "") or _one_of(bought)
            if shown is None or bought is None or not sold:
                return
            yield Wait(self.ground.promises.purchase_grace)
            buyer.context.values.pop("extracted.viewed", None)
            for page in pages:
                seen: Seen | None = yield from ask(target, buyer, page)
                if seen is not None and seen.ok:
                    yield from self._judge(seen, bought, sold)

        cost = len(target.opening) + sum(request_count(target, name) for name in (*pages, *pages))
        # Not alone: while nobody else asks, a wait would hold up all other scripts.
        yield Script("bought", cost + len(BUYING) + 2 + len(pages), play, when=WITHIN)

    def _judge(self, seen: Seen, bought: Seen, sold: str) -> Generator[Any, Any, None]:
        """Count a list after a purchase; what a cache shows to everybody is no choice of the shop's."""
        items = seen.evidence.get("items")
        if not items or seen.evidence.get("fallback"):
            return
        held = sold not in items
        if not held and seen.request.method == "GET" and sold not in (items_of((yield apart(seen))) or (sold,)):
            return
        grace_s = self.ground.promises.purchase_grace
        differs = () if held else (Difference("bought", sold, f"not among the items {grace_s:g} s later"),)
        self.check(seen, held, f"{seen.operation} showed what was just bought", other=bought, differs=differs)


def _sold_out(seen: Seen) -> list[str]:
    items, in_stock = seen.evidence.get("items") or (), seen.evidence["in_stock"]
    return [item for item, had in zip(items, in_stock, strict=False) if not had][:5]


def _one_of(bought: Seen | None) -> str:
    """Return the thing bought, where the order's answer names exactly one."""
    items: tuple[str, ...] = (bought.evidence.get("items") if bought else None) or ()
    return items[0] if len(items) == 1 else ""
