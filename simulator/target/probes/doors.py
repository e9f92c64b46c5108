"""H13: whether an id alone opens what is somebody's, and whether a link gives away who shared it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from simulator.target.fields import EXTRACTED
from simulator.target.follow import below
from simulator.target.hazards import OWN
from simulator.target.probes.cookies import sent_sessions, set_cookies
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.reach import ask, buy, reach, request_count
from simulator.target.probes.sessions import TAKEN, Taken
from simulator.target.probes.steps import WITHIN, Ask, Script
from simulator.target.sends import needed_by, sends_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

OPEN = ("share", "content")
"""Operations of one's own whose ids are made to be given away, or name what is for all."""
SHORTEST = 6
"""Characters of an id that cannot stand in an answer by chance."""
TELLING = ("subject", "items", "total")
"""Evidence by which what is somebody's can be told from what is another's."""
GOOD_BELOW = 400


@dataclass(slots=True)
class Door(Probe):
    """What is opened by an id in its address stays shut without the owner's credentials, and links carry none.

    Only where requests carry credentials at all: where the id is all there is, it is the key. An answer counts as
    opened if it is good and shows what the owner was shown: their ids, or the same evidence.
    """

    code: ClassVar[str] = "H13"

    def scripts(self) -> Iterable[Script]:
        """Knock without credentials and with somebody else's; share a link and follow it as somebody else."""
        target, sends = self.ground.target, sends_of(self.ground.target)
        doors = [
            name
            for name in self.ground.mapped(*OWN)
            if name not in OPEN
            and (target.file.operations[name].method or "GET") == "GET"
            and target.file.operations[name].graphql is None
            and any(field.startswith(EXTRACTED) for field in self._keys(name, sends[name].fields))
        ]
        if doors:
            cost = 2 * len(target.opening) + sum(2 * request_count(target, name) + 3 for name in doors)
            yield Script("doors", cost + 5, self._play_doors(doors))
        if "share" in target.operations:
            yield Script(
                "shared link",
                2 * len(target.opening) + request_count(target, "share") + 3,
                self._play_link,
                when=WITHIN,
            )

    def _keys(self, operation: str, fields: Iterable[str]) -> list[str]:
        """Return the extracted fields that a request names its thing by; not those of credentials."""
        needed = needed_by(self.ground.target.file.operations[operation])
        auth = self.ground.target.file.auth
        return [name for name in needed if name in set(fields) and f"{{{name}}}" not in (auth.token, auth.key)]

    def _credentials(self, seen: Seen) -> set[str]:
        """Return by what a request says who asks: keys of sessions, and headers that are made for it."""
        named = {"authorization", (self.ground.target.file.auth.header or "authorization").lower()}
        return sent_sessions(seen) | {value for name, value in seen.request.headers.items() if name.lower() in named}

    def _play_doors(self, doors: list[str]) -> Any:  # noqa: ANN401 - a script's play
        def play(people: People, nth: int) -> Generator[Any, Any, None]:
            owner, stranger = people.somebody(), people.somebody()
            owner.context.turn_to(None, nth)
            for door in doors:
                yield from self._knock(door, owner, stranger)

        return play

    def _knock(self, door: str, owner: Visitor, stranger: Visitor) -> Generator[Any, Any, None]:
        target = self.ground.target
        if any(not owner.value(name) for name in needed_by(target.file.operations[door])):
            if f"{EXTRACTED}order" in needed_by(target.file.operations[door]):
                yield from buy(target, owner)
            yield from reach(target, owner, door)
        own: Seen | None = yield Ask(owner, door)
        if own is None or not own.ok:
            return
        if self._credentials(own):
            bare: Seen | None = yield Ask(owner, door, bare=True)
            if bare is not None:
                yield from self._judge(bare, own, owner, "without credentials")
        # Somebody with a standing of their own, so that it is not for want of any that they are turned away.
        yield from reach(target, stranger, door)
        theirs: Seen | None = yield Ask(stranger, door)
        ids = {name: owner.value(name) for name in self._keys(door, sends_of(target)[door].fields)}
        other: Seen | None = yield Ask(stranger, door, values=ids)
        if other is not None and self._credentials(own) - self._credentials(other):
            if (
                theirs is not None
                and _told(theirs.evidence) == _told(other.evidence)
                and not _holds(other, self._marks(own, owner))
            ):
                self.check(other, True)  # they were shown what is their own
                return
            yield from self._judge(other, own, owner, "with somebody else's credentials")

    def _judge(self, seen: Seen, own: Seen, owner: Visitor, how: str) -> Generator[Any, Any, None]:
        """Count a knock. A page that only repeats the address is told by its members, or by an id that nobody has."""
        opened = not seen.error and _shows_the_same(seen, own, self._marks(own, owner))
        if opened and _members(seen) != _members(own):
            names = self._keys(seen.operation, sends_of(self.ground.target)[seen.operation].fields)
            made_up = {name: _mirrored(str(owner.value(name))) for name in names}
            echo: Seen | None = yield Ask(
                seen.visitor, seen.operation, values=made_up, bare=how == "without credentials"
            )
            opened = echo is None or bool(echo.error) or not _shows_the_same(echo, own, set(made_up.values()))
        differs = (Difference("status", seen.status, "401, 403 or 404"),) if opened else ()
        self.check(seen, not opened, f"{seen.operation} opened {how}", other=own, differs=differs)

    def _marks(self, own: Seen, owner: Visitor) -> set[str]:
        names = (*self._keys(own.operation, sends_of(self.ground.target)[own.operation].fields), "shopper.email")
        found = {str(owner.value(name)) for name in names if owner.value(name)}
        found |= {str(own.evidence["subject"])} if own.evidence.get("subject") else set()
        return {one for one in found if len(one) >= SHORTEST and one.encode() in own.body}

    def _play_link(self, people: People, nth: int) -> Generator[Any, Any, None]:
        sharer, reader = people.somebody(), people.somebody()
        sharer.context.turn_to(None, nth)
        shared: Seen | None = yield from ask(self.ground.target, sharer, "share")
        if shared is None or not shared.ok:
            return
        keys = sent_sessions(shared)
        link = str(shared.evidence.get("link") or "")
        given = [key for key in keys if key in link or (not link and _in_an_address(key, shared.body))]
        says = "share made a link that carries the session of who shared it"
        differs = (Difference("link", link or given[0], "a link without it"),) if given else ()
        self.check(shared, not given, says, differs=differs)
        address = below(self.ground.target.base_url, "/", link) if link else ""
        if address:
            reader.notes[TAKEN] = Taken(
                None, token=True
            )  # what a link does to whoever opens it is judged here, not as a leak
            opened: Seen | None = yield Ask(reader, "share", link=address)
            if opened is not None and opened.status and opened.status < GOOD_BELOW:
                self._opened(opened, shared, keys, sharer)

    def _opened(self, opened: Seen, shared: Seen, keys: set[str], sharer: Visitor) -> None:
        """Judge what the link's reader got: no session and no address of the sharer's."""
        set_to = {cookie.value for cookie in set_cookies(opened.headers)}
        found = sorted(keys & set_to)
        found += [key for key in keys if key.encode() in opened.body or key in opened.headers.get("location", "")]
        email = str(sharer.value("shopper.email") or "")
        found += [email] if email and email.encode() in opened.body else []
        differs = (Difference("of the sharer's", found[0], "nothing"),) if found else ()
        self.check(
            opened, not found, "a shared link gives its reader what is the sharer's", other=shared, differs=differs
        )


def _shows_the_same(seen: Seen, own: Seen, marks: set[str]) -> bool:
    if _holds(seen, marks):
        return True
    return _told(seen.evidence) == _told(own.evidence) != {}


def _holds(seen: Seen, marks: set[str]) -> bool:
    return any(mark.encode() in seen.body for mark in marks)


def _told(evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {name: evidence[name] for name in TELLING if evidence.get(name)}


def _members(seen: Seen) -> frozenset[str] | bytes:
    """Return the names in an answer's outermost object, or the whole answer where it is none."""
    try:
        found = orjson.loads(seen.body)
    except ValueError:
        return seen.body
    return frozenset(found) if isinstance(found, dict) else seen.body


def _in_an_address(key: str, body: bytes) -> bool:
    """Return whether a key stands in a body as a part of an address: behind `=`, `/`, `;` or `#`."""
    return re.search(rb"[=/;#]" + re.escape(key.encode()), body) is not None


def _mirrored(name: str) -> str:
    """Return an id of the same shape that nobody has: its letters and digits one further on."""
    tail = name[len(name) // 2 :].translate(str.maketrans("0123456789abcdefABCDEF", "1234567890bcdefaBCDEFA"))
    return name[: len(name) // 2] + tail
