"""The `fast` transport: HTTP/1.1 on Locust's own geventhttpclient, one connection and cookie jar a visit."""

from __future__ import annotations

import errno
import ssl
import zlib
from http.cookies import CookieError, SimpleCookie
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import brotli
import gevent
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.request import Request

NO_ANSWER = 0
READABLE = "gzip, deflate, br"
"""What this transport can decode; a phone's own list may be longer."""


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
    """One visitor's connection: opened by the first request, kept alive until the visit ends."""

    __slots__ = ("_client", "_cookies")

    def __init__(self, base_url: str, *, connect_timeout_s: float = 5.0) -> None:
        # One retry of an idempotent request on a connection that the server has closed is the client's own rule.
        self._client = HTTPClient.from_url(
            base_url, concurrency=1, connection_timeout=connect_timeout_s, network_timeout=None
        )
        self._cookies: dict[str, str] = {}

    def send(self, request: Request, timeout_s: float) -> Reply:
        """Send a request and read the whole answer, within `timeout_s`. Never raises for what the target did."""
        headers = request.headers
        headers["Accept-Encoding"] = READABLE
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        limit = gevent.Timeout.start_new(timeout_s)
        sent_s = perf_counter()
        try:
            response = self._client.request(request.method, request.url, request.body or b"", headers)
            body = bytes(response.read())
            done_s = perf_counter()
        except BaseException as error:
            name = "timeout" if error is limit else error_name(error)
            if not name:
                raise
            self._client.close()
            return Reply(NO_ANSWER, {}, b"", 0, name, sent_s, perf_counter())
        finally:
            limit.cancel()
        answer: Mapping[str, str] = response
        if "set-cookie" in answer:
            self._keep_cookies(response)
        content, failure = decoded(body, answer.get("content-encoding", ""))
        return Reply(response.status_code, answer, content, len(body), failure, sent_s, done_s)

    def _keep_cookies(self, response: Mapping[str, str]) -> None:
        lines = response["set-cookie"]
        for line in lines if isinstance(lines, list) else [lines]:
            try:
                jar = SimpleCookie(line)
            except CookieError:
                continue
            for name, morsel in jar.items():
                if morsel["max-age"] == "0":
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = morsel.value

    def close(self) -> None:
        """Close the connection; the next visit opens its own."""
        self._client.close()


def error_name(error: BaseException) -> str:
    """Return a short name for what went wrong on the network, or nothing when it was not the network."""
    if isinstance(error, ssl.SSLError):
        return "tls failed"
    if isinstance(error, HTTPConnectionClosed | ConnectionResetError | BrokenPipeError):
        return "connection closed"
    if isinstance(error, HTTPParseError):
        return "bad http"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError):
        known = {errno.ECONNREFUSED: "connection refused", errno.EMFILE: "too many open files"}
        return known.get(error.errno or 0, "no connection")
    return ""


def decoded(body: bytes, encoding: str) -> tuple[bytes, str]:
    """Return (content, error) of a body by its Content-Encoding."""
    if not encoding or encoding == "identity":
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
    return b"", f"bad {encoding}"[:40]
