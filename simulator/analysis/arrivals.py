"""Arrivals of a live run: how many the plan meant to start in each stretch of time, and how many did start then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

MOST_STRETCHES = 120
WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True)
class Arrivals:
    """Visits by stretch of `width_s` seconds from the run's start; rates are counts divided by `width_s`.

    `planned` counts visits by when they were due, `started` by when they began. Arrivals that were dropped are in
    neither: they made no visit. The totals are the generator's own. Visits of the warm-up, which lasts `warmup_s`, are
    counted here as well; `warmup_visits` is how many.
    """

    width_s: int
    planned: NDArray[np.int64]
    started: NDArray[np.int64]
    total_planned: int
    total_started: int
    dropped: int
    warmup_s: float = 0.0
    warmup_visits: int = 0


def per_stretch(run: Run) -> Arrivals | None:
    """Return planned and started visits over time; None for a run that was not live."""
    generator = run.manifest.generator
    if run.manifest.world != "live" or generator is None:
        return None
    frames = [run.visits, *([run.warmup] if run.warmup is not None else [])]
    due_s = np.concatenate([visits.integers("start_at_us") for visits in frames]) / 1e6
    begun_s = due_s + np.concatenate([visits.integers("lag_us") for visits in frames]) / 1e6
    last_s = max(generator.duration_s or 0.0, float(begun_s.max()) + 1e-6 if len(begun_s) else 0.0, 1.0)
    width = next((w for w in WIDTHS_S if last_s / w <= MOST_STRETCHES), WIDTHS_S[-1])
    stretches = int(np.ceil(last_s / width))
    planned, started = (_count(times, width, stretches) for times in (due_s, begun_s))
    totals = generator.planned, generator.started, generator.dropped
    return Arrivals(width, planned, started, *totals, run.manifest.warmup_s, generator.warmup_visits)


def _count(times_s: NDArray[np.float64], width_s: int, stretches: int) -> NDArray[np.int64]:
    place = np.clip(times_s // width_s, 0, stretches - 1).astype(np.int64)
    return np.bincount(place, minlength=stretches).astype(np.int64)
