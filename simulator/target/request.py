"""A compiled target: the requests that operations make and what their answers say. Knows no transport."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from simulator.target.accounts import Accounts, read_accounts
from simulator.target.answers import Answer
from simulator.target.call import Call, Request, Skipped
from simulator.target.fields import EXTRACTED
from simulator.target.login import address_of
from simulator.target.reading import read_target, target_path
from simulator.target.secrets import unset_in
from simulator.target.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from simulator.target.context import Context
    from simulator.target.fields import Json
    from simulator.target.schema import TargetFile, Words

__all__ = ["Answer", "Request", "Skipped", "Target", "load_target"]

NOT_MAPPED = "not mapped"
SETUP, READING = "setup.", "readings."
"""Prefixes of the names of setup calls, and of those that only probes make."""


class Target:
    """A system under test.

    `operations` are those the file maps, `opening` those made before a visit's first page, `setup` those made once a
    run, `readings` those that only probes make; `host` is the file's default base URL as it stands there, `base_url`
    where requests really go, `login` the header of a login that it holds, if any; `digest` the SHA-256 of the rest of
    the file; `categories` what the target calls ours; `events` what it calls what pages report, empty for our own
    words.
    """

    def __init__(self, file: TargetFile, accounts: Accounts | None = None) -> None:
        self.file, self.name, self.auth = file, file.target, file.auth.kind
        self.host = file.host
        self.base_url = address_of(file.host) if file.host is not None else "http://target.invalid"
        self.login: dict[str, str] = {}
        self.digest = hashlib.sha256(file.model_dump_json(exclude={"host"}).encode()).hexdigest()
        self.operations: tuple[str, ...] = tuple(file.operations)
        self.setup = tuple(SETUP + name for name in file.setup)
        self.readings = tuple(READING + name for name in file.readings)
        self.opening = tuple(file.opening if file.opening is not None else {"session"} & set(self.operations))
        self.categories: Mapping[str, Words] = file.categories
        self.events: Mapping[str, str] = file.events
        self.accounts = accounts or Accounts((), share=False)
        calls = {SETUP + name: rest for name, rest in file.setup.items()} | file.operations
        calls |= {READING + name: rest for name, rest in file.readings.items()}
        self._calls = {name: Call(name, rest, file) for name, rest in calls.items()}
        self._readers = {name: call.reader.read for name, call in self._calls.items()}
        self._following = {name for name, call in self._calls.items() if call.follows}
        self._each = {SETUP + name for name, rest in file.setup.items() if rest.each}
        self._sign = Signer(file.auth).sign if file.auth.kind == "aws" else None
        self.keeps = any(call.once == "shopper" for call in self._calls.values())
        """Whether anything is kept from one visit of a shopper to the next."""
        self._kept: dict[int, dict[str, dict[str, Json]]] = {}

    def __reduce__(self) -> tuple[type[Target], tuple[TargetFile, Accounts]]:
        """Travel as the file: what is compiled from it cannot, and is compiled again where it arrives."""
        return Target, (self.file, self.accounts)

    def build(self, operation: str, context: Context) -> Request | Skipped:
        """Return the operation's request for this shopper now, or why none is to be made."""
        call = self._calls.get(operation)
        if call is None:
            return Skipped(operation, NOT_MAPPED)
        request = call.build(context)
        if self._sign and isinstance(request, Request):
            self._sign(request, self.base_url)
        return request

    def read(self, operation: str, status: int, headers: Mapping[str, Any], body: bytes) -> Answer:
        """Return what an answer says, whatever the target sent. Raises `KeyError` if the operation is not mapped."""
        return self._readers[operation](status, headers, body)

    def again(self, request: Request, answer: Answer, context: Context) -> tuple[Request, float] | None:
        """Return what the same call asks next and the seconds to wait before it, or None where it is over.

        To be asked before the context learns from the answer, which it may make pending, or bad after the last look.
        """
        if request.operation not in self._following:
            return None
        call = self._calls[request.operation]
        following = call.again(request, answer, context, self.base_url)
        if following and self._sign:
            self._sign(following[0], self.base_url)
        return following

    def turns(self, operation: str, context: Context) -> Iterator[None]:
        """Yield once for each time that a setup call is to be made, `context` standing for the account it is made for.

        What the answers told for an account belongs to who has it.
        """
        if operation not in self._each:
            yield
            return
        before = dict(context.values)
        for account in self.accounts.rows:
            context.values.clear()
            context.values.update(before | account)
            yield
            told = {name: value for name, value in context.values.items() if name.startswith(EXTRACTED)}
            account.update({name: value for name, value in told.items() if before.get(name) != value})
        context.values.clear()
        context.values.update(before)

    def kept(self, shopper: int) -> Mapping[str, Mapping[str, Json]]:
        """Return what calls made once a shopper told in earlier visits of this process, by operation."""
        return self._kept.get(shopper, {})

    def keep(self, shopper: int, answer: Answer) -> None:
        """Remember a good answer for the shopper's later visits, if its call is made once a shopper."""
        call = self._calls.get(answer.operation)
        if call is not None and call.once == "shopper":
            self._kept.setdefault(shopper, {})[answer.operation] = answer.extracted

    def placement(self, operation: str) -> str | None:
        """Return the placement that the file gives an operation over the page card's, if any."""
        call = self._calls.get(operation)
        return call.placement if call else None

    def observable(self, operation: str) -> frozenset[str]:
        """Return the names of the evidence that the file points to in an operation's answer."""
        call = self._calls.get(operation)
        return frozenset(call.evidence) if call else frozenset()


def load_target(name: str, *, beside: Path | None = None, secrets: bool = True) -> Target:
    """Return a compiled target by shipped name or path. Raises `FileFaults` with every fault of the file.

    Without `secrets`, variables that the environment lacks are no fault: nothing will be sent.
    """
    path = target_path(name, beside=beside)
    spec = read_target(name, beside=beside, secrets=secrets)
    known = spec.accounts is not None and not unset_in(spec.accounts.file)
    return Target(spec, read_accounts(spec.accounts, path.parent) if spec.accounts and known else None)
