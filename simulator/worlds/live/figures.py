"""What the shoppers of a run do, while it goes on: numbers that add up over workers, for live views."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from simulator.journey.records import CAUSES, NEVER_US, ONGOING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.journey.records import Record

STEP = math.log(1.05)
"""Load times are counted in stretches of 5 %, which is near enough to look at; reports count from the rows."""
SUMS = (
    "planned", "due", "started", "open", "waiting", "ended", "ended_pages", "bounced", "pages", "requests", "errors",
)  # fmt: skip
"""Numbers of a progress that add up over workers."""


class SessionFigures:
    """Counts pages as they are shown and visits as they end."""

    def __init__(self) -> None:
        self.ended = self.ended_pages = self.bounced = 0
        self.causes: Counter[str] = Counter()
        self._loads: Counter[int] = Counter()

    def page(self, load_us: int) -> None:
        """Count one page's load time; one that was left before it was there has none."""
        if load_us < NEVER_US:
            self._loads[int(math.log(max(load_us, 1)) / STEP)] += 1

    def visit(self, visit: Record) -> None:
        """Count a visit that has ended; one that the end of the run cuts has not."""
        cause = int(visit["cause"])
        if cause == ONGOING:
            return
        pages = int(visit["pages"])
        self.ended += 1
        self.ended_pages += pages
        self.bounced += pages == 1
        self.causes[CAUSES[cause]] += 1

    def progress(self) -> dict[str, Any]:
        """Return the counts; `loads` as [stretch, pages] pairs."""
        return {
            "ended": self.ended,
            "ended_pages": self.ended_pages,
            "bounced": self.bounced,
            "causes": dict(self.causes),
            "loads": [list(pair) for pair in sorted(self._loads.items())],
        }


def percentile_s(loads: Iterable[tuple[int, int]], q: float, before: Iterable[tuple[int, int]] = ()) -> float | None:
    """Return a percentile of load times in seconds, of the pages since `before`; None where there were none."""
    counts = Counter(dict(loads))
    counts.subtract(dict(before))
    left = q * sum(counts.values())
    for stretch, pages in sorted(counts.items()):
        left -= pages
        if pages and left <= 0:
            return math.exp((stretch + 0.5) * STEP) / 1e6
    return None


def add_up(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the progress of several workers together: sums, causes and load times; not what each alone can say."""
    sums, causes, loads = dict.fromkeys(SUMS, 0), Counter[str](), Counter[int]()
    for part in parts:
        for name in SUMS:
            sums[name] += part.get(name, 0)
        causes.update(part.get("causes", {}))
        loads.update(dict(part.get("loads", [])))
    return {**sums, "causes": dict(causes), "loads": [list(pair) for pair in sorted(loads.items())]}
