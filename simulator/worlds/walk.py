"""The walk a page at a time, for a world whose visits wait for each other: tap, wait somewhere else, decide.

Each function is one call into compiled code. Arrays travel whole, with the position of the row: numba takes an array
from Python in a tenth of the time that it needs for one row of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from simulator.journey.kernel import begin, patience_us, step
from simulator.journey.records import NEVER_US
from simulator.journey.surroundings import look_around
from simulator.model.compiled import compiled
from simulator.page.load import SETUP_ROUND_TRIPS
from simulator.worlds.crowd import add_up, made_calls, service_us

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.worlds.crowd import World

US = 1e6
Given: TypeAlias = "tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], int]"
"""(personas, their tables, cards, routes, their tables, arms, seed): a plain tuple, which numba takes in half the time
that it needs for one with names."""


@compiled
def begin_all(world: World, plan: Plan, who: NDArray[np.int64], shoppers: NDArray[Any], visits: NDArray[Any]) -> None:
    """Let each visit of a plan stand before its first page.

    `who` is the position in `shoppers` of each plan row.
    """
    population, _, _, seed = world
    for row in range(len(who)):
        shopper = shoppers[who[row]]
        persona = population.personas[shopper.persona]
        number, arm, start_us = plan.visit[row], plan.arm[row], plan.start_us[row]
        begin(persona, population.tables[0], seed, shopper, number, arm, start_us, visits[row])


@compiled
def tap(
    given: Given,
    shoppers: NDArray[Any],
    visits: NDArray[Any],
    events: NDArray[Any],
    who: int,
    row: int,
    at: int,
    stops_us: NDArray[np.int64],
) -> tuple[int, int, int, int, int]:
    """Ask for the page that a visit stands before; fill `stops_us` with the service time of each stop.

    Returns (state, `before_us` from the tap until the first call reaches the server, `after_us` from the last blocking
    answer to FCP, `rest_us` from there or from the last lcp answer until usable, patience while nothing is visible).
    """
    personas, tables, cards, routes, route_tables, arms, seed = given
    shopper, visit, event = shoppers[who], visits[row], events[at]
    persona, card, route = personas[shopper.persona], cards[visit.state], routes[visit.state]
    look_around(persona, tables[0], seed, shopper, visit, event)
    for stop in range(route.stops):
        stops_us[stop] = service_us(route, route_tables[0], seed, visit, stop)
    fcp_us, load_us = add_up(card, persona, shopper, visit, event, 0, 0)
    before_s = 0.5 * event.rtt_ms / 1e3 + event.stalled_us / US
    if visit.reconnects:
        before_s += persona.promotion_s[event.network] + SETUP_ROUND_TRIPS * event.rtt_ms / 1e3
    before_us = min(int(before_s * US), fcp_us)
    after_us = fcp_us - before_us + arms[visit.arm].delay_us[visit.state]
    return visit.state, before_us, after_us, load_us - fcp_us, patience_us(persona, shopper, visit, np.inf)


@compiled
def calls_made(given: Given, visits: NDArray[Any], row: int) -> int:
    """Return which calls the page makes that a visit stands before: bit n is the call at place n of its card."""
    return made_calls(given[2][visits[row].state], given[6], visits[row])


@compiled
def patience_after_fcp(
    given: Given, shoppers: NDArray[Any], visits: NDArray[Any], who: int, row: int, fcp_us: int
) -> int:
    """Return the microseconds from the tap that a shopper waits for the page, having seen something at `fcp_us`."""
    return patience_us(given[0][shoppers[who].persona], shoppers[who], visits[row], fcp_us)


@compiled
def decide(
    given: Given,
    shoppers: NDArray[Any],
    visits: NDArray[Any],
    events: NDArray[Any],
    who: int,
    row: int,
    at: int,
    fcp_us: int,
    load_us: int,
    server_us: int,
    measured_us: int,
    ok: bool,
    relevance: float,
) -> tuple[int, int]:
    """Let the shopper decide after a page; return (cause, think time)."""
    personas, tables, _, _, _, arms, seed = given
    shopper, visit, event = shoppers[who], visits[row], events[at]
    event.server_us, event.measured_us = min(server_us, NEVER_US), min(measured_us, NEVER_US)
    fcp_us, load_us = min(fcp_us, NEVER_US), min(load_us, NEVER_US)
    persona, arm = personas[shopper.persona], arms[visit.arm]
    step(persona, tables[0], arm, seed, shopper, visit, event, fcp_us, load_us, ok, relevance)
    return visit.cause, int(event.think_us)
