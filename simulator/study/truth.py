"""What is true of the crowd of the trials: every visit of very many shoppers in every arm, with nothing cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.hazard_model import Counts, coefficients_of
from simulator.analysis.page_design import page_design
from simulator.study.contenders import AT_S, UNTIL_S
from simulator.study.trials import DELAYS_S, METRICS, trial

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simulator.study.trials import Preset, Trial

    Floats = NDArray[np.float64]

SHOPPERS = 600_000
"""The truth's own error is a twenty-sixth of that of a trial of 900."""
FIRST = 1 << 40
"""The truth's shoppers are none of the trials'."""
PAGES = 11
"""Page numbers that are told apart; what comes later counts as the last of them, which the last band holds anyway."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Means by metric and arm (arms,); `restricted` (arms,) those of min(wall time, UNTIL_S).

    `lasts` and `abandons` are of control at AT_S; `two_stage` the pages a second of landing load, `hazard` the
    coefficient of delay that the hazard model would find with endless data.
    """

    means: dict[str, NDArray[np.float64]]
    restricted: NDArray[np.float64]
    lasts: float
    abandons: float
    two_stage: float
    hazard: float

    def slope(self, metric: str) -> float:
        """Return the slope a second of the line through the arms, in parts of its start."""
        slope, start = np.polyfit(DELAYS_S, self.means[metric], 1)
        return float(slope / start)


class Part(NamedTuple):
    """What some shoppers add to the truth: sums by quantity and arm, and pages and ends by arm and page number."""

    sums: NDArray[np.float64]
    pages: NDArray[np.float64]


def part_of_truth(preset: Preset, seed: int, first: int, last: int) -> Part:
    """Return what the truth's shoppers `first` to `last` − 1 add to it."""
    found = trial(preset, seed, FIRST + first, FIRST + last)
    return Part(_sums(found), _pages(found))


def truth_of(parts: Iterable[Part]) -> Truth:
    """Return the truth that is the sum of its parts."""
    sums, pages = zip(*parts, strict=True)
    return _truth(np.sum(sums, axis=0), np.sum(pages, axis=0))


def _sums(found: Trial) -> Floats:
    wall = found.values["wall_time"]
    early = (wall <= AT_S) & found.impatient
    of_wall = (np.minimum(wall, UNTIL_S), 1.0 * (wall > AT_S), 1.0 * early, found.landing_s, np.ones(len(wall)))
    rows = [*(found.values[metric] for metric in METRICS), *of_wall]
    return np.array([np.bincount(found.arm, row, len(DELAYS_S)) for row in rows], np.float64)


def _pages(found: Trial) -> Floats:
    """Return pages and those that ended a visit, (2, arms, PAGES)."""
    arm = found.arm[found.page_visit]
    key = arm * PAGES + np.minimum(found.page_number, PAGES) - 1
    size = len(DELAYS_S) * PAGES
    both = np.array([np.bincount(key, minlength=size), np.bincount(key, found.ended, size)], np.float64)
    return both.reshape(2, len(DELAYS_S), PAGES)


def _truth(sums: Floats, pages: Floats) -> Truth:
    means = sums[:-1] / sums[-1]
    by_metric = dict(zip(METRICS, means, strict=False))
    restricted, lasts, abandons, landing = means[len(METRICS) :]
    # All arms have the same visits, so the instrument's covariances are those of the arms' means.
    delay = np.array(DELAYS_S) - np.mean(DELAYS_S)
    two_stage = float(delay @ by_metric["pages"]) / float(delay @ landing)
    return Truth(by_metric, restricted, float(lasts[0]), float(abandons[0]), two_stage, _hazard(pages))


def _hazard(pages: Floats) -> float:
    arms, numbers = np.indices(pages.shape[1:])
    design = page_design(numbers.ravel() + 1, np.array(DELAYS_S)[arms.ravel()])
    cells = np.array([np.bincount(design.cells, side.ravel(), len(design.matrix)) for side in pages], np.float64)
    beta, _ = coefficients_of(Counts(design.matrix, *cells), "logit")
    return float(beta[design.names.index("load_s")])
