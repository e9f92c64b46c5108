"""H15: whether events that were accepted can be read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simulator.target.fields import EXTRACTED
from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.steps import Ask, Script, Wait
from simulator.target.sends import needed_by

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

READING = "readings.events"
CALLS = 6
"""A loss of one batch in four is missed by so many once in six times; they are sent over and over."""
PATIENCE = 2.0
"""What is not there after the promised time is looked for once more after so many times of it: late is not lost."""
LATE = "late"


@dataclass(slots=True)
class Events(Probe):
    """What `track` accepted is stored: read back after the promised time, or told at once.

    Of a count that can be read back, only what was added counts, and more than was sent is no violation: targets keep
    events of their own too.
    """

    code: ClassVar[str] = "H15"

    def scripts(self) -> Iterable[Script]:
        """Send events, wait, and count what is there."""
        ground = self.ground
        if not ground.mapped("track"):
            return
        names_something = any(name.startswith(EXTRACTED) for name in needed_by(ground.target.file.operations["track"]))
        lists = ground.mapped("home", "recommend", "search", "category")[:1] if names_something else ()
        look = (*lists, *(ground.mapped("product") if lists else ()))
        reads = READING in ground.target.readings and any(
            ground.observable(READING, name) for name in ("stored", "items")
        )
        if reads:
            cost = len(ground.target.opening) + len(look) + CALLS + 3
            yield Script("events", cost, lambda people, _: self._read_back(people, look))
        elif ground.observable("track", "stored"):
            cost = len(ground.target.opening) + len(look) + CALLS
            yield Script("events", cost, lambda people, _: self._told(people, look))

    def _send(self, visitor: Visitor, look: Iterable[str]) -> Generator[Any, Any, list[Seen]]:
        """Send events, after a look at what they are to name; return the answers that accepted them."""
        for name in look:
            yield Ask(visitor, name)
        accepted = []
        for _ in range(CALLS):
            seen = yield Ask(visitor, "track")
            if seen is not None and seen.ok:
                accepted.append(seen)
        return accepted

    def _told(self, people: People, look: Iterable[str]) -> Generator[Any, Any, None]:
        for seen in (yield from self._send(people.somebody(), look)):
            if (stored := seen.evidence.get("stored")) is not None:
                says = "track accepted an event and kept none"
                self.check(seen, stored > 0, says, differs=(Difference("stored", stored, 1),))

    def _read_back(self, people: People, look: Iterable[str]) -> Generator[Any, Any, None]:
        visitor = people.somebody()
        before = _count((yield Ask(visitor, READING)))
        accepted = yield from self._send(visitor, look)
        due = sum(seen.evidence.get("stored", 1) for seen in accepted)
        if before is None or not due:
            return
        lag_s = self.ground.promises.event_lag
        yield Wait(lag_s)
        read = yield Ask(visitor, READING)
        there = _count(read)
        if there is not None and there - before < due:
            yield Wait(PATIENCE * lag_s)
            read = yield Ask(visitor, READING)
            there = _count(read)
            if there is not None and there - before >= due:
                self.count(accepted[0], LATE)
        if there is not None:
            says = "events that were accepted cannot be read back"
            differs = (Difference("events kept, and accepted", there - before, due),)
            self.check(accepted[-1], there - before >= due, says, other=read, differs=differs)


def _count(seen: Seen | None) -> int | None:
    """Return how many events a reading tells of."""
    if seen is None or not seen.ok:
        return None
    stored, items = seen.evidence.get("stored"), seen.evidence.get("items")
    return stored if stored is not None else len(items) if items is not None else None
