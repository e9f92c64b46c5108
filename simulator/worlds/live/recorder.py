"""What a live run measures, as plain rows: pages, visits and requests, handed on in chunks while the run goes on.

Nothing here decides anything or keeps what was handed on, so that a run's memory does not grow with its length.
"""

from __future__ import annotations

from collections import Counter
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.worlds.live.transport.reply import NO_SPLIT, Split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.worlds.live.walk import Walk

Timed = tuple[int, int, int, int, str]
"""(sent, done, status, bytes, error) of one request; times in microseconds of the run."""

ABANDONED = "abandoned"
"""What became of a request whose shopper left before the answer: not an error, for it is not the target's."""

ROW = (
    "shopper", "visit", "step", "persona", "page", "arm", "network", "device", "operation", "placement", "due_us",
    "sent_us", "done_us", "status", "bytes", "dns_us", "connect_us", "tls_us", "wait_us", "receive_us", "redirects",
    "abandoned", "error",
)  # fmt: skip
"""The numbers of one request, 64 bits each; names as codes, an error as its place in the chunk's `errors`, or −1."""
_pack_row = Struct(f"{len(ROW)}q").pack


class Stamp(NamedTuple):
    """Which page a request belongs to, and who asked for it from where."""

    shopper: int
    visit: int
    step: int
    persona: int
    state: int
    arm: int = 0
    network: int = 0
    device: int = 0


class Chunk(NamedTuple):
    """What was measured since the chunk before; bytes of rows, so that it travels as it is.

    `visits` are the VISIT rows of those that moved on, each as it stands now, with their SHOPPER rows in `shoppers`;
    `ended` has a byte for each: 1 where the visit is over.
    """

    events: bytes
    visits: bytes
    shoppers: bytes
    ended: bytes
    requests: bytes
    errors: list[str]


class Recorder:
    """Collects what visits measure; `take` hands it on: 103 bytes a page, some 500 a visit, 184 a request."""

    def __init__(self) -> None:
        self._events: list[bytes] = []
        self._moved: dict[int, Walk] = {}
        self._ended: list[tuple[bytes, bytes]] = []
        self._requests = bytearray()
        self._errors: dict[str, int] = {}
        self.causes: Counter[int] = Counter()
        self.requests = self.pages = self.failed = 0

    def request(
        self,
        stamp: Stamp,
        operation: int,
        placement: int,
        due_us: int,
        reply: Timed,
        split: Split = NO_SPLIT,
        redirects: int = 0,
    ) -> None:
        """Write down one request."""
        sent_us, done_us, status, size_bytes, error = reply
        code, abandoned = -1, error == ABANDONED
        if error and not abandoned:
            code = self._errors.setdefault(error, len(self._errors))
            self.failed += 1
        self.requests += 1
        self._requests += _pack_row(
            *stamp,
            operation,
            placement,
            due_us,
            sent_us,
            done_us,
            status,
            size_bytes,
            *split,
            redirects,
            abandoned,
            code,
        )

    def page(self, walk: Walk) -> None:
        """Write down the page that a shopper has seen, or given up."""
        self.pages += 1
        self._events.append(walk.event.tobytes())
        self._moved[id(walk)] = walk

    def visit(self, walk: Walk) -> None:
        """Write down a visit that has ended, or that the end of the run has cut."""
        self._moved.pop(id(walk), None)
        self._ended.append((walk.visit.tobytes(), walk.shopper.tobytes()))
        self.causes[int(walk.visit["cause"][0])] += 1

    def take(self) -> Chunk:
        """Return what was measured since the last time, and forget it."""
        open_yet = [(walk.visit.tobytes(), walk.shopper.tobytes()) for walk in self._moved.values()]
        both = [*open_yet, *self._ended]
        chunk = Chunk(
            b"".join(self._events),
            b"".join(visit for visit, _ in both),
            b"".join(shopper for _, shopper in both),
            bytes(len(open_yet)) + b"\x01" * len(self._ended),
            bytes(self._requests),
            list(self._errors),
        )
        self._events, self._ended, self._requests = [], [], bytearray()
        self._moved.clear()
        self._errors.clear()
        return chunk


def keys_of(rows: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Return which visit each row of visits or events is of."""
    return zip(rows["shopper"].tolist(), rows["visit"].tolist(), strict=True)
