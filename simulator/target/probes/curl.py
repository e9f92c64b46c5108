"""A request as a line for the shell, so that whoever is told of a violation can see it for themselves."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from simulator.target.redaction import redacted

if TYPE_CHECKING:
    from simulator.target.probes.seen import Trace

LONGEST_BODY = 4_000
_NOT_TOLD = {"accept-encoding", "content-length", "host"}
"""Headers that curl makes itself, or that would make its answer unreadable."""


def curl(trace: Trace, base_url: str) -> str:
    """Return the request as one `curl` command. Secrets of the tester's own stay out; a shopper's session is in it."""
    request = trace.request
    words = ["curl", "-sS", "--compressed"]
    if request.method != "GET":
        words += ["-X", request.method]
    words.append(f"{base_url}{request.url}")
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_TOLD}
    if trace.cookie:
        headers["Cookie"] = trace.cookie
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    if request.body:
        words += ["--data-raw", request.body[:LONGEST_BODY].decode("utf-8", "replace")]
    return redacted(shlex.join(words))
