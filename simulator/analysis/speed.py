"""Session length by the load time of the landing page: what a dashboard of real shoppers would show.

Bins are of the landing page only. A visit's *average* load time mixes cause and effect (later pages are warm, so long
visits look fast) and would bend the curve even if speed did nothing. What stands here is an observed association in
simulated shoppers whose reaction to waiting is an assumption; it is no measurement of real ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.estimates import Estimate, mean, share
from simulator.analysis.metrics import METRICS, matching, sample

if TYPE_CHECKING:
    from simulator.analysis.runs import Run

EDGES_S = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, float("inf"))
"""Landing load time, seconds; a bin holds its lower edge."""
SHOWN = ("engaged_time", "pages", "wall_time", "ga_time", "bounce")
ENOUGH = 30
"""Bins with fewer visits are shown grey and no conclusion is drawn from them."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Visits that landed within [`low_s`, `high_s`) seconds; `high_s` is infinite for the last bin."""

    low_s: float
    high_s: float
    visits: int
    middle_s: float | None
    metrics: dict[str, Estimate]

    @property
    def enough(self) -> bool:
        """Whether there are enough visits to say anything."""
        return self.visits >= ENOUGH


@dataclass(frozen=True, slots=True)
class Speed:
    """The bins from the first to the last with a visit, and how many visits never saw their landing page load."""

    bins: tuple[Bin, ...]
    unseen: int


def by_landing(run: Run) -> Speed:
    """Return session length and bounce by landing load time."""
    mask = matching(run, "visits", {})
    landing_s = run.visits.numbers("landing_load_us")[mask] / 1e6
    place = np.where(np.isnan(landing_s), -1, np.searchsorted(EDGES_S, landing_s, side="right") - 1)
    bins = [_bin(run, place == index, landing_s, index) for index in range(len(EDGES_S) - 1)]
    filled = [index for index, found in enumerate(bins) if found.visits]
    kept = bins[filled[0] : filled[-1] + 1] if filled else []
    return Speed(tuple(kept), int(np.isnan(landing_s).sum()))


def _bin(run: Run, here: np.ndarray[tuple[int], np.dtype[np.bool_]], landing_s: np.ndarray, index: int) -> Bin:
    metrics = {}
    for name in SHOWN:
        values, clusters, _ = sample(run, METRICS[name])
        if METRICS[name].kind == "share":
            metrics[name] = share(values[here] > 0, clusters[here])
        else:
            metrics[name] = mean(values[here], clusters[here], floor=0.0)
    middle = float(np.median(landing_s[here])) if here.any() else None
    return Bin(EDGES_S[index], EDGES_S[index + 1], int(here.sum()), middle, metrics)
