"""How long people wait, from when those left who did not: censored survival with a shared gamma frailty.

Who saw the page is censored at its load time (Kaplan and Meier's setting); the hazard is the kernel's own, with frailty
Z shared by all waits of a person. With d of a person's waits given up and Λ their summed cumulative hazards, Z
integrates out (Hougaard 2000, chapter 7) to

    Σ d·ln λ + lnΓ(1/θ + d) − lnΓ(1/θ) + d·ln θ − (1/θ + d)·ln(1 + θΛ)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from simulator.analysis.estimates import Z95
from simulator.model.behaviour import base_shopper

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulator.fit.rum_views import Views

ENOUGH = 200
"""Waits given up, below which only the level is fitted."""
ENOUGH_LEVEL = 20
"""Waits given up, below which nothing is."""
ENOUGH_SIDE = 30
"""Waits given up before and after first paint, below which what a first paint does is not fitted."""
REPEATED = 0.2
"""Share of people with two waits or more, below which frailty is not fitted."""
DELAYS = 4
"""Different delays, below which the shape is not fitted."""
SHORTEST_S = 1e-3


class Free(NamedTuple):
    """Which of the forms are fitted; others keep the base shopper's value."""

    shape: bool
    frailty: bool
    feedback: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """Fitted values with 95 % intervals, by name; a name that was not fitted has its value alone in both bounds."""

    values: dict[str, tuple[float, float, float]]
    given_up: int
    waits: int
    free: Free


def paints_known(views: Views) -> bool:
    """Return whether first paints are told of most pages; if not, the level is of whole waits, softened by nothing."""
    return bool((~np.isnan(views.fcp_s)).mean() > 0.5)


def free_forms(views: Views) -> Free:
    """Return what can be told apart, from what is in the data (see the table of docs/behaviour.md)."""
    up = ~np.isnan(views.left_s)
    enough = int(up.sum()) >= ENOUGH
    delays = len(np.unique(views.delay_s[~np.isnan(views.delay_s)]))
    waits = np.unique(views.user, return_counts=True)[1]
    painted = up & (views.fcp_s < views.left_s)
    blind = up & (np.isnan(views.fcp_s) | (views.fcp_s >= views.left_s))
    sides = min(int(painted.sum()), int(blind.sum())) >= ENOUGH_SIDE
    return Free(
        enough and delays >= DELAYS,
        enough and float((waits > 1).mean()) >= REPEATED,
        enough and paints_known(views) and sides,
    )


def fit_patience(views: Views) -> Patience | None:
    """Return the fit; None where too few gave up waiting to say anything."""
    up = ~np.isnan(views.left_s)
    if int(up.sum()) < ENOUGH_LEVEL:
        return None
    free, base = free_forms(views), base_shopper().patience
    fixed = {"shape": base.shape, "frailty_variance": base.frailty_variance, "feedback": base.feedback}
    names = ["hazard_per_s", *(name for name, is_free in zip(fixed, free, strict=True) if is_free)]
    waits = _Waits.of(views)
    start = np.log([max(up.sum() / waits.wait_s.sum(), 1e-6), *(max(fixed[name], 0.05) for name in names[1:])])

    def loss(logs: NDArray[np.float64]) -> float:
        given = fixed | dict(zip(names, np.exp(logs).tolist(), strict=True))
        return -waits.log_likelihood(**given)

    bounds = [(np.log(1e-7), np.log(10.0)), *(LIMITS[name] for name in names[1:])]
    best = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    errors = errors_of(loss, best)
    fitted = {
        name: (float(np.exp(x)), float(np.exp(x - Z95 * e)), float(np.exp(x + Z95 * e)))
        for name, x, e in zip(names, best, errors, strict=True)
    }
    values = {name: (value, value, value) for name, value in fixed.items()} | fitted
    return Patience(values, int(up.sum()), len(up), free)


LIMITS = {
    "shape": (float(np.log(0.2)), float(np.log(8.0))),
    "frailty_variance": (float(np.log(1e-3)), float(np.log(20.0))),
    "feedback": (float(np.log(1e-3)), 0.0),
}
"""Where each form is looked for, as logarithms."""


class _Waits(NamedTuple):
    """Waits by person: how long, whether given up, how much of it before something was to be seen."""

    wait_s: NDArray[np.float64]
    blind_s: NDArray[np.float64]
    up: NDArray[np.bool_]
    person: NDArray[np.int64]
    ups: NDArray[np.float64]
    """How many waits each person gave up."""

    @classmethod
    def of(cls, views: Views) -> _Waits:
        up = ~np.isnan(views.left_s)
        wait_s = np.maximum(np.where(up, views.left_s, views.load_s), SHORTEST_S)
        # Nothing painted is nothing seen; a paint of which nothing is told of a page that loaded came with it.
        fcp_s = views.fcp_s if paints_known(views) else np.full(len(up), np.nan)
        blind_s = np.minimum(np.where(np.isnan(fcp_s), wait_s, fcp_s), wait_s)
        person = np.unique(views.user, return_inverse=True)[1]
        return cls(wait_s, blind_s, up, person, np.bincount(person, up).astype(np.float64))

    def log_likelihood(self, hazard_per_s: float, shape: float, frailty_variance: float, feedback: float) -> float:
        """Return the logarithm of the likelihood of what everybody did."""
        blind, whole = self.blind_s**shape, self.wait_s**shape
        sums = np.bincount(self.person, hazard_per_s * (blind + feedback * (whole - blind)))
        when = self.wait_s[self.up]
        seen = np.where(self.blind_s[self.up] < when, feedback, 1.0)
        total = float(np.log(hazard_per_s * shape * seen * when ** (shape - 1)).sum())
        if frailty_variance <= 0:
            return total - float(sums.sum())
        inverse, theta = 1 / frailty_variance, frailty_variance
        shared = gammaln(inverse + self.ups) - gammaln(inverse) + self.ups * np.log(theta)
        return total + float((shared - (inverse + self.ups) * np.log1p(theta * sums)).sum())


def errors_of(
    loss: Callable[[NDArray[np.float64]], float], at: NDArray[np.float64], step: float = 1e-3
) -> NDArray[np.float64]:
    """Return standard errors from the curvature of a loss at its minimum; infinite where it is flat."""
    n = len(at)
    hessian, unit = np.zeros((n, n)), np.eye(n) * step
    for i in range(n):
        for j in range(i, n):
            corners = [loss(at + a * unit[i] + b * unit[j]) for a in (1, -1) for b in (1, -1)]
            hessian[i, j] = hessian[j, i] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step * step)
    try:
        variances = np.diag(np.linalg.inv(hessian))
    except np.linalg.LinAlgError:
        return np.full(n, np.inf)
    return np.where(variances > 0, np.sqrt(np.maximum(variances, 0)), np.inf)
