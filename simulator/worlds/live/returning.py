"""What shoppers keep between their visits of a run, for as long as they come again: bounded, whoever keeps what."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from simulator.journey.returners import comes_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario
    from simulator.worlds.live.phone import Phone
    from simulator.worlds.live.transport import Memory

Kept = TypeVar("Kept")
MOST = 20_000
"""Shoppers of whom something is kept at once; who has not come for longest is forgotten first."""


class Belongings(NamedTuple):
    """What a shopper leaves on their device: the browser's memory, and what the phone holds."""

    memory: Memory
    phone: Phone


class Returning(Generic[Kept]):
    """Keeps what `make` makes, one for each shopper who comes again, from their first visit to their last.

    Two visits of a shopper at once share it, as two tabs of a browser do. `comes_back` says whether a shopper has a
    later visit than this one: of those who have none, nothing is kept. `forgotten` counts shoppers who came back to
    nothing because too many were to be remembered.
    """

    def __init__(self, make: Callable[[], Kept], comes_back: Callable[[int, int], bool], most: int = MOST) -> None:
        self.forgotten = 0
        self._make, self._comes_back, self._most = make, comes_back, most
        self._kept: OrderedDict[int, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, shopper: int, visit: int) -> Kept:
        """Return what a shopper has kept when a visit begins; new for whoever comes first."""
        kept = self._kept.get(shopper)
        if kept is not None:
            self._kept.move_to_end(shopper)
            return kept
        made = self._make()
        if self._comes_back(shopper, visit):
            self._kept[shopper] = made
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
                self.forgotten += 1
        return made

    def leave(self, shopper: int, visit: int) -> None:
        """End a visit: what nobody comes back for is dropped."""
        if shopper in self._kept and not self._comes_back(shopper, visit):
            del self._kept[shopper]


def comes_back_in(scenario: Scenario, plan: Plan) -> Callable[[int, int], bool]:
    """Return the function that says whether a shopper comes again after a visit of this run."""
    spec = scenario.spec
    if scenario.closed:
        share = spec.returning.share if spec.returning else 0.0
        assert spec.arrivals.shoppers is not None
        many = spec.arrivals.shoppers
        return lambda shopper, visit: share > 0 and comes_again(spec.seed, many, shopper, visit, share)[0] == shopper
    again = plan.visit > 0
    last: dict[int, int] = {}
    for shopper, visit in zip(plan.shopper[again].tolist(), plan.visit[again].tolist(), strict=True):
        last[shopper] = max(visit, last.get(shopper, 0))
    return lambda shopper, visit: visit < last.get(shopper, 0)
