"""Every distribution's samples against its own theory.

Samples are drawn as the kernel draws them: keyed uniforms through the compiled inverse. Keys are fixed, so that a test
passes or fails once and for all; with other keys a Kolmogorov-Smirnov test would fail for one in 10,000 by chance, and
a mean would miss 4 standard errors for one in 16,000.
"""

import math

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import special, stats

from simulator.journey.closed_form import mean_of
from simulator.journey.keys import NOWHERE, uniform
from simulator.model.compiled import compiled
from simulator.model.distributions import (
    DIST,
    DISTRIBUTION_NAMES,
    TABLE_SCORES,
    AnyDistribution,
    TableBook,
    log_quantiles,
    normal_quantile,
    sample,
)

N = 20_000
LEVEL = 1e-4
SHAPES = {
    "uniform": {"dist": "uniform", "low": 2, "high": "7s"},
    "exponential": {"dist": "exponential", "mean": "400ms"},
    "lognormal by p90": {"dist": "lognormal", "median": "7s", "p90": "35s"},
    "lognormal by sigma": {"dist": "lognormal", "median": 6600, "sigma": 1.14},
    "lognormal, wide": {"dist": "lognormal", "median": 1, "sigma": 2.0},
    "weibull by scale": {"dist": "weibull", "shape": 0.8, "scale": "26s"},
    "weibull by median": {"dist": "weibull", "shape": 2.5, "median": "10s"},
    "gamma, spread": {"dist": "gamma", "mean": 1.1, "cv": 0.9},
    "gamma, narrow": {"dist": "gamma", "mean": 4.5, "cv": 0.2},
    "gamma, very spread": {"dist": "gamma", "mean": 1.0, "cv": 1.5},
    "beta, middle": {"dist": "beta", "mean": 0.5, "n": 6},
    "beta, edge": {"dist": "beta", "mean": 0.05, "n": 12},
}
CLIPPED = {
    "lognormal": {"dist": "lognormal", "median": "6s", "p90": "22s", "clip": ["500ms", "3min"]},
    "weibull": {"dist": "weibull", "shape": 0.8, "scale": "26s", "clip": ["700ms", "6min"]},
    "cut hard": {"dist": "exponential", "mean": 10, "clip": [5, 12]},
    "one side": {"dist": "gamma", "mean": 2.0, "cv": 0.7, "clip": [1.5, math.inf]},
}


def made(spec):
    """Return (distribution, its compiled row, tables) of a distribution as a file writes it."""
    distribution = TypeAdapter(AnyDistribution).validate_python(spec)
    book = TableBook()
    row = np.array([book.row(distribution)], DIST)[0]
    return distribution, row, book.tables()


def drawn(row, tables, count=N):
    """Return keyed samples."""
    return sample_all(row, tables, np.array([uniform(11, i, 0, NOWHERE, 0, np.uint64(99)) for i in range(count)]))


@compiled
def sample_all(row, tables, uniforms):
    """Return the value of a compiled distribution at each uniform."""
    values = np.empty(len(uniforms))
    for place in range(len(uniforms)):
        values[place] = sample(row, tables[0], uniforms[place])
    return values


@pytest.mark.parametrize("name", SHAPES)
def test_samples_follow_the_distribution(name):
    """Samples pass a Kolmogorov-Smirnov test against scipy's exact distribution."""
    distribution, row, tables = made(SHAPES[name])
    assert stats.kstest(drawn(row, tables), distribution.exact().cdf).pvalue > LEVEL


@pytest.mark.parametrize("name", SHAPES)
def test_mean_and_quantiles_are_as_promised(name):
    """The samples' mean and the shares below p10, p50, p90 and p99 lie within 4 standard errors of theory."""
    distribution, row, tables = made(SHAPES[name])
    values = drawn(row, tables)
    assert abs(values.mean() - distribution.mean()) < 4 * distribution.exact().std() / math.sqrt(N)
    for share in (0.1, 0.5, 0.9, 0.99):
        below = (values <= distribution.quantile(share)).mean()
        assert abs(below - share) < 4 * math.sqrt(share * (1 - share) / N)


@pytest.mark.parametrize("name", SHAPES)
def test_the_inverse_is_exact(name):
    """The kernel's quantile is scipy's: to 1e-9 by formula, to 2 in 10,000 by table, from 1 in a million on."""
    distribution, row, tables = made(SHAPES[name])
    within = 2e-4 if distribution.parameters()[0] == 6 else 1e-9
    for u in (1e-6, 1e-3, 0.01, 0.1, 0.37, 0.5, 0.8, 0.9, 0.99, 0.999, 1 - 1e-6):
        assert sample_all(row, tables, np.array([u]))[0] == pytest.approx(distribution.quantile(u), rel=within)


@pytest.mark.parametrize("name", SHAPES)
def test_quantiles_never_fall(name):
    """A larger draw never gives a smaller value: arms that share draws keep their order."""
    _, row, tables = made(SHAPES[name])
    values = sample_all(row, tables, np.linspace(1e-9, 1 - 1e-9, 4_001))
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize("name", CLIPPED)
def test_a_clip_puts_the_tails_on_its_ends(name):
    """No sample leaves the clip; exactly the tails' probability sits on its ends; mean and quantile know it."""
    distribution, row, tables = made(CLIPPED[name])
    low, high = distribution.bounds()
    values = drawn(row, tables)
    assert low <= values.min() <= values.max() <= high
    for share, at in ((distribution.exact().cdf(low), low), (distribution.exact().sf(high), high)):
        assert abs((values == at).mean() - share) <= 4 * math.sqrt(share * (1 - share) / N)
    assert abs(values.mean() - distribution.mean()) < 4 * values.std() / math.sqrt(N)
    assert low <= distribution.quantile(1e-9) <= distribution.quantile(1 - 1e-9) <= high


@pytest.mark.parametrize("spec", [*SHAPES.values(), *CLIPPED.values()], ids=[*SHAPES, *(f"{n}, clip" for n in CLIPPED)])
def test_the_mean_of_a_compiled_row(spec):
    """The closed form's mean, an integral over the kernel's own inverse, is the distribution's mean."""
    distribution, row, tables = made(spec)
    assert mean_of(row, tables) == pytest.approx(distribution.mean(), rel=2e-4)


def test_a_constant_is_constant():
    """Every draw of a constant is its value, and so are its quantiles and its mean."""
    distribution, row, tables = made({"dist": "constant", "value": "250ms"})
    assert set(drawn(row, tables, 50)) == {0.25} == {distribution.quantile(0.9), distribution.mean()}


def test_nothing_is_endless():
    """A missing distribution, as of a persona without a time budget, draws infinity."""
    row = np.array([TableBook().row(None)], DIST)[0]
    assert sample_all(row, TableBook().tables(), np.array([0.5]))[0] == math.inf


def test_every_kind_of_distribution_is_tested_here():
    """Whoever adds a kind adds its theory."""
    assert {spec["dist"] for spec in SHAPES.values()} | {"constant"} == set(DISTRIBUTION_NAMES)


def test_the_normal_quantile_is_scipys():
    """AS 241 agrees with scipy's ndtri to 1e-14 over the whole range of draws, tails included."""
    tails = np.logspace(-300, -1, 2_000)
    points = np.concatenate([tails, np.linspace(0.001, 0.999, 2_001), 1 - np.logspace(-15.5, -1, 500)])
    ours = np.array([normal_quantile(float(u)) for u in points])
    assert ours == pytest.approx(special.ndtri(points), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", [name for name in SHAPES if name.startswith(("gamma", "beta"))])
def test_tables_hold_exact_quantiles(name):
    """At its own points a table is scipy's quantile; between them it errs by less than 2 in 10,000."""
    distribution, row, tables = made(SHAPES[name])
    exact = distribution.exact()
    # scipy's incomplete beta loses digits beyond six standard deviations, which no test will ever draw.
    inner = np.abs(TABLE_SCORES) < 5
    assert np.exp(log_quantiles(distribution)[inner]) == pytest.approx(
        exact.ppf(special.ndtr(TABLE_SCORES[inner])), rel=1e-12
    )
    between = special.ndtr((TABLE_SCORES[1:] + TABLE_SCORES[:-1])[inner[1:]] / 2)
    ours = sample_all(row, tables, between)
    assert ours == pytest.approx(exact.ppf(between), rel=2e-4)
