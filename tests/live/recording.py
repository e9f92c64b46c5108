"""A shop that writes down what it is asked, and misbehaves on request: threads of the standard library, on loopback."""

from __future__ import annotations

import json
import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

ITEMS = [{"sku": f"A-{number}"} for number in range(1, 6)]
HANG_S = 60.0


class Asked(NamedTuple):
    """One request as it arrived; header names are in lower case, `lines` counts every header line."""

    connection: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    lines: int
    body: bytes
    at_s: float

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def visit(self):
        """The visit that the W3C baggage names."""
        return dict(part.split("=") for part in self.headers["baggage"].split(","))["session.id"]


def answer(handler, content=None, status=200, headers=(), body=None):
    """Send an answer in one piece."""
    data = json.dumps(content).encode() if body is None else body
    handler.send_response(status)
    for name, value in (("Content-Length", str(len(data))), *headers):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)
    handler.wfile.flush()


def shop_like(handler, asked):
    """Answer as a small shop: a session with a cookie, lists of items, a product under its own SKU."""
    last = asked.path.rpartition("/")[2]
    content = {"items": ITEMS, "product": {"sku": last}, "session": f"token-{asked.connection}"}
    cookie = [("Set-Cookie", f"sid=s{asked.connection}; Path=/; HttpOnly")] if last == "session" else []
    answer(handler, content, headers=cookie)


def slow(seconds):
    """Return a behaviour that answers late."""

    def behave(handler, asked):
        handler.server.closing.wait(seconds)
        shop_like(handler, asked)

    return behave


def hang(handler, _asked):
    """Say nothing until the shop closes."""
    handler.server.closing.wait(HANG_S)
    handler.close_connection = True


def close(handler, _asked):
    """Hang up without an answer."""
    handler.close_connection = True


def reset(handler, _asked):
    """Cut the connection with a TCP reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def raw(data):
    """Return a behaviour that sends these bytes and hangs up."""

    def behave(handler, _asked):
        handler.wfile.write(data)
        handler.wfile.flush()
        handler.close_connection = True

    return behave


def status(code):
    """Return a behaviour that answers with a status."""
    return lambda handler, _asked: answer(handler, {"error": code}, code)


def body(data, **headers):
    """Return a behaviour that answers with a body and headers (`_` in their names stands for `-`)."""
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lambda handler, _asked: answer(handler, body=data, headers=fields)


garbage = raw(b"\x00\x01 this is not HTTP\r\n\r\n")
truncated = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
no_json = body(b"<html>sorry</html>")


class Shop(ThreadingHTTPServer):
    """The server. `behave` maps the last part of a path to what is done instead of answering like a shop."""

    daemon_threads = False
    request_queue_size = 1024

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Asked] = []
        self.connections = 0
        self.behave = {}
        self.always = None
        self.closing = Event()
        self.lock = Lock()
        self.numbers: dict[socket.socket, int] = {}
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self):
        """Where the shop is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def process_request(self, request, client_address):
        """Remember the connection, so that it can be closed with the shop."""
        with self.lock:
            self.connections += 1
            self.numbers[request] = self.connections
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        """Forget a connection that has ended."""
        with self.lock:
            self.numbers.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """Say nothing of clients that hang up: some tests make them."""

    def of(self, last):
        """Return the requests whose path ends in this part."""
        return [asked for asked in self.asked if asked.path.rpartition("/")[2] == last]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.shutdown()
        self._thread.join()
        with self.lock:
            for connection in self.numbers:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self):
        """Learn which connection this is."""
        super().setup()
        with self.server.lock:
            self.number = self.server.numbers[self.request]

    def answer(self):
        """Write the request down and behave."""
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        asked = Asked(
            self.number,
            self.command,
            parts.path,
            {name: values[0] for name, values in parse_qs(parts.query).items()},
            {name.lower(): value for name, value in self.headers.items()},
            len(self.headers),
            self.rfile.read(length),
            perf_counter(),
        )
        with self.server.lock:
            self.server.asked.append(asked)
        behave = self.server.behave.get(parts.path.rpartition("/")[2], self.server.always or shop_like)
        behave(self, asked)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - as http.server calls them

    def log_message(self, *_):
        """Keep quiet."""
