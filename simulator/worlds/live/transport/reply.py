"""What comes back of a request: the answer, or a named error, and where the time went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ANSWER = 0
"""The status of a request that got no answer."""


class Split(NamedTuple):
    """Where a request's time went, in microseconds; set-up is 0 on a connection that was open already.

    `wait_us` is from the request's first byte out to the answer's first byte in, `receive_us` from there to its last.
    """

    dns_us: int
    connect_us: int
    tls_us: int
    wait_us: int
    receive_us: int


NO_SPLIT = Split(0, 0, 0, 0, 0)


class Reply(NamedTuple):
    """What came back. `status` is 0 and `error` a short name when there was no answer; times are `perf_counter`'s.

    `headers` have names in lower case. An answer that the server said still holds (304) is given as the one it stands
    for, with `status` 200; `wire_status` is what was really sent, 0 where nothing was asked (`from_cache`).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    wire_bytes: int
    error: str
    sent_s: float
    done_s: float
    split: Split = NO_SPLIT
    wire_status: int = 0
    redirects: int = 0
    """How many redirects were followed; the times are those of all their requests together."""
    from_cache: bool = False
    """Nothing was asked: the visitor's own cache still had the answer."""
    version: str = ""
    """What the answer was spoken in, as `HTTP/2`; empty where there was none."""
