"""H20: whether a passkey's answer is refused that was given before, elsewhere, by a copy, or by nobody."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.target.fields import CREDENTIAL, EXTRACTED, PASSKEY
from simulator.target.passkeys import CeremonyError, Phone
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.reach import reach
from simulator.target.probes.steps import WITHIN, Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

BEGIN, FINISH = "auth_begin", "auth_finish"
ELSEWHERE = "https://login.attacker.example"
BACK = 1_000
"""How far the counter of a copied key is behind."""
SYNCED_COST, COUNTED_COST = 11, 6
FAULT = 500
TOO_MANY = 429


@dataclass(slots=True)
class Passkey(Probe):
    """A ceremony that is right works, and the same ceremony with one thing wrong does not.

    A synced key, which has no counter, shows whether an answer counts once and for one place; a key with a counter,
    whether a copy is noticed. Where the right ceremony does not work, nothing is said.
    """

    code: ClassVar[str] = "H20"

    def scripts(self) -> Iterable[Script]:
        """Log in rightly, then wrongly in every way."""
        operations = self.ground.target.operations
        if BEGIN in operations and FINISH in operations:
            opening = len(self.ground.target.opening)
            yield Script("passkey", opening + SYNCED_COST, self._synced, when=WITHIN)
            yield Script("copied passkey", opening + COUNTED_COST, self._counted, when=WITHIN)

    def _synced(self, people: People, nth: int) -> Generator[Any, Any, None]:
        if nth or any(key.what == "synced" for key in self.counts):
            return
        visitor = people.somebody()
        phone = Phone(visitor.number, visitor.number)
        right = yield from self._login(visitor, phone)
        if right is None:
            return
        self.count(right[0], "synced")
        seen, credential = right
        yield from self.refused(visitor, seen, credential, "an answer that had been given before")
        options = yield from self._options(visitor)
        if options is not None:
            yield from self.refused(visitor, seen, credential, "an answer to an earlier challenge")
        options = yield from self._options(visitor)
        if options is not None:
            phone.origin = ELSEWHERE
            yield from self._signed(visitor, seen, phone, options, f"an answer that was made for {ELSEWHERE}")
            phone.origin = None
        options = yield from self._options(visitor)
        if options is not None and (answer := _answer(phone, options)):
            yield from self.refused(visitor, seen, _forged(answer), "a signature that is wrong")

    def _counted(self, people: People, nth: int) -> Generator[Any, Any, None]:
        if nth or any(key.what == "counted" for key in self.counts):
            return
        visitor = people.somebody()
        phone = Phone(visitor.number, visitor.number, counter=2 * BACK)
        right = yield from self._login(visitor, phone)
        if right is None:
            return
        self.count(right[0], "counted")
        options = yield from self._options(visitor)
        if options is not None:
            assert phone.counter is not None
            phone.counter -= BACK
            yield from self._signed(visitor, right[0], phone, options, "a key whose counter had gone back")

    def _login(self, visitor: Visitor, phone: Phone) -> Generator[Any, Any, tuple[Seen, dict[str, Any]] | None]:
        """Make a key and log in with it; return the answer to the login and what the phone had said, or None."""
        for _ in range(2):
            options = yield from self._options(visitor)
            if options is None:
                return None
            new, credential = "pubKeyCredParams" in options, _answer(phone, options)
            if credential is None:
                return None
            visitor.context.values[CREDENTIAL] = credential
            seen: Seen | None = yield Ask(visitor, FINISH)
            if seen is None or seen.error:
                return None
            if not new:
                return seen, credential
        return None

    def _options(self, visitor: Visitor) -> Generator[Any, Any, dict[str, Any] | None]:
        """Begin a ceremony; return what the phone is asked for."""
        visitor.context.phone = None  # it is ours that answers
        yield from reach(self.ground.target, visitor, BEGIN)
        visitor.context.values.pop(EXTRACTED + PASSKEY, None)
        begun: Seen | None = yield Ask(visitor, BEGIN)
        options = visitor.value(EXTRACTED + PASSKEY)
        return options if begun is not None and not begun.error and isinstance(options, dict) else None

    def _signed(
        self, visitor: Visitor, right: Seen, phone: Phone, options: dict[str, Any], what: str
    ) -> Generator[Any, Any, None]:
        answer = _answer(phone, options)
        if answer is not None:
            yield from self.refused(visitor, right, answer, what)

    def refused(
        self, visitor: Visitor, right: Seen, credential: dict[str, Any], what: str
    ) -> Generator[Any, Any, None]:
        """Send an answer that must be refused."""
        seen: Seen | None = yield Ask(visitor, FINISH, values={CREDENTIAL: credential})
        if seen is None or not seen.status or seen.status >= FAULT or seen.status == TOO_MANY:
            return
        held = bool(seen.error)
        differs = () if held else (Difference("status", seen.status, "a refusal"),)
        self.check(seen, held, f"{FINISH} took {what}", other=right, differs=differs)


def _answer(phone: Phone, options: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return phone.answer(options)
    except (CeremonyError, ValueError, TypeError, AttributeError):  # whatever a target offered
        return None


def _forged(credential: dict[str, Any]) -> dict[str, Any]:
    """Return an answer whose signature is another's: one bit of its last byte is turned."""
    forged = deepcopy(credential)
    text = forged["response"].get("signature")
    if text:
        data = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        data[-1] ^= 1
        forged["response"]["signature"] = urlsafe_b64encode(bytes(data)).decode().rstrip("=")
    return forged
