"""Return gaps with a heavy tail, in units of their mean: a Lomax (shifted Pareto) law cut off at a longest gap.

    P(Y > y) = ((1 + y/s)^−a − c) / (1 − c),   c = (1 + longest/s)^−a,   s such that E Y = 1

On log-log axes the share of gaps longer than y falls with slope −a between s and the cut. Slope −0.6 is that of
Montgomery & Faloutsos (Trends and Patterns of WWW Browsing Behavior, 2001: return times to a site, 30 months of
households in the United States), read here as the slope of that share; their abstract leaves open whether it is the
share's or the density's. Dezső et al. (arXiv physics/0505087) have 1.2 for the density, which is 0.2 here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_GAPS = 513
"""Quantiles in a table of first gaps, at even steps of probability."""
SHORTEST_LONGEST = 3.0
"""A longest gap below this many mean gaps leaves no tail: at 2 the law would be uniform."""


def _power_integral(exponent: float, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ∫₀ᶻ (1 + t)^−exponent dt, exact for exponent 1 too."""
    log = np.log1p(z)
    if abs(exponent - 1) < 1e-12:
        return log
    integral: NDArray[np.float64] = np.expm1((1 - exponent) * log) / (1 - exponent)
    return integral


def gap_scale(exponent: float, longest: float) -> float:
    """Return s, by root finding: the mean grows with s, from 0 to longest/2."""

    def excess(log_scale: float) -> float:
        scale = math.exp(log_scale)
        beyond = (1 + longest / scale) ** -exponent
        whole = scale * float(_power_integral(exponent, np.float64(longest / scale)))  # type: ignore[arg-type]
        return float((whole - beyond * longest) / (1 - beyond) - 1.0)

    return math.exp(float(brentq(excess, math.log(1e-12), math.log(1e6 * longest), xtol=1e-13)))


def gap_survival(exponent: float, longest: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of gaps longer than each `y`, in units of the mean gap."""
    scale = gap_scale(exponent, longest)
    beyond = (1 + longest / scale) ** -exponent
    share: NDArray[np.float64] = ((1 + np.clip(y, 0, longest) / scale) ** -exponent - beyond) / (1 - beyond)
    return share


def first_gap_share(exponent: float, longest: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of first gaps up to each `y`: those from an arbitrary moment to the next visit, ∫₀ʸ P(Y > t) dt.

    It is the equilibrium law of renewal theory (Cox 1962): with it the process is stationary, so that the expected
    number of visits by any moment is exactly the moment times the rate.
    """
    scale = gap_scale(exponent, longest)
    beyond = (1 + longest / scale) ** -exponent
    inside = np.clip(y, 0, longest)
    share: NDArray[np.float64] = (scale * _power_integral(exponent, inside / scale) - beyond * inside) / (1 - beyond)
    return share


def first_gap_quantiles(exponent: float, longest: float) -> NDArray[np.float64]:
    """Return first gaps at `FIRST_GAPS` even probabilities from 0 to 1."""
    scale = gap_scale(exponent, longest)
    fine = scale * np.expm1(np.linspace(0, math.log1p(longest / scale), 40_001))
    return np.interp(np.linspace(0, 1, FIRST_GAPS), first_gap_share(exponent, longest, fine), fine)
