"""What a slow page does after it has loaded, from delays dealt at random: put off, remembered, looked at longer.

A page's natural load time is its load time without the delay. It stands in every regression, so that what is left to a
coefficient is what chance dealt: whoever has slow pages anyway may be another kind of person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from simulator.analysis.estimates import Z95
from simulator.fit.rum_patience import errors_of
from simulator.model.behaviour import base_shopper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.rum_views import Views

    Values = NDArray[np.float64]

PLACES = 6
"""Pages of a session from the second on that have a chance of going on of their own."""
ENOUGH = 500
"""Views that loaded, below which nothing is fitted."""


class After(NamedTuple):
    """A coefficient with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


def varies_within(views: Views) -> bool:
    """Return whether a session's pages got different delays, so that the order of waits varies."""
    delay = np.nan_to_num(views.delay_s)
    same = np.append(False, np.diff(views.session) == 0)
    return bool((np.append(0.0, np.diff(delay))[same] != 0).mean() > 0.05) if same.any() else False


def natural_s(views: Views) -> Values:
    """Return load times without the delay."""
    return np.maximum(views.load_s - np.nan_to_num(views.delay_s), 0.0)


def fit_put_off(views: Views) -> dict[str, After] | None:
    """Return `per_log_load`, and `memory` where delays vary within sessions; None for too few views.

    ln P(a further page) = a_k + c·felt(natural) − b·(felt − felt(natural)) − m·(M − M(natural)) for the k-th page of a
    session, felt = ln(1 + load/τ), by maximum likelihood. Later pages have more behind them that can be remembered, and
    are other pages, hence a_k. Without delays that vary within a session only landing pages count: who is still there
    later differs between arms.
    """
    tau_s, decay = base_shopper().put_off.tau, base_shopper().put_off.memory_decay
    felt, plain = np.log1p(np.nan_to_num(views.load_s) / tau_s), np.log1p(np.nan_to_num(natural_s(views)) / tau_s)
    memory = _memory(felt - plain, views.session, decay)
    rows, within = ~np.isnan(views.load_s), varies_within(views)
    if not within:
        rows &= views.first()
    if int(rows.sum()) < ENOUGH or np.ptp((felt - plain)[rows]) == 0:
        return None
    columns = [-(felt - plain), *([-memory, *_places(views)] if within else []), plain]
    found = _log_binomial(np.stack([np.ones(len(felt)), *columns], axis=1)[rows], ~views.last()[rows])
    return {"per_log_load": found[1]} | ({"memory": found[2]} if within else {})


def fit_dwell(views: Views) -> After | None:
    """Return the seconds that a page is looked at longer for each second of delay; None where times are not known.

    Least squares over pages that were followed by another, with the natural load beside, and errors that do not ask for
    equal variances (White 1980).
    """
    rows = ~np.isnan(views.load_s) & ~views.last() & ~np.isnan(views.delay_s)
    looked = np.append(np.diff(views.at_s), np.nan) - views.load_s
    rows &= ~np.isnan(looked) & (np.nan_to_num(looked) >= 0)
    if int(rows.sum()) < ENOUGH or np.ptp(views.delay_s[rows]) == 0:
        return None
    design = np.stack([np.ones(int(rows.sum())), natural_s(views)[rows], views.delay_s[rows]], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ looked[rows]
    scores = design * (looked[rows] - design @ beta)[:, None]
    error = float(np.sqrt((inverse @ scores.T @ scores @ inverse)[2, 2]))
    return After(float(beta[2]), float(beta[2]) - Z95 * error, float(beta[2]) + Z95 * error, int(rows.sum()))


def fit_total(views: Views) -> After | None:
    """Return the hazard a second of delay by which landing pages lose the next page, whenever in the wait it is lost.

    For data that does not say when people left. ln P(a further page) = a + ln S(delay), with the base's frailty.
    """
    rows = views.first() & ~np.isnan(views.delay_s)
    delay = views.delay_s[rows]
    if int(rows.sum()) < ENOUGH or np.ptp(delay) == 0:
        return None
    theta, on = base_shopper().patience.frailty_variance, ~views.last()[rows]

    def loss(at: Values) -> float:
        logs = np.minimum(at[0] - np.log1p(theta * np.exp(at[1]) * delay) / theta, -1e-9)
        return -float(np.where(on, logs, np.log(-np.expm1(logs))).sum())

    start = np.array([np.log(on.mean()), np.log(0.01)])
    best = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-6, "maxiter": 2_000}).x
    error = float(errors_of(loss, best)[1])
    level, low, high = np.exp([best[1], best[1] - Z95 * error, best[1] + Z95 * error]).tolist()
    return After(level, low, high, len(delay))


def _memory(felt: Values, session: NDArray[np.int64], decay: float) -> Values:
    """Return what is remembered of the waits before each page: M ← decay · M + felt, from 0 at a session's begin."""
    memory = np.zeros(len(felt))
    place = _place(session)
    for number in range(1, int(place.max(initial=0)) + 1):
        rows = np.flatnonzero(place == number)
        memory[rows] = decay * memory[rows - 1] + felt[rows - 1]
    return memory


def _places(views: Views) -> list[Values]:
    """Return 1 for the second, third … page of a session, the last column standing for all that follow."""
    place = _place(views.session)
    return [(place == k).astype(np.float64) for k in range(1, PLACES)] + [(place >= PLACES).astype(np.float64)]


def _place(session: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many views of its session stand before each."""
    begins = np.flatnonzero(np.append(True, np.diff(session) != 0))
    return np.arange(len(session)) - np.repeat(begins, np.diff(begins, append=len(session)))


def _log_binomial(design: Values, on: NDArray[np.bool_]) -> list[After]:
    """Return the coefficients of ln P(on) = design · β by maximum likelihood, with their 95 % intervals."""

    def loss(beta: Values) -> float:
        logs = np.minimum(design @ beta, -1e-9)
        return -float(np.where(on, logs, np.log(-np.expm1(logs))).sum())

    def slope(beta: Values) -> Values:
        logs = np.minimum(design @ beta, -1e-9)
        weights = np.where(on, 1.0, -np.exp(logs) / -np.expm1(logs))
        return np.asarray(-(design * weights[:, None]).sum(axis=0))

    start = np.zeros(design.shape[1])
    start[0] = np.log(on.mean())
    best = minimize(loss, start, jac=slope, method="L-BFGS-B").x
    logs = np.minimum(design @ best, -1e-9)
    odds = np.exp(logs) / -np.expm1(logs)
    errors = np.sqrt(np.diag(np.linalg.inv((design * odds[:, None]).T @ design)))
    return [After(float(b), float(b - Z95 * e), float(b + Z95 * e), len(on)) for b, e in zip(best, errors, strict=True)]
