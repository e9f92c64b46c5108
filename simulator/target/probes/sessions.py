"""H2: whether a session is given to two shoppers, or handed out by a cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simulator.target.fields import EXTRACTED
from simulator.target.probes.cookies import from_cache, is_session, set_cookies
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.seen import Lately, Trace
from simulator.target.template import fields_of, parse

if TYPE_CHECKING:
    from simulator.target.call import Request
    from simulator.target.probes.seen import Seen
    from simulator.target.request import Target

TAKEN = "given another's session"
"""A note of a visitor who holds somebody else's session: what they are shown from then on is no leak of its own."""


class Taken(NamedTuple):
    """When a visitor was given another's session: with the answer to which request, and as a token or a cookie."""

    request: Request | None
    token: bool


def is_taken_for_another(seen: Seen) -> bool:
    """Return whether a request was sent with somebody else's session: a cookie counts for nothing beside a token."""
    taken: Taken | None = seen.visitor.notes.get(TAKEN)
    if taken is None or taken.request is seen.request:
        return False
    return taken.token or "Authorization" not in seen.request.headers


class Owner(NamedTuple):
    """Who was given a session first: their number, the notes of their visit, and the request."""

    number: int
    notes: dict[str, Any]
    trace: Trace


@dataclass(slots=True)
class Session(Probe):
    """What a server knows a session by goes to one shopper, and never stands in an answer out of a cache.

    Looks at cookies with the name of a session, and at the tokens that the target file sends as `auth`. It has no
    script: two shoppers who ask for the same addresses one after the other come for H1.
    """

    code: ClassVar[str] = "H2"
    owners: Lately[Owner] = field(default_factory=Lately)
    tells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By operation, the fields with tokens that its answer tells."""

    def __post_init__(self) -> None:
        """Find out where tokens come from."""
        self.tells = _tellers(self.ground.target)

    def see(self, seen: Seen) -> None:
        """Look at what an answer sets and tells."""
        if seen.odd:
            return
        headers = seen.headers
        if "set-cookie" in headers or "age" in headers or "x-cache" in headers:
            self._cookies(seen)
        if not seen.error and seen.operation in self.tells:
            for name in self.tells[seen.operation]:
                token = seen.visitor.value(name)
                if isinstance(token, str) and token:
                    self._given(seen, name, token)

    def _cookies(self, seen: Seen) -> None:
        cache = from_cache(seen.headers)
        found = [cookie for cookie in set_cookies(seen.headers) if is_session(cookie)]
        if cache and found:
            seen.visitor.notes.setdefault(TAKEN, Taken(seen.request, token=False))
            owner = self.owners.get((found[0].name, found[0].value))
            differs = (Difference("set-cookie", "=".join(found[0]), "no session in an answer out of a cache"),)
            says = f"{seen.operation} came out of a cache with a session cookie ({cache})"
            self.check(seen, False, says, other=owner.trace if owner else None, differs=differs)
        elif cache:
            self.check(seen, True)
        else:
            for cookie in found:
                self._given(seen, cookie.name, cookie.value)

    def _given(self, seen: Seen, name: str, value: str) -> None:
        visitor = seen.visitor
        owner = self.owners.get((name, value))
        if owner is None:
            owner = self.owners.keep((name, value), Owner(visitor.number, visitor.notes, seen.trace()))
        held = owner.number == visitor.number
        if not held:
            # Either may now see what the other did.
            taken = Taken(seen.request, token=name.startswith(EXTRACTED))
            visitor.notes[TAKEN] = owner.notes[TAKEN] = taken
        differs = () if held else (Difference(name, value, "a session of this shopper's own"),)
        self.check(seen, held, f"{seen.operation} gave two shoppers one session", other=owner.trace, differs=differs)


def _tellers(target: Target) -> dict[str, tuple[str, ...]]:
    """Return by operation the fields of `auth` that its answers tell; what all share from setup on is no session.

    Nor is what shoppers get who share an account.
    """
    file = target.file
    if file.accounts is not None and file.accounts.share:
        return {}
    template = file.auth.token if file.auth.kind == "bearer" else file.auth.key or ""
    names = {one.name for one in fields_of(parse(template)) if one.name.startswith(EXTRACTED)}
    shared = {EXTRACTED + name for rest in file.setup.values() for name in rest.extract}
    told = {
        operation: tuple(EXTRACTED + name for name in rest.extract if EXTRACTED + name in names - shared)
        for operation, rest in file.operations.items()
    }
    return {operation: fields for operation, fields in told.items() if fields}
