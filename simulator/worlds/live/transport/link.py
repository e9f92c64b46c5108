"""A phone's network on a real socket: round trips, both rates, slow start, loss and stalls, as the page model has them.

The network between phone and server is played here, in the middle: it takes bytes off the server's connection as fast
as this phone's link carries them, and hands them over half a round trip later. The receive buffer is small, so the
server's own `send` waits for the phone.
"""

from __future__ import annotations

import socket as plain
from collections import deque
from time import perf_counter
from typing import Any

import gevent.socket as sockets
from gevent import sleep

from simulator.page.load import recovery_s, transfer_s

QUANTUM_S = 0.02
"""The network takes at most so much of its time's bytes at once; bytes are due to the microsecond all the same."""
SEGMENT_BYTES = 1_460
LARGEST_TAKE_BYTES = 65_536
BUFFERED_S = 0.1
"""The receive buffer holds at least what the link carries in this time, so that it never runs dry while we sleep."""
SMALLEST_BUFFER_BYTES, LARGEST_BUFFER_BYTES = 16_384, 1_048_576
RTO_S = 0.2
"""Idle longer than a round trip and this, a sender begins slow start anew (RFC 5681 section 4.1; Linux's least RTO)."""
LONG_S = 3_600.0


def sleep_until(at_s: float) -> None:
    """Let others run until a moment of `perf_counter`."""
    sleep(max(0.0, at_s - perf_counter()))


class Link:
    """One phone's network, as the page that it stands before meets it; all connections of the phone share it."""

    __slots__ = ("_loss", "back_s", "down_bytes_per_s", "rtt_s", "up_bytes_per_s", "up_free_s")

    def __init__(self) -> None:
        self.up_free_s = self.back_s = 0.0
        self.turn(1.0, 1e6, 1e6)

    def turn(self, rtt_ms: float, down_kbps: float, up_kbps: float, loss: float = 0.0, stalled_s: float = 0.0) -> None:
        """Meet the network of the next page; nothing travels for the first `stalled_s`."""
        self.rtt_s, self._loss = rtt_ms / 1e3, loss
        self.down_bytes_per_s, self.up_bytes_per_s = down_kbps * 125.0, up_kbps * 125.0
        self.back_s = perf_counter() + stalled_s if stalled_s > 0 else 0.0

    def look_up(self) -> float:
        """Wait as long as a name takes to look up: until the network is there, and a round trip; return its end."""
        end_s = max(self.back_s, perf_counter()) + self.rtt_s
        sleep_until(end_s)
        return end_s

    def fit(self, socket: Any) -> None:  # noqa: ANN401 - gevent has no types
        """Give a new socket, before it connects, the segments and the small receive buffer of a phone."""
        room = self.down_bytes_per_s * max(self.rtt_s, BUFFERED_S)
        size_bytes = int(min(max(room, SMALLEST_BUFFER_BYTES), LARGEST_BUFFER_BYTES))
        socket.setsockopt(plain.SOL_SOCKET, plain.SO_RCVBUF, size_bytes)
        if hasattr(plain, "TCP_MAXSEG"):
            # Loopback's own segments of 64 kB do not fit into the buffer, and the sender would wait for its timers.
            socket.setsockopt(plain.IPPROTO_TCP, plain.TCP_MAXSEG, SEGMENT_BYTES)

    def down_s(self, size_bytes: float) -> float:
        """Return when so many bytes have come through the link, in seconds after the first left the server."""
        took_s = transfer_s(size_bytes, self.rtt_s, self.down_bytes_per_s)
        if self._loss > 0.0:
            took_s += recovery_s(size_bytes, self.rtt_s, self._loss)
        return float(took_s)


class ShapedWire:
    """A TCP connection through a link.

    Bytes reach either end when the link's theory says, not when this process woke: what it woke late by is not the
    network's, and is taken off what comes next.
    """

    __slots__ = (
        "_asked_s", "_carried", "_ended", "_flight", "_free_s", "_late_s", "_leaving", "_link", "_socket", "_streams",
    )  # fmt: skip

    def __init__(self, socket: Any, link: Link) -> None:  # noqa: ANN401 - gevent has no types
        socket.settimeout(0.0)
        self._socket, self._link = socket, link
        self._leaving: deque[tuple[float, bytes]] = deque()
        """(when it reaches the server, bytes)"""
        self._flight: deque[tuple[float, bytes]] = deque()
        """(when it reaches the phone, bytes)"""
        self._free_s = -1e9
        """When the link has carried all that it took."""
        self._carried = 0
        """Bytes since the sender's window was last fresh."""
        self._ended = False
        self._asked_s = 0.0
        """Since when the link could have taken more, 0 while it is busy."""
        self._streams = False
        """Whether what comes next was on its way already when the link became free."""
        self._late_s = 0.0
        """How much later than due the last bytes were given to the server."""

    def send(self, data: bytes) -> None:
        """Send: the bytes leave one after another at the link's rate, and reach the server half a round trip later."""
        link, now_s = self._link, perf_counter()
        piece = max(SEGMENT_BYTES, int(link.up_bytes_per_s * QUANTUM_S))
        for begin in range(0, len(data), piece):
            part = data[begin : begin + piece]
            link.up_free_s = max(now_s, link.up_free_s, link.back_s) + len(part) / link.up_bytes_per_s
            self._leaving.append((link.up_free_s + link.rtt_s / 2, part))

    def recv(self, most_bytes: int) -> bytes:
        """Return the next bytes that have come through; empty at the end. Until then, what was sent travels too."""
        while True:
            now_s = perf_counter()
            while self._leaving and self._leaving[0][0] <= now_s:
                self._send_now(*self._leaving.popleft())
            if self._flight and self._flight[0][0] <= now_s:
                return self._landed(most_bytes)
            if self._ended and not self._flight:
                return b""
            next_s = min(queue[0][0] if queue else now_s + LONG_S for queue in (self._leaving, self._flight))
            if self._ended:
                sleep(next_s - now_s)
            elif self._free_s > now_s:
                sleep(min(next_s, self._free_s) - now_s)
            else:
                self._take(now_s, next_s)

    def close(self) -> None:
        """Close at once; what travels is lost."""
        self._socket.close()

    def _landed(self, most_bytes: int) -> bytes:
        at_s, data = self._flight.popleft()
        if len(data) > most_bytes:
            self._flight.appendleft((at_s, data[most_bytes:]))
        return data[:most_bytes]

    def _send_now(self, due_s: float, data: bytes) -> None:
        self._streams = self._streams and (bool(self._flight) or self._has_more())
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                sockets.wait_write(self._socket.fileno())
        self._late_s = perf_counter() - due_s

    def _has_more(self) -> bool:
        try:
            return bool(self._socket.recv(1, plain.MSG_PEEK))
        except BlockingIOError:
            return False

    def _take(self, now_s: float, until_s: float) -> None:
        """Take what the server has sent, waiting for some at most until something else happens."""
        link = self._link
        self._asked_s = self._asked_s or now_s
        if now_s - self._free_s > link.rtt_s + RTO_S:
            self._carried = 0
        room = self._room()
        try:
            data = self._socket.recv(room)
        except BlockingIOError:
            try:
                sockets.wait_read(self._socket.fileno(), max(0.0, until_s - now_s), TimeoutError)
                data = self._socket.recv(room)
            except (TimeoutError, BlockingIOError):
                return
        if not data:
            self._ended = True
            return
        came_s = perf_counter()
        # A stream's next bytes come as long after the link became free as we had to wait for them.
        begins_s = self._free_s + came_s - self._asked_s if self._streams else came_s - self._late_s
        self._asked_s, self._late_s, self._streams = 0.0, 0.0, True
        before, self._carried = self._carried, self._carried + len(data)
        self._free_s = max(begins_s, link.back_s) + link.down_s(self._carried) - link.down_s(before)
        self._flight.append((self._free_s + link.rtt_s / 2, data))

    def _room(self) -> int:
        """Return how many bytes the link carries in a quantum from now."""
        link = self._link
        a_segment_s = link.down_s(self._carried + SEGMENT_BYTES) - link.down_s(self._carried)
        return min(LARGEST_TAKE_BYTES, max(1, int(QUANTUM_S / max(a_segment_s, 1e-9))) * SEGMENT_BYTES)
