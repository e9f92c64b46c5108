"""The network of truth A: two network namespaces and between them a link that delays, queues and drops real packets.

The kernel's own TCP runs at both ends. `netem` is not in every kernel, so that the link is a process which moves
packets between two TUN devices. Needs root and /dev/net/tun.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Self

TUNSETIFF, TUN_WITHOUT_HEADER = 0x400454CA, 0x1001
SHOP, PHONE = "10.77.0.1", "10.77.0.2"
LONGEST_WAIT_S = 0.5
MOST_BYTES = 65_536


@dataclass(frozen=True)
class Network:
    """What the link does. `rtt_ms` is split evenly; the queues hold `queue` packets and drop what comes after."""

    name: str
    rtt_ms: float
    down_kbps: float
    up_kbps: float
    loss: float = 0.0
    queue: int = 1_000


OPEN = Network("none", 0.0, 1e9, 1e9, queue=100_000)
"""No delay and no limit: what recordings are made on."""


def possible() -> bool:
    """Return whether this machine lets us make the link."""
    return os.geteuid() == 0 and Path("/dev/net/tun").exists()


class Way:
    """One direction: a FIFO with a rate, then a constant delay."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self.sink = source, sink
        self.flying: deque[tuple[float, bytes]] = deque()
        self.queued: deque[float] = deque()
        self.free_at = 0.0
        self.set(0.0, 1e9, 0.0, 1_000)

    def set(self, delay_s: float, kbps: float, loss: float, queue: int) -> None:
        """Change what the direction does, from the next packet on."""
        self.delay_s, self.s_per_byte, self.loss, self.queue = delay_s, 0.008 / kbps, loss, queue

    def take(self, now: float, dice: random.Random) -> None:
        """Take one packet from the device."""
        packet = os.read(self.source, MOST_BYTES)
        while self.queued and self.queued[0] <= now:
            self.queued.popleft()
        if len(self.queued) >= self.queue or (self.loss and dice.random() < self.loss):
            return
        self.free_at = max(self.free_at, now) + len(packet) * self.s_per_byte
        self.queued.append(self.free_at)
        self.flying.append((self.free_at + self.delay_s, packet))

    def give(self, now: float) -> None:
        """Deliver every packet that is due."""
        while self.flying and self.flying[0][0] <= now:
            with contextlib.suppress(OSError):
                os.write(self.sink, self.flying.popleft()[1])


def forward(shop: int, phone: int) -> None:
    """Move packets until standard input ends; each line of it is a `Network` as JSON."""
    down, up, dice = Way(shop, phone), Way(phone, shop), random.Random(1)
    while True:
        due = min((way.flying[0][0] for way in (down, up) if way.flying), default=monotonic() + LONGEST_WAIT_S)
        ready, _, _ = select.select([shop, phone, 0], [], [], max(due - monotonic(), 0.0))
        if 0 in ready:
            line = sys.stdin.readline()
            if not line:
                return
            net = Network(**json.loads(line))
            down.set(net.rtt_ms / 2e3, net.down_kbps, net.loss, net.queue)
            up.set(net.rtt_ms / 2e3, net.up_kbps, net.loss, net.queue)
            print("set", flush=True)
        for way in (down, up):
            if way.source in ready:
                way.take(monotonic(), dice)
            way.give(monotonic())


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


class Link:
    """Both namespaces and the process between them, gone when the `with` ends."""

    def __init__(self, name: str = f"ff{os.getpid()}") -> None:
        self.shop, self.phone = f"{name}s", f"{name}p"
        fds = []
        for space, own, other in ((self.shop, SHOP, PHONE), (self.phone, PHONE, SHOP)):
            _run("ip", "netns", "add", space)
            fd = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", space.encode(), TUN_WITHOUT_HEADER))
            _run("ip", "link", "set", space, "netns", space)
            inside = ("ip", "-n", space)
            _run(*inside, "link", "set", "lo", "up")
            _run(*inside, "addr", "add", f"{own}/32", "peer", other, "dev", space)
            _run(*inside, "link", "set", space, "txqueuelen", "10000", "up")
            fds.append(fd)
        command = ["nice", "-n", "-15", sys.executable, __file__, *map(str, fds)]
        self._process = subprocess.Popen(
            command, pass_fds=fds, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for fd in fds:
            os.close(fd)

    def set(self, net: Network) -> None:
        """Change the link; packets under way keep what they got."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(net)) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "set\n", "the link has ended"

    def inside(self, space: str) -> tuple[str, ...]:
        """Return what stands before a command that runs in a namespace."""
        return ("ip", "netns", "exec", space)

    def __enter__(self) -> Self:
        """Return the link."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the process and remove both namespaces."""
        self._process.communicate("")
        for space in (self.shop, self.phone):
            subprocess.run(("ip", "netns", "del", space), check=False, capture_output=True)


if __name__ == "__main__":
    forward(int(sys.argv[1]), int(sys.argv[2]))
