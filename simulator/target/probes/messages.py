"""H7, H8: what a shopper is sent, read back: when, how often, again, and after they wanted no more of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from simulator.target.probes.hours import DAY_H, is_quiet, local, middle, where_it_is
from simulator.target.probes.probe import CHECKED, Difference, Probe, Ruling, total
from simulator.target.probes.steps import ALONE, AMONG, Ask, Now, Script, Wait
from simulator.target.sends import sends_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from simulator.model.places import City
    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

    Play = Generator[Any, Any, Any]

INBOX, SEND, UNINSTALL = "readings.inbox", "push_send", "readings.uninstall"
CAME, HOUR, GONE = "came", "hour ", "gone"
ASK_AGAIN_S = 1.0
MOST_GRACE_S, SHORT_GRACE_S = 45.0, 1.0
"""The longest grace after an opt-out that a run waits for, and the longest while nobody else may ask."""
UNPROVOKED_S = 5.0
"""How long messages are waited for where nothing can make a target send one."""
MOST_SENDS = 12
"""Messages that are sent to see a daily cap; a larger one is not tried."""


class Message(NamedTuple):
    """One message that was sent; `sent_us` and `expires_us` are microseconds since 1970, `expires_us` 0 if not told."""

    sent_us: int
    campaign: str
    expires_us: int


def messages_of(seen: Seen | None) -> list[Message]:
    """Return the messages that an answer tells of, the earliest first."""
    if seen is None or not seen.ok:
        return []
    sent = seen.evidence.get("sent_at", ())
    campaigns, expiries = (_beside(seen, name, len(sent)) for name in ("campaign", "expires_at"))
    return sorted(
        Message(sent_us, campaign or "", expires_us or 0)
        for sent_us, campaign, expires_us in zip(sent, campaigns, expiries, strict=False)
    )


def _beside(seen: Seen, name: str, many: int) -> Iterable[Any]:
    """Return evidence that stands beside each of so many messages; nothing where it does not fit them one by one."""
    found = seen.evidence.get(name, ())
    return found if len(found) == many else repeat(None, many)


def new_in(later: Iterable[Message], earlier: Iterable[Message]) -> list[Message]:
    """Return the messages that were not there before, the earliest first."""
    return sorted((Counter(later) - Counter(earlier)).elements())


@dataclass(slots=True)
class _Mail(Probe):
    """What both probes do: let a message be sent, and look for it."""

    lag_s: float = 0.0
    """How long messages have taken to be seen in the inbox."""

    def _somebody(self, people: People, city: City) -> Play:
        """Return a visitor with a phone that messages reach."""
        visitor = people.somebody(country=city.country, city=city.name)
        if self.ground.mapped("push_register"):
            yield Ask(visitor, "push_register")
        return visitor

    def _send(self, visitor: Visitor, campaign: str) -> Play:
        """Let the target send a message of a campaign, if it can be made to; return its answer."""
        visitor.context.values["message.campaign"] = f"{visitor.value('visit.id')}-{campaign}"
        return (yield Ask(visitor, SEND)) if self.ground.mapped(SEND) else None

    def _first(self, visitor: Visitor) -> Play:
        """Return the inbox when the first message is in it, which is looked for as long as promised."""
        waited_s = 0.0
        while True:
            seen = yield Ask(visitor, INBOX)
            if messages_of(seen) or seen is None or waited_s >= self.ground.promises.event_lag:
                if messages_of(seen):
                    self.lag_s = max(self.lag_s, waited_s)
                return seen
            yield Wait(ASK_AGAIN_S)
            waited_s += ASK_AGAIN_S

    def _after_lag(self, visitor: Visitor) -> Play:
        """Return the inbox after as long as the first message took to be seen."""
        if self.lag_s:
            yield Wait(self.lag_s)
        return (yield Ask(visitor, INBOX))

    @property
    def _reads(self) -> bool:
        return self.ground.observable(INBOX, "sent_at")


@dataclass(slots=True)
class OptOut(_Mail):
    """Nothing that was not there when the grace after an opt-out was over comes later.

    It compares two readings of the inbox, so no clock of the target's is believed.
    """

    code: ClassVar[str] = "H7"

    def scripts(self) -> Iterable[Script]:
        """Be sent a message, opt out, wait, be sent another."""
        grace_s, by = self.ground.promises.opt_out_grace, self._opts_out_by()
        if not by or not self._reads or grace_s > MOST_GRACE_S:
            return

        def leave(people: People, nth: int) -> Play:
            del nth
            promises = self.ground.promises
            visitor = yield from self._somebody(people, where_it_is(_noon(promises.quiet_hours), (yield Now())))
            yield from self._send(visitor, "before")
            before = yield from self._first(visitor)
            if not messages_of(before):
                return
            people.take_back(visitor, "push")
            told = yield Ask(visitor, by)
            if told is None or told.error:
                return
            yield from self._after_opt_out(visitor, told)

        when = frozenset((ALONE, AMONG)) if grace_s <= SHORT_GRACE_S else frozenset((AMONG,))
        yield Script("opt-out", 7 + len(self.ground.target.opening), leave, when=when)

    def _after_opt_out(self, visitor: Visitor, told: Seen) -> Play:
        if grace_s := self.ground.promises.opt_out_grace:
            yield Wait(grace_s)
        first = yield from self._after_lag(visitor)
        yield from self._send(visitor, "after")
        if not self.ground.mapped(SEND):
            yield Wait(UNPROVOKED_S)
        last = yield from self._after_lag(visitor)
        if first is None or last is None or first.error or not last.ok:
            return
        came = new_in(messages_of(last), messages_of(first))
        grace_s = self.ground.promises.opt_out_grace
        says = f"a message was sent after an opt-out{f' and {grace_s:g} s of grace' if grace_s else ''}"
        differs = [Difference("message", one._asdict(), None) for one in came[:1]]
        self.check(last, not came, says, other=told, differs=differs)

    def _opts_out_by(self) -> str:
        sends = sends_of(self.ground.target)
        for name in self.ground.mapped("consent_set", "push_register"):
            if any(field == "consent.push" for field in sends[name].fields):
                return name
        return ""

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say why nothing was checked, where that is so."""
        if total(counts, CHECKED):
            return super(OptOut, self).rule(counts)
        if not self._opts_out_by():
            return Ruling(
                None, "no request tells the target that push messages are refused: {consent.push} is not sent"
            )
        if self.ground.promises.opt_out_grace > MOST_GRACE_S:
            return Ruling(None, f"promises.opt_out_grace is longer than {MOST_GRACE_S:g} s, which no run waits for")
        return Ruling(None, "no message came before the opt-out, so none that stays away says anything")


def _noon(quiet_hours: tuple[int, int]) -> float:
    """Return the hour furthest from the quiet ones."""
    return middle(quiet_hours[1], quiet_hours[0])


@dataclass(slots=True)
class Pushy(_Mail):
    """Messages to one recipient keep the daily cap, the night of their own zone and their expiry, and come once.

    A phone that is gone is written to once more at most: that is how a sender learns of it (RFC 8030, section 7.3).
    """

    code: ClassVar[str] = "H8"

    def see(self, seen: Seen) -> None:
        """Judge messages that are told of for the first time."""
        if seen.operation != self._source or not seen.ok or seen.odd:
            return
        known: list[Message] = seen.visitor.notes.setdefault(self.code, [])
        told = messages_of(seen)
        for message in told if self._source == SEND else new_in(told, known):
            self._judge(seen, message, known)
            known.append(message)

    @property
    def _source(self) -> str:
        return INBOX if self._reads else SEND

    def _judge(self, seen: Seen, message: Message, earlier: list[Message]) -> None:
        promises, zone = self.ground.promises, str(seen.visitor.value("shopper.time_zone"))
        there = local(message.sent_us, zone)
        self.count(seen, CAME)
        self.count(seen, f"{HOUR}{there.hour:02d}")
        at = Difference("local time", there.isoformat(timespec="seconds"), zone)
        self.check(seen, not is_quiet(there, promises.quiet_hours), "a message was sent at night", differs=(at,))
        today = 1 + sum(local(one.sent_us, zone).date() == there.date() for one in earlier)
        many = Difference("messages on a local day", today, promises.messages_a_day)
        self.check(seen, today <= promises.messages_a_day, "more messages a day than promised", differs=(many,))
        if message.campaign:
            once = all(one.campaign != message.campaign for one in earlier)
            says = "one campaign's message was sent twice"
            self.check(seen, once, says, differs=(Difference("campaign", message.campaign, message.campaign),))
        if message.expires_us:
            due = Difference("expired at", message.expires_us, message.sent_us)
            self.check(seen, message.sent_us <= message.expires_us, "a message was sent expired", differs=(due,))
        if GONE in seen.visitor.notes:
            self.check(seen, False, "a message was sent to a phone that had answered 410")

    def scripts(self) -> Iterable[Script]:
        """Send too many by day, one by night, and some to a phone that is gone."""
        if not self.ground.mapped(SEND) or self._source not in (*self.ground.target.readings, SEND):
            return
        opening, most = len(self.ground.target.opening), self.ground.promises.messages_a_day

        def calendar(people: People, nth: int) -> Play:
            del nth
            now_ms = yield Now()
            quiet = self.ground.promises.quiet_hours
            day = where_it_is(_noon(quiet), now_ms)
            yield from self._too_many(people, day)
            if quiet[0] != quiet[1]:
                yield from self._at_night(people, where_it_is(middle(*quiet), now_ms))
            if UNINSTALL in self.ground.target.readings:
                yield from self._to_nobody(people, day)

        yield Script("push calendar", 3 * opening + 16 + min(most, MOST_SENDS), calendar)

    def _too_many(self, people: People, city: City) -> Play:
        """Send a campaign twice, then one more campaign than a day may have."""
        visitor = yield from self._somebody(people, city)
        yield from self._send(visitor, "0")
        if self._source == INBOX:
            yield from self._first(visitor)
        yield from self._send(visitor, "0")
        most = self.ground.promises.messages_a_day
        for nth in range(1, most + 1 if most <= MOST_SENDS else 1):
            yield from self._send(visitor, str(nth))
        if self.ground.mapped("geofence"):
            # Messages of another channel, if one is caused here, count towards the same cap.
            yield Ask(visitor, "geofence")
        yield from self._checked(visitor)

    def _at_night(self, people: People, city: City) -> Play:
        """Send one where it is night."""
        visitor = yield from self._somebody(people, city)
        yield from self._send(visitor, "night")
        yield from self._checked(visitor)

    def _to_nobody(self, people: People, city: City) -> Play:
        """Take the app off the phone, send one message of which the sender learns it, and another one."""
        visitor = yield from self._somebody(people, city)
        told = yield Ask(visitor, UNINSTALL)
        if told is None or told.error:
            return
        yield from self._send(visitor, "learns")
        yield from self._checked(visitor)
        visitor.notes[GONE] = True
        yield from self._send(visitor, "knows")
        yield from self._checked(visitor)

    def _checked(self, visitor: Visitor) -> Play:
        """Read the inbox; where no new message is in it, what should have been held back was."""
        if self._source != INBOX:
            return
        known = len(visitor.notes.get(self.code, ()))
        seen = yield from self._after_lag(visitor)
        if seen is not None and seen.ok and len(visitor.notes.get(self.code, ())) == known:
            self.count(seen, CHECKED)

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say nothing where no message ever came: what is never sent is never sent at night."""
        if not total(counts, CAME):
            return Ruling(None, "no message came that could be judged")
        return super(Pushy, self).rule(counts)


def push_calendar(counts: Mapping[Key, int]) -> list[int]:
    """Return how many messages came in each local hour of their recipients, from midnight, of H8's counts."""
    hours = [0] * DAY_H
    for key, number in counts.items():
        if key.what.startswith(HOUR):
            hours[int(key.what.removeprefix(HOUR))] += number
    return hours
