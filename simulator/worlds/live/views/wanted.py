"""Which views of a run somebody wants: plain values, from the command line into the job of the live world's process."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass, replace
from typing import Any

LOOPBACK = "127.0.0.1"
MOST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Wanted:
    """Addresses as `PORT` or `HOST:PORT`, a share of visits from 0 to 1, "" or 0 for what nobody wants."""

    web_ui: str = ""
    prometheus: str = ""
    otel: str = ""
    csv: bool = False
    requests: float = 0.0
    har: float = 0.0

    @property
    def anything(self) -> bool:
        """Whether anything is wanted at all."""
        return any(asdict(self).values())

    @property
    def counted(self) -> bool:
        """Whether anything is wanted that shows counts, which a master has from its workers."""
        return bool(self.web_ui or self.prometheus or self.otel or self.csv)

    @property
    def sampled(self) -> bool:
        """Whether files of single visits are wanted, which are written where the visits are played."""
        return bool(self.requests or self.har)

    def of_master(self) -> Wanted:
        """Return what a process shows that plays no visits."""
        return replace(self, requests=0.0, har=0.0)

    def of_worker(self) -> Wanted:
        """Return what a process writes that plays visits for another."""
        return Wanted(requests=self.requests, har=self.har)

    def as_json(self) -> dict[str, Any]:
        """Return what `Wanted(**…)` takes."""
        return asdict(self)


def parse_address(text: str) -> tuple[str, int]:
    """Return (host, port) to listen at; a port alone is this machine's loopback. Raises `ValueError`."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) <= MOST_PORT or (colon and not host):
        raise ValueError("must be a port, as 8089, or an address to listen at, as 0.0.0.0:8089")
    return host or LOOPBACK, int(port)


def refuse_taken(address: str) -> None:
    """Raise `ValueError` where nobody can listen at an address."""
    host, port = parse_address(address)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise ValueError(f"cannot listen at {host}:{port}: {(error.strerror or str(error)).lower()}") from None
