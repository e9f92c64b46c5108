"""How events reach a collector: each has an id, the device's clock, the moment it was sent and the one it arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulator.export.ids import uuids

if TYPE_CHECKING:
    from simulator.export.source import Source


@dataclass(frozen=True, slots=True)
class Dirt:
    """What goes wrong on the way."""


DELIVERED = ("event_id", "device_at_us", "sent_at_us", "received_at_us")
"""The columns that delivery adds to the events table; all times from the run's reference instant."""


def delivered(source: Source) -> pa.Table:
    """Return the events as a collector gets them: the events table and the columns of `DELIVERED`."""
    events = source.events
    shopper, visit, step = (events[name].to_numpy() for name in ("shopper", "visit", "step"))
    arm = events["arm"].combine_chunks().indices.to_numpy()
    at_us = events["at_us"].to_numpy()
    travel_us = (events["rtt_ms"].to_numpy() * 500.0).astype(np.int64)
    added = (uuids(source.seed, "event", shopper, visit, step, arm), at_us, at_us, at_us + travel_us)
    for name, column in zip(DELIVERED, added, strict=True):
        events = events.append_column(name, pa.array(column))
    return events
