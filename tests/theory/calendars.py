"""What the tests of arrivals share: populations with one changed rhythm, and an exact test for clustered counts."""

import numpy as np
from scipy import stats

from simulator.model.gaps import first_gap_quantiles, gap_scale


def changed(population, **columns):
    """Return the population with some columns of its personas set anew, and what is derived from them."""
    personas = population.personas.copy()
    for name, value in columns.items():
        personas[name] = value
    personas["day_most"] = np.maximum(1, personas["weekend"]) * np.maximum(1, personas["holiday"])
    personas["day_mean"] = (5 + 2 * personas["weekend"]) / 7
    return population._replace(personas=personas)


def with_gaps(population, exponent, longest):
    """Return the population with other return gaps; exponent 0 is without memory."""
    if exponent == 0:
        return changed(population, gap_exponent=0.0)
    scale = gap_scale(exponent, longest)
    kept = 1 - (1 + longest / scale) ** -exponent
    gaps = first_gap_quantiles(exponent, longest)
    return changed(population, gap_exponent=exponent, gap_scale=scale, gap_kept=kept, first_gap=gaps)


def flat(population):
    """Return the population with every hour and day alike, so that its dial is the clock."""
    cdf = np.arange(1, 25) / 24
    guide = np.searchsorted(cdf, np.arange(64) / 64, side="right")
    return changed(population, hour_cdf=cdf, hour_guide=guide, peak=1.0, weekend=1.0, holiday=1.0)


def all_at(shoppers, visits_per_week):
    """Return the shoppers with one weekly rate."""
    rows = shoppers.copy()
    rows["visits_per_week"] = visits_per_week
    return rows


def shares_pvalue(counts, shares):
    """Return the p-value of "each shopper's counts have these expected shares", by Hotelling's T² over shoppers.

    `counts` and `shares` are (shoppers, classes). A shopper's visits come in clusters, so that the usual chi-square
    would be far too strict; shoppers are independent of each other.
    """
    off = (counts - counts.sum(axis=1, keepdims=True) * shares)[:, :-1].astype(float)
    mean, covariance = off.mean(axis=0), np.cov(off.T)
    return stats.chi2.sf(len(off) * mean @ np.linalg.solve(covariance, mean), len(mean))


def table(rows, classes, shoppers, width):
    """Return how often each (shopper, class) stands there, (shoppers, width)."""
    return np.bincount(rows * width + classes, minlength=shoppers * width).reshape(shoppers, width)
