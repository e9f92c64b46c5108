"""What is right for one shopper and wrong for many: these need requests that overlap."""

from asyncio import sleep
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.storefront.database import Database
from simulator.storefront.hazards.registry import hazard
from simulator.storefront.loyalty import Reward, may_redeem, take_points
from simulator.storefront.rules import Rules
from simulator.storefront.sessions import Caller

if TYPE_CHECKING:
    from simulator.storefront.call import Call
    from simulator.storefront.history import Taste

_DESKS = 2
_RANKING_S = 0.04
_LOOK_UP_S = 0.02
_BALANCE_S = 0.02


@hazard("H17", "home", "search", "recommend", "rank", "next_action", only_together=True)
def fallback_under_load(rules: Rules) -> Rules:
    """Read taste at two slow desks; whoever finds both busy is shown what is popular, fast and with status 200."""
    busy = 0

    async def if_a_desk_is_free(call: "Call") -> "tuple[Call, Taste | None]":
        nonlocal busy
        if busy >= _DESKS:
            return call, None
        busy += 1
        try:
            await sleep(_RANKING_S)
            return await rules.attend(call)
        finally:
            busy -= 1

    return replace(rules, attend=if_a_desk_is_free)


@hazard("H18", "home", "search", "recommend", "rank", "next_action", only_together=True)
def crossed_answers(rules: Rules) -> Rules:
    """Keep the caller in one place for all: who asks while another is being looked up gets that one's page."""
    current = Caller()

    async def whoever_came_last(call: "Call") -> "tuple[Call, Taste | None]":
        nonlocal current
        current = call.caller
        await sleep(_LOOK_UP_S)
        return await rules.attend(replace(call, caller=current))

    return replace(rules, attend=whoever_came_last)


@hazard("H18", "loyalty_redeem", only_together=True)
def double_redeem(rules: Rules) -> Rules:
    """Look at a balance before, and not within, the transaction that spends it: twice at once spends it twice."""

    async def look_then_take(database: Database, account: str, reward: Reward, order: str, at: str) -> bool:
        if not may_redeem(database, account, reward, order):
            return False
        await sleep(_BALANCE_S)
        take_points(database, account, reward, order, at)
        return True

    return replace(rules, redeem=look_then_take)
