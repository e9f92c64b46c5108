"""The chance of leaving on each page, given how slow it was: a discrete-time hazard model with errors by shopper.

A row is a page; `ended` says whether the visit was over with it. Rows that are equal are counted, not repeated, so that
ten million pages cost hardly more than their few thousand distinct kinds (Prentice & Gloeckler 1978 for the model;
Liang & Zeger 1986 for its errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate

Link = Literal["logit", "cloglog"]


@dataclass(frozen=True, slots=True)
class Design:
    """Distinct rows, and which of them each page is.

    `matrix` is (cells, terms) with a term a name in `names`, the first being `intercept`; `cells` (pages,) the row of
    each page. `knots_s` are those of the spline of load time, `levels` the page numbers at which bands begin.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    cells: NDArray[np.int64]
    knots_s: tuple[float, ...] = ()
    levels: tuple[int, ...] = ()


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
        """Return one coefficient with its interval."""
        raise NotImplementedError

    def p(self, name: str) -> float:
        """Return the two-sided p of a coefficient's being 0."""
        raise NotImplementedError


def page_design(
    page_number: NDArray[np.int64], load_s: NDArray[np.float64], *, knots: int = 1, step_s: float = 0.1
) -> Design:
    """Return the design of page number (in bands) and load time in seconds.

    With `knots` 1 load time is one straight term `load_s`; with 3 or more it is a restricted cubic spline (Harrell
    2015, section 2.4) with knots at fixed quantiles. Load times are rounded to `step_s`, so that rows are few.
    """
    raise NotImplementedError


def fit_hazard(design: Design, ended: NDArray[np.bool_], clusters: NDArray[np.int64], link: Link = "logit") -> Fit:
    """Return the fit by iteratively reweighted least squares.

    Raises `ArithmeticError` when it does not settle, as where some kind of page always or never ends a visit.
    """
    raise NotImplementedError


def hazard_curve(fit: Fit, design: Design, load_s: NDArray[np.float64], page_number: int = 1) -> list[Estimate]:
    """Return the chance of leaving at each load time on one page of the visit, with pointwise intervals."""
    raise NotImplementedError
