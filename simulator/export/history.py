"""The orders from before the run, one row each: exactly those that the shoppers' own figures of the past sum up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulator.export.ids import uuids
from simulator.export.source import Part
from simulator.journey.history import past_orders
from simulator.model.schema import CATEGORIES

if TYPE_CHECKING:
    from simulator.export.source import Source

SCHEMA = pa.schema(
    [
        pa.field("order_id", pa.string()),
        pa.field("shopper", pa.int64()),
        pa.field("ordered_at_us", pa.int64()),
        pa.field("items", pa.int32()),
        pa.field("total_cents", pa.int64()),
        pa.field("category", pa.dictionary(pa.int8(), pa.string())),
    ]
)
"""`ordered_at_us` counts from the run's reference instant, so it is negative; `category` is what most of it was."""


def make(source: Source) -> dict[str, pa.Table]:
    """Return the past orders of a shard's shoppers, by shopper and time."""
    shoppers = source.shoppers
    number, orders = (shoppers[name].to_numpy().astype(np.int64) for name in ("shopper", "past_orders"))
    tenure, basket = (shoppers[name].to_numpy() for name in ("tenure_days", "basket_cents"))
    favourite = shoppers["favourite"].combine_chunks()
    codes = np.array([CATEGORIES.index(name) for name in favourite.dictionary.to_pylist()], np.int64)
    favourites = codes[favourite.indices.to_numpy()]
    who, k, age_us, items, total, category = past_orders(source.seed, number, orders, tenure, basket, favourites)
    order = np.lexsort((-age_us, who))
    ids = uuids(source.seed, "past_order", who, k)
    words = pa.DictionaryArray.from_arrays(pa.array(category[order].astype(np.int8)), pa.array(CATEGORIES))
    arrays = [ids.take(pa.array(order)), who[order], -age_us[order], items[order].astype(np.int32), total[order], words]
    return {"past_orders": pa.Table.from_arrays([pa.array(a) for a in arrays], schema=SCHEMA)}


PART = Part("history", "orders from before the run: past_orders", make)
