"""The names of what can go wrong on the network. Short, and the same on every machine and in both transports."""

from __future__ import annotations

import errno
import socket
import ssl

import httpcore
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError


class AnswerFault(Exception):  # noqa: N818 - a fact about the target, not a defect of ours
    """An answer that is none, by the name of its fault."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


CLOSED = "connection closed"
"""Reset, or hung up before the answer began."""
CUT_SHORT = "answer cut short"
"""Hung up in the middle of an answer."""
TOO_LARGE = "answer too large"
"""More than `MOST_BYTES`: a download that never ends, or one that no page of a shop is."""
BAD_HTTP = "bad http"
LOOP = "redirect loop"
ELSEWHERE = "redirect elsewhere"
"""To a host that nobody allowed us to call; it was not called."""
BAD_REDIRECT = "bad redirect"

_OS_NAMES = {
    errno.ECONNREFUSED: "connection refused",
    errno.EMFILE: "too many open files",
    errno.EADDRNOTAVAIL: "no free port",
}


def error_name(error: BaseException) -> str:  # noqa: PLR0911 - one line a kind
    """Return a short name for what went wrong on the network, or nothing when it was not the network."""
    if isinstance(error, AnswerFault):
        return error.name
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate not trusted"
    if isinstance(error, ssl.SSLError):
        return "tls failed"
    if isinstance(error, HTTPConnectionClosed | ConnectionResetError | BrokenPipeError):
        return CLOSED
    if isinstance(error, HTTPParseError | httpcore.ProtocolError):
        return BAD_HTTP
    if isinstance(error, socket.gaierror):
        return "no such host"
    if isinstance(error, TimeoutError):
        # The time for an answer is limited elsewhere; sockets themselves give up only while they connect.
        return "connect timeout"
    if isinstance(error, OSError):
        return _OS_NAMES.get(error.errno or 0, "no connection")
    return ""
