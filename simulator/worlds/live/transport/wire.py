"""One connection's bytes: opened, sent, received, cooperatively. What runs on it does not see TLS or a phone's pace."""

from __future__ import annotations

import errno
import ipaddress
import os
import ssl
from _socket import IPPROTO_TCP, SOCK_NONBLOCK, SOCK_STREAM, TCP_NODELAY
from _socket import socket as Socket  # noqa: N812 - a class in all but its name
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import gevent.socket as sockets
from gevent import get_hub

from simulator.worlds.live.transport.link import ShapedWire, sleep_until

if TYPE_CHECKING:
    from simulator.worlds.live.transport.link import Link
    from simulator.worlds.live.transport.place import Place

CONNECT_TIMEOUT_S = 5.0
BLOCK_BYTES = 65_536
READ = 1
"""libev's event for a socket that can be read."""
DNS_KEPT_S = 60.0
"""How long a looked-up address is used for: visits by the thousand must not become a load test of the resolver."""


class Bytes(Protocol):
    """What a connection's protocol speaks through. Faults of the network are `OSError`s."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def recv(self, most_bytes: int) -> bytes:
        """Return what came, waiting for some; empty at the end."""

    def close(self) -> None:
        """Close at once."""


class PlainWire:
    """A TCP connection, on the interpreter's own socket: gevent's makes two watchers and ten system calls of each."""

    __slots__ = ("_hub", "_readable", "_sent", "_socket")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._hub = get_hub()
        self._readable = self._hub.loop.io(socket.fileno(), READ)
        self._sent = False

    def send(self, data: bytes) -> None:
        """Send all of it; small pieces in one call."""
        send = self._socket.send
        while data:
            try:
                data = data[send(data) :]
            except BlockingIOError:
                sockets.wait_write(self._socket.fileno())
        self._sent = True

    def recv(self, most_bytes: int) -> bytes:
        """Return what came, waiting for some; empty at the end."""
        if self._sent:
            # Nothing can have come yet: to ask the kernel, and be told so, costs more than to wait at once.
            self._sent = False
            self._hub.wait(self._readable)
        while True:
            try:
                return self._socket.recv(most_bytes)
            except BlockingIOError:
                self._hub.wait(self._readable)

    def close(self) -> None:
        """Close at once."""
        self._readable.close()
        self._socket.close()


class TlsWire:
    """TLS over another wire. The records are made in memory, so that the wire below carries, and paces, every byte."""

    __slots__ = ("_below", "_came", "_leaves", "_tls")

    def __init__(self, below: Bytes, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None) -> None:
        self._below, self._came, self._leaves = below, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._leaves, server_hostname=host, session=session)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLError:
                self._flush()  # the server is told why
                raise
            else:
                self._flush()
                return

    @property
    def speaks_h2(self) -> bool:
        """Whether both sides agreed on HTTP/2."""
        return self._tls.selected_alpn_protocol() == "h2"

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later connection may resume with; with TLS 1.3 it comes only with the first answer."""
        session = self._tls.session
        return session if session and (session.has_ticket or session.id) else None

    @property
    def resumed(self) -> bool:
        """Whether this connection has resumed an earlier session."""
        return bool(self._tls.session_reused)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._tls.write(data)
        self._flush()

    def recv(self, most_bytes: int) -> bytes:
        """Return what came, waiting for some; empty at the end."""
        while True:
            try:
                return self._tls.read(most_bytes)
            except ssl.SSLWantReadError:
                self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def close(self) -> None:
        """Close at once."""
        self._below.close()

    def _flush(self) -> None:
        if data := self._leaves.read():
            self._below.send(data)

    def _fill(self) -> None:
        data = self._below.recv(BLOCK_BYTES)
        if data:
            self._came.write(data)
        else:
            self._came.write_eof()


class Opened(NamedTuple):
    """A new connection and how long each step of opening it took, in seconds."""

    wire: Bytes
    tls: TlsWire | None
    dns_s: float
    connect_s: float
    tls_s: float


def open_wire(
    place: Place, context: ssl.SSLContext | None, session: ssl.SSLSession | None, link: Link | None
) -> Opened:
    """Open a connection, at a phone's pace where there is a link. Raises `OSError`, of which TLS's errors are some."""
    begun_s = perf_counter()
    known_due_s = link.look_up() if link else 0.0
    addresses = _resolve(place.host, place.port)
    known_s = perf_counter()
    socket = _connect(addresses, link, known_due_s)
    try:
        connected_s = perf_counter()
        wire: Bytes = ShapedWire(socket, link) if link else PlainWire(socket)
        tls = TlsWire(wire, context, place.host, session) if context else None
        tls_s = perf_counter() - connected_s if tls else 0.0
    except BaseException:
        socket.close()
        raise
    return Opened(tls or wire, tls, known_s - begun_s, connected_s - known_s, tls_s)


def _connect(addresses: list[tuple[Any, ...]], link: Link | None, due_s: float) -> Socket:
    """Return a socket connected to the first address that answers; over a link that takes a round trip from `due_s`."""
    fault: OSError | None = None
    for family, address in addresses:
        socket = Socket(family, SOCK_STREAM | SOCK_NONBLOCK)
        try:
            socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if link:
                link.fit(socket)
                sleep_until(due_s + link.rtt_s / 2)
            begun_s = perf_counter()
            _reach(socket, address)
            if link:
                sleep_until(due_s + link.rtt_s + perf_counter() - begun_s)
        except OSError as error:
            socket.close()
            fault = fault or error
        except BaseException:
            socket.close()
            raise
        else:
            return socket
    raise fault or OSError("no address")


def _reach(socket: Socket, address: tuple[Any, ...]) -> None:
    """Connect. On this machine that is done when the kernel is asked again; elsewhere it is waited for."""
    code = socket.connect_ex(address)
    if code == errno.EINPROGRESS:
        code = socket.connect_ex(address)
    if code == errno.EALREADY:
        sockets.wait_write(socket.fileno(), CONNECT_TIMEOUT_S, TimeoutError())
        code = socket.connect_ex(address)
    if code:
        raise OSError(code, os.strerror(code))


_looked_up: dict[tuple[str, int], tuple[float, list[tuple[Any, ...]]]] = {}


def _resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """Return (family, address) of a host, looked up once a minute."""
    until_s, found = _looked_up.get((host, port), (0.0, []))
    if perf_counter() >= until_s:
        try:
            version = ipaddress.ip_address(host).version
        except ValueError:
            found = [(one[0], one[4]) for one in sockets.getaddrinfo(host, port, 0, SOCK_STREAM)]
        else:
            found = [(sockets.AF_INET if version == 4 else sockets.AF_INET6, (host, port))]
        _looked_up[host, port] = (perf_counter() + DNS_KEPT_S, found)
    return found
