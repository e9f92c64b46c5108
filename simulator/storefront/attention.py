"""What the shop knows of a caller before it answers personally, and that it stops asking when too many wait.

Under load taste is what costs most: with more than `MOST_WAITING` requests read and not answered, everybody gets what
is popular, and the answers say so (`fallback`).
"""

from typing import TYPE_CHECKING, TypeAlias

from simulator.storefront.recommend import Picks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulator.storefront.call import Call
    from simulator.storefront.history import Taste

MOST_WAITING = 256
"""Requests; at half a millisecond each the last one waits an eighth of a second."""

Attend: TypeAlias = "Callable[[Call], Awaitable[tuple[Call, Taste | None]]]"
"""Returns the call, and what may be used of the caller's history."""


def pass_on(_call: "Call", picks: Picks) -> Picks:
    """Show everybody what was picked for them."""
    return picks


async def attend(call: "Call") -> "tuple[Call, Taste | None]":
    """Read the caller's taste, unless too many wait."""
    return call, None if call.shop.backlog() > MOST_WAITING else call.taste()
