"""Messages to a shopper, read back: what probes of them share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from simulator.target.probes.hours import middle
from simulator.target.probes.probe import Probe
from simulator.target.probes.steps import Ask, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from simulator.model.places import City
    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

    Play = Generator[Any, Any, Any]

INBOX, SEND, UNINSTALL = "readings.inbox", "push_send", "readings.uninstall"
ASK_AGAIN_S = 1.0


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
class Mail(Probe):
    """What both probes do: let a message be sent, and look for it."""

    lag_s: float = 0.0
    """How long messages have taken to be seen in the inbox."""

    def somebody_there(self, people: People, city: City) -> Play:
        """Return a visitor with a phone that messages reach."""
        visitor = people.somebody(country=city.country, city=city.name)
        if self.ground.mapped("push_register"):
            yield Ask(visitor, "push_register")
        return visitor

    def send(self, visitor: Visitor, campaign: str) -> Play:
        """Let the target send a message of a campaign, if it can be made to; return its answer."""
        visitor.context.values["message.campaign"] = f"{visitor.value('visit.id')}-{campaign}"
        return (yield Ask(visitor, SEND)) if self.ground.mapped(SEND) else None

    def first_inbox(self, visitor: Visitor) -> Play:
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

    def inbox_after_lag(self, visitor: Visitor) -> Play:
        """Return the inbox after as long as the first message took to be seen."""
        if self.lag_s:
            yield Wait(self.lag_s)
        return (yield Ask(visitor, INBOX))

    @property
    def reads(self) -> bool:
        """Whether the target lets messages be read back, with when each was sent."""
        return self.ground.observable(INBOX, "sent_at")


def noon(quiet_hours: tuple[int, int]) -> float:
    """Return the hour furthest from the quiet ones."""
    return middle(quiet_hours[1], quiet_hours[0])
