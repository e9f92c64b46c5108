"""All tables of one shard of a data set: the three, its parts, and without the answers where they are to be guessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulator.export.columns import codes
from simulator.export.parts import part
from simulator.export.truth import assigned_arms, is_truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.export.dirt import Dirt
    from simulator.export.source import Source


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a data set has besides its three tables: parts by name, dirt in its delivery, or no answers (`blind`)."""

    also: tuple[str, ...] = ()
    dirt: Dirt | None = None
    blind: bool = False


def all_tables(source: Source, wanted: Wanted) -> dict[str, pa.Table]:
    """Return every table to be written of a shard; `source` has its three as they were played, and the scenario."""
    shown = replace(in_one_arm(source) if wanted.blind else source, dirt=wanted.dirt)
    # With dirt the delivery is what it is about, so it is there unasked.
    names = (*wanted.also, "delivered") if wanted.dirt else wanted.also
    tables = {"shoppers": shown.shoppers, "visits": shown.visits, "events": shown.events}
    for name in dict.fromkeys(names):
        tables |= part(name).make(shown)
    return without_answers(tables) if wanted.blind else tables


def in_one_arm(source: Source) -> Source:
    """Return the source with each shopper in one arm only, as in a real experiment: the other arms are answers."""
    assert source.scenario is not None
    shoppers, names = source.shoppers["shopper"].to_numpy(), source.scenario.arm_names
    arms = assigned_arms(source.scenario, shoppers)

    def own(table: pa.Table) -> pa.Table:
        place = np.searchsorted(shoppers, table["shopper"].to_numpy())
        return table.filter(pa.array(codes(table["arm"], names) == arms[place]))

    return replace(source, visits=own(source.visits), events=own(source.events))


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
