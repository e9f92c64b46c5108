"""Processor time of a megabyte through a phone's link, and without one. Prints both in milliseconds."""

from __future__ import annotations

import os
import signal
import sys
from time import process_time

import gevent
from gevent.server import StreamServer

from simulator.model.networks import network_table
from simulator.target.call import Request
from simulator.worlds.live.transport import BaseUrl, Connection, Link

SHOPPERS, SIZE_BYTES = 20, 1_000_000
LIMIT_S = 60.0
PROFILE = network_table().profiles["wpt-4g"]


def serve(client: object, _address: object) -> None:
    """Answer every request with a megabyte."""
    while client.recv(65_536):  # type: ignore[attr-defined] # gevent has no types
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE_BYTES + bytes(SIZE_BYTES))  # type: ignore[attr-defined]


def serve_apart() -> tuple[int, int]:
    """Serve in a process of its own; return its id and port."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        server = StreamServer(("127.0.0.1", 0), serve)
        server.start()
        os.write(tell, str(server.address[1]).encode())
        server.serve_forever()
    return pid, int(os.read(told, 10))


def fetch(url: str, *, shaped: bool) -> None:
    """Fetch a megabyte as a new visitor."""
    link = Link() if shaped else None
    if link:
        link.turn(PROFILE.rtt_ms, PROFILE.down_kbps, PROFILE.up_kbps)
    visitor = Connection(BaseUrl(url), None, link)
    reply = visitor.send(Request("home", "GET", "/", {}, None, LIMIT_S, frozenset({200})), LIMIT_S)
    visitor.close()
    assert len(reply.body) == SIZE_BYTES, reply.error


def main() -> None:
    """Fetch a megabyte for each of twenty shoppers at once, both ways."""
    pid, port = serve_apart()
    try:
        for shaped in (True, False):
            fetch(f"http://127.0.0.1:{port}", shaped=shaped)
            before_s = process_time()
            jobs = [gevent.spawn(fetch, f"http://127.0.0.1:{port}", shaped=shaped) for _ in range(SHOPPERS)]
            gevent.joinall(jobs, raise_error=True)
            spent_ms = (process_time() - before_s) * 1e3
            sys.stdout.write(f"{spent_ms / SHOPPERS / (SIZE_BYTES / 1e6)} ")
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


main()
