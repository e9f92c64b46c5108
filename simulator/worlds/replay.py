"""Playing a recorded run again: what was seen is fed in, everything else is made anew, and must come out the same.

A live run's load times are the only thing in it that did not follow from the seed. With them its journeys replay
offline, row for row, on any machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.journey.kernel import begin, step
from simulator.journey.records import EVENT, NEVER_US, NOT_SEEN, ONGOING, SHOPPER, VISIT, WALK, as_visits
from simulator.journey.shopper import draw_these
from simulator.journey.surroundings import look_around
from simulator.model.compiled import compiled
from simulator.worlds.crowd import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simulator.journey.tables import Names, TableName
    from simulator.worlds.crowd import World

SEEN = (
    "network", "rtt_ms", "down_kbps", "loss", "stalled_us", "fcp_us", "load_us", "server_us", "measured_us", "ok",
    "relevance",
)  # fmt: skip
"""Columns of EVENT that are taken from the record, besides those that say which page it was."""
NULLS = {"fcp_us": NEVER_US, "load_us": NEVER_US, "relevance": NOT_SEEN}
"""What a null in a table stands for."""


def replay(world: World, shoppers: NDArray[Any], visits: NDArray[Any], events: NDArray[Any]) -> Rows:
    """Play recorded SHOPPER, VISIT and EVENT rows again and return the rows that come out.

    Read of a shopper: the number; of a visit: who, which, arm, start, lag and the number of pages; of an event: `SEEN`.
    Shoppers stand by number, events in the order of their visits. Events are returned one for one as far as the
    replayed visit goes; where it differs from the record, it ends early or stays `ongoing` where the record ends.
    """
    assert visits["pages"].sum() == len(events), "every visit's pages, and nothing else, must stand in the events"
    who = np.searchsorted(shoppers["shopper"], visits["shopper"])
    drawn = draw_these(world.population, world.seed, shoppers["shopper"])
    out = Rows(drawn, np.zeros(len(visits), WALK), np.zeros(len(events), EVENT))
    played = _replay(world, Rows(shoppers, visits, events), who, out)
    return out._replace(visits=as_visits(out.visits), events=out.events[:played])


@compiled
def _replay(world: World, recorded: Rows, who: NDArray[np.int64], out: Rows) -> int:
    """Fill `out`, whose visits are WALK rows; return the number of events played."""
    population, _, arms, seed = world
    first, played = 0, 0
    for row in range(len(recorded.visits)):
        past, visit, shopper = recorded.visits[row], out.visits[row], out.shoppers[who[row]]
        persona, arm = population.personas[shopper.persona], arms[past.arm]
        begin(persona, population.tables[0], seed, shopper, past.visit, past.arm, past.start_us, visit)
        visit.lag_us = past.lag_us
        for place in range(first, first + past.pages):
            if visit.cause != ONGOING:
                break
            seen, event = recorded.events[place], out.events[played]
            look_around(persona, population.tables[0], seed, shopper, visit, event)
            event.network, event.rtt_ms, event.down_kbps = seen.network, seen.rtt_ms, seen.down_kbps
            event.loss, event.stalled_us = seen.loss, seen.stalled_us
            event.server_us, event.measured_us = seen.server_us, seen.measured_us
            step(
                persona,
                population.tables[0],
                arm,
                seed,
                shopper,
                visit,
                event,
                int(seen.fcp_us),
                int(seen.load_us),
                bool(seen.ok),
                np.float64(seen.relevance),
            )
            played += 1
        first += past.pages
    return played


def rows_from_tables(tables: Mapping[TableName, pa.Table], names: Names) -> Rows:
    """Return the recorded rows that `replay` reads, from a run's tables; `names` are the run's own.

    The rows are put in order (shopper, visit, arm, step), whatever the order of the tables. Other fields are zero.
    """
    shoppers = tables["shoppers"].sort_by("shopper")
    by_visit = [("shopper", "ascending"), ("visit", "ascending"), ("arm", "ascending")]
    arms = pa.array(np.arange(len(names.arm), dtype=np.int8))
    visits, events = (_with_codes(tables[name], "arm", names.arm, arms) for name in ("visits", "events"))
    visits, events = visits.sort_by(by_visit), events.sort_by([*by_visit, ("step", "ascending")])
    events = _with_codes(events, "network", names.network, pa.array(np.arange(len(names.network), dtype=np.int8)))
    return Rows(
        _rows(shoppers, SHOPPER, {"shopper": "shopper"}),
        _rows(
            visits, VISIT, {f: f for f in ("shopper", "visit", "arm", "lag_us", "pages")} | {"start_us": "start_at_us"}
        ),
        _rows(events, EVENT, {f: f for f in ("shopper", "visit", "step", "arm", *SEEN)}),
    )


def _with_codes(table: pa.Table, column: str, words: pa.Array, codes: pa.Array) -> pa.Table:
    """Return the table with a column's words replaced by their codes in this run."""
    found = codes.take(pc.index_in(table[column].cast(pa.string()), words))
    return table.set_column(table.schema.get_field_index(column), column, found)


def _rows(table: pa.Table, dtype: np.dtype[Any], columns: Mapping[str, str]) -> NDArray[Any]:
    rows = np.zeros(table.num_rows, dtype)
    for field, column in columns.items():
        values = table[column]
        if values.null_count:
            values = values.fill_null(NULLS[field])
        rows[field] = values.to_numpy()
    return rows
