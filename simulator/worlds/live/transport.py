"""The `fast` transport: HTTP/1.1 on Locust's own geventhttpclient, one connection and cookie jar a visit."""

from __future__ import annotations

import errno
import re
import ssl
import zlib
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import brotli
import gevent
from gevent.ssl import create_default_context
from geventhttpclient.client import IDEMPOTENT_METHODS
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketResponse

from simulator.target.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.permission import Permission
    from simulator.target.request import Request

NO_ANSWER = 0
BODY_METHODS = frozenset(("POST", "PUT", "PATCH"))
"""Methods that say their body's length even when it is empty (RFC 9112 section 6.3)."""
BLOCK_BYTES = 65_536
CONNECT_TIMEOUT_S = 5.0
LONGEST_READ_S = 3_600.0
"""A bound on one read, never reached: each request has a limit of its own over all of its reads."""
_GONE = re.compile(r";\s*(max-age\s*=\s*(0+|-\d+)\s*(;|$)|expires\s*=[^;]*[ -]19\d\d\b)", re.IGNORECASE)
"""How a server takes a cookie back: no time left, or a date long past."""


class Reply(NamedTuple):
    """What came back. `status` is 0 and `error` a short name when there was no answer; times are `perf_counter`'s."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    wire_bytes: int
    error: str
    sent_s: float
    done_s: float


class Connection:
    """One visitor's connection: opened by the first request, kept alive until the visit ends.

    Sockets, TLS and the parser are geventhttpclient's; the request's head is written here, because its client merges
    and checks every header anew, which costs as much as the rest of the request.
    """

    __slots__ = ("_cookies", "_host", "_pool", "_prefix", "_socket")

    def __init__(self, base: BaseUrl, cookies: dict[str, str] | None = None) -> None:
        self._pool = base.pool()
        self._host, self._prefix = base.host_header, base.prefix
        self._socket: Any = None
        self._cookies = {} if cookies is None else cookies

    def send(self, request: Request, timeout_s: float) -> Reply:
        """Send a request and read the whole answer, within `timeout_s`. Never raises for what the target did."""
        data = self._head(request) + (request.body or b"")
        limit = gevent.Timeout.start_new(timeout_s)
        sent_s = perf_counter()
        try:
            response = self._exchange(request.method, data)
            body = bytes(response.read())
            done_s = perf_counter()
        except BaseException as error:
            name = "timeout" if error is limit else error_name(error)
            self.close()
            if not name:
                raise
            return Reply(NO_ANSWER, {}, b"", 0, name, sent_s, perf_counter())
        finally:
            limit.close()
        if response.should_close():
            self.close()
        headers: Mapping[str, Any] = response.info()
        if "set-cookie" in headers:
            self._keep_cookies(headers["set-cookie"])
        content, failure = decoded(body, str(headers.get("content-encoding", "")))
        return Reply(response.status_code, headers, content, len(body), failure, sent_s, done_s)

    def _head(self, request: Request) -> bytes:
        lines = [f"{request.method} {self._prefix}{request.url} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if self._cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self._cookies.items()))
        if request.body is not None or request.method in BODY_METHODS:
            lines.append(f"Content-Length: {len(request.body or b'')}")
        head = "\r\n".join(lines)
        # A token captured from an answer may hold anything; it must not start a header, or a request, of its own.
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            head = "\r\n".join(line.replace("\r", "").replace("\n", "") for line in lines)
        return f"{head}\r\n\r\n".encode("latin-1", "replace")

    def _exchange(self, method: str, data: bytes) -> HTTPSocketResponse:
        """Send on the open connection, or on a new one; once more where the server had closed an idle one."""
        reused = self._socket is not None
        if self._socket is None:
            self._socket = self._pool.get_socket()
        try:
            self._socket.sendall(data)
            return HTTPSocketResponse(self._socket, block_size=BLOCK_BYTES, method=method)
        except (HTTPConnectionClosed, ConnectionResetError, BrokenPipeError):
            self.close()
            if not reused or method not in IDEMPOTENT_METHODS:
                raise
        return self._exchange(method, data)

    def _keep_cookies(self, lines: str | list[str]) -> None:
        """Keep each cookie as it was sent (RFC 6265 section 5.2); attributes nobody knows yet do no harm."""
        for line in lines if isinstance(lines, list) else [lines]:
            name, given, value = line.partition(";")[0].partition("=")
            if not given or not name.strip():
                continue
            if _GONE.search(line):
                self._cookies.pop(name.strip(), None)
            else:
                self._cookies[name.strip()] = value.strip()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            # Not `close` alone: the pool counts its sockets, and would let the next request wait for this one.
            self._pool.release_socket(self._socket)
            self._socket = None


class BaseUrl:
    """A target's address: where connections go, what they say in `Host`, and the path that all requests begin with."""

    __slots__ = ("_context", "_host", "_port", "host_header", "prefix")

    def __init__(self, url: str, permission: Permission | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        # One for all visits: reading the machine's certificates takes longer than a whole request.
        trusted = SSLConnectionPool.default_options["ca_certs"]
        self._context = create_default_context(cafile=trusted) if parts.scheme == "https" else None
        if self._context and permission and not permission.verify:
            self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._host, self._port = parts.hostname, parts.port or (443 if self._context else 80)
        self.host_header, self.prefix = parts.netloc.rpartition("@")[2], parts.path.rstrip("/")

    def pool(self) -> ConnectionPool:
        """Return the maker of one visitor's sockets."""
        place = (self._host, self._port, self._host, self._port)
        limits: dict[str, Any] = {"size": 1, "network_timeout": LONGEST_READ_S, "connection_timeout": CONNECT_TIMEOUT_S}
        if self._context is None:
            return ConnectionPool(*place, **limits)
        return SSLConnectionPool(*place, ssl_context_factory=lambda **_: self._context, **limits)


def error_name(error: BaseException) -> str:
    """Return a short name for what went wrong on the network, or nothing when it was not the network."""
    if isinstance(error, ssl.SSLError):
        return "tls failed"
    if isinstance(error, HTTPConnectionClosed | ConnectionResetError | BrokenPipeError):
        return "connection closed"
    if isinstance(error, HTTPParseError):
        return "bad http"
    if isinstance(error, TimeoutError):
        # The time for an answer is limited elsewhere; sockets themselves give up only while they connect.
        return "connect timeout"
    if isinstance(error, OSError):
        known = {errno.ECONNREFUSED: "connection refused", errno.EMFILE: "too many open files"}
        return known.get(error.errno or 0, "no connection")
    return ""


def decoded(body: bytes, encoding: str) -> tuple[bytes, str]:
    """Return (content, error) of a body by its Content-Encoding."""
    encoding = encoding.strip().lower()
    if not body or not encoding or encoding == "identity":
        return body, ""
    try:
        if encoding == "gzip":
            return zlib.decompress(body, zlib.MAX_WBITS | 16), ""
        if encoding == "deflate":
            return zlib.decompress(body), ""
        if encoding == "br":
            return brotli.decompress(body), ""
    except (zlib.error, brotli.error):
        pass
    # Before it is cut: half of a secret would not be recognised later.
    return b"", redacted(f"bad {encoding}")[:40]
