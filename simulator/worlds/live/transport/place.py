"""Where connections go: a target's address, the hosts that may be called besides it, and the TLS they speak."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from geventhttpclient.connectionpool import SSLConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterable

TRANSPORTS = ("fast", "httpx")
"""`fast`: HTTP/1.1 on geventhttpclient's parser; `httpx`: HTTP/1.1 and HTTP/2 on httpx's own engine."""
_PORTS = {"http": 80, "https": 443}


class Place(NamedTuple):
    """Where one connection goes, and what it says in `Host`."""

    scheme: str
    host: str
    port: int
    host_header: str


def place_of(url: str) -> Place | None:
    """Return where a URL's connection goes, or None where it names no place that HTTP can reach."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return Place(
        parts.scheme, parts.hostname.rstrip("."), port or _PORTS[parts.scheme], parts.netloc.rpartition("@")[2]
    )


class BaseUrl:
    """A target: its place, the path that all requests begin with, and which hosts may be called at all.

    `allowed` are (name, port) of hosts besides the target's own; redirects to any other are not followed. Without
    `verify`, certificates are not looked at. `transport` is one of `TRANSPORTS`.
    """

    __slots__ = ("_allowed", "_context", "_verify", "host_header", "place", "prefix", "transport")

    def __init__(
        self, url: str, *, allowed: Iterable[tuple[str, int]] = (), verify: bool = True, transport: str = "fast"
    ) -> None:
        place = place_of(url)
        assert place, url
        assert transport in TRANSPORTS
        self.place, self.host_header, self.transport = place, place.host_header, transport
        self.prefix = urlsplit(url).path.rstrip("/")
        self._allowed = {(place.host, place.port), *allowed}
        if (place.scheme, place.port) == ("http", 80):
            self._allowed.add((place.host, 443))  # a shop that sends everybody on to its TLS
        self._verify = verify
        self._context: ssl.SSLContext | None = None

    def allows(self, place: Place) -> bool:
        """Return whether this place may be called."""
        return (place.host, place.port) in self._allowed

    @property
    def context(self) -> ssl.SSLContext:
        """The TLS of all visits: reading the machine's certificates takes longer than a whole request."""
        if self._context is None:
            context = ssl.create_default_context(cafile=SSLConnectionPool.default_options["ca_certs"])
            if not self._verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2", "http/1.1"] if self.transport == "httpx" else ["http/1.1"])
            self._context = context
        return self._context
