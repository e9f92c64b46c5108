"""The past: one keyed rule gives every order, and what shoppers' columns say of them is what the orders add up to."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from simulator.export.history import SCHEMA
from simulator.export.parts import part
from simulator.export.source import Source
from simulator.journey.history import (
    FAVOURITE_SHARE,
    ITEM_CENTS,
    NO_ORDER,
    ORDER_SIGMA,
    RFM,
    RFM_CLASSES,
    past_order,
    past_size,
    rfm_classes,
    rfm_codes,
    rfm_scores,
)
from simulator.journey.plan import draw_shoppers
from simulator.journey.tables import Names, shoppers_table
from simulator.model.schema import CATEGORIES

LEVEL = 1e-4
SEED = 20_260_105
SHOPPERS = 12_000
DAY_US = 86_400_000_000
US_PER_DAY = 86_400_000_000.0
REFERENCE = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def shoppers(everyday, few):
    """Return the shoppers table of an everyday shard."""
    rows = draw_shoppers(everyday[0], SEED, 0, few(SHOPPERS))
    return shoppers_table(rows, Names(everyday[1], ("control",)))


@pytest.fixture(scope="module")
def listed():
    """Return a function that lists the past orders of a shoppers table."""
    nothing = pa.table({})

    def of(table):
        return part("history").make(Source(SEED, REFERENCE, table, nothing, nothing))["past_orders"]

    return of


@pytest.fixture(scope="module")
def orders(shoppers, listed):
    """Return the past orders of all of them."""
    return listed(shoppers)


def test_recency_frequency_and_value_are_those_of_the_orders(shoppers, orders):
    """For every shopper, days since the last order, number and value from the list are their own columns, exactly."""
    summed = orders.group_by("shopper").aggregate(
        [("ordered_at_us", "max"), ("order_id", "count"), ("total_cents", "sum")]
    )
    found = {row["shopper"]: row for row in summed.to_pylist()}
    for row in shoppers.to_pylist():
        mine = found.pop(row["shopper"], None)
        if mine is None:
            assert (row["past_orders"], row["past_spend_cents"], row["last_order_days"]) == (0, 0, None)
        else:
            assert mine["order_id_count"] == row["past_orders"]
            assert mine["total_cents_sum"] == row["past_spend_cents"]
            assert -mine["ordered_at_us_max"] / US_PER_DAY == row["last_order_days"]
    assert not found


def test_any_part_of_the_shoppers_in_any_order_has_the_same_orders(shoppers, orders, listed):
    """Shards and shuffled shoppers list, for the same shopper, the same orders to the last byte."""
    half = len(shoppers) // 2
    in_shards = pa.concat_tables([listed(shoppers[:half]), listed(shoppers[half:])])
    assert in_shards.equals(orders)
    shuffled = np.argsort(np.sin(np.arange(len(shoppers))))
    assert listed(shoppers.take(pa.array(shuffled))).equals(orders)


def test_orders_lie_within_the_tenure_and_in_order(shoppers, orders):
    """Each order is before the reference instant and not before the first visit; a shopper's stand in time's order."""
    tenure = dict(zip(shoppers["shopper"].to_pylist(), shoppers["tenure_days"].to_pylist(), strict=True))
    at, who = orders["ordered_at_us"].to_numpy(), orders["shopper"].to_numpy()
    assert (at < 0).all()
    assert (-at <= np.array([tenure[shopper] for shopper in who.tolist()]) * US_PER_DAY + 1).all()
    assert (np.diff(who) >= 0).all()
    assert (np.diff(at)[np.diff(who) == 0] >= 0).all()


def test_order_ids_are_unique(orders):
    """No two orders share an id."""
    assert len(set(orders["order_id"].to_pylist())) == len(orders) > 1_000


def test_ages_are_uniform_over_the_tenure(shoppers, orders):
    """Given their number, the orders of a Poisson process are spread evenly (Kolmogorov-Smirnov)."""
    tenure = dict(zip(shoppers["shopper"].to_pylist(), shoppers["tenure_days"].to_pylist(), strict=True))
    span = np.array([tenure[shopper] for shopper in orders["shopper"].to_pylist()]) * US_PER_DAY
    assert stats.kstest(-orders["ordered_at_us"].to_numpy() / span, "uniform").pvalue > LEVEL


def test_there_are_as_many_orders_as_the_rate_says(shoppers):
    """The number of past orders is Poisson about rate × tenure: its sum, and the spread about each mean."""
    means = shoppers["orders_per_year"].to_numpy() * shoppers["tenure_days"].to_numpy() / 365
    counts = shoppers["past_orders"].to_numpy()
    error = stats.norm.isf(LEVEL / 2)
    assert abs(counts.sum() - means.sum()) <= error * np.sqrt(means.sum())
    some = means > 0
    dispersion = ((counts - means)[some] ** 2 / means[some]).mean()
    spread = np.sqrt((2 + 1 / means[some]).sum()) / some.sum()
    assert abs(dispersion - 1) <= error * spread


def test_values_are_log_normal_about_the_shopper_s_own_mean(shoppers, orders):
    """Each value over the shopper's mean is log-normal with mean 1 and the documented spread (Kolmogorov-Smirnov)."""
    basket = dict(zip(shoppers["shopper"].to_pylist(), shoppers["basket_cents"].to_pylist(), strict=True))
    mean = np.array([basket[shopper] for shopper in orders["shopper"].to_pylist()])
    large = mean > 2_000  # where rounding to cents cannot be seen
    scores = (np.log(orders["total_cents"].to_numpy()[large] / mean[large]) + ORDER_SIGMA**2 / 2) / ORDER_SIGMA
    assert stats.kstest(scores, "norm").pvalue > LEVEL


def test_the_favourite_category_leads(shoppers, orders):
    """Half of the orders are of the favourite category, and the other half are spread over all alike."""
    favourite = dict(zip(shoppers["shopper"].to_pylist(), shoppers["favourite"].to_pylist(), strict=True))
    mine = [favourite[shopper] for shopper in orders["shopper"].to_pylist()]
    categories = orders["category"].to_pylist()
    share = FAVOURITE_SHARE + (1 - FAVOURITE_SHARE) / len(CATEGORIES)
    same = sum(a == b for a, b in zip(mine, categories, strict=True))
    assert stats.binomtest(same, len(orders), share).pvalue > LEVEL
    others = [CATEGORIES.index(b) for a, b in zip(mine, categories, strict=True) if a != b]
    assert len(set(others)) == len(CATEGORIES)


def test_larger_orders_have_more_items():
    """A small order is one item; a large one has as many as its value in median prices, on average."""
    sizes = [past_size(1, shopper, 0, 35_000, 0)[0] for shopper in range(4_000)]
    mean, sd = 35_000 / ITEM_CENTS, np.sqrt(9 * 10)  # geometric from 1, nine further on average
    assert abs(np.mean(sizes) - mean) <= stats.norm.isf(LEVEL / 2) * sd / np.sqrt(len(sizes))
    assert {past_size(1, shopper, 0, 3_000, 0)[0] for shopper in range(500)} == {1}


def test_an_order_depends_on_its_own_number_alone():
    """The same (seed, shopper, k) is the same order; another of either is another."""
    assert past_order(1, 5, 3, 100.0, 4_000.0) == past_order(1, 5, 3, 100.0, 4_000.0)
    others = {past_order(1, 5, k, 100.0, 4_000.0) for k in range(50)}
    assert len(others | {past_order(2, 5, 0, 100.0, 4_000.0), past_order(1, 6, 0, 100.0, 4_000.0)}) == 52


def test_compiled_and_plain_python_give_the_same_orders():
    """Compiled code and Python agree on age and value, to the cent and the microsecond."""
    plain = getattr(past_order, "py_func", past_order)
    for k in range(200):
        assert plain(3, 77, k, 812.5, 6_123.25) == past_order(3, 77, k, 812.5, 6_123.25)


def test_nobody_has_a_past_without_orders(shoppers, listed):
    """Shoppers first seen in the run have none, and a shard of them gives an empty table of the same schema."""
    new = shoppers.filter(pa.array(shoppers["tenure_days"].to_numpy() == 0))
    assert new.num_rows > 0
    table = listed(new)
    assert table.num_rows == 0
    assert table.schema == SCHEMA
    assert set(new["rfm_class"].to_pylist()) == {"none"}
    assert new["rfm"].null_count == new["last_order_days"].null_count == new.num_rows


def test_the_past_goes_with_the_visits(everyday, shoppers):
    """Who visits more often has ordered more often, persona by persona (rank correlation of the rates)."""
    names = shoppers["persona"].to_pylist()
    visits, rate = shoppers["visits_per_week"].to_numpy(), shoppers["orders_per_year"].to_numpy()
    for index, name in enumerate(everyday[1].personas):
        mine = np.array([n == name for n in names])
        per_visit = everyday[0].personas["orders_per_visit"][index]
        assert np.allclose(rate[mine], visits[mine] * 365 / 7 * per_visit)


def scored(days, orders, cents):
    """Return (scores, class) of one shopper as words."""
    scores = rfm_scores(np.array([days]), np.array([orders]), np.array([cents]))
    code = rfm_codes(*scores)[0]
    return (RFM[code] if code >= 0 else None), RFM_CLASSES[rfm_classes(*scores[:2])[0]]


@pytest.mark.parametrize(
    ("days", "orders", "cents", "expected"),
    [
        (NO_ORDER, 0, 0, (None, "none")),
        (30.0, 10, 50_000, ("555", "champion")),
        (90.0, 5, 25_000, ("444", "champion")),
        (30.1, 9, 49_999, ("444", "champion")),
        (91.0, 5, 9_999, ("342", "loyal")),
        (12.0, 3, 10_000, ("533", "loyal")),
        (12.0, 1, 4_999, ("511", "new")),
        (12.0, 2, 5_000, ("522", "promising")),
        (180.0, 1, 4_000, ("311", "promising")),
        (181.0, 4, 24_999, ("233", "at_risk")),
        (365.0, 2, 60_000, ("225", "lost")),
        (365.5, 12, 60_000, ("155", "at_risk")),
        (900.0, 1, 1, ("111", "lost")),
    ],
)
def test_the_documented_rule_of_rfm(days, orders, cents, expected):
    """Scores begin where the docs say, and the first class that fits counts."""
    assert scored(days, orders, cents) == expected


def test_the_columns_hold_the_rule(shoppers):
    """`rfm` and `rfm_class` of every shopper are the rule on their three figures."""
    for row in shoppers[:3_000].to_pylist():
        days = NO_ORDER if row["last_order_days"] is None else row["last_order_days"]
        assert (row["rfm"], row["rfm_class"]) == scored(days, row["past_orders"], row["past_spend_cents"])
    assert set(shoppers["rfm_class"].to_pylist()) == set(RFM_CLASSES)
