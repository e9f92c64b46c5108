"""H25: whether the time of day is the shopper's own, and not the server's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from simulator.target.evidence import US
from simulator.target.hazards import LOCAL, SHOWN
from simulator.target.probes.probe import VIOLATED, Difference, Probe, Ruling, total
from simulator.target.probes.where import Telling, offset_h, widest_gap_h
from simulator.target.probes.world import around_the_world

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.target.probes.probe import Ground, Key
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import Script

WINDOW_S = 60.0
"""Answers within so long are of one moment."""
WIDEST_GAP_H = 10.0
"""Shoppers stand round the clock if no two neighbours are further apart: no part of a day fills the rest (assumed)."""
HOUR_US = 3_600 * US
ROUND, TOLD = "round the clock", "told"
_NAMED = re.compile(
    r"((daypart|part_of_day|time_of_day|time|tod)[:=/_ -])?(early|late)?[_ -]?"
    r"(night|morning|noon|midday|afternoon|evening)(time)?",
    re.IGNORECASE,
)
"""A segment that is a part of the day and nothing else: not `night_owl`, who is somebody's kind all day."""


class Told(NamedTuple):
    """What part of the day an answer was made for, and where its shopper's clock stood: hours east of Greenwich."""

    zone: str
    offset_h: float
    label: str
    seen: Seen


@dataclass(slots=True)
class Clock(Probe):
    """Of one moment, shoppers round the clock are not all shown the same part of the day; those of one hour are.

    The part of the day is what `daypart` shows, else a segment that is named after one.
    """

    code: ClassVar[str] = "H25"
    moment: dict[float, Told] = field(default_factory=dict)
    since_s: float = 0.0
    hours: dict[float, tuple[Told, ...]] = field(default_factory=dict)
    place: Telling = field(init=False)

    def __post_init__(self) -> None:
        """Find out which requests tell the target where somebody lives."""
        self.place = Telling(self.ground.target, *LOCAL)

    def see(self, seen: Seen) -> None:
        """Add an answer to those of this moment, and compare it with others of its hour."""
        if not seen.ok or seen.odd or (label := _label(seen)) is None or not self.place.told(seen):
            return
        zone, ahead_h = seen.visitor.value("shopper.time_zone"), _offset_h(seen)
        if ahead_h is None:
            return
        told = Told(str(zone), ahead_h, label, seen)
        self.count(seen, TOLD)
        self._same_hour(told)
        self._round(told)

    def _same_hour(self, told: Told) -> None:
        """Judge what came between two that agree: another zone with the same hour."""
        before = self.hours.get(told.offset_h, ())
        self.hours[told.offset_h] = (*before[-1:], told)
        if len(before) < 2 or told.seen.at_s - before[0].seen.at_s > WINDOW_S:
            return
        first, between = before
        if first.zone != told.zone or between.zone == told.zone or first.label != told.label:
            return
        says = f"{told.seen.operation} takes one and the same hour for two parts of the day"
        names = f"part of the day in {between.zone} and in {told.zone}, where it is the same hour"
        differs = (Difference(names, between.label, told.label),)
        self.check(between.seen, between.label == told.label, says, other=told.seen, differs=differs)

    def _round(self, told: Told) -> None:
        """Judge the answers of one moment as soon as they stand round the clock."""
        if told.seen.at_s - self.since_s > WINDOW_S:
            self.moment.clear()
        if not self.moment:
            self.since_s = told.seen.at_s
        self.moment[told.offset_h] = told
        if widest_gap_h(self.moment) > WIDEST_GAP_H:
            return
        labels = {one.label for one in self.moment.values()}
        first = max(self.moment.values(), key=lambda one: abs((one.offset_h - told.offset_h + 12) % 24 - 12))
        self.count(told.seen, ROUND)
        says = f"{told.seen.operation} shows the same part of the day whatever the shopper's clock says"
        differs = (Difference(f"part of the day in {told.zone} and in {first.zone}", told.label, first.label),)
        self.check(told.seen, len(labels) > 1, says, other=first.seen, differs=differs)
        self.moment.clear()

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say held only where shoppers stood round the clock: the server's own clock is the same for those of one."""
        if total(counts, VIOLATED):
            return Ruling(held=False)
        if not total(counts, ROUND):
            few = (
                "no part of the day was named"
                if not total(counts, TOLD)
                else "shoppers' clocks stood too near together"
            )
            return Ruling(None, few)
        return Ruling(held=True)

    def scripts(self) -> Iterable[Script]:
        """Look at a page round the world."""
        if shown := shows_daypart(self.ground)[:1]:
            yield around_the_world(self.ground, shown)


def shows_daypart(ground: Ground) -> list[str]:
    """Return the operations that may name a part of the day, those that are sure to first."""
    sure = [name for name in ground.mapped(*SHOWN) if ground.observable(name, "daypart")]
    return sure or [name for name in ground.mapped("home", "recommend") if ground.observable(name, "segments")]


def _label(seen: Seen) -> str | None:
    label = seen.evidence.get("daypart")
    if label is not None:
        return str(label)
    named = (word for word in seen.evidence.get("segments", ()) if _NAMED.fullmatch(word))
    return next(named, None)


def _offset_h(seen: Seen) -> float | None:
    """Return how far the shopper's clock is ahead of Greenwich; the day matters for summer time alone."""
    zone, made_h = seen.visitor.value("shopper.time_zone"), _made_h(seen)
    return offset_h(zone, made_h) if isinstance(zone, str) and made_h is not None else None


def _made_h(seen: Seen) -> int | None:
    """Return in which hour since 1970 an answer was made, by what it says itself or by its date."""
    made_us = seen.evidence.get("generated_at")
    if isinstance(made_us, int):
        return made_us // HOUR_US
    date = next((value for name, value in seen.headers.items() if name.lower() == "date"), None)
    try:
        return int(parsedate_to_datetime(str(date)).timestamp() // 3_600)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
