"""The `httpx` transport: HTTP/1.1 and HTTP/2 on httpcore, the engine beneath httpx, over our own wire.

httpx's `Client` is left out: cookies, redirects, caches and codings are the visitor's, the same in both transports.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import httpcore

from simulator.worlds.live.transport.answers import RawAnswer, joined
from simulator.worlds.live.transport.encoding import MOST_BYTES
from simulator.worlds.live.transport.fast import BODY_METHODS
from simulator.worlds.live.transport.faults import CLOSED, CUT_SHORT, TOO_LARGE, AnswerFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.worlds.live.transport.place import Place
    from simulator.worlds.live.transport.wire import Bytes


class HttpxExchange:
    """One connection that speaks HTTP/2, or HTTP/1.1 where the server does not."""

    def __init__(self, wire: Bytes, place: Place, *, h2: bool) -> None:
        self._stream, self._place = _Stream(wire), place
        kind = httpcore.HTTP2Connection if h2 else httpcore.HTTP11Connection
        self._connection = kind(httpcore.Origin(place.scheme.encode(), place.host.encode(), place.port), self._stream)

    @property
    def first_s(self) -> float:
        """When the first byte of the answer came, 0 before it has."""
        return self._stream.first_s

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> RawAnswer:
        """Send a request and read its answer. Raises what `error_name` knows a name for."""
        stream = self._stream
        stream.first_s = 0.0
        try:
            response = self._connection.handle_request(self._request(method, path, headers, body))
            content = self._read(response)
        except (httpcore.ProtocolError, httpcore.ConnectionNotAvailable) as error:
            if stream.ended:
                raise AnswerFault(CUT_SHORT if stream.first_s else CLOSED) from error
            if isinstance(error, httpcore.ConnectionNotAvailable):
                raise AnswerFault(CLOSED) from error
            raise
        pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)
        version = response.extensions["http_version"].decode()
        keeps = self._connection.is_available()
        return RawAnswer(response.status, joined(pairs), content, stream.first_s, keeps, version)

    def close(self) -> None:
        """Close the connection at once."""
        self._stream.close()

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> httpcore.Request:
        place = self._place
        given = [("Host", place.host_header), *headers.items()]
        if body is not None or method in BODY_METHODS:
            given.append(("Content-Length", str(len(body or b""))))
        # As in `fast`: no value may start a header of its own.
        lines = [(name, value.replace("\r", "").replace("\n", "").strip()) for name, value in given]
        target = path.replace("\r", "").replace("\n", "").encode("latin-1", "replace")
        return httpcore.Request(
            method,
            httpcore.URL(scheme=place.scheme.encode(), host=place.host.encode(), port=place.port, target=target),
            headers=[(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in lines],
            content=body or b"",
        )

    def _read(self, response: httpcore.Response) -> bytes:
        parts, size = [], 0
        for part in response.iter_stream():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise AnswerFault(TOO_LARGE)
        response.close()
        return b"".join(parts)


class _Stream(httpcore.NetworkStream):
    """Our wire as httpcore wants it; the limit on time is the visitor's."""

    def __init__(self, wire: Bytes) -> None:
        self._wire = wire
        self.first_s = 0.0
        self.ended = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's
        """Return what came."""
        data = self._wire.recv(max_bytes)
        if not self.first_s and data:
            self.first_s = perf_counter()
        self.ended = not data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - httpcore's
        """Send all of it."""
        if buffer:
            self._wire.send(buffer)

    def close(self) -> None:
        """Close at once."""
        self._wire.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's
        """Tell nothing but that an idle connection looks alive: a closed one is noticed when it is used."""
        return False if info == "is_readable" else None
