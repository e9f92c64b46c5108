"""What a visitor's phone keeps between visits: cookies, HTTP cache, TLS sessions; bounded over all visitors."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from simulator.worlds.live.transport.cache import Budget, Cache
from simulator.worlds.live.transport.cookies import Cookies

if TYPE_CHECKING:
    import ssl

MOST_SHOPPERS = 20_000
"""Visitors of whom anything is kept after their visit: with TLS sessions of about 5 kB each, 100 MB."""


class Memory:
    """One visitor's."""

    __slots__ = ("cache", "cookies", "sessions")

    def __init__(self, budget: Budget | None = None) -> None:
        self.cookies, self.cache = Cookies(), Cache(budget or Budget())
        self.sessions: dict[tuple[str, int], tuple[ssl.SSLContext, ssl.SSLSession]] = {}
        """By host and port; a session can be resumed with the context alone that it began with."""

    def end_visit(self) -> None:
        """Forget what does not outlive a visit."""
        self.cookies.end_visit()

    def __bool__(self) -> bool:
        return bool(self.cookies or self.cache or self.sessions)


class Memories:
    """All visitors' of a process; who has not come for longest is forgotten first."""

    def __init__(self, most_shoppers: int = MOST_SHOPPERS) -> None:
        self._kept: OrderedDict[int, Memory] = OrderedDict()
        self._most = most_shoppers
        self._budget = Budget()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, shopper: int) -> Memory:
        """Return what a shopper's phone has kept; new and empty for somebody unknown."""
        return self._kept.pop(shopper, None) or Memory(self._budget)

    def keep(self, shopper: int, memory: Memory) -> None:
        """Keep it until they come again."""
        memory.end_visit()
        if not memory:
            return
        self._kept[shopper] = memory
        if len(self._kept) > self._most:
            _, forgotten = self._kept.popitem(last=False)
            forgotten.cache.clear()
