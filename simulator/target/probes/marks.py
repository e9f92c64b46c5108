"""Our shoppers' ids in the bodies of answers: every shopper of a run is marked, so whoever is named can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.target.identity import DOMAIN

if TYPE_CHECKING:
    from simulator.target.probes.seen import Visitor

_MAIL = f"@{DOMAIN}".encode()
_LONGEST = 1_000_000
"""Bytes of a body that are looked through."""
_MOST, _MOST_DIGITS = 50, 15
_DIGITS = b"0123456789"


class Marks(NamedTuple):
    """Whether an answer names who asked, and the id or address of somebody else that it names, or nothing."""

    own: bool
    other: str


def marks_in(body: bytes, visitor: Visitor) -> Marks:
    """Return whom of our shoppers a body names: by the id that we gave the target, or by address."""
    known = str(visitor.value("shopper.id") or "")
    tag = known.rpartition("-")[0].encode() + b"-"
    own, body = False, body[:_LONGEST]
    for number, name in _ids(body, tag):
        if number != visitor.number:
            return Marks(own, name)
        own = True
    if _MAIL in body:
        address = str(visitor.value("shopper.email") or "").casefold().encode()
        for mail in _addresses(body, tag.partition(b"-")[2]):
            if mail.lower() != address:
                return Marks(own, mail.decode("ascii", "replace"))
            own = True
    return Marks(own, "")


def _ids(body: bytes, tag: bytes) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    at = body.find(tag)
    while at >= 0 and len(found) < _MOST:
        end = begin = at + len(tag)
        while end < min(len(body), begin + _MOST_DIGITS) and body[end] in _DIGITS:
            end += 1
        if end > begin and not (at and (chr(body[at - 1]).isalnum() or body[at - 1] in b"-_")):
            found.append((int(body[begin:end]), body[at:end].decode()))
        at = body.find(tag, end)
    return found


def _addresses(body: bytes, seed: bytes) -> list[bytes]:
    """Return the addresses of shoppers of this seed: `first.last.seed-number@shopper.example`."""
    found: list[bytes] = []
    at = body.find(_MAIL)
    while at >= 0 and len(found) < _MOST:
        begin = at
        while begin and (chr(body[begin - 1]).isalnum() or body[begin - 1] in b".-_+"):
            begin -= 1
        name = body[begin:at]
        if name.rpartition(b".")[2].startswith(seed):
            found.append(name + _MAIL)
        at = body.find(_MAIL, at + len(_MAIL))
    return found
