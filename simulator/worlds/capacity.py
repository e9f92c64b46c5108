"""The capacity world: shoppers share a modelled backend, so one shopper's wait is another's work. On SimPy.

A shopper's visit is one generator, `visit`. Time is whole microseconds from the run's reference instant; all draws are
keyed, so that no order of simultaneous things decides any of them.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import simpy

from simulator.journey.kernel import begin, patience_us, step
from simulator.journey.records import EVENT, IMPATIENT, NEVER_US, NOT_SEEN, ONGOING, SHOPPER, VISIT
from simulator.journey.shopper import draw_shopper
from simulator.journey.surroundings import look_around
from simulator.model.compiled import compiled
from simulator.page.load import SETUP_ROUND_TRIPS
from simulator.worlds.backend import MOST_STOPS, compile_routes
from simulator.worlds.crowd import add_up, service_us
from simulator.worlds.queues import series_rows, station_rows
from simulator.worlds.station import FOREVER_US, LEFT, RENEGED, SERVED, Station

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray
    from simpy.events import Event

    from simulator.journey.plan import Plan
    from simulator.model.population import Population
    from simulator.worlds.backend import BackendFile, Routes, Way
    from simulator.worlds.crowd import World

    Story = Generator[Event, Any, Any]
    Stop = tuple[Station, int]

US = 1e6
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


class Table(NamedTuple):
    """The arrays that compiled code works on: first what is given, then what is written."""

    personas: NDArray[Any]
    tables: NDArray[np.float64]
    cards: NDArray[Any]
    routes: NDArray[Any]
    route_tables: NDArray[np.float64]
    arms: NDArray[Any]
    seed: int
    plan: Plan
    who: NDArray[np.int64]
    """(rows,) position in `shoppers` of each plan row."""
    shoppers: NDArray[Any]
    visits: NDArray[Any]


@compiled
def draw_shoppers(population: Population, seed: int, numbers: NDArray[np.int64], shoppers: NDArray[Any]) -> None:
    """Fill SHOPPER rows for the shoppers of these numbers."""
    for index in range(len(numbers)):
        draw_shopper(population, seed, numbers[index], shoppers[index])


@compiled
def arrive(table: Table, row: int) -> None:
    """Begin the visit of a plan row."""
    shopper, visit, plan = table.shoppers[table.who[row]], table.visits[row], table.plan
    persona = table.personas[shopper.persona]
    begin(persona, table.tables, table.seed, shopper, plan.visit[row], plan.arm[row], plan.start_us[row], visit)


@compiled
def tap(
    table: Table, row: int, events: NDArray[Any], at: int, stops_us: NDArray[np.int64]
) -> tuple[int, int, int, int, int]:
    """Ask for the page that a visit stands before; fill `stops_us` with the service time of each stop.

    Returns (state, `before_us` from the tap until the first call reaches the server, `after_us` from the last blocking
    answer to FCP, `rest_us` from there or from the last lcp answer until usable, patience while nothing is visible).
    """
    shopper, visit, event = table.shoppers[table.who[row]], table.visits[row], events[at]
    persona, card, route = table.personas[shopper.persona], table.cards[visit.state], table.routes[visit.state]
    look_around(persona, table.tables, table.seed, shopper, visit, event)
    for stop in range(route.stops):
        stops_us[stop] = service_us(route, table.route_tables, table.seed, visit, stop)
    fcp_us, load_us = add_up(card, persona, shopper, visit, event, 0, 0)
    before_s = 0.5 * event.rtt_ms / 1e3
    if visit.pages == 0:
        before_s += persona.promotion_s[event.network] + SETUP_ROUND_TRIPS * event.rtt_ms / 1e3
    before_us = min(int(before_s * US), fcp_us)
    after_us = fcp_us - before_us + table.arms[visit.arm].delay_us[visit.state]
    blind_us = patience_us(persona, table.seed, shopper, visit, np.inf)
    return visit.state, before_us, after_us, load_us - fcp_us, blind_us


@compiled
def patience_after_fcp(table: Table, row: int, fcp_us: int) -> int:
    """Return the microseconds from the tap that a shopper waits for the page, having seen something at `fcp_us`."""
    shopper, visit = table.shoppers[table.who[row]], table.visits[row]
    return patience_us(table.personas[shopper.persona], table.seed, shopper, visit, fcp_us)


@compiled
def decide(
    table: Table, row: int, events: NDArray[Any], at: int, fcp_us: int, load_us: int, server_us: int, ok: bool
) -> tuple[int, int]:
    """Let the shopper decide after a page; return (cause, think time)."""
    shopper, visit, event = table.shoppers[table.who[row]], table.visits[row], events[at]
    event.server_us, event.measured_us = min(server_us, NEVER_US), 0
    persona, arm = table.personas[shopper.persona], table.arms[visit.arm]
    fcp_us, load_us = min(fcp_us, NEVER_US), min(load_us, NEVER_US)
    step(persona, table.tables, arm, table.seed, shopper, visit, event, fcp_us, load_us, ok, NOT_SEEN)
    return visit.cause, event.think_us


def visit(shop: Shop, row: int) -> Story:
    """Play one visit: tap, wait, look, decide, tap again; or leave, the moment patience is over."""
    timeout, table, stops_us = shop.env.timeout, shop.table, shop.stops_us
    pause_us, cause = 0, ONGOING
    arrive(table, row)
    while cause == ONGOING:
        at = shop.new_event(row)
        state, before_us, after_us, rest_us, blind_us = tap(table, row, shop.events, at, stops_us)
        way, times = shop.ways[state], stops_us.tolist()
        yield timeout(pause_us + before_us)

        blocking_us, outcome = yield from ask(way.blocking, times, blind_us - before_us)
        fcp_us, lcp_us, painted = before_us + blocking_us + after_us, 0, False
        if way.lcp and outcome == SERVED:
            left_us = blind_us - fcp_us
            if left_us >= 0:
                yield timeout(after_us)
                left_us, painted = patience_after_fcp(table, row, fcp_us) - fcp_us, True
            lcp_us, outcome = yield from ask(way.lcp, times, left_us)
        load_us = fcp_us + lcp_us + rest_us
        if outcome == RENEGED:
            fcp_us, load_us = fcp_us if painted else NEVER_US, NEVER_US

        ok = outcome <= RENEGED
        cause, pause_us = decide(table, row, shop.events, at, fcp_us, load_us, blocking_us + lcp_us, ok)
        if cause == IMPATIENT:
            break
        yield timeout(rest_us if painted else after_us + rest_us)
        if ok:
            for calls in way.deferred:
                shop.env.process(ask(calls, times, FOREVER_US))
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

    blocking: Sequence[Stop]
    lcp: Sequence[Stop]
    deferred: Sequence[Sequence[Stop]]


class Shop:
    """Everything that visits share while a plan is played."""

    def __init__(
        self, world: World, plan: Plan, backend: BackendFile, progress: Callable[[int], None] | None
    ) -> None:
        self.env = simpy.Environment(int(plan.start_us.min()))
        self.stations = [Station(self.env, name, spec) for name, spec in backend.stations.items()]
        routes = compile_routes(backend, world.pages)
        self.ways = [self._with_stations(way) for way in routes.ways]
        self.table = _table(world, plan, routes)
        self.stops_us = np.zeros(MOST_STOPS, np.int64)
        self.events = np.empty(EVENTS_A_VISIT * len(plan.shopper) + 64, EVENT)
        self._rows = array("q")
        self._progress = progress
        self._ended = 0

    def _with_stations(self, way: Way) -> Stops:
        def stops(pairs: Sequence[tuple[int, int]]) -> list[Stop]:
            return [(self.stations[station], stop) for station, stop in pairs]

        return Stops(stops(way.blocking), stops(way.lcp), [stops(call) for call in way.deferred])

    def new_event(self, row: int) -> int:
        """Return the position in `events` of a plan row's next event."""
        at = len(self._rows)
        if at == len(self.events):
            self.events = np.concatenate([_as_bytes(self.events), _as_bytes(np.empty(at, EVENT))]).view(EVENT)[:, 0]
        self._rows.append(row)
        return at

    def visit_ended(self) -> None:
        """Count a visit, and tell `progress` now and then."""
        self._ended += 1
        if self._progress and self._ended % REPORT_EVERY == 0:
            self._progress(self._ended)

    def arrivals(self) -> Story:
        """Send every visit of the plan in when it is due."""
        env, start_us = self.env, self.table.plan.start_us
        for row in np.argsort(start_us, kind="stable").tolist():
            yield env.timeout(int(start_us[row]) - env.now)
            env.process(visit(self, row))

    def ordered_events(self) -> NDArray[Any]:
        """Return the events by plan row, then step: a visit's own events were numbered in order."""
        order = np.argsort(np.array(self._rows), kind="stable")
        rows: NDArray[Any] = _as_bytes(self.events)[order].view(EVENT)[:, 0]
        return rows


def _as_bytes(events: NDArray[Any]) -> NDArray[np.uint8]:
    """Return rows as bytes: numpy copies structured rows field by field, ten times slower."""
    return events.view(np.uint8).reshape(len(events), -1)


def _table(world: World, plan: Plan, routes: Routes) -> Table:
    population, pages, arms, seed = world
    fresh = np.append(True, np.diff(plan.shopper) != 0)  # noqa: FBT003 - a leading True
    shoppers = np.empty(int(fresh.sum()), SHOPPER)
    draw_shoppers(population, seed, plan.shopper[fresh], shoppers)
    who, visits = np.cumsum(fresh) - 1, np.zeros(len(plan.shopper), VISIT)
    return Table(
        population.personas,
        population.tables,
        pages.cards,
        routes.rows,
        routes.tables,
        arms,
        seed,
        plan,
        who,
        shoppers,
        visits,
    )


def play(
    world: World, plan: Plan, backend: BackendFile, *, progress: Callable[[int], None] | None = None
) -> CapacityRows:
    """Play every visit of a plan against a backend until nobody is left and nothing is going on.

    `progress` is told the number of visits that have ended, every `REPORT_EVERY` of them. The plan must not be empty.
    """
    shop = Shop(world, plan, backend, progress)
    first_us = shop.env.now
    shop.env.process(shop.arrivals())
    shop.env.run()
    if progress:
        progress(len(plan.shopper))
    until_us = shop.env.now
    return CapacityRows(
        shop.table.shoppers,
        shop.table.visits,
        shop.ordered_events(),
        station_rows(shop.stations, first_us, until_us),
        series_rows(shop.stations, first_us, until_us),
        tuple(station.ledger() for station in shop.stations),
    )
