"""A phone's link in virtual time: every known profile and size to its theory, exactly, whatever the machine does."""

from __future__ import annotations

import pytest

from simulator.model.networks import network_table
from simulator.page.load import transfer_s
from simulator.worlds.live.transport import Link
from simulator.worlds.live.transport import link as module
from simulator.worlds.live.transport.link import ShapedWire

PACKETS = {name: profile for name, profile in network_table().profiles.items() if profile.semantics == "packet"}
SIZES = (1_000, 10_000, 100_000, 500_000, 2_000_000)
ASKED = b"GET / HTTP/1.1\r\n\r\n"
SERVICE_S = 0.030


class World:
    """A clock that only waiting moves, and a server behind a socket that keeps up to `buffered` bytes ready."""

    def __init__(self, size_bytes, *, late_s=0.0, buffered=10**9, service_s=SERVICE_S, pauses=()):
        self.now_s = 100.0
        self.late_s, self.buffered, self.service_s = late_s, buffered, service_s
        self.left = size_bytes
        self.ready_s = None
        self.came: list[tuple[float, int]] = []
        self.pauses = dict(pauses)
        self.taken = 0

    def perf_counter(self):
        """Return the time."""
        return self.now_s

    def sleep(self, seconds):
        """Wait; a busy machine wakes us late."""
        self.now_s += max(0.0, seconds) + self.late_s

    def wait_read(self, _fileno, timeout, _error):
        """Wait until the server has sent something."""
        if self.ready_s is None or self.ready_s > self.now_s + timeout:
            self.now_s += timeout
            raise TimeoutError
        self.now_s = max(self.now_s, self.ready_s) + self.late_s

    def settimeout(self, _seconds):
        """Do nothing: this socket never blocks."""

    def fileno(self):
        """Return any number."""
        return 0

    def send(self, data):
        """Take a request; the answer is ready after the service time."""
        self.came.append((self.now_s, len(data)))
        self.ready_s = self.now_s + self.service_s
        return len(data)

    def recv(self, most, *_flags):
        """Return what is ready."""
        if self.ready_s is None or self.now_s < self.ready_s:
            raise BlockingIOError
        size = min(most, self.left, self.buffered)
        self.left -= size
        self.taken += size
        for at in [at for at in self.pauses if self.taken >= at]:
            self.ready_s = self.now_s + self.pauses.pop(at)
        return bytes(size)


@pytest.fixture
def through(monkeypatch):
    """Return a function that asks a world for its answer through a link; it returns the seconds until the last byte."""

    def asked(world, link, wire=None):
        monkeypatch.setattr(module, "perf_counter", world.perf_counter)
        monkeypatch.setattr(module, "sleep", world.sleep)
        monkeypatch.setattr(module.sockets, "wait_read", world.wait_read)
        wire = wire or ShapedWire(world, link)
        begun_s, size = world.now_s, world.left
        wire.send(ASKED)
        while size > 0:
            size -= len(wire.recv(65_536))
        return world.now_s - begun_s

    return asked


def link_of(profile):
    """Return the link of a profile."""
    link = Link()
    link.turn(profile.rtt_ms, profile.down_kbps, profile.up_kbps)
    return link


def theory_s(link, size_bytes):
    """Return what the page model says of a request on an open connection whose window is fresh."""
    up_s = len(ASKED) / link.up_bytes_per_s
    return link.rtt_s + up_s + SERVICE_S + transfer_s(size_bytes, link.rtt_s, link.down_bytes_per_s)


@pytest.mark.parametrize("name", PACKETS)
@pytest.mark.parametrize("size_bytes", SIZES)
def test_the_link_is_its_theory(through, name, size_bytes):
    """A transfer takes what round trip, slow start and rate of its profile say, to a microsecond, for any size."""
    link = link_of(PACKETS[name])
    assert through(World(size_bytes), link) == pytest.approx(theory_s(link, size_bytes), abs=1e-6)


@pytest.mark.parametrize("late_s", [0.001, 0.003])
@pytest.mark.parametrize("buffered", [4_096, 10**9])
@pytest.mark.parametrize("name", ["wpt-4g-fast", "wpt-lte", "wpt-3g"])
def test_a_machine_that_wakes_late_adds_nothing_up(through, name, buffered, late_s):
    """However often we are woken late, a transfer is late by a few wake-ups at most, never by one a piece."""
    link = link_of(PACKETS[name])
    took_s = through(World(300_000, late_s=late_s, buffered=buffered), link)
    expected_s = theory_s(link, 300_000)
    assert expected_s <= took_s + 1e-6
    assert took_s < expected_s + 3 * late_s + 1e-6


def test_a_server_that_pauses_is_not_the_networks_fault(through):
    """What the server keeps back in the middle of an answer comes on top, in full."""
    link = link_of(PACKETS["wpt-lte"])
    took_s = through(World(100_000, pauses={50_000: 1.0}), link)
    assert took_s == pytest.approx(theory_s(link, 100_000) + 1.0, abs=0.1)


def test_requests_reach_the_server_half_a_round_trip_later(through):
    """The server sees a request when half a round trip and its upload are over, and no earlier."""
    link, world = link_of(PACKETS["wpt-3g"]), World(1_000)
    through(world, link)
    ((came_s, size),) = world.came
    assert size == len(ASKED)
    assert came_s == pytest.approx(100.0 + 0.150 + len(ASKED) / link.up_bytes_per_s, abs=1e-6)


def test_a_buffer_is_small_on_a_slow_link_and_bounded_on_a_fast_one():
    """The receive buffer holds a tenth of a second or a round trip of the link, between 16 kB and 1 MB."""
    sizes = {}

    class Socket:
        def setsockopt(self, _level, option, value):
            sizes[option] = value

    for down_kbps, expected in ((240.0, 16_384), (9_000.0, 112_500), (400_000.0, 1_048_576)):
        link = Link()
        link.turn(50.0, down_kbps, 1_000.0)
        link.fit(Socket())
        assert sizes[module.plain.SO_RCVBUF] == expected
