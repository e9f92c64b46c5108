"""The `fast` transport: HTTP/1.1 on geventhttpclient's parser, which is llhttp.

The head of a request is written here, because geventhttpclient's client merges and checks every header anew, which
costs as much as the rest of the request; and of its parser only the C part is used, once a connection.
"""

from __future__ import annotations

from functools import lru_cache
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
MOST_KNOWN = 2
"""Sets of headers whose lines a connection remembers: mostly those of its calls with a body, and without."""


class FastExchange:
    """One connection that speaks HTTP/1.1."""

    __slots__ = ("_host", "_known", "_parser", "_wire", "first_s")

    def __init__(self, wire: Bytes, host_header: str) -> None:
        self._wire, self._host = wire, f" HTTP/1.1\r\nHost: {host_header}\r\n"
        self._known: list[tuple[dict[str, str], str]] = []
        self._parser = _Parser()
        self.first_s = 0.0

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> RawAnswer:
        """Send a request and read its answer. Raises what `error_name` knows a name for."""
        self.first_s = 0.0
        head = self._head(method, path, headers, body)
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
            "HTTP/1.0" if data.startswith(b"HTTP/1.0") else "HTTP/1.1",
        )

    def _head(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        head = f"{method} {one_line(path)}{self._host}{self._lines_of(headers)}"
        if body is not None or method in BODY_METHODS:
            head += f"Content-Length: {len(body or b'')}\r\n"
        return f"{head}\r\n".encode("latin-1", "replace")

    def _lines_of(self, headers: Mapping[str, str]) -> str:
        """Return headers as they are sent; a phone sends the same ones again and again."""
        for known, lines in self._known:
            if known == headers:
                return lines
        lines = "".join([f"{one_line(name)}: {one_line(value)}\r\n" for name, value in headers.items()])
        self._known = [(dict(headers), lines), *self._known[: MOST_KNOWN - 1]]
        return lines

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


def one_line(text: str) -> str:
    """Return a part of a head without line ends.

    A token captured from an answer may hold anything; it must not start a header, or a request, of its own.
    """
    return text if text.isprintable() else text.replace("\r", "").replace("\n", "")


@lru_cache(maxsize=1_024)
def _lowered(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of an answer's headers in lower case, and none where one comes twice; servers repeat theirs."""
    lower = tuple(name.lower() for name in names)
    return lower if len(set(lower)) == len(lower) else ()


class _Parser(HTTPResponseParser):
    """Collects what llhttp finds; it calls the methods that begin with `_on_`.

    Names, values and parts of the body go into lists without a step of Python in between. Names and values pair up
    because a head always comes in one piece, and llhttp tells a value for every name, empty ones too.
    """

    # Slots, because the parser looks each of these up by name, again and again.
    __slots__ = ("_is_head", "_names", "_on_body", "_on_header_field", "_on_header_value", "_values", "body", "done")

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
        names = _lowered(tuple(self._names))
        return dict(zip(names, self._values)) if names else joined(zip(self._names, self._values))  # noqa: B905 - a cut one

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
