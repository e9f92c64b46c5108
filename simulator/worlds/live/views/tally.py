"""What shoppers have done so far: the one set of counts that every live view shows.

Keys are codes: of states, networks, operations, causes. Workers hand on what they counted since the last time, and the
master adds it to its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from simulator.journey.records import NEVER_US, ONGOING
from simulator.worlds.live.listening import Listener
from simulator.worlds.live.views.spread import Spread, merged

if TYPE_CHECKING:
    from simulator.worlds.live.listening import Exchange
    from simulator.worlds.live.walk import Walk

Key = tuple[Any, ...]
DUE, SENT = "due", "sent"
OK = "ok"
"""The outcome of a good request; others are names of errors, and `abandoned`."""
COUNTS = ("started", "ended", "cut", "bounced", "pages", "given_up", "requests", "bytes")
SPREADS = ("lag", "wall", "engaged", "load", "latency")


class Tally(Listener):
    """`counts` and `spreads` (of durations) by name, then by key.

    Counts: `started` and `cut` () · `ended` (network, cause) · `bounced` (network) · `pages` and `given_up` (page,
    network) · `requests` (operation, outcome) · `bytes` (operation). Spreads: `lag` () · `wall` and `engaged` (network)
    · `load` (page, network) · `latency` (operation, clock). A visit's network is that of its first page; visits that
    the end of the run cuts have not ended.
    """

    def __init__(self) -> None:
        self._landed: dict[tuple[int, int], int] = {}
        self._clear()

    def _clear(self) -> None:
        self.counts: dict[str, Counter[Key]] = {name: Counter() for name in COUNTS}
        self.spreads: dict[str, defaultdict[Key, Spread]] = {name: defaultdict(Spread) for name in SPREADS}

    def started(self, lag_us: int) -> None:
        """Count a visit that has started."""
        self.counts["started"][()] += 1
        self.spreads["lag"][()].add(lag_us)

    def asked(self, exchange: Exchange) -> None:
        """Count a request."""
        operation = exchange.operation
        self.counts["requests"][operation, exchange.error or OK] += 1
        self.counts["bytes"][operation,] += exchange.reply.wire_bytes
        self.spreads["latency"][operation, DUE].add(exchange.done_us - min(exchange.due_us, exchange.sent_us))
        self.spreads["latency"][operation, SENT].add(exchange.done_us - exchange.sent_us)

    def shown(self, walk: Walk) -> None:
        """Count a page."""
        event = walk.event[0]
        page, network, load_us = int(event["state"]), int(event["network"]), int(event["load_us"])
        if walk.visit["pages"][0] == 1:
            self._landed[_visit(walk)] = network
        if load_us < NEVER_US:
            self.counts["pages"][page, network] += 1
            self.spreads["load"][page, network].add(load_us)
        else:
            self.counts["given_up"][page, network] += 1

    def ended(self, walk: Walk) -> None:
        """Count a visit that is over."""
        visit = walk.visit[0]
        network, cause = self._landed.pop(_visit(walk), -1), int(visit["cause"])
        if cause == ONGOING or network < 0:
            self.counts["cut"][()] += 1
            return
        self.counts["ended"][network, cause] += 1
        self.counts["bounced"][network,] += int(visit["pages"]) == 1
        self.spreads["wall"][network,].add(int(visit["elapsed_us"]))
        self.spreads["engaged"][network,].add(int(visit["engaged_us"]))

    def count(self, name: str, *key: int | str) -> int:
        """Return the sum of the counts whose keys begin with `key`."""
        return sum(count for one, count in self.counts[name].items() if one[: len(key)] == key)

    def spread(self, name: str, last: int | str | None = None) -> Spread:
        """Return all values together, or those whose keys end with `last`: a network, or a clock."""
        return merged(one for key, one in self.spreads[name].items() if last is None or key[-1] == last)

    @property
    def open(self) -> int:
        """How many visits go on."""
        return self.count("started") - self.count("ended") - self.count("cut")

    def reset(self) -> None:
        """Forget what has been; visits that go on still do."""
        still = self.open
        self._clear()
        self.counts["started"][()] = still

    def take(self) -> dict[str, Any]:
        """Return what was counted since the last time, as plain values, and forget it."""
        taken = {
            "counts": {name: [[list(key), n] for key, n in found.items()] for name, found in self.counts.items()},
            "spreads": {
                name: [[list(key), list(one.cells.items()), one.total_us] for key, one in found.items()]
                for name, found in self.spreads.items()
            },
        }
        self._clear()
        return taken

    def add(self, taken: dict[str, Any]) -> None:
        """Add what another has taken."""
        for name, found in taken["counts"].items():
            for key, count in found:
                self.counts[name][tuple(key)] += count
        for name, found in taken["spreads"].items():
            for key, cells, total_us in found:
                self.spreads[name][tuple(key)].merge(Spread(dict(cells), total_us))


def _visit(walk: Walk) -> tuple[int, int]:
    return int(walk.visit["shopper"][0]), int(walk.visit["visit"][0])
