"""The fit of `causal-consensus`: the level of reaction at which simulated slow-downs lose what the published ones lost.

Simulated method of moments. One number is fitted, the level: the hazard of waiting and the weights of being put off
move together, in the ratio in which they stand in the preset, because what pages and orders were lost cannot tell them
apart (only when in the wait people left could). For each study the level is found at which the mean of

    ln(−ln(1 + simulated change)) − ln(−ln(1 + published change))

over its figures is zero, so that figures count by how many times they are missed, not by their size. The consensus is
the geometric mean of the studies' levels, each study counting once; its interval is Student's over studies (k − 1
degrees of freedom), since what differs between them is far larger than any sampling error, which none published.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from simulator.analysis.estimates import TAIL
from simulator.model.behaviour import CONSENSUS, load_behaviour
from simulator.study.designs import population_under
from simulator.study.slowdowns import slow_down
from simulator.study.studies import studies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.model.population import Population
    from simulator.study.studies import Figure, Study

FACTORS = np.geomspace(0.05, 8.0, 12)
"""Levels that are simulated, in those of the preset as it stands."""
VISITS = 100_000
"""Visits in each arm, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The consensus of the studies, as a factor on the levels of the preset, with its 95 % interval."""

    factor: float
    low: float
    high: float
    by_study: dict[str, float]
    """The factor of each study alone."""
    without: dict[str, float]
    """The consensus of all others, by the study that is left out."""
    levels: dict[str, float]
    """The preset's levels as they stand, by dotted name."""

    def value(self, name: str) -> tuple[float, float, float]:
        """Return a level as fitted: (value, low, high)."""
        now = self.levels[name]
        return now * self.factor, now * self.low, now * self.high


def fit_consensus(seed: int, visits: int = VISITS) -> Fitted:
    """Fit the consensus to the figures whose role is `fitted`."""
    spec = load_behaviour(CONSENSUS).spec
    levels = {
        "patience.hazard_per_s": spec.patience.hazard_per_s,
        "put_off.per_log_load": spec.put_off.per_log_load,
        "put_off.memory": spec.put_off.memory,
    }
    used = [(study, figures) for study in studies() if (figures := fitted_figures(study))]
    missed = np.array([_missed(scaled(factor), used, seed, visits) for factor in FACTORS])
    by_study = {study.id: _zero(missed[:, place]) for place, (study, _) in enumerate(used)}
    factor, low, high = _together(list(by_study.values()))
    without = {name: _together([other for key, other in by_study.items() if key != name])[0] for name in by_study}
    return Fitted(factor, low, high, by_study, without, levels)


def fitted_figures(study: Study) -> list[Figure]:
    """Return the figures of a study that the fit uses."""
    return [figure for figure in study.figures if figure.role == "fitted"]


def scaled(factor: float) -> Population:
    """Return the population under the consensus with all levels times `factor`."""
    population = population_under(load_behaviour(CONSENSUS))
    personas = population.personas.copy()
    for level in ("hazard_per_s", "put_off", "memory"):
        personas[level] *= factor
    return population._replace(personas=personas)


def _missed(population: Population, used: list[tuple[Study, list[Figure]]], seed: int, visits: int) -> list[float]:
    """Return by study how many times its figures are overdone, as the mean logarithm."""
    return [
        float(
            np.mean(
                [
                    _log_loss(simulated.value) - _log_loss(figure.change)
                    for figure, simulated in zip(
                        figures, slow_down(population, study, figures, seed, visits), strict=True
                    )
                ]
            )
        )
        for study, figures in used
    ]


def _log_loss(change: float | None) -> float:
    """Return ln(−ln(1 + change)) of a loss; what is no loss counts as one in a million."""
    return math.log(max(-math.log1p(change or 0.0), 1e-6))


def _zero(missed: NDArray[np.float64]) -> float:
    """Return the factor at which a study is met, between the simulated ones along the logarithm; an end if none is."""
    rising = np.maximum.accumulate(missed)
    return float(np.exp(np.interp(0.0, rising, np.log(FACTORS))))


def _together(factors: list[float]) -> tuple[float, float, float]:
    """Return the geometric mean with Student's interval over studies."""
    logs = np.log(factors)
    middle, k = float(logs.mean()), len(logs)
    half = float(stdtrit(k - 1, 1 - TAIL)) * float(logs.std(ddof=1)) / math.sqrt(k)
    return math.exp(middle), math.exp(middle - half), math.exp(middle + half)
