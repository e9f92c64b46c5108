"""A shopper's phone: positions that it tells late and in batches, messages that come to it, and what is done with them.

    note() at each page  →  beside(page)  →  …  →  leaving()

What it does goes on beside the pages and holds none of them. A `Phone` is what outlives a visit; an `InHand` is a phone
during one visit, which says what to ask the target for next and hears what was answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from simulator.journey.keys import NOWHERE, purpose, uniform
from simulator.target.fields import EXTRACTED, KIND, MESSAGE, POSITIONS
from simulator.target.sends import named_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import numpy as np

    from simulator.model.schema import PushMessages
    from simulator.target.answers import Answer
    from simulator.target.context import Context
    from simulator.target.fields import Json
    from simulator.target.request import Target

FETCHED = purpose("message_fetched")
TAKEN = purpose("message_taken")
LOOKED_AT = purpose("message_looked_at")
MUTED = purpose("message_muted")
TOO_MANY = purpose("message_too_many")
MOST_FIXES = 10
"""Positions that a batch has at most, as Amazon Location's BatchEvaluateGeofences has it."""
MOST_WAITING = 20
"""Messages that are kept to be looked at; the oldest go first, as from a phone's own list."""
_MOST_DRAWN = 4_095
"""The last ordinal that a draw can have."""
_TOO_MANY_REQUESTS, _SERVER_FAULT = 429, 500
GEOFENCE, REGISTER, RECEIPT = "geofence", "push_register", "push_receipt"
FETCH, CONSENT = "push_fetch", "consent_set"
OPENED, DISMISSED = "opened", "dismissed"
LOOKING = "notifications"
"""The page on which shoppers look through their messages."""


@dataclass(slots=True)
class Phone:
    """What a phone holds between the visits of a shopper: bounded, whatever a target sends it.

    `fixes` are positions not told yet, `waiting` messages (ordinal, id) that came and were neither opened nor swiped
    away, `known` what registering for messages told. `arrived` counts messages, `today` those of a local day.
    """

    fixes: list[Json] = field(default_factory=list)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    known: dict[str, Json] = field(default_factory=dict)
    arrived: int = 0
    today: tuple[date | None, int] = (None, 0)
    muted: bool = False
    opted_out: bool = False


class Rules(NamedTuple):
    """What a target leaves to phones: the rest is what pages ask for, or nobody."""

    batches: bool
    """It takes positions as a list."""
    fetches: bool
    """Messages can be fetched, so that shoppers know when they are too many."""
    receipts: bool
    """A receipt names the message that it is about."""

    @property
    def own(self) -> frozenset[str]:
        """The operations that phones ask for by themselves, and pages do not."""
        own = {RECEIPT: self.receipts, CONSENT: self.fetches}
        return frozenset(name for name, mine in own.items() if mine)


def rules_of(target: Target) -> Rules:
    """Return what a target leaves to phones."""
    named = {name: named_by(rest) for name, rest in target.file.operations.items()}
    fetches = FETCH in named and MESSAGE in target.file.operations[FETCH].extract
    told = RECEIPT in named and EXTRACTED + MESSAGE in named[RECEIPT]
    return Rules(POSITIONS in named.get(GEOFENCE, ()), fetches, told)


class Whose(NamedTuple):
    """Whose phone it is, on which of their visits."""

    seed: int
    shopper: int
    visit: int
    ios: bool


class InHand:
    """A phone on one visit. `habits` is what its shopper does with messages."""

    def __init__(self, phone: Phone, rules: Rules, context: Context, who: Whose, habits: PushMessages) -> None:
        self._phone, self._rules, self._context, self._habits = phone, rules, context, habits
        self._seed, self._shopper, self._visit, self._ios = who
        self._receipts: list[tuple[str, str]] = []
        self._registered_here = False
        context.values.update(phone.known)
        if phone.opted_out:
            context.withdraw("push")

    def note(self) -> None:
        """Note where and when a page is seen, if its shopper allows that; `geofence` will tell it with the rest."""
        values, fixes = self._context.values, self._phone.fixes
        self._registered_here = False
        if not self._rules.batches or "location" not in self._context.consents:
            return
        del fixes[: max(0, len(fixes) + 1 - MOST_FIXES)]
        fixes.append({"lat": values["place.lat"], "lon": values["place.lon"], "at_ms": values["event.at_ms"]})
        values[POSITIONS] = list(fixes)

    def beside(self, page: str, nth: int) -> Iterator[str]:
        """Yield the operations to ask for beside the `nth` page of a visit; each answer is heard before the next."""
        if len(self._phone.fixes) >= MOST_FIXES:
            yield GEOFENCE
        if not self._rules.fetches or "push" not in self._context.consents:
            return
        looks = page == LOOKING
        # An app that is opened again looks for what came meanwhile.
        looks_now = looks or nth == 0 or self._draw(FETCHED, nth, self._visit) < self._habits.fetched
        if self._registered and looks_now:
            # It may have registered in another tab.
            self._context.values.update(self._phone.known)
            yield FETCH
        if looks:
            self._look()
        yield from self._told_of()
        if self._phone.opted_out:
            self._context.withdraw("push")
            yield CONSENT

    def leaving(self) -> Iterator[str]:
        """Yield what is still to be told as a visit ends."""
        if self._phone.fixes:
            yield GEOFENCE

    def hear(self, operation: str, status: int, answer: Answer | None) -> None:
        """Take in what a target answered; `answer` is None where it was no good one."""
        if operation == GEOFENCE:
            self._told(status, good=answer is not None)
        elif answer is not None and operation == REGISTER:
            self._registered_here = True
            self._phone.known = {EXTRACTED + name: value for name, value in answer.extracted.items()}
        elif answer is not None and operation == FETCH and MESSAGE in answer.extracted:
            came = answer.extracted[MESSAGE]
            for message in came if isinstance(came, tuple) else (came,):
                self._arrive(str(message))

    def _told(self, status: int, *, good: bool) -> None:
        """Forget positions that were told, or that the target will never take; others are told another time."""
        if not self._rules.batches:
            return
        if good or (0 < status < _SERVER_FAULT and status != _TOO_MANY_REQUESTS):
            self._phone.fixes.clear()
            self._context.values.pop(POSITIONS, None)

    @property
    def _registered(self) -> bool:
        """Whether messages can have come: registering and the first message do not fall together."""
        return bool(self._phone.known) and not self._registered_here

    def _draw(self, what: np.uint64, nth: int, visit: int = 0) -> float:
        return uniform(self._seed, self._shopper, visit, NOWHERE, min(nth, _MOST_DRAWN), what)

    def _arrive(self, message: str) -> None:
        """Let a message arrive. Of muted ones nothing is noticed: they wait until somebody looks for them."""
        phone, nth = self._phone, self._phone.arrived
        phone.arrived += 1
        if phone.opted_out:
            return
        fate = "" if phone.muted else self._fate(nth)
        if fate:
            self._tell(fate, message)
        else:
            phone.waiting = [*phone.waiting[1 - MOST_WAITING :], (nth, message)]
        phone.muted |= fate != OPENED and self._draw(MUTED, nth) < self._habits.muted

    def _fate(self, nth: int) -> str:
        """Return what becomes of a message that is noticed: a kind of receipt, or nothing while it waits."""
        phone, habits = self._phone, self._habits
        day, many = phone.today
        phone.today = (self._day, many + 1 if day == self._day else 1)
        if phone.today[1] > habits.enough and self._draw(TOO_MANY, nth) < habits.opt_out:
            phone.opted_out = True
            return DISMISSED
        opened = habits.opened.ios if self._ios else habits.opened.android
        drawn = self._draw(TAKEN, nth)
        if drawn < opened:
            return OPENED
        return DISMISSED if drawn < opened + (1 - opened) * habits.dismissed else ""

    def _look(self) -> None:
        """Look through what waits, and open what is of interest; once, and the rest is never looked at again."""
        phone = self._phone
        for nth, message in phone.waiting:
            if self._draw(LOOKED_AT, nth) < self._habits.looked_at:
                self._tell(OPENED, message)
        phone.waiting = []

    def _tell(self, kind: str, message: str) -> None:
        if self._rules.receipts and not self._phone.muted:
            self._receipts.append((kind, message))

    def _told_of(self) -> Iterator[str]:
        """Yield a receipt for each message that was opened or swiped away."""
        values = self._context.values
        while self._receipts:
            values[KIND], values[EXTRACTED + MESSAGE] = self._receipts.pop(0)
            yield RECEIPT

    @property
    def _day(self) -> date:
        """The day that it is where the shopper lives, by the run's clock."""
        values = self._context.values
        now = datetime.fromtimestamp(values["event.at_ms"] / 1e3, UTC)
        return now.astimezone(ZoneInfo(values["shopper.time_zone"])).date()
