"""What a part of a data set is made of: the tables of one shard and what the run was, whichever world wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.export.dirt import Dirt
    from simulator.runfolder.tables import Format
    from simulator.scenario.load import Scenario


@dataclass(frozen=True, slots=True)
class Source:
    """One shard: shoppers by number, visits by shopper, events by visit and step, as `journey.tables` describes them.

    Nothing here says how many shards there are, so a shard's parts are the same whoever makes them. `horizon_us` is the
    run's length where it has one, `name` the scenario's, `arms` the rows of ARM behind the names in the tables.
    `scenario` is there where the data is generated: it holds the answers.
    """

    seed: int
    reference: datetime
    shoppers: pa.Table
    visits: pa.Table
    events: pa.Table
    dirt: Dirt | None = None
    horizon_us: int | None = None
    name: str = "run"
    arms: NDArray[Any] | None = None
    scenario: Scenario | None = None

    def since_epoch_us(self, at_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return instants of the run as microseconds since 1970, UTC."""
        return at_us + np.int64(round(self.reference.timestamp() * 1e6))


@dataclass(frozen=True, slots=True)
class Part:
    """A named addition to a data set: what it holds, the formats it can have, and how it is made from a shard.

    `make` returns arrow tables by name; each becomes a folder of the data set. A nested table has no CSV.
    """

    name: str
    describe: str
    make: Callable[[Source], dict[str, pa.Table]]
    formats: tuple[Format, ...] = ("parquet", "csv", "jsonl")
