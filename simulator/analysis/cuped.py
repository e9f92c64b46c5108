"""CUPED: sharper comparisons by what was known before the experiment (Deng, Xu, Kohavi & Walker 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.influence import Influenced, difference, groups_of, mean_of
from simulator.analysis.metrics import METRICS, matching, sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

    Floats = NDArray[np.float64]

KNOWN = ("persona", "tier", "network", "situation")
"""What a run knows of a visit before its first page is slowed: labels of visits, which become covariates."""
SAME = 1e-9
"""Covariates whose spread is less than this share of the widest are told by others already."""
MOST_LEVERAGE = 0.9
"""Nothing is adjusted where a single shopper would decide it."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Outcomes of one arm: `values` (n,), and what was known before the treatment, `before` (n, covariates).

    `clusters` (n,) are the shoppers; `weights` (n,) what each visit counts, or None.
    """

    values: NDArray[np.float64]
    before: NDArray[Any]
    clusters: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None

    def mean(self) -> Influenced:
        """Return the mean outcome."""
        return mean_of(self.values, self.clusters, self.weights)

    def means_before(self) -> tuple[Floats, Floats]:
        """Return the mean of each covariate, and what each shopper adds to their errors, (shoppers, covariates)."""
        who, place = groups_of(self.clusters)
        weights = np.ones(len(place)) if self.weights is None else self.weights
        share = weights / weights.sum()
        sums = [np.bincount(place, share * column, len(who)) for column in self.before.T]
        by_shopper = np.column_stack(sums) if sums else np.zeros((len(who), 0))
        means = by_shopper.sum(0)
        scale = (len(who) / (len(who) - 1)) ** 0.5 if len(who) > 1 else 1.0
        return means, scale * (by_shopper - np.bincount(place, share, len(who))[:, None] * means)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The means of both arms after adjustment, `theta` (covariates,) that made it, and the variance it `removed`.

    `removed` is a share of the variance of the unadjusted difference.
    """

    control: Influenced
    treated: Influenced
    difference: Influenced
    theta: NDArray[np.float64]
    removed: float


def cuped(treated: Arm, control: Arm) -> Adjusted:
    """Return treated against control, each less θ·(its covariates' means − their means over both).

    θ makes the variance of the difference, by shopper, the least: Cov(ΔX)⁻¹ Cov(ΔX, ΔY). Arms of the same shoppers have
    the same covariates and gain nothing: θ is 0.
    """
    means, (after, before) = (treated.mean(), control.mean()), (treated.means_before(), control.means_before())
    outcome = difference(*means)
    known = np.zeros((len(outcome.clusters), len(before[0])))
    rows = [np.searchsorted(outcome.clusters, mean.clusters) for mean in means]
    for sign, place, (_, parts) in zip((1, -1), rows, (after, before), strict=True):
        known[place] += sign * parts
    theta, raised = _theta(outcome.parts, known)
    middle = (after[0] + before[0]) / 2
    sides = [
        _less(mean, theta, values - middle, raised[place][:, None] * np.column_stack([mean.parts, parts]))
        for mean, place, (values, parts) in zip(means, rows, (after, before), strict=True)
    ]
    adjusted = difference(*sides)
    removed = 1.0 - adjusted.variance / outcome.variance if outcome.variance > 0 else 0.0
    return Adjusted(sides[1], sides[0], adjusted, theta, removed)


def foreseen(arm: Arm) -> float:
    """Return the share of the variance of an arm's mean that its covariates would remove; 0 where they would not."""
    mean, (_, parts) = arm.mean(), arm.means_before()
    theta, raised = _theta(mean.parts, parts)
    left = raised * (mean.parts - parts @ theta)
    return max(0.0, 1.0 - float(left @ left) / mean.variance) if mean.variance > 0 else 0.0


def _theta(outcome: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Return θ, and by how much to raise what it leaves of each shopper's part.

    Shoppers whom θ was bent to fit are left with less than is true of others: 1 / (1 − h), h being the leverage, makes
    up for it, as the jackknife does (HC3; MacKinnon & White 1985). Covariates that others tell already, as the last of
    several kinds, get nothing.
    """
    with_none = np.zeros(known.shape[1]), np.ones(len(outcome))
    if not known.any():
        return with_none
    values, vectors = np.linalg.eigh(known.T @ known)
    kept = values > values.max() * SAME
    basis = known @ (vectors[:, kept] / np.sqrt(values[kept]))
    leverage = np.sum(basis**2, axis=1)
    if leverage.max() > MOST_LEVERAGE:
        return with_none
    theta: Floats = vectors[:, kept] @ ((basis.T @ outcome) / np.sqrt(values[kept]))
    return theta, (1.0 / (1.0 - leverage)).astype(np.float64)


def _less(mean: Influenced, theta: Floats, apart: Floats, parts: Floats) -> Influenced:
    """Return an arm's mean, less θ times how far its covariates are from the middle of both arms.

    `parts` (shoppers, 1 + covariates) are those of the mean and of its covariates. The middle is a constant that both
    arms share, so its own error cancels out of their difference and is left out.
    """
    left = parts[:, 0] - parts[:, 1:] @ theta
    return Influenced(mean.value - float(theta @ apart), mean.n, mean.clusters, left, mean.freedom)


def arm_of(run: Run, metric: str, arm: str, known: Sequence[str] = KNOWN) -> Arm:
    """Return a run's arm with one covariate a name of each label in `known`."""
    rows = matching(run, "visits", {"arm": arm}) & run.counted
    labels = [run.visits.labels(label).take(rows) for label in known]
    columns = [one.codes == code for one in labels for code in range(len(one.names))]
    before = np.column_stack(columns) if columns else np.zeros((int(rows.sum()), 0))
    if METRICS[metric].name == "cart_abandonment":
        before = before[run.visits.flags("carted")[rows]]
    found = sample(run, METRICS[metric], {"arm": arm})
    return Arm(found.values, before, found.clusters, found.weights)
