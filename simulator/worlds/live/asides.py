"""What shoppers of a live run do beside their pages: open shared links, take things out of carts, ask for help."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from simulator.journey.keys import NOWHERE, purpose, uniform
from simulator.model.states import STATE_INDEX
from simulator.page.card import OPERATIONS
from simulator.target.fields import EXTRACTED, LINK, STUCK_AT
from simulator.target.sends import named_by

if TYPE_CHECKING:
    from simulator.target.answers import Answer
    from simulator.target.call import Request
    from simulator.target.context import Context
    from simulator.target.fields import Json
    from simulator.target.request import Target
    from simulator.worlds.live.walk import Tap, Walk

ASKS = purpose("asks_for_help")
SHARE, PRODUCT = "share", STATE_INDEX["product"]
OPEN_LINK, REMOVE, SUPPORT = (OPERATIONS.index(name) for name in ("share_open", "remove_from_cart", "support"))
MOST_LINKS = 1_000
"""Links that wait at once; the oldest go first."""


class Links:
    """What was shared in one process and is still to be opened: each link once, by another shopper."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Json]] = deque(maxlen=MOST_LINKS)

    def hear(self, shopper: int, answer: Answer) -> None:
        """Take in a good answer: a new link, if it tells of one."""
        if answer.operation == SHARE and LINK in answer.extracted:
            self._waiting.append((shopper, answer.extracted[LINK]))

    def take(self, shopper: int) -> Json | None:
        """Return the oldest link that was shared by somebody else, which is then gone; None where there is none."""
        for place, (sharer, link) in enumerate(self._waiting):
            if sharer != shopper:
                del self._waiting[place]
                return link
        return None


class Means(NamedTuple):
    """What a target has for shoppers beside their pages."""

    opens: bool
    """Links that were shared can be opened."""
    helps: bool
    """Help can be asked for."""
    lines: tuple[str, ...]
    """The fields by which it is told what to take out of a cart: of several, one is left in."""


def means_of(target: Target) -> Means:
    """Return what a target has for shoppers beside their pages; the same for all visits of a run."""
    rest = target.file.operations.get("remove_from_cart")
    lines = tuple(name for name in (named_by(rest) if rest else ()) if name.startswith(EXTRACTED))
    return Means("share_open" in target.operations, "support" in target.operations, lines)


class Asides:
    """The asides of one visit. `asked` is the share of failed pages after which its shopper asks for help."""

    def __init__(self, means: Means, links: Links, walk: Walk, context: Context, asked: float) -> None:
        self._means, self._links, self._walk, self._context, self._asked = means, links, walk, context, asked
        self._seed, self._shopper = walk.world.seed, int(walk.shopper["shopper"][0])
        self._visit = int(walk.visit["visit"][0])

    def before(self, tap: Tap) -> tuple[int, ...]:
        """Return what brings a visit to its first product: a link that somebody else shared, where there is one."""
        if tap.step or tap.state != PRODUCT or not self._means.opens:
            return ()
        link = self._links.take(self._shopper)
        if link is None:
            return ()
        self._context.values[EXTRACTED + LINK] = link
        return (OPEN_LINK,)

    def allows(self, operation: int, *, leaves: bool) -> bool:
        """Return whether a page's call can be made: nothing is taken out of a cart that the visit goes on to pay.

        It has to leave something in it, unless the shopper leaves for good.
        """
        if operation != REMOVE:
            return True
        shown = [value for name in self._means.lines if isinstance(value := self._context.values.get(name), tuple)]
        return min([int(self._walk.event["cart_items"][0]), *map(len, shown)]) > (0 if leaves else 1)

    def stuck(self, request: Request) -> None:
        """Note which call did not work, so that its page failed."""
        self._context.values[STUCK_AT] = urlsplit(request.url).path

    def help(self, tap: Tap, *, failed: bool) -> tuple[int, ...]:
        """Return what somebody does who stays although their page failed: some ask for help."""
        if not failed or not self._means.helps:
            return ()
        drawn = uniform(self._seed, self._shopper, self._visit, NOWHERE, min(tap.step, 4_095), ASKS)
        return (SUPPORT,) if drawn < self._asked else ()

    def hear(self, answer: Answer) -> None:
        """Take in a good answer."""
        self._links.hear(self._shopper, answer)
