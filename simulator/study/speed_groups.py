"""For whom a second costs more: effects by group, from a paired experiment or from a run's arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from simulator.analysis.estimates import Z95, Estimate
from simulator.analysis.forest import cochran, forest, partial_pooling
from simulator.analysis.groups import FEWEST
from simulator.study.speed_findings import GroupEffect, Heterogeneity

if TYPE_CHECKING:
    from simulator.analysis.runs import Run
    from simulator.study.dose import Dose

FACTORS = ("persona", "tier", "network", "country")
METRIC = "engaged_time"
MOST_GROUPS = 12
"""Groups of one factor that are shown, the largest first."""


def of_dose(dose: Dose, metric: str = METRIC) -> Heterogeneity:
    """Return what a dose costs each kind of visit, drawn towards the mean of its factor."""
    groups: list[GroupEffect] = []
    chances: dict[str, float | None] = {}
    for factor in FACTORS:
        rows = [one for one in dose.groups if set(one.where) == {factor} and one.shoppers >= FEWEST]
        known = [one for one in rows if _variance(one.relative[metric]) > 0]
        if len(known) < 2:
            continue
        y = np.array([one.relative[metric].value for one in known], np.float64)
        v = np.array([_variance(one.relative[metric]) for one in known])
        chances[factor] = float(chdtrc(len(y) - 1, cochran(y, v)))
        found = [
            GroupEffect(factor, one.where[factor], one.visits, one.relative[metric], shrunk)
            for one, shrunk in zip(known, partial_pooling(y, v)[1], strict=True)
        ]
        groups += sorted(found, key=lambda group: -group.visits)[:MOST_GROUPS]
    return Heterogeneity(dose.change.name, metric, dose.relative[metric], tuple(groups), chances)


def _variance(estimate: Estimate) -> float:
    """Return the variance behind an interval; 0 where there is none."""
    if estimate.high is None or estimate.value is None:
        return 0.0
    return ((estimate.high - estimate.value) / Z95) ** 2


def of_run(run: Run, arm: str, whole: Estimate, metric: str = METRIC) -> Heterogeneity | None:
    """Return what an arm of a run did to each kind of visit; None where every group is too small."""
    groups: list[GroupEffect] = []
    chances: dict[str, float | None] = {}
    for factor in FACTORS:
        try:
            found = forest(run, metric, arm, (factor,))
        except ValueError:
            continue
        if len(found.rows) < 2:
            continue
        chances[factor] = found.p
        groups += [
            GroupEffect(factor, row.labels[factor], row.effect.n, row.effect, row.shrunk)
            for row in found.rows[:MOST_GROUPS]
        ]
    return Heterogeneity(arm, metric, whole, tuple(groups), chances) if groups else None
