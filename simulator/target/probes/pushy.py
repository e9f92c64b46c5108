"""H8: whether messages come too often, at night, twice, expired, or to phones that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simulator.target.probes.hours import DAY_H, is_quiet, local, middle, where_it_is
from simulator.target.probes.mail import INBOX, SEND, UNINSTALL, Mail, messages_of, new_in, noon
from simulator.target.probes.probe import CHECKED, Difference, Ruling, total
from simulator.target.probes.steps import Ask, Now, Script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.model.places import City
    from simulator.target.probes.mail import Message, Play
    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

CAME, HOUR, GONE = "came", "hour ", "gone"
MOST_SENDS = 12
"""Messages that are sent to see a daily cap; a larger one is not tried."""


@dataclass(slots=True)
class Pushy(Mail):
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
        return INBOX if self.reads else SEND

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
            day = where_it_is(noon(quiet), now_ms)
            yield from self._too_many(people, day)
            if quiet[0] != quiet[1]:
                yield from self._at_night(people, where_it_is(middle(*quiet), now_ms))
            if UNINSTALL in self.ground.target.readings:
                yield from self._to_nobody(people, day)

        yield Script("push calendar", 3 * opening + 16 + min(most, MOST_SENDS), calendar)

    def _too_many(self, people: People, city: City) -> Play:
        """Send a campaign twice, then one more campaign than a day may have."""
        visitor = yield from self.somebody_there(people, city)
        yield from self.send(visitor, "0")
        if self._source == INBOX:
            yield from self.first_inbox(visitor)
        yield from self.send(visitor, "0")
        most = self.ground.promises.messages_a_day
        for nth in range(1, most + 1 if most <= MOST_SENDS else 1):
            yield from self.send(visitor, str(nth))
        if self.ground.mapped("geofence"):
            # Messages of another channel, if one is caused here, count towards the same cap.
            yield Ask(visitor, "geofence")
        yield from self._checked(visitor)

    def _at_night(self, people: People, city: City) -> Play:
        """Send one where it is night."""
        visitor = yield from self.somebody_there(people, city)
        yield from self.send(visitor, "night")
        yield from self._checked(visitor)

    def _to_nobody(self, people: People, city: City) -> Play:
        """Take the app off the phone, send one message of which the sender learns it, and another one."""
        visitor = yield from self.somebody_there(people, city)
        told = yield Ask(visitor, UNINSTALL)
        if told is None or told.error:
            return
        yield from self.send(visitor, "learns")
        yield from self._checked(visitor)
        visitor.notes[GONE] = True
        yield from self.send(visitor, "knows")
        yield from self._checked(visitor)

    def _checked(self, visitor: Visitor) -> Play:
        """Read the inbox; where no new message is in it, what should have been held back was."""
        if self._source != INBOX:
            return
        known = len(visitor.notes.get(self.code, ()))
        seen = yield from self.inbox_after_lag(visitor)
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
