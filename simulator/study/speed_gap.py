"""From what a second of waiting causes to what a dashboard shows a second: the way between, in parts of the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.study.speed_findings import GapPart

if TYPE_CHECKING:
    from simulator.study.speed_findings import Arm, Binned

METRIC = "pages"


def gap_of(near: Arm | None, landing: Binned | None, average: Binned | None) -> tuple[GapPart, ...]:
    """Return the bridge from the experiment's slope to the slopes of both charts; empty where one end is not known."""
    if near is None or not near.delay_s or landing is None:
        return ()
    caused, seen = near.relative[METRIC].value, landing.slope[METRIC].value
    if caused is None or seen is None:
        return ()
    caused /= near.delay_s
    parts = [
        GapPart("caused by a second", "start", caused, "the experiment: the same visits, or shoppers dealt to arms"),
        GapPart("who meets slow pages", "part", seen - caused, "networks, phones and people differ, not only waits"),
        GapPart("by landing page", "end", seen, "what a dashboard shows that bins visits by their first page"),
    ]
    mixed = average.slope[METRIC].value if average is not None else None
    if mixed is not None:
        why = "later pages are warm, so that long visits look fast: cause and effect are mixed"
        parts += [
            GapPart("averaging over a visit", "part", mixed - seen, why),
            GapPart("by visit's average", "end", mixed, "what a dashboard shows that bins visits by their average"),
        ]
    return tuple(parts)
