"""Think times: log-normal or Weibull by maximum likelihood, whichever explains them better, with how well it fits.

The last page of a visit has no next tap, so its think time is not in the log. Shoppers decide to leave whatever the
time they looked, so leaving those pages out does not bend the distribution (a time budget does; see `leaving`). Times
that pile up at a smallest value were cut there, and the longest ones count as "at least so long": both are censored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import optimize, special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BINS = 2_000
"""Logarithms of times are counted in so many bins: their width is far below the sampling error."""
ATOM_SHARE = 5e-4
"""A share of equal times at an end that says they were cut there; a smooth distribution has none."""
TAIL = 0.02
"""The largest times count as "at least so long" only: a pause for something else must not bend the fit."""
CLIP = 0.999
"""The share of times that a persona's clip lets through above the smallest."""
LEAST = 30
"""Fewer times give no distribution of their own."""
Kind = Literal["lognormal", "weibull"]


@dataclass(frozen=True, slots=True)
class Think:
    """A fitted think time in seconds. `a`, `b`: (ln median, sigma) of a log-normal or (shape, scale) of a Weibull.

    `ks` is the largest distance between the fitted and the found distribution function; `aic_lead` how much worse the
    other kind is by Akaike's criterion.
    """

    dist: Kind
    a: float
    b: float
    low_s: float
    high_s: float
    n: float
    ks: float
    aic_lead: float

    @property
    def median_s(self) -> float:
        """The median, as the kernel would draw it."""
        raw = math.exp(self.a) if self.dist == "lognormal" else self.b * math.log(2) ** (1 / self.a)
        return min(max(raw, self.low_s), self.high_s)

    def quantiles_s(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the times below which shares of draws lie."""
        if self.dist == "lognormal":
            raw = np.exp(self.a + self.b * special.ndtri(shares))
        else:
            raw = self.b * (-np.log1p(-shares)) ** (1 / self.a)
        return np.clip(raw, self.low_s, self.high_s)


def stands_apart(edge: Think, state: Think) -> bool:
    """Return whether the times of an edge are others than those of its whole state, by Kolmogorov and Smirnov at 1 %.

    The distance is the one between the two fitted distributions. That the state's times hold the edge's makes the test
    careful.
    """
    grid = (np.arange(1_000) + 0.5) / 1_000
    times_s = edge.quantiles_s(grid)
    # Between the clips: at one, the distribution function jumps, and says nothing of where.
    inside = (times_s > max(edge.low_s, state.low_s)) & (times_s < min(edge.high_s, state.high_s))
    below = np.interp(times_s[inside], state.quantiles_s(grid), grid)
    critical = special.kolmogi(0.01) * math.sqrt(1 / edge.n + 1 / state.n)
    return bool(np.abs(below - grid[inside]).max(initial=0.0) > critical)


class Binned(NamedTuple):
    """Weighted logarithms of times: mean and weight of each bin, and the weights cut at both ends."""

    at: NDArray[np.float64]
    weight: NDArray[np.float64]
    low: float
    high: float
    cut_low: float
    cut_high: float

    @property
    def total(self) -> float:
        """All weight."""
        return float(self.weight.sum() + self.cut_low + self.cut_high)


def fit_think(times_s: NDArray[np.float64], weights: NDArray[np.float64]) -> Think | None:
    """Return the better of the two distributions for positive weighted times; nothing for fewer than `LEAST`."""
    total = float(weights.sum())
    if total < LEAST or len(times_s) < LEAST:
        return None
    data, low = _binned(np.log(times_s), weights)
    if len(data.at) < 3:
        return None
    fits: dict[Kind, tuple[float, NDArray[np.float64]]] = {
        "lognormal": _best(data, _lognormal, _lognormal_start(data)),
        "weibull": _best(data, _weibull, _weibull_start(data)),
    }
    dist: Kind = min(fits, key=lambda kind: fits[kind][0])
    (best, found), other = fits[dist], max(cost for cost, _ in fits.values())
    a, b = (found[0], math.exp(found[1])) if dist == "lognormal" else (math.exp(found[0]), math.exp(found[1]))
    low_s, high_s = math.exp(low), _longest(times_s, weights)
    return Think(dist, float(a), float(b), low_s, high_s, total, _distance(data, dist, found), 2 * (other - best))


def _longest(times_s: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(times_s)
    below = np.cumsum(weights[order])
    return float(times_s[order[min(int(np.searchsorted(below, CLIP * below[-1])), len(order) - 1)]])


def _atom(logs: NDArray[np.float64], weights: NDArray[np.float64], total: float) -> float | None:
    """Return the value in the lower fifth at which times pile up as nowhere near it; whole seconds do not count."""
    below = logs <= np.quantile(logs, 0.2)
    values, place, counts = np.unique(logs[below], return_inverse=True, return_counts=True)
    held = np.bincount(place, weights[below])
    heavy = int(np.argmax(held))
    others = np.delete(counts, heavy)
    if counts[heavy] < 5 or held[heavy] < ATOM_SHARE * total or (len(others) and counts[heavy] < 5 * others.max()):
        return None
    return float(values[heavy])


def _binned(logs: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[Binned, float]:
    """Return binned logarithms and the smallest value; what lies at an atom, or in the longest `TAIL`, is censored."""
    total = float(weights.sum())
    order = np.argsort(logs)
    atom = _atom(logs, weights, total)
    low = float(logs[order[0]]) if atom is None else atom
    high = float(logs[order[min(int(np.searchsorted(np.cumsum(weights[order]), (1 - TAIL) * total)), len(order) - 1)]])
    at_low, at_high = (logs <= low) & (atom is not None), logs >= high
    inside = ~at_low & ~at_high
    place = np.clip(((logs[inside] - low) / max(high - low, 1e-9) * BINS).astype(np.int64), 0, BINS - 1)
    weight = np.bincount(place, weights[inside], BINS).astype(np.float64)
    sums = np.bincount(place, weights[inside] * logs[inside], BINS)
    used = weight > 0
    cut_low, cut_high = float(weights[at_low].sum()), float(weights[at_high & ~at_low].sum())
    return Binned(sums[used] / weight[used], weight[used], low, high, cut_low, cut_high), low


def _best(
    data: Binned, cost: Callable[[NDArray[np.float64], Binned], float], start: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    found = optimize.minimize(cost, start, (data,), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-4})
    return float(found.fun), np.asarray(found.x, np.float64)


def _lognormal_start(data: Binned) -> NDArray[np.float64]:
    mean = float(np.average(data.at, weights=data.weight))
    return np.array(
        [mean, math.log(max(math.sqrt(float(np.average((data.at - mean) ** 2, weights=data.weight))), 1e-3))]
    )


def _weibull_start(data: Binned) -> NDArray[np.float64]:
    # The logarithm of a Weibull has the deviation π/√6/shape and the mean ln(scale) − 0.5772/shape.
    mean, log_sigma = _lognormal_start(data)
    shape = math.pi / math.sqrt(6) / math.exp(log_sigma)
    return np.array([math.log(shape), mean + 0.5772156649 / shape])


def _lognormal(parameters: NDArray[np.float64], data: Binned) -> float:
    """Return the negative log-likelihood of ln t for (ln median, ln sigma)."""
    sigma = math.exp(min(max(parameters[1], -20.0), 20.0))
    z = (data.at - parameters[0]) / sigma
    cost = float(data.weight @ (0.5 * z**2)) + data.weight.sum() * (math.log(sigma) + 0.9189385332046727)
    cost -= data.cut_low * float(special.log_ndtr((data.low - parameters[0]) / sigma))
    return float(cost - data.cut_high * float(special.log_ndtr(-(data.high - parameters[0]) / sigma)))


def _weibull(parameters: NDArray[np.float64], data: Binned) -> float:
    """Return the negative log-likelihood of ln t for (ln shape, ln scale)."""
    shape = math.exp(min(max(parameters[0], -20.0), 20.0))
    scaled = np.minimum(shape * (data.at - parameters[1]), 700.0)
    cost = -float(data.weight @ (scaled - np.exp(scaled))) - data.weight.sum() * math.log(shape)
    low, high = (math.exp(min(shape * (end - parameters[1]), 700.0)) for end in (data.low, data.high))
    cost -= data.cut_low * math.log(max(-math.expm1(-low), 1e-300))
    return float(cost + data.cut_high * high)


def _distance(data: Binned, dist: Kind, found: NDArray[np.float64]) -> float:
    """Return the Kolmogorov-Smirnov distance between the ends."""
    after = (data.cut_low + np.cumsum(data.weight)) / data.total
    before = after - data.weight / data.total
    if dist == "lognormal":
        theory = special.ndtr((data.at - found[0]) / math.exp(found[1]))
    else:
        theory = -np.expm1(-np.exp(math.exp(found[0]) * (data.at - found[1])))
    # The middle of a bin: what stands inside one bin is not told apart.
    return float(np.abs((before + after) / 2 - theory).max())
