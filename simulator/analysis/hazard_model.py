"""The chance of leaving on each page, given how slow it was: a discrete-time hazard model with errors by shopper.

A row is a page; `ended` says whether the visit was over with it. Rows that are equal are counted, not repeated, so that
ten million pages cost hardly more than their few thousand distinct kinds (Prentice & Gloeckler 1978 for the model;
Liang & Zeger 1986 for its errors). Load times belong in it where they were assigned or are known for all pages; where
shoppers left before a page was there, use the assigned delay, or the slow pages are missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.special import expit, stdtr, stdtrit

from simulator.analysis.estimates import TAIL, Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.page_design import Design

    Floats = NDArray[np.float64]

Link = Literal["logit", "cloglog"]
ROUNDS = 50
CLOSE = 1e-10
"""The fit has settled when no coefficient moves by more than this, on columns of unit size."""
SMALL = 1e-12
NOT_TOLD = "kinds of pages cannot be told apart, or one of them always or never ends a visit"


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients (terms,) and their cluster-robust covariance (terms, terms); `clusters` counts the shoppers."""

    names: tuple[str, ...]
    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    clusters: int
    pages: int
    log_likelihood: float
    link: Link
    rounds: int

    def coefficient(self, name: str) -> Estimate:
        """Return one coefficient with its t interval."""
        return self.combination(np.eye(len(self.names))[self.names.index(name)])

    def combination(self, row: NDArray[np.float64]) -> Estimate:
        """Return the linear predictor of a row (terms,) with its t interval."""
        value, half = (
            float(row @ self.coefficients),
            self._point * math.sqrt(max(0.0, float(row @ self.covariance @ row))),
        )
        return Estimate(value, self.pages, value - half, value + half)

    def chance(self, row: NDArray[np.float64]) -> Estimate:
        """Return the chance of leaving on a page of this row (terms,), with its interval."""
        found = self.combination(row)
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        value, low, high = (float(_mean(np.array([eta]), self.link)[0]) for eta in (found.value, found.low, found.high))
        return Estimate(value, self.pages, low, high)

    def p(self, name: str) -> float:
        """Return the two-sided p of a coefficient's being 0."""
        place = self.names.index(name)
        size = abs(float(self.coefficients[place])) / math.sqrt(float(self.covariance[place, place]))
        return float(2 * stdtr(self.clusters - 1, -size))

    @property
    def _point(self) -> float:
        return float(stdtrit(self.clusters - 1, 1 - TAIL))


def fit_hazard(design: Design, ended: NDArray[np.bool_], clusters: NDArray[np.int64], link: Link = "logit") -> Fit:
    """Return the fit by iteratively reweighted least squares; `ended` and `clusters` are (pages,).

    The covariance is the sandwich of scores summed by shopper, raised by G/(G−1)·(n−1)/(n−terms) as statsmodels and
    Stata do. Raises `ArithmeticError` when it does not settle, as where some kind of page always or never ends a visit.
    """
    cells = len(design.matrix)
    seen = np.bincount(design.cells, minlength=cells).astype(np.float64)
    gone = np.bincount(design.cells, ended, cells).astype(np.float64)
    used = seen > 0
    # Columns of unit size: cubes of load times would cost the Cholesky factor its digits.
    scale = np.abs(design.matrix[used]).max(0)
    if (scale == 0).any():
        raise ArithmeticError(f"{design.names[int(np.argmin(scale))]} is 0 on every page")
    matrix = design.matrix / scale
    beta, rounds = coefficients_of(Counts(matrix[used], seen[used], gone[used]), link)
    mean = _mean(matrix @ beta, link)
    slope = _slope(matrix @ beta, mean, link)
    spread = np.maximum(mean * (1.0 - mean), SMALL)
    bread = _inverse(matrix.T @ ((seen * slope**2 / spread)[:, None] * matrix))
    score = (ended - mean[design.cells]) * (slope / spread)[design.cells]
    sums = _by_shopper(score, design.cells, clusters, cells) @ matrix
    groups, terms, pages = len(sums), matrix.shape[1], len(ended)
    if groups < 2:
        raise ArithmeticError("one shopper tells nothing about others")
    raised = groups / (groups - 1) * (pages - 1) / (pages - terms)
    covariance = raised * bread @ (sums.T @ sums) @ bread / np.outer(scale, scale)
    likelihood = float(gone @ np.log(np.maximum(mean, SMALL)) + (seen - gone) @ np.log(np.maximum(1 - mean, SMALL)))
    return Fit(design.names, beta / scale, covariance, groups, pages, likelihood, link, rounds)


class Counts(NamedTuple):
    """Distinct rows (cells, terms), the pages of each, and how many of those ended their visit; (cells,) both."""

    matrix: Floats
    seen: Floats
    gone: Floats


def coefficients_of(counts: Counts, link: Link) -> tuple[Floats, int]:
    """Return the coefficients of counted rows, and the rounds it took. Raises `ArithmeticError` as `fit_hazard`."""
    share = float(counts.gone.sum() / counts.seen.sum())
    if not 0 < share < 1:
        raise ArithmeticError("no page ended a visit" if share == 0 else "every page ended a visit")
    first = math.log(share / (1 - share)) if link == "logit" else math.log(-math.log1p(-share))
    beta = np.zeros(counts.matrix.shape[1])
    beta[0] = first / float(counts.matrix[0, 0])
    for rounds in range(1, ROUNDS + 1):
        step = _step(counts, beta, link)
        beta = beta + step
        if np.abs(step).max() < CLOSE * max(1.0, float(np.abs(beta).max())):
            return beta, rounds
    raise ArithmeticError(NOT_TOLD)


def _step(counts: Counts, beta: Floats, link: Link) -> Floats:
    """Return Fisher's scoring step."""
    matrix, seen, gone = counts
    predicted = matrix @ beta
    mean = _mean(predicted, link)
    slope, spread = _slope(predicted, mean, link), np.maximum(mean * (1.0 - mean), SMALL)
    score = matrix.T @ ((gone - seen * mean) * slope / spread)
    step: Floats = _inverse(matrix.T @ ((seen * slope**2 / spread)[:, None] * matrix)) @ score
    return step


def _mean(predicted: Floats, link: Link) -> Floats:
    found: Floats = expit(predicted) if link == "logit" else -np.expm1(-np.exp(np.minimum(predicted, 3.5)))
    return found


def _slope(predicted: Floats, mean: Floats, link: Link) -> Floats:
    """Return d mean / d predictor."""
    if link == "logit":
        return mean * (1.0 - mean)
    capped = np.minimum(predicted, 3.5)
    slope: Floats = np.exp(capped - np.exp(capped))
    return slope


def _inverse(information: Floats) -> Floats:
    try:
        inverse: Floats = cho_solve(cho_factor(information), np.eye(len(information)))
    except (LinAlgError, ValueError):
        raise ArithmeticError(NOT_TOLD) from None
    return inverse


def _by_shopper(score: Floats, cells: NDArray[np.int64], clusters: NDArray[np.int64], count: int) -> csr_array:
    """Return scores summed by shopper and cell, (shoppers, cells), without a sort where rows stand by shopper."""
    if np.any(clusters[1:] < clusters[:-1]):
        order = np.argsort(clusters, kind="stable")
        score, cells, clusters = score[order], cells[order], clusters[order]
    starts = np.flatnonzero(np.append(True, clusters[1:] != clusters[:-1]))
    return csr_array((score, cells, np.append(starts, len(score))), shape=(len(starts), count))
