"""Part `relational`: devices, orders and their lines, products, push messages and experiments, with keys that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulator.export.ids import uuids
from simulator.export.orders import orders_and_lines
from simulator.export.products import product_facts
from simulator.export.push import push_messages
from simulator.export.reading import codes, made, words
from simulator.export.source import Part
from simulator.journey.arms import choose_arm
from simulator.journey.tables import CODE, NAME, Column
from simulator.model.devices import device_table

if TYPE_CHECKING:
    from simulator.export.source import Source

DEVICES = (
    Column("device_id", pa.string(), "unique; a UUID"),
    Column("shopper", pa.int64(), "whose it is; each shopper has one"),
    Column("model", NAME, "model"),
    Column("os", CODE, "operating system"),
    Column("os_version", NAME, "its version"),
    Column("browser", CODE, "browser"),
    Column("browser_version", NAME, "its version"),
    Column("user_agent", NAME, "what the browser calls itself"),
    Column("screen_width", pa.int16(), "CSS pixels"),
    Column("screen_height", pa.int16(), "CSS pixels"),
    Column("pixel_ratio", pa.float32(), "device pixels for one of CSS"),
    Column("memory_gb", pa.float32(), "what the browser reports; null where it reports none"),
    Column("cores", pa.int16(), "of the hardware; null where unknown"),
    Column("tier", CODE, "low, mid or high end"),
)
EXPERIMENTS = (
    Column("experiment", NAME, "name of the run's experiment"),
    Column("shopper", pa.int64(), "who"),
    Column("arm", CODE, "treatment they met"),
    Column("first_exposure_at_us", pa.int64(), "start of their first visit in it"),
    Column("visits", pa.int32(), "visits in it"),
    Column("assigned", pa.bool_(), "the arm an experiment would put them in: one a shopper, by the arms' shares"),
)


def devices(source: Source) -> pa.Table:
    """Return the table `devices`: one row a shopper, all there is to know about what they hold."""
    rows = device_table().devices
    number = {row.model: place for place, row in enumerate(rows)}
    known = np.array([number[model] for model in words(source.shoppers, "device")], np.int64)
    at = pa.array(known[codes(source.shoppers, "device")])

    def column(values: list[object], kind: pa.DataType) -> pa.Array:
        taken = pa.array(values, kind.value_type if pa.types.is_dictionary(kind) else kind).take(at)
        return taken.dictionary_encode() if pa.types.is_dictionary(kind) else taken

    shopper = source.shoppers["shopper"].to_numpy()
    facts = [row.model_dump() | dict(zip(("screen_width", "screen_height"), row.screen, strict=True)) for row in rows]
    values = {c.name: column([fact[c.name] for fact in facts], c.type) for c in DEVICES[2:]}
    return made(DEVICES, values | {"device_id": uuids(source.seed, "device", shopper), "shopper": shopper})


def experiments(source: Source) -> pa.Table:
    """Return the table `experiments`: each shopper in each arm they met.

    Generated shoppers meet every arm, so that arms can be compared shopper by shopper; `assigned` chooses the one that
    a live run of this seed puts them in.
    """
    visits, arms = source.visits, words(source.visits, "arm")
    keys = visits["shopper"].to_numpy() * len(arms) + codes(visits, "arm")
    met, row, count = np.unique(keys, return_inverse=True, return_counts=True)
    first = np.full(len(met), np.iinfo(np.int64).max)
    np.minimum.at(first, row, visits["start_at_us"].to_numpy())
    shopper, arm = np.divmod(met, len(arms))
    return made(
        EXPERIMENTS,
        {
            "experiment": pa.array([source.name]).dictionary_encode().take(pa.array(np.zeros(len(met), np.int8))),
            "shopper": shopper,
            "arm": pa.DictionaryArray.from_arrays(pa.array(arm.astype(np.int8)), pa.array(arms)),
            "first_exposure_at_us": first,
            "visits": count,
            "assigned": _assigned(source, shopper, arm),
        },
    )


def _assigned(source: Source, shopper: np.ndarray, arm: np.ndarray) -> pa.Array:
    """Return whether this is the arm the shopper is assigned to; null where nobody knows the arms' shares."""
    if source.arms is None:
        return pa.nulls(len(shopper), pa.bool_())
    people, row = np.unique(shopper, return_inverse=True)
    chosen = np.array([choose_arm(source.arms, source.seed, int(number)) for number in people], np.int64)
    return pa.array(chosen[row] == arm)


def relational(source: Source) -> dict[str, pa.Table]:
    """Return the tables of the part; the products are the same in every shard and stand in shopper 0's only."""
    orders, lines = orders_and_lines(source)
    tables = {
        "devices": devices(source),
        "orders": orders,
        "order_lines": lines,
        "push_messages": push_messages(source, orders),
        "experiments": experiments(source),
    }
    numbers = source.shoppers["shopper"]
    if source.shoppers.num_rows and numbers[0].as_py() == 0:
        tables["products"] = product_facts()
    return tables


PART = Part(
    "relational",
    "Devices, orders, order lines, products, push messages and experiments, with keys that hold.",
    relational,
)
