"""For whom slowness costs more: effects by group, drawn together by how little each alone can tell.

A group of few shoppers has a wild effect by chance alone. Partial pooling (empirical Bayes; Efron & Morris 1975) moves
each towards the mean of all, the further the noisier it is. How much groups truly differ is itself uncertain, and an
interval that took one estimate of it for the truth would be too short; so it is averaged over (Gelman et al. 2013,
section 5.4: normal effects, flat in their mean and their standard deviation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, logsumexp, ndtr

from simulator.analysis.estimates import TAIL, Z95, Estimate
from simulator.analysis.groups import group_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.analysis.influence import Influenced
    from simulator.analysis.runs import Run

    Floats = NDArray[np.float64]

FACTORS = ("persona", "tier", "network", "country")
"""The labels of visits that groups are made of."""
GRID = 120
"""Values of the standard deviation between groups that are averaged over."""
HALVINGS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One group: its labels by factor, its own effect, and the effect drawn towards that of all."""

    labels: dict[str, str]
    shoppers: int
    effect: Estimate
    shrunk: Estimate


@dataclass(frozen=True, slots=True)
class Forest:
    """Groups, those of most shoppers first, and how much they differ beyond chance; effects are in parts of control.

    `overall` is the mean over groups that the rows are drawn to, `tau2` the variance of true effects between them
    (Paule & Mandel 1982), `q` Cochran's statistic and `p` its chance if all groups had one effect, `i2` the share of
    the spread that is not chance (Higgins & Thompson 2002). `left_out` counts groups too small to be told.
    """

    metric: str
    rows: tuple[Row, ...]
    overall: Estimate
    tau2: float
    q: float
    p: float | None
    i2: float
    left_out: int


def forest(run: Run, metric: str, arm: str, factors: Sequence[str] = FACTORS) -> Forest:
    """Return an arm's relative effect on a metric of visits in every group of `factors` that occurs.

    Raises `ValueError` when every group is too small.
    """
    labels, effects, left_out = group_effects(run, metric, arm, factors)
    return pooled(labels, effects, metric, left_out)


def pooled(labels: Sequence[dict[str, str]], effects: Sequence[Influenced], metric: str, left_out: int = 0) -> Forest:
    """Return the forest of effects that are known already. Raises `ValueError` where there is none with a spread."""
    kept = [place for place, one in enumerate(effects) if one.variance > 0]
    if not kept:
        raise ValueError("no group has shoppers enough to tell its effect")
    y = np.array([effects[place].value for place in kept])
    v = np.array([effects[place].variance for place in kept])
    tau2, q = paule_mandel(y, v), cochran(y, v)
    overall, shrunk = partial_pooling(y, v)
    rows = [
        Row(labels[place], len(effects[place].clusters), effects[place].estimate(), one)
        for place, one in zip(kept, shrunk, strict=True)
    ]
    freedom = len(y) - 1
    return Forest(
        metric,
        tuple(sorted(rows, key=lambda row: -row.shoppers)),
        overall,
        tau2,
        q,
        float(chdtrc(freedom, q)) if freedom else None,
        max(0.0, 1.0 - freedom / q) if q > 0 else 0.0,
        left_out + len(effects) - len(kept),
    )


def cochran(y: Floats, v: Floats, tau2: float = 0.0) -> float:
    """Return Σ (y − mean)² / (v + τ²), the mean weighted alike: with the true τ² it is chi-square (Cochran 1954)."""
    weights = 1.0 / (v + tau2)
    middle = float(weights @ y) / float(weights.sum())
    return float(weights @ (y - middle) ** 2)


def paule_mandel(y: Floats, v: Floats) -> float:
    """Return the variance between groups at which Cochran's statistic is what it should be; 0 if it never is."""
    freedom = len(y) - 1
    if freedom < 1 or cochran(y, v) <= freedom:
        return 0.0
    most = float(np.var(y)) * len(y) + 1e-300
    while cochran(y, v, most) > freedom:
        most *= 2
    found: float = brentq(lambda tau2: cochran(y, v, tau2) - freedom, 0.0, most, xtol=1e-16, rtol=1e-12)
    return found


def partial_pooling(y: Floats, v: Floats) -> tuple[Estimate, list[Estimate]]:
    """Return the mean of all groups, and each group's effect given all of them, with 95 % intervals.

    `y` (K,) are effects and `v` (K,) their variances. Of fewer than three groups nothing is known of how much groups
    differ: each is what it is.
    """
    if len(y) < 3:
        overall = _normal(float(np.average(y, weights=1 / v)), float(1 / np.sum(1 / v)), len(y))
        return overall, [_normal(float(one), float(var), 1) for one, var in zip(y, v, strict=True)]
    share, middle, middle_var, tau2 = _spreads(y, v)
    pull = tau2[:, None] / (tau2[:, None] + v)  # (GRID, K): how much of its own effect a group keeps
    means = pull * y + (1 - pull) * middle[:, None]
    variances = pull * v + (1 - pull) ** 2 * middle_var[:, None]
    overall = _mixture(share, middle[:, None], middle_var[:, None], len(y))[0]
    return overall, _mixture(share, means, variances, 1)


def _normal(value: float, variance: float, n: int) -> Estimate:
    half = Z95 * variance**0.5
    return Estimate(value, n, value - half, value + half)


def _spreads(y: Floats, v: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return of each spread of the grid: its posterior share, the mean of all given it and its variance, and τ²."""
    widest = 4.0 * float(np.std(y)) + 2.0 * float(np.sqrt(v.min()))
    tau2 = (widest * (np.arange(GRID) + 0.5) / GRID) ** 2
    weights = 1.0 / (tau2[:, None] + v)
    total = weights.sum(1)
    middle = weights @ y / total
    log = 0.5 * (np.log(weights).sum(1) - np.log(total) - (weights * (y - middle[:, None]) ** 2).sum(1))
    share = np.exp(log - logsumexp(log))
    return share.astype(np.float64), middle, 1.0 / total, tau2


def _mixture(share: Floats, means: Floats, variances: Floats, n: int) -> list[Estimate]:
    """Return mean and 95 % interval of mixtures of normals; `means` and `variances` are (GRID, K)."""
    spread = np.sqrt(variances)
    low, high = (means - 8 * spread).min(0), (means + 8 * spread).max(0)
    ends = []
    for probability in (TAIL, 1 - TAIL):
        left, right = low.copy(), high.copy()
        for _ in range(HALVINGS):
            half = (left + right) / 2
            below = share @ ndtr((half - means) / spread) < probability
            left, right = np.where(below, half, left), np.where(below, right, half)
        ends.append((left + right) / 2)
    centre = share @ means
    return [
        Estimate(*found) for found in zip(centre.tolist(), [n] * len(centre), *(e.tolist() for e in ends), strict=True)
    ]
