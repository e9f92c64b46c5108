"""Session length by the load time of the landing page: what a dashboard of real shoppers would show.

Bins are of the landing page only. A visit's *average* load time mixes cause and effect (later pages are warm, so long
visits look fast) and would bend the curve even if speed did nothing. What stands here is an observed association in
simulated shoppers whose reaction to waiting is an assumption; it is no measurement of real ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.metrics import METRICS, matching, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.metrics import Sample
    from simulator.analysis.runs import Run

EDGES_S = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0)
"""Landing load times at which bins begin, seconds; the last bin has no end."""
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
    landing_s = run.visits.numbers("landing_load_us")[matching(run, "visits", {}) & run.counted] / 1e6
    known = landing_s[~np.isnan(landing_s)]
    edges = [*_begins(known), float("inf")] if len(known) else []
    samples = {name: sample(run, METRICS[name]) for name in SHOWN}
    bins = [_bin(samples, landing_s, low, high) for low, high in pairwise(edges)]
    return Speed(tuple(bins), len(landing_s) - len(known))


def _begins(landing_s: NDArray[np.float64]) -> list[float]:
    """Return where bins begin: the first has a visit, and the sparse slow end is one bin of `ENOUGH` or more."""
    at_least = [int((landing_s >= edge).sum()) for edge in EDGES_S]
    begins = [edge for edge, count in zip(EDGES_S, at_least, strict=True) if count >= ENOUGH] or [EDGES_S[0]]
    first = max(edge for edge in EDGES_S if edge <= landing_s.min())
    return [edge for edge in begins if edge >= first] or [begins[-1]]


def _bin(samples: dict[str, Sample], landing_s: NDArray[np.float64], low_s: float, high_s: float) -> Bin:
    here = np.flatnonzero((landing_s >= low_s) & (landing_s < high_s))
    metrics = {}
    for name, whole in samples.items():
        found = whole.only(here)
        metrics[name] = found.share() if METRICS[name].kind == "share" else found.mean(METRICS[name].least)
    middle = float(np.median(landing_s[here])) if len(here) else None
    return Bin(low_s, high_s, len(here), middle, metrics)
