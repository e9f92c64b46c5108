"""What a visitor's phone keeps between visits: cookies, HTTP cache, TLS sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.worlds.live.transport.cache import Budget, Cache
from simulator.worlds.live.transport.cookies import Cookies

if TYPE_CHECKING:
    import ssl


class Memory:
    """One visitor's."""

    __slots__ = ("cache", "cookies", "sessions")

    def __init__(self, budget: Budget | None = None) -> None:
        self.cookies, self.cache = Cookies(), Cache(budget or Budget())
        self.sessions: dict[tuple[str, int], tuple[ssl.SSLContext, ssl.SSLSession]] = {}
        """By host and port; a session can be resumed with the context alone that it began with."""

    def __bool__(self) -> bool:
        return bool(self.cookies or self.cache or self.sessions)
