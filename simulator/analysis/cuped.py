"""CUPED: sharper comparisons by what was known before the experiment (Deng, Xu, Kohavi & Walker 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.influence import Influenced, combined, difference, mean_of
from simulator.analysis.metrics import METRICS, matching, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

    Floats = NDArray[np.float64]

KNOWN = ("persona", "tier", "network", "situation")
"""What a run knows of a visit before its first page is slowed: labels of visits, which become covariates."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Outcomes of one arm: `values` (n,), and what was known before the treatment, `before` (n, covariates).

    `clusters` (n,) are the shoppers; `weights` (n,) what each visit counts, or None.
    """

    values: NDArray[np.float64]
    before: NDArray[np.float64]
    clusters: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None

    def mean(self) -> Influenced:
        """Return the mean outcome."""
        return mean_of(self.values, self.clusters, self.weights)

    def means_before(self) -> list[Influenced]:
        """Return the mean of each covariate."""
        return [mean_of(column, self.clusters, self.weights) for column in self.before.T]


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
    outcome = difference(treated.mean(), control.mean())
    pairs = list(zip(treated.means_before(), control.means_before(), strict=True))
    known = [difference(*pair) for pair in pairs]
    theta = _theta(outcome, known)
    sides = [_less(arm.mean(), theta, pairs, side) for side, arm in enumerate((treated, control))]
    adjusted = difference(sides[0], sides[1])
    removed = 1.0 - adjusted.variance / outcome.variance if outcome.variance > 0 else 0.0
    return Adjusted(sides[1], sides[0], adjusted, theta, removed)


def _theta(outcome: Influenced, known: Sequence[Influenced]) -> Floats:
    if not known:
        return np.zeros(0)
    parts = np.column_stack([one.parts for one in known])
    # Covariates that others tell already, as the last of several kinds, get nothing: the least squares of least norm.
    return np.linalg.lstsq(parts, outcome.parts, rcond=1e-9)[0].astype(np.float64)


def foreseen(arm: Arm) -> float:
    """Return the share of the variance of an arm's mean that its covariates would remove."""
    mean = arm.mean()
    known = arm.means_before()
    if mean.variance == 0 or not known:
        return 0.0
    left = mean.parts - np.column_stack([one.parts for one in known]) @ _theta(mean, known)
    return 1.0 - float(left @ left) / mean.variance


def _less(mean: Influenced, theta: Floats, pairs: Sequence[tuple[Influenced, Influenced]], side: int) -> Influenced:
    """Return an arm's mean, less θ times how far its covariates are from the middle of both arms.

    The middle is a constant that both arms share, so its own error cancels out of their difference and is left out.
    """

    def less(found: Influenced, term: tuple[float, tuple[Influenced, Influenced]]) -> Influenced:
        slope, pair = term
        middle = (pair[0].value + pair[1].value) / 2
        return combined(found.value - slope * (pair[side].value - middle), ((1.0, found), (-slope, pair[side])))

    adjusted = reduce(less, zip(theta.tolist(), pairs, strict=True), mean)
    return Influenced(adjusted.value, mean.n, adjusted.clusters, adjusted.parts, mean.freedom)


def arm_of(run: Run, metric: str, arm: str, known: Sequence[str] = KNOWN) -> Arm:
    """Return a run's arm with one covariate a name of each label in `known`."""
    rows = matching(run, "visits", {"arm": arm}) & run.counted
    labels = [run.visits.labels(label).take(rows) for label in known]
    columns = [one.codes == code for one in labels for code in range(len(one.names))]
    before = np.column_stack(columns).astype(np.float64) if columns else np.zeros((int(rows.sum()), 0))
    if METRICS[metric].name == "cart_abandonment":
        before = before[run.visits.flags("carted")[rows]]
    found = sample(run, METRICS[metric], {"arm": arm})
    return Arm(found.values, before, found.clusters, found.weights)
