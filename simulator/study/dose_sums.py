"""From exact sums over shoppers to estimates: means, paired differences and relative effects, with 95 % intervals.

Over shoppers g with sums y_g (treated) and x_g (control) over n_g visits, a mean is Σy/Σn, a difference Σ(y − x)/Σn and
a relative effect Σ(y − x)/Σx; each is a ratio of sums, whose variance is G/(G−1) · Σ(residuals)² / (denominator)²
(Cochran 1977, ratio estimators; clustered by shopper).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from simulator.analysis.estimates import NOTHING, TAIL, Estimate, wilson
from simulator.worlds.paired_sums import LIMB, UNITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.worlds.paired_sums import Tally

SHARES = frozenset({"bounce", "conversion", "left_done", "left_impatient", "left_put_off", "left_error", "left_budget"})
LEAST = {"pages": 1.0}
"""The smallest a metric can be, where that is not 0."""
REVENUE_SCALE = 1_000 / 100
"""From hundredths a visit to whole units for 1,000 visits."""


def packed(tally: Tally) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return a tally as (places, values) of what is not zero in each of its arrays: most of it is empty."""
    flat = [array.reshape(-1).view(np.int64) for array in tally]
    return [(places, values[places]) for values in flat for places in [np.flatnonzero(values)]]


def add_packed(tally: Tally, parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> None:
    """Add a packed tally to another of the same shape."""
    for array, (places, values) in zip(tally, parts, strict=True):
        array.reshape(-1).view(np.int64)[places] += values


class Moments:
    """The sums of one metric in one arm beside control, as whole numbers, and what follows from them.

    Products are counted in `unit`s of the metric's own (milliseconds of microseconds), `scale` turns its own unit into
    the one that is told (microseconds into seconds).
    """

    def __init__(self, row: list[int], control: list[int], counts: list[int], unit: int, scale: float) -> None:
        self.n, self.shoppers, *nn = counts
        self.nn = _whole(*nn)
        total, *limbs = row
        # In units: what the products are counted in.
        self.y, self.y0 = total / unit, control[0] / unit
        self.yy, self.yn, self.dd, self.dn, self.dy0, self.y0y0 = map(_whole, limbs[::2], limbs[1::2])
        self.scale = scale * unit

    def mean(self, name: str) -> Estimate:
        """Return the mean over visits; of a share with Wilson's interval at the effective sample size."""
        if self.n == 0:
            return NOTHING
        mean = self.y / self.n
        spread = max(self.yy - 2 * mean * self.yn + mean * mean * self.nn, 0.0)
        if name in SHARES:
            alone = self.n * mean * (1 - mean)
            low, high = wilson(mean, self.n / max(1.0, spread / alone if alone > 0 else 1.0))
            return Estimate(mean, self.n, low, high)
        half = self._half(spread, self.n)
        value, least = mean * self.scale, LEAST.get(name, 0.0)
        if half is None:
            return Estimate(value, self.n)
        return Estimate(value, self.n, max(least, value - half * self.scale), value + half * self.scale)

    def difference(self) -> Estimate:
        """Return treated less control, of the same visits."""
        if self.n == 0:
            return NOTHING
        mean = (self.y - self.y0) / self.n
        half = self._half(self.spread_of_difference, self.n)
        value = mean * self.scale
        if half is None:
            return Estimate(value, self.n)
        return Estimate(value, self.n, value - half * self.scale, value + half * self.scale)

    def relative(self) -> Estimate:
        """Return the difference as a share of control's mean; nothing where that is 0."""
        if self.n == 0 or self.y0 == 0:
            return Estimate(None, self.n)
        ratio = (self.y - self.y0) / self.y0
        half = self._half(max(self.dd - 2 * ratio * self.dy0 + ratio * ratio * self.y0y0, 0.0), self.y0)
        return Estimate(ratio, self.n) if half is None else Estimate(ratio, self.n, ratio - half, ratio + half)

    @property
    def spread_of_difference(self) -> float:
        """The sum of squared residuals of the difference, over shoppers."""
        mean = (self.y - self.y0) / self.n
        return max(self.dd - 2 * mean * self.dn + mean * mean * self.nn, 0.0)

    def spread(self) -> float:
        """Return the sum of squared residuals of the mean, over shoppers."""
        mean = self.y / self.n
        return max(self.yy - 2 * mean * self.yn + mean * mean * self.nn, 0.0)

    def _half(self, spread: float, denominator: float) -> float | None:
        """Return half of the interval, None from a single shopper."""
        if self.shoppers < 2:
            return None
        variance = self.shoppers / (self.shoppers - 1) * spread / denominator**2
        return _t_point(self.shoppers - 1) * math.sqrt(variance)


@cache
def _t_point(freedom: int) -> float:
    """Return the 97.5 % point of Student's t; thousands of groups ask for few of them."""
    return float(stdtrit(freedom, 1 - TAIL))


def _whole(high: int, low: int) -> int:
    return (high << LIMB) + low


def numbers(rows: NDArray[Any]) -> Any:  # noqa: ANN401 - nested as deep as the rows are
    """Return rows of PRODUCTS or COUNTS as nested lists of their whole numbers: records are slow to read one by one."""
    return np.ascontiguousarray(rows).view(np.int64).reshape(*rows.shape, rows.itemsize // 8).tolist()


def scale_of(name: str) -> float:
    """Return what turns a metric's own unit into the told one."""
    if name == "revenue_per_1000":
        return REVENUE_SCALE
    return 1e-6 if name.endswith("_time") or name == "landing_load" else 1.0


def unit_of(place: int) -> int:
    """Return what products of the metric at a place of METRICS are counted in."""
    return int(UNITS[place])


def variance_reduction(treated: Moments, control: Moments) -> float:
    """Return the variance of the difference of two groups of such shoppers over that of the same shoppers' difference.

    Infinite where the arms never differ; the groups are as large as the one.
    """
    if treated.n == 0:
        return math.inf
    paired = treated.spread_of_difference
    return (treated.spread() + control.spread()) / paired if paired > 0 else math.inf
