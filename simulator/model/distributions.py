"""Random quantities by meaning (median, p90, mean), each invertible: one uniform gives one value.

A distribution compiles to a row of five numbers `(kind, a, b, low, high)` for the kernel. Gamma and beta have no
cheap inverse; they compile to a table of log-quantiles over an even grid of normal scores, interpolated linearly
(the error against scipy's exact quantile is a test).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import stats

from simulator.model.compiled import compiled, record_dtype
from simulator.model.units import parse_duration_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE, CONSTANT, UNIFORM, EXPONENTIAL, LOGNORMAL, WEIBULL, TABLE = range(7)
MOST_TABLES = 256
MOST_EDGES = 8_192
DIST = record_dtype([("kind", "i8"), ("a", "f8"), ("b", "f8"), ("low", "f8"), ("high", "f8")])
"""A compiled distribution; what `a` and `b` mean depends on `kind`."""
TABLES = record_dtype(
    [("used", "i8"), ("rows", "f8", (MOST_TABLES, 769)), ("used_edges", "i8"), ("edges", DIST, (MOST_EDGES,))]
)
"""All log-quantile tables of a compiled model, and the think times of edges. One record and no array: compiled code
counts references to arrays, and counting them at each draw took a quarter of the kernel's time."""
Z90 = 1.2815515655446004
"""The standard normal's 90 % point."""
TABLE_SCORES = np.linspace(-6.0, 6.0, 769)
"""Normal scores at which tables hold log-quantiles."""


class Distribution(BaseModel):
    """What every distribution has: an optional clip and its evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    clip: Annotated[tuple[Any, Any] | None, Field(description="smallest and largest value")] = None
    evidence: str | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Distribution:
        low, high = self.bounds()
        if not low <= high:
            raise ValueError("clip must be two values, the smaller first")
        if not all(map(math.isfinite, self.parameters())):
            raise ValueError("must not be infinite; only a clip may")
        return self

    def bounds(self) -> tuple[float, float]:
        """Return the clip as numbers, infinite where there is none."""
        if self.clip is None:
            return -math.inf, math.inf
        low, high = (_number(value) for value in self.clip)
        return low, high

    def parameters(self) -> tuple[int, float, float]:
        """Return the kernel's (kind, a, b)."""
        raise NotImplementedError

    def exact(self) -> Any:  # noqa: ANN401 - scipy's frozen distributions have no common public type
        """Return scipy's frozen distribution, before clipping."""
        raise NotImplementedError

    def quantile(self, share: float) -> float:
        """Return the value below which `share` of draws lie."""
        return _quantile(self, share)

    def least(self) -> float:
        """Return the smallest value; before the clip that is 0 of every kind that says nothing else."""
        return float(np.clip(0.0, *self.bounds()))

    def mean(self) -> float:
        """Return the mean of the clipped distribution, low + ∫ P(X > x) dx over the clip."""
        low, high = self.bounds()
        if self.clip is None:
            return float(self.exact().mean())
        grid = (np.arange(200_000) + 0.5) / 200_000
        return float(np.clip(self.exact().ppf(grid), low, high).mean())


class Constant(Distribution):
    """Always the same value."""

    dist: Literal["constant"]
    value: Annotated[Any, Field(description="a number, or a duration with its unit")]

    def parameters(self) -> tuple[int, float, float]:
        """Return (CONSTANT, value, 0)."""
        return CONSTANT, _number(self.value), 0.0

    def exact(self) -> Any:  # noqa: ANN401 - see Distribution
        """Return a uniform of no width."""
        return stats.uniform(_number(self.value), 0.0)

    def least(self) -> float:
        """Return the value, clipped."""
        return self.mean()

    def quantile(self, share: float) -> float:
        """Return the value."""
        return self.mean() + 0.0 * share

    def mean(self) -> float:
        """Return the value, clipped."""
        return float(np.clip(_number(self.value), *self.bounds()))


class Uniform(Distribution):
    """Every value from `low` to `high` alike."""

    dist: Literal["uniform"]
    low: Any
    high: Any

    def parameters(self) -> tuple[int, float, float]:
        """Return (UNIFORM, low, high)."""
        low, high = _number(self.low), _number(self.high)
        if not low <= high:
            raise ValueError("low must not be above high")
        return UNIFORM, low, high

    def exact(self) -> Any:  # noqa: ANN401 - see Distribution
        """Return scipy's uniform."""
        low, high = _number(self.low), _number(self.high)
        return stats.uniform(low, high - low)

    def least(self) -> float:
        """Return `low`, clipped."""
        return float(np.clip(_number(self.low), *self.bounds()))


class Exponential(Distribution):
    """Memoryless, by its mean."""

    dist: Literal["exponential"]
    mean_: Annotated[Any, Field(alias="mean")]

    def parameters(self) -> tuple[int, float, float]:
        """Return (EXPONENTIAL, mean, 0)."""
        return EXPONENTIAL, _positive(self.mean_, "mean"), 0.0

    def exact(self) -> Any:  # noqa: ANN401 - see Distribution
        """Return scipy's exponential."""
        return stats.expon(scale=_number(self.mean_))


class Lognormal(Distribution):
    """Log-normal by `median` and either `p90` or `sigma` (of the logarithm)."""

    dist: Literal["lognormal"]
    median: Any
    p90: Any = None
    sigma: float | None = Field(default=None, ge=0)

    def parameters(self) -> tuple[int, float, float]:
        """Return (LOGNORMAL, ln median, sigma)."""
        return LOGNORMAL, math.log(_positive(self.median, "median")), self._sigma()

    def _sigma(self) -> float:
        if (self.p90 is None) == (self.sigma is None):
            raise ValueError("needs either p90 or sigma beside the median")
        if self.sigma is not None:
            return self.sigma
        ratio = _positive(self.p90, "p90") / _positive(self.median, "median")
        if ratio < 1:
            raise ValueError("p90 must not be below the median")
        return math.log(ratio) / Z90

    def exact(self) -> Any:  # noqa: ANN401 - see Distribution
        """Return scipy's log-normal."""
        return stats.lognorm(self._sigma(), scale=_number(self.median))


class Weibull(Distribution):
    """Weibull by `shape` and either `median` or `scale`; shape < 1 is negative ageing."""

    dist: Literal["weibull"]
    shape: float = Field(gt=0)
    median: Any = None
    scale: Any = None

    def parameters(self) -> tuple[int, float, float]:
        """Return (WEIBULL, shape, scale)."""
        if (self.median is None) == (self.scale is None):
            raise ValueError("needs either median or scale beside the shape")
        if self.scale is not None:
            return WEIBULL, self.shape, _positive(self.scale, "scale")
        return WEIBULL, self.shape, _positive(self.median, "median") / math.log(2) ** (1 / self.shape)

    def exact(self) -> Any:  # noqa: ANN401 - see Distribution
        """Return scipy's Weibull."""
        _, shape, scale = self.parameters()
        return stats.weibull_min(shape, scale=scale)


class Gamma(Distribution):
    """Gamma by `mean` and `cv`, the coefficient of variation."""

    dist: Literal["gamma"]
    mean_: Annotated[Any, Field(alias="mean")]
    cv: float = Field(gt=0)

    def parameters(self) -> tuple[int, float, float]:
        """Return (TABLE, 0, 0); the table comes from `log_quantiles`."""
        if not math.isfinite(_positive(self.mean_, "mean")):
            raise ValueError("must not be infinite; only a clip may")
        return TABLE, 0.0, 0.0

    def exact(self) -> Any:  # noqa: ANN401 - see Distribution
        """Return scipy's gamma."""
        shape = self.cv**-2
        return stats.gamma(shape, scale=_number(self.mean_) / shape)


class Beta(Distribution):
    """Beta on (0, 1) by `mean` and `n`, the weight of that mean in observations."""

    dist: Literal["beta"]
    mean_: Annotated[float, Field(alias="mean", gt=0, lt=1)]
    n: float = Field(gt=0)

    def parameters(self) -> tuple[int, float, float]:
        """Return (TABLE, 0, 0); the table comes from `log_quantiles`."""
        return TABLE, 0.0, 0.0

    def exact(self) -> Any:  # noqa: ANN401 - see Distribution
        """Return scipy's beta."""
        return stats.beta(self.mean_ * self.n, (1 - self.mean_) * self.n)


AnyDistribution = Annotated[
    Constant | Uniform | Exponential | Lognormal | Weibull | Gamma | Beta, Field(discriminator="dist")
]
DISTRIBUTION_NAMES = tuple(get_args(kind.model_fields["dist"].annotation)[0] for kind in Distribution.__subclasses__())


def _number(value: object) -> float:
    if isinstance(value, str):
        return parse_duration_s(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError("must be a number or a duration with its unit, as 400ms")
    return float(value)


def _positive(value: object, name: str) -> float:
    number = _number(value)
    if not number > 0:
        raise ValueError(f"{name} must be above zero")
    return number


class TableBook:
    """Collects the compiled rows of distributions and the tables that some of them need.

    With `after`, it goes on where that block of tables ended.
    """

    def __init__(self, after: NDArray[Any] | None = None) -> None:
        self._block = np.zeros(1, TABLES) if after is None else after.copy()
        self._known: dict[Distribution, int] = {}

    def row(self, distribution: Distribution | None) -> tuple[int, float, float, float, float]:
        """Return a row of DIST; nothing compiles to a row of kind NONE, which draws infinity."""
        if distribution is None:
            return NONE, 0.0, 0.0, -math.inf, math.inf
        kind, a, b = distribution.parameters()
        if kind == TABLE:
            a = self._known.setdefault(distribution, int(self._block[0]["used"]))
            if a == self._block[0]["used"]:
                self._block[0]["rows"][a] = log_quantiles(distribution)
                self._block[0]["used"] += 1
        return kind, a, b, *distribution.bounds()

    def edge(self, distribution: Distribution) -> int:
        """Return the place among the edges' think times that the distribution now has."""
        place = int(self._block[0]["used_edges"])
        if place == MOST_EDGES:
            raise ValueError(f"a population has think times for at most {MOST_EDGES} edges")
        self._block[0]["edges"][place] = np.array(self.row(distribution), DIST)
        self._block[0]["used_edges"] += 1
        return place

    def tables(self) -> NDArray[Any]:
        """Return the block of tables, an array of one TABLES."""
        return self._block


@lru_cache(maxsize=1_024)
def _quantile(distribution: Distribution, share: float) -> float:
    """Return a clipped quantile; freezing scipy's distribution takes a millisecond, and the same ones are asked for."""
    return float(np.clip(distribution.exact().ppf(share), *distribution.bounds()))


@lru_cache(maxsize=256)
def log_quantiles(distribution: Distribution) -> NDArray[np.float64]:
    """Return ln of the quantile at each of `TABLE_SCORES`; not to be written to."""
    quantiles = distribution.exact().ppf(stats.norm.cdf(TABLE_SCORES))
    logs: NDArray[np.float64] = np.log(np.clip(quantiles, 1e-300, None))
    logs.flags.writeable = False
    return logs


@compiled
def normal_quantile(u: float) -> float:
    """Return the standard normal's quantile of `u` in (0, 1), to 1e-15 (Wichura 1988, AS 241 PPND16)."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _centre_top(r) / _centre_bottom(r)
    r = math.sqrt(-math.log(u if q < 0 else 1.0 - u))
    tail = _near_tail(r - 1.6) if r <= 5.0 else _far_tail(r - 5.0)
    return math.copysign(tail, q)


# Horner by hand: a loop over coefficients costs the kernel half as much again.
# fmt: off
@compiled
def _centre_top(r: float) -> float:
    return (((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
        + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
        + 1.3314166789178437745e2) * r + 3.3871328727963666080)


@compiled
def _centre_bottom(r: float) -> float:
    return (((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
        + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
        + 4.2313330701600911252e1) * r + 1.0)


@compiled
def _near_tail(r: float) -> float:
    top = (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
        + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.76949722146069140550) * r
        + 4.63033784615654529590) * r + 1.42343711074968357734)
    return top / (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
        + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940) * r
        + 2.05319162663775882187) * r + 1.0)


@compiled
def _far_tail(r: float) -> float:
    top = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
        + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580) * r
        + 5.46378491116411436990) * r + 6.65790464350110377720)
    return top / (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
        + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
        + 5.99832206555887937690e-1) * r + 1.0)
# fmt: on


@compiled
def sample(dist: Any, tables: Any, u: float) -> float:  # noqa: ANN401 - records of DIST and TABLES
    """Return the value at `u` of a compiled distribution, clipped."""
    kind = dist.kind
    if kind == NONE:
        return math.inf
    if kind == CONSTANT:
        value = dist.a
    elif kind == UNIFORM:
        value = dist.a + (dist.b - dist.a) * u
    elif kind == EXPONENTIAL:
        value = -dist.a * math.log1p(-u)
    elif kind == LOGNORMAL:
        value = math.exp(dist.a + dist.b * normal_quantile(u))
    elif kind == WEIBULL:
        value = dist.b * (-math.log1p(-u)) ** (1.0 / dist.a)
    else:
        value = _from_table(tables.rows[int(dist.a)], u)
    # Plain comparisons: numba's min and max also care for NaN, at three times the cost.
    if value < dist.low:
        return float(dist.low)
    if value > dist.high:
        return float(dist.high)
    return float(value)


@compiled
def _from_table(table: NDArray[np.float64], u: float) -> float:
    place = (min(max(normal_quantile(u), -5.999999), 5.999999) + 6.0) * (len(table) - 1) / 12.0
    below = int(place)
    share = place - below
    return math.exp(table[below] * (1.0 - share) + table[below + 1] * share)
