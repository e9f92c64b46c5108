"""One pass over rows in order gives what the definitions give, written out with numpy."""

import numpy as np
import pytest

from simulator.analysis.estimates import (
    design_effect,
    distinct,
    product_limit,
    quantile,
    rank_shares,
    share,
    variance_of_mean,
    wilson,
)
from simulator.analysis.frames import Labels, among
from simulator.analysis.parting import part

RNG = np.random.default_rng(20_261_122)
WHO = np.repeat(np.arange(300), RNG.integers(1, 6, 300))
ROWS = len(WHO)
SHUFFLED = RNG.permutation(ROWS)


def squares(values, clusters, weights):
    """Return Σ over clusters of (Σ weight · residual)² and Σ weight · residual²."""
    residuals = values - values @ weights / weights.sum()
    sums = np.array([(weights * residuals)[clusters == one].sum() for one in np.unique(clusters)])
    return sums @ sums, weights @ residuals**2


@pytest.mark.parametrize("order", [np.arange(ROWS), SHUFFLED], ids=["by cluster", "shuffled"])
@pytest.mark.parametrize("weighted", [False, True])
def test_variance_and_design_effect_are_their_definitions(order, weighted):
    """Weighted or not, in whatever order rows stand."""
    values, who = (RNG.exponential(3.0, ROWS) + 2.0 * RNG.standard_normal(300)[WHO])[order], WHO[order]
    weights = RNG.uniform(0.5, 2.0, ROWS) if weighted else np.ones(ROWS)
    together, alone = squares(values, who, weights)
    given = weights if weighted else None
    assert variance_of_mean(values, who, given)[0] == pytest.approx(
        300 / 299 * together / weights.sum() ** 2, rel=1e-12
    )
    assert design_effect(values, who, given) == pytest.approx(together / (alone * weights.sum() / ROWS), rel=1e-12)
    assert distinct(who) == 300


@pytest.mark.parametrize("order", [np.arange(ROWS), SHUFFLED], ids=["by cluster", "shuffled"])
def test_a_share_counts_its_clusters(order):
    """Its interval is Wilson's at n over the design effect of its zeros and ones."""
    hits, who = (RNG.random(ROWS) < 0.2 + 0.6 * (WHO % 2))[order], WHO[order]
    found = share(hits, who)
    low, high = wilson(hits.mean(), ROWS / design_effect(hits.astype(float), who))
    assert (found.value, found.n) == (hits.mean(), ROWS)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)


@pytest.mark.parametrize("q", [0.5, 0.75, 0.95])
def test_values_of_different_shoppers_lose_no_rank_to_rounding(q):
    """Their effective number is their number, so each interval ends at the textbook's order statistic."""
    for n in range(2, 400):
        values = np.arange(1.0, n + 1)
        found = quantile(RNG.permutation(values), q, np.arange(n))
        ends = [None if end is None else values[round(end * n) - 1] for end in rank_shares(q, n)]
        assert [found.low, found.high] == ends


@pytest.mark.parametrize("least", [0.0, -2.0], ids=["times", "with negative numbers"])
def test_the_product_limit_curve_is_its_definition(least):
    """With ties, zeros and rows that were not seen, the bits are those of a sort by time and then by being seen."""
    times = np.round(RNG.exponential(2.0, 2_000), 1) + least
    seen = RNG.random(2_000) < 0.8
    order = np.lexsort((~seen, times))
    shares = 1.0 - np.cumprod(1.0 - seen[order] / np.arange(2_000, 0, -1))
    found = product_limit(times, seen)
    assert found[0].tolist() == times[order].tolist()
    assert found[1].tolist() == shares.tolist()


@pytest.mark.parametrize("names", [("a", "b", "c"), tuple(f"n{i}" for i in range(300))], ids=["few", "many"])
def test_a_parting_finds_the_rows_of_every_group(names):
    """Ascending, whatever the number of groups; rows without a label are in none, and an unknown name has none."""
    many = len(names)
    columns = {label: Labels(RNG.integers(-1, many, 5_000).astype(np.int16), names) for label in ("one", "other")}
    found = part(columns)
    for one in names[:5]:
        for other in names[-5:]:
            mask = columns["one"].are(one) & columns["other"].are(other)
            assert found.rows({"one": one, "other": other}).tolist() == np.flatnonzero(mask).tolist()
    assert not len(found.rows({"one": "nobody", "other": names[0]}))


def test_among_is_membership():
    """Sorted or not, with repeats, and where nothing is known."""
    values, known = RNG.integers(0, 500, 2_000), RNG.integers(0, 500, 200)
    for here in (known, np.sort(known)):
        assert among(values, here).tolist() == np.isin(values, known).tolist()
    assert not among(values, known[:0]).any()
