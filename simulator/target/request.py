"""A compiled target: the requests that operations make and what their answers say. Knows no transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.call import Answer, Call, Request, Skipped
from simulator.target.reading import read_target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulator.target.context import Context
    from simulator.target.schema import TargetFile, Words

__all__ = ["Answer", "Request", "Skipped", "Target", "load_target"]

NOT_MAPPED = "not mapped"
SETUP = "setup."
"""Prefix of the names of setup calls."""


class Target:
    """A system under test.

    `operations` are those the file maps, `opening` those made before a visit's first page, `setup` those made once a
    run; `host` is the file's default base URL; `categories` what the target calls ours; `login` the header of a login
    that the base URL holds, if any.
    """

    def __init__(self, file: TargetFile) -> None:
        self.login: dict[str, str] = {}
        self.name = file.target
        self.host = file.host
        self.auth = file.auth.kind
        self.operations: tuple[str, ...] = tuple(file.operations)
        self.setup = tuple(SETUP + name for name in file.setup)
        self.opening = tuple(file.opening if file.opening is not None else {"session"} & set(self.operations))
        self.categories: Mapping[str, Words] = file.categories
        setup = {SETUP + name: rest for name, rest in file.setup.items()}
        self._calls = {name: Call(name, rest, file) for name, rest in (setup | file.operations).items()}

    def build(self, operation: str, context: Context) -> Request | Skipped:
        """Return the operation's request for this shopper now, or why none is to be made."""
        call = self._calls.get(operation)
        return call.build(context) if call else Skipped(operation, NOT_MAPPED)

    def read(self, operation: str, status: int, _headers: Mapping[str, str], body: bytes) -> Answer:
        """Return what an answer says. Never raises for what a target sent; `KeyError` if the operation is not mapped.

        Headers are for evidence that stands there; today's files point into the body only.
        """
        return self._calls[operation].read(status, body)

    def placement(self, operation: str) -> str | None:
        """Return the placement that the file gives an operation over the page card's, if any."""
        call = self._calls.get(operation)
        return call.placement if call else None

    def observable(self, operation: str) -> frozenset[str]:
        """Return the names of the evidence that the file points to in an operation's answer."""
        call = self._calls.get(operation)
        return frozenset(call.evidence) if call else frozenset()


def load_target(name: str, *, beside: Path | None = None) -> Target:
    """Return a compiled target by shipped name or path. Raises `FileFaults` with every fault of the file."""
    return Target(read_target(name, beside=beside))
