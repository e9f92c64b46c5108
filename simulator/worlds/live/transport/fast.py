"""The `fast` transport: HTTP/1.1 on geventhttpclient's parser, which is llhttp.

The head of a request is written here, because geventhttpclient's client merges and checks every header anew, which
costs as much as the rest of the request; and of its parser only the C part is used, once a connection.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from geventhttpclient._parser import HTTPParseError, HTTPResponseParser
from geventhttpclient.response import HTTPConnectionClosed

from simulator.worlds.live.transport.answers import MOST_HEAD_BYTES, RawAnswer, joined
from simulator.worlds.live.transport.encoding import MOST_BYTES
from simulator.worlds.live.transport.faults import CUT_SHORT, TOO_LARGE, AnswerFault
from simulator.worlds.live.transport.wire import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.worlds.live.transport.wire import Bytes

BODY_METHODS = frozenset(("POST", "PUT", "PATCH"))
"""Methods that say their body's length even when it is empty (RFC 9112 section 6.3)."""


class FastExchange:
    """One connection that speaks HTTP/1.1."""

    __slots__ = ("_host", "_parser", "_wire", "first_s")

    def __init__(self, wire: Bytes, host_header: str) -> None:
        self._wire, self._host = wire, host_header
        self._parser = _Parser()
        self.first_s = 0.0

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> RawAnswer:
        """Send a request and read its answer. Raises what `error_name` knows a name for."""
        self.first_s = 0.0
        head = _head(method, path, self._host, headers, body)
        parser = self._parser
        parser.begin(is_head=method == "HEAD")
        self._wire.send(head + body if body else head)
        data = self._head_of_answer()
        parser.feed(data)
        if not parser.done:
            self._read_on(len(data))
        content = parser.body
        return RawAnswer(
            parser.get_code(),
            parser.headers(),
            bytes(content[0]) if len(content) == 1 else b"".join(content),
            self.first_s,
            parser.should_keep_alive(),
        )

    def _head_of_answer(self) -> bytes:
        """Return what came up to the end of a head at least, so that the parser never sees half a name or value."""
        data = self._wire.recv(BLOCK_BYTES)
        self.first_s = perf_counter()
        if not data:
            raise HTTPConnectionClosed("connection closed")
        begin = 0
        while data.startswith(b"HTTP/"[: len(data)]):
            end = data.find(b"\r\n\r\n", begin)
            if end >= 0 and data[begin + 9 : begin + 10] != b"1":
                break
            if end >= 0:
                begin = end + 4  # an interim answer (1xx); the answer itself comes after it
                continue
            more = self._wire.recv(BLOCK_BYTES)
            if not more:
                raise AnswerFault(CUT_SHORT)
            data += more
            if len(data) > MOST_HEAD_BYTES:
                raise AnswerFault(TOO_LARGE)
        return data

    def _read_on(self, read_bytes: int) -> None:
        """Read until the answer is whole, or larger than any."""
        parser, wire = self._parser, self._wire
        while not parser.done:
            data = wire.recv(BLOCK_BYTES)
            try:
                parser.feed(data)
            except HTTPParseError:
                if data:
                    raise
            if not data and not parser.done:
                raise AnswerFault(CUT_SHORT)
            read_bytes += len(data)
            if read_bytes > MOST_BYTES + MOST_HEAD_BYTES:
                raise AnswerFault(TOO_LARGE)

    def close(self) -> None:
        """Close the connection at once."""
        self._wire.close()


def _head(method: str, path: str, host: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None or method in BODY_METHODS:
        lines.append(f"Content-Length: {len(body or b'')}")
    head = "\r\n".join(lines)
    # A token captured from an answer may hold anything; it must not start a header, or a request, of its own.
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        head = "\r\n".join(line.replace("\r", "").replace("\n", "") for line in lines)
    return f"{head}\r\n\r\n".encode("latin-1", "replace")


class _Parser(HTTPResponseParser):
    """Collects what llhttp finds; it calls the methods that begin with `_on_`.

    Names, values and parts of the body go into lists without a step of Python in between. Names and values pair up
    because a head always comes in one piece, and llhttp tells a value for every name, empty ones too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._values: list[str] = []
        self.body: list[bytearray] = []
        self.done = self._is_head = False
        self._on_header_field = self._names.append
        self._on_header_value = self._values.append

    def begin(self, *, is_head: bool) -> None:
        """Make ready for the answer to the next request."""
        self._names.clear()
        self._values.clear()
        self.body = []
        self._on_body = self.body.append
        self.done, self._is_head = False, is_head

    def headers(self) -> dict[str, str]:
        """Return the headers as `RawAnswer` has them."""
        headers = dict(zip(map(str.lower, self._names), self._values, strict=False))
        return headers if len(headers) == len(self._names) else joined(zip(self._names, self._values, strict=False))

    def _on_message_begin(self) -> None:
        if self.done:
            raise HTTPParseError("an answer to no request")
        self._names.clear()
        self._values.clear()

    def _on_status(self, _text: str) -> None:
        pass

    def _on_headers_complete(self) -> bool:
        return self._is_head

    def _on_message_complete(self) -> None:
        # An interim answer is complete without being the answer.
        self.done = self.get_code() >= 200
