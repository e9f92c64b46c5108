"""All tables of one shard of a data set: the three, its parts, and without the answers where they are to be guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulator.export.columns import codes
from simulator.export.parts import part
from simulator.export.source import Source
from simulator.export.truth import assigned_arms, is_truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simulator.export.dirt import Dirt
    from simulator.journey.tables import TableName
    from simulator.scenario.load import Scenario


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a data set has besides its three tables: parts by name, dirt in its delivery, or no answers (`blind`)."""

    also: tuple[str, ...] = ()
    dirt: Dirt | None = None
    blind: bool = False


def all_tables(scenario: Scenario, tables: Mapping[TableName, pa.Table], wanted: Wanted) -> dict[str, pa.Table]:
    """Return every table to be written of a shard, from its three as they were played."""
    shown = in_one_arm(tables, scenario) if wanted.blind else dict(tables)
    source = Source(scenario.spec.seed, scenario.spec.reference, **shown, dirt=wanted.dirt, scenario=scenario)
    # With dirt the delivery is what it is about, so it is there unasked.
    names = (*wanted.also, "delivered") if wanted.dirt else wanted.also
    made = {name: table for one in dict.fromkeys(names) for name, table in part(one).make(source).items()}
    whole: dict[str, pa.Table] = {**{str(name): table for name, table in shown.items()}, **made}
    return without_answers(whole) if wanted.blind else whole


def in_one_arm(tables: Mapping[TableName, pa.Table], scenario: Scenario) -> dict[TableName, pa.Table]:
    """Return the tables with each shopper in one arm only, as in a real experiment: the other arms are answers."""
    shoppers = tables["shoppers"]["shopper"].to_numpy()
    arms = assigned_arms(scenario, shoppers)
    return {
        name: table if name == "shoppers" else table.filter(_assigned(table, shoppers, arms, scenario.arm_names))
        for name, table in tables.items()
    }


def _assigned(
    table: pa.Table, shoppers: NDArray[np.int64], arms: NDArray[np.int64], names: tuple[str, ...]
) -> pa.Array:
    place = np.searchsorted(shoppers, table["shopper"].to_numpy())
    return pa.array(codes(table["arm"], names) == arms[place])


def without_answers(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the tables without the columns whose meaning begins with `truth:`, and without tables that have no other.

    Persona and cause go too: the segment that a shopper is of and why they left are what an analysis is to find out.
    """
    kept = {name: [f.name for f in table.schema if not _answers(f)] for name, table in tables.items()}
    return {
        name: table.select(kept[name]) for name, table in tables.items() if kept[name] and not name.startswith("truth_")
    }


def _answers(field: pa.Field) -> bool:
    return is_truth(field) or field.name in {"persona", "cause"}
