"""The door of a run: so many visits at once, and the others wait; it counts what that cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gevent.event import Event

from simulator.analysis.latency import HIGHEST_US, blank, decode, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

US = 1e6


class Gate:
    """Lets at most `most` visits be open at once, in the order in which they are due; `None` lets everybody in.

    An arrival that had to wait here, or behind one that had, is late by no fault of the generator. Its wait is charged
    to its latency like any other, and counted here.
    """

    def __init__(self, most: int | None, now_us: Callable[[], int]) -> None:
        self.most = most
        self.inside = self.delayed = 0
        self._now_us = now_us
        self._room = Event()
        self._shut = False
        """Whether an arrival stands before it; stays so where the run's end finds one there."""
        self._busy_until_us = self._full_since_us = self._full_us = 0
        self._waits = blank()

    def enter(self, due_us: int) -> int:
        """Wait for room; return for how long (µs) after it was due this kept the arrival out."""
        if self.most is None:
            return 0
        kept_out = due_us < self._busy_until_us
        while self.inside >= self.most:
            kept_out = self._shut = True
            self._room.clear()
            self._room.wait()
        self._shut = False
        self.inside += 1
        if self.inside == self.most:
            self._full_since_us = self._now_us()
        return self._held(due_us) if kept_out else 0

    def _held(self, due_us: int) -> int:
        self._busy_until_us = self._now_us()
        held_us = max(0, self._busy_until_us - due_us)
        self.delayed += 1
        self._waits.record_value(min(max(held_us, 1), HIGHEST_US))
        return held_us

    def leave(self) -> None:
        """Give one visit's room back."""
        if self.most is None:
            return
        if self.inside == self.most:
            self._full_us += self._now_us() - self._full_since_us
        self.inside -= 1
        self._room.set()

    def report(self, unsent: int) -> dict[str, Any] | None:
        """Return what the cap cost so far, to be put together by `cost_of`; `unsent` visits were due and not let in."""
        if self.most is None:
            return None
        full_us = self._full_us + (self._now_us() - self._full_since_us if self.inside >= self.most else 0)
        return {
            "most": self.most,
            "delayed": self.delayed,
            "dropped": unsent if self._shut else 0,
            "full_s": full_us / US,
            "waits": self._waits.encode(),
        }


def room_of(most: int | None, worker: int, workers: int) -> int | None:
    """Return one worker's part of a cap; the parts add up to it, though each worker has room for one at least."""
    return None if most is None else max(1, most // workers + (worker < most % workers))


def no_room(cost: Mapping[str, Any], planned: int) -> str:
    """Return why a run is not the one that was planned, whose cap kept visits out until its end."""
    return (
        f"max_open_visits: for {cost['dropped']:,} of {planned:,} planned visits there was no room below"
        f" {cost['max_open_visits']:,} at once; raise it, or lower the rate"
    )


def cost_of(reports: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Return what the cap cost the run, from the reports of its workers; None where there was no cap.

    `delayed` visits started late for lack of room and `dropped` ones never; `waited_s` says how late the former were;
    `full_s` is how long there was no room, in the worker where that was longest.
    """
    known = [report for report in reports if report is not None]
    if not known:
        return None
    waits = merge(decode(report["waits"]) for report in known)
    return {
        "max_open_visits": sum(report["most"] for report in known),
        "delayed": sum(report["delayed"] for report in known),
        "dropped": sum(report["dropped"] for report in known),
        "full_s": round(max(report["full_s"] for report in known), 3),
        "waited_s": {
            "p50": waits.percentile_s(0.5),
            "p99": waits.percentile_s(0.99),
            "max": waits.percentile_s(1.0),
        },
    }
