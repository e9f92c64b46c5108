"""What both transports give the visitor: one answer as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_HEAD_BYTES = 262_144
"""A head that is longer never ends (Chrome's limit)."""


class RawAnswer(NamedTuple):
    """An answer as it came: the body as it was on the wire; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    """Several lines of one name are joined with commas, but for `set-cookie`, whose lines are joined with newlines."""
    body: bytes
    first_s: float
    """When its first byte came."""
    keeps: bool
    """Whether the connection can be used again."""
    version: str
    """What it was spoken in, as `HTTP/2`."""


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers as `RawAnswer` has them."""
    headers: dict[str, str] = {}
    for raw, value in pairs:
        name = raw.lower()
        glue = "\n" if name == "set-cookie" else ", "
        headers[name] = f"{headers[name]}{glue}{value}" if name in headers else value
    return headers


class Exchange(Protocol):
    """One open connection: requests one after another."""

    @property
    def first_s(self) -> float:
        """When the first byte of the answer came, 0 before it has."""

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> RawAnswer:
        """Send a request and read its answer. Raises what `error_name` knows a name for."""

    def close(self) -> None:
        """Close the connection at once."""
