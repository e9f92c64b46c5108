"""The capacity world: shoppers share a modelled backend, so one shopper's wait is another's work. On SimPy.

A shopper's visit is one generator, `visit`. Time is whole microseconds from the run's reference instant; all draws are
keyed, so that no order of simultaneous things decides any of them.
"""

from __future__ import annotations

import gc
from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import simpy

from simulator.journey.records import EVENT, IMPATIENT, NEVER_US, NOT_SEEN, ONGOING, WALK, as_visits
from simulator.journey.shopper import draw_these
from simulator.worlds.queues import series_rows, station_rows
from simulator.worlds.routes import MOST_STOPS, compile_routes
from simulator.worlds.station import FOREVER_US, LEFT, REJECTED, RENEGED, SERVED, Station
from simulator.worlds.walk import begin_all, calls_made, decide, patience_after_fcp, tap

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from numpy.typing import NDArray
    from simpy.events import Event

    from simulator.journey.plan import Plan
    from simulator.worlds.backend import BackendFile
    from simulator.worlds.crowd import World
    from simulator.worlds.routes import Way

    Story = Generator[Event, Any, Any]
    Stop = tuple[Station, int]

EVENTS_A_VISIT = 6
"""First guess at the buffer for events."""
REPORT_EVERY = 256
"""Visits between two calls of `progress`."""


class CapacityRows(NamedTuple):
    """What was played: SHOPPER, VISIT and EVENT rows in the crowd's order, and what the stations saw."""

    shoppers: NDArray[Any]
    visits: NDArray[Any]
    events: NDArray[Any]
    stations: NDArray[Any]
    """STATION rows, in the order of the backend's file."""
    series: NDArray[Any]
    """SERIES rows, station by station."""
    calls: tuple[NDArray[Any], ...]
    """CALL rows of each station."""


def visit(shop: Shop, row: int) -> Story:
    """Play one visit: tap, wait, look, think, tap again; or leave, the moment patience is over."""
    given, shoppers, visits, who = shop.given, shop.shoppers, shop.visits, shop.who[row]
    timeout, stops_us, think_us, cause = shop.env.timeout, shop.stops_us, 0, ONGOING
    while cause == ONGOING:
        at = shop.new_event(row)
        page = tap(given, shoppers, visits, shop.events, who, row, at, stops_us)
        state, before_us, after_us, rest_us, blind_us = page
        way, times = shop.ways[state], stops_us.tolist()
        yield timeout(think_us + before_us)

        blocking_us, outcome = yield from ask(way.blocking, times, blind_us - before_us)
        fcp_us, lcp_us, painted = before_us + blocking_us + after_us, 0, False
        if way.lcp and outcome == SERVED:
            if fcp_us <= blind_us:
                yield timeout(after_us)
                painted = True
                blind_us = patience_after_fcp(given, shoppers, visits, who, row, fcp_us)
            lcp_us, outcome = yield from ask(way.lcp, times, blind_us - fcp_us)
        load_us, server_us = fcp_us + lcp_us + rest_us, blocking_us + lcp_us
        if outcome == RENEGED:
            fcp_us, load_us = fcp_us if painted else NEVER_US, NEVER_US

        ok = outcome < REJECTED
        seen = (fcp_us, load_us, server_us, 0, ok, NOT_SEEN)
        made = calls_made(given, visits, row) if ok and way.deferred else 0
        cause, think_us = decide(given, shoppers, visits, shop.events, who, row, at, *seen)
        if cause == IMPATIENT:
            break
        yield timeout(rest_us if painted else after_us + rest_us)
        if ok:
            for stops, place in zip(way.deferred, way.places, strict=True):
                if made >> place & 1:
                    shop.env.process(ask(stops, times, FOREVER_US))
    shop.visit_ended()


def ask(stops: Sequence[Stop], times: list[int], patience_us: int) -> Story:
    """Make calls one after another for as long as somebody waits; return (microseconds, the last outcome).

    Whoever has left asks no more; the calls still to come then count as they would without a queue, so that a page
    that was left has a load time where one is known. A call that fails is the last one.
    """
    spent_us = 0
    for station, stop in stops:
        if spent_us > patience_us:
            spent_us += times[stop]
            continue
        call = station.call(times[stop], patience_us - spent_us)
        outcome = yield call
        spent_us += call.took_us
        if outcome > LEFT:
            return spent_us, outcome
    return spent_us, SERVED


class Stops(NamedTuple):
    """Where the calls of one state's page go, as (station, position among the page's stops)."""

    blocking: list[Stop]
    lcp: list[Stop]
    deferred: list[list[Stop]]
    places: list[int]


class Shop:
    """Everything that the visits of a plan share while they are played."""

    def __init__(
        self, world: World, plan: Plan, backend: BackendFile, progress: Callable[[int], None] | None = None
    ) -> None:
        self.env = simpy.Environment(int(plan.start_us.min(initial=FOREVER_US)))
        self.stations = [Station(self.env, spec) for spec in backend.stations.values()]
        routes = compile_routes(backend, world.pages)
        self.ways = [self._stops(way) for way in routes.ways]
        population, pages, arms, seed = world
        self.given = (population.personas, population.tables, pages.cards, routes.rows, routes.tables, arms, seed)
        self.stops_us = np.zeros(MOST_STOPS, np.int64)
        fresh = np.diff(plan.shopper, prepend=-1) != 0
        who = np.cumsum(fresh) - 1
        self.who: list[int] = who.tolist()
        self.start_us = plan.start_us
        self.shoppers = draw_these(population, seed, plan.shopper[fresh])
        self.visits = np.zeros(len(who), WALK)
        self.events = np.empty(EVENTS_A_VISIT * len(who) + 64, EVENT)
        begin_all(world, plan, who, self.shoppers, self.visits)
        self._event_rows = array("q")
        self._progress = progress
        self._ended = 0

    def _stops(self, way: Way) -> Stops:
        def with_station(stops: Sequence[tuple[int, int]]) -> list[Stop]:
            return [(self.stations[station], stop) for station, stop in stops]

        deferred = [with_station(call) for call in way.deferred]
        return Stops(with_station(way.blocking), with_station(way.lcp), deferred, way.places)

    def new_event(self, row: int) -> int:
        """Return the position in `events` of a plan row's next event."""
        at = len(self._event_rows)
        if at == len(self.events):
            self.events = np.concatenate([_as_bytes(self.events)] * 2).view(EVENT)[:, 0]
        self._event_rows.append(row)
        return at

    def visit_ended(self) -> None:
        """Count a visit, and tell `progress` now and then."""
        self._ended += 1
        if self._progress and self._ended % REPORT_EVERY == 0:
            self._progress(self._ended)

    def arrivals(self) -> Story:
        """Send every visit of the plan in when it is due."""
        env, start_us = self.env, self.start_us
        for row in np.argsort(start_us, kind="stable").tolist():
            yield env.timeout(int(start_us[row]) - env.now)
            env.process(visit(self, row))

    def run(self) -> CapacityRows:
        """Play until nobody is left and nothing is going on."""
        first_us = int(self.env.now)
        self.env.process(self.arrivals())
        with collector_paused():
            self.env.run()
        calls = tuple(station.ledger() for station in self.stations)
        ends = [self.visits["start_us"] + self.visits["elapsed_us"], *(ledger["free_us"] for ledger in calls)]
        # Not the environment's time: the patience of somebody who was served long ago may run out at the very last.
        until_us = max(int(column.max(initial=first_us)) for column in ends)
        order = np.argsort(np.array(self._event_rows, np.int64), kind="stable")
        return CapacityRows(
            self.shoppers,
            as_visits(self.visits),
            _as_bytes(self.events)[order].view(EVENT)[:, 0],
            station_rows(self.stations, first_us, until_us),
            series_rows(self.stations, first_us, until_us),
            calls,
        )


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cycle collector: what a run drops holds no cycles, and looking for them costs a third of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _as_bytes(events: NDArray[Any]) -> NDArray[np.uint8]:
    """Return rows as bytes: numpy copies structured rows field by field, ten times slower."""
    return events.view(np.uint8).reshape(len(events), -1)


def play(
    world: World, plan: Plan, backend: BackendFile, *, progress: Callable[[int], None] | None = None
) -> CapacityRows:
    """Play every visit of a plan against a backend.

    `progress` is told the number of visits that have ended, every `REPORT_EVERY` of them and after the last.
    """
    rows = Shop(world, plan, backend, progress).run()
    if progress:
        progress(len(rows.visits))
    return rows
