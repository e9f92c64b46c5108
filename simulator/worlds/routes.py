"""Page cards and a backend put together: the stations that each page's calls visit, and for how long."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.model.compiled import record_dtype
from simulator.model.distributions import DIST, TableBook
from simulator.page.card import BLOCKING, DEFERRED, LCP, MOST_CALLS, OPERATIONS
from simulator.worlds.backend import MOST_HOPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.page.card import Pages
    from simulator.worlds.backend import BackendFile

MOST_STOPS = MOST_CALLS * MOST_HOPS
ROUTE = record_dtype([("stops", "i8"), ("service", DIST, (MOST_STOPS,)), ("service_key", "u8", (MOST_STOPS,))])
"""One row a state: the service time of every stop its page's calls make, and the purpose of each draw; as in PAGE."""


class Way(NamedTuple):
    """The stops of one state's page as (station, position in ROUTE): a list for each placement, deferred by call."""

    blocking: list[tuple[int, int]]
    lcp: list[tuple[int, int]]
    deferred: list[list[tuple[int, int]]]
    places: list[int]
    """Of each deferred call, its place among the page's."""


class Routes(NamedTuple):
    """A backend and page cards put together."""

    rows: NDArray[Any]
    """(S,) of ROUTE."""
    tables: NDArray[Any]
    """(1,) of TABLES: the pages' and, after them, the backend's own."""
    ways: list[Way]
    """By state; stations count in the order of the backend's file."""


def stop_purpose(operation: str, station: str) -> int:
    """Return the key of the draw for a station's own service time of an operation."""
    return zlib.crc32(f"service.{operation}.{station}".encode())


def compile_routes(backend: BackendFile, pages: Pages) -> Routes:
    """Return the stops of every page: page cards say what is called, the backend where and for how long."""
    book, rows, ways = TableBook(after=pages.tables), np.zeros(len(pages.cards), ROUTE), []
    stations = {name: index for index, name in enumerate(backend.stations)}
    for row, card in zip(rows, pages.cards, strict=True):
        way = Way([], [], [], [])
        for place in range(card.calls):
            operation, stops = OPERATIONS[card.operation[place]], []
            for hop in backend.route(operation):
                stop = int(row.stops)
                stops.append((stations[hop.station], stop))
                row.stops += 1
                row.service[stop], row.service_key[stop] = card.service[place], card.service_key[place]
                if hop.service is not None:
                    row.service[stop] = book.row(hop.service)
                    row.service_key[stop] = stop_purpose(operation, hop.station)
            _add_call(way, card.placement[place], stops)
            if card.placement[place] == DEFERRED:
                way.places.append(place)
        ways.append(way)
    return Routes(rows, book.tables(), ways)


def _add_call(way: Way, placement: int, stops: list[tuple[int, int]]) -> None:
    if placement == BLOCKING:
        way.blocking.extend(stops)
    elif placement == LCP:
        way.lcp.extend(stops)
    else:
        assert placement == DEFERRED
        way.deferred.append(stops)
