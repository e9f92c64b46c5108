"""The capacity world: shoppers share a modelled backend, so one shopper's wait is another's work. On SimPy.

A shopper's visit is one generator, `visit`. Time is whole microseconds from the run's reference instant; all draws are
keyed, so that the order in which simultaneous things happen decides no draw.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import simpy

from simulator.journey.kernel import begin, step
from simulator.journey.kernel import patience_us as kernel_patience_us
from simulator.journey.records import EVENT, IMPATIENT, NEVER_US, NOT_SEEN, ONGOING, SHOPPER, VISIT
from simulator.journey.shopper import draw_shopper
from simulator.journey.surroundings import look_around
from simulator.model.compiled import compiled
from simulator.page.load import SETUP_ROUND_TRIPS
from simulator.worlds.backend import compile_routes
from simulator.worlds.crowd import add_up, service_us
from simulator.worlds.station import LEFT, RENEGED, SERVED, Station

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray
    from simpy.events import Event

    from simulator.journey.plan import Plan
    from simulator.model.population import Population
    from simulator.worlds.backend import BackendFile
    from simulator.worlds.crowd import World

    Story = Generator[Event, Any, Any]
    Stop = tuple[Station, int]

US = 1e6
REPORT_EVERY = 256
"""Visits between two calls of `progress`."""


class CapacityRows(NamedTuple):
    """What was played: structured arrays of SHOPPER, VISIT and EVENT as the crowd's, and the stations after the run."""

    shoppers: NDArray[Any]
    visits: NDArray[Any]
    events: NDArray[Any]
    stations: dict[str, NDArray[Any]]
    """By name, the ledger of calls (CALL rows); see `simulator.worlds.queues`."""
    until_us: int
    """When the last thing happened."""


class Table(NamedTuple):
    """The arrays that compiled code works on: what is given, then what is written."""

    personas: NDArray[Any]
    tables: NDArray[np.float64]
    cards: NDArray[Any]
    routes: NDArray[Any]
    route_tables: NDArray[np.float64]
    arms: NDArray[Any]
    seed: int
    shoppers: NDArray[Any]
    who: NDArray[np.int64]
    """(rows,) position in `shoppers` of each plan row."""
    visits: NDArray[Any]
