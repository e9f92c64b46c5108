"""The products of a data set: one row for every number the kernel can choose, at the kernel's own price."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from simulator.export.products import product_facts
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY
from simulator.model.schema import CATEGORIES


def test_every_number_the_kernel_can_choose_has_its_row():
    """Row i is product i, a hundred to a category, in the order of the categories."""
    facts = product_facts()
    numbers = facts["product"].to_numpy()
    assert facts.schema.types == [pa.int32(), *[pa.string()] * 4, pa.int32()]
    assert np.array_equal(numbers, np.arange(len(CATEGORIES) * PRODUCTS_PER_CATEGORY))
    assert facts["category"].to_pylist() == [CATEGORIES[n // PRODUCTS_PER_CATEGORY] for n in numbers]


def test_skus_and_names_are_unique_and_well_formed():
    """A SKU is three letters of the category and the number in it; no two products share a SKU or a name."""
    facts = product_facts()
    for column in ("sku", "name"):
        assert len(set(facts[column].to_pylist())) == facts.num_rows
    assert facts["sku"][7].as_py() == "SHO-0007"
    assert all(re.fullmatch(r"[A-Z]{3}-\d{4}", sku) for sku in facts["sku"].to_pylist())
    assert all(re.fullmatch(r"[A-Z][A-Za-z&'-]+( [A-Z][A-Za-z-]*)+", name) for name in facts["name"].to_pylist())


def test_prices_are_those_that_events_show(week):
    """Every product a shopper had in view has the price and category that the event says."""
    facts = product_facts()
    events = week(3_000).events
    seen = events[events["product"] >= 0]
    assert len(seen) > 0
    assert np.array_equal(facts["price_cents"].to_numpy()[seen["product"]], seen["price_cents"])
    assert np.array_equal(seen["product"] // PRODUCTS_PER_CATEGORY, seen["category"])
