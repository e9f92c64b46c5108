"""The crowd world: nobody waits for anybody, so every visit is a loop over the kernel, compiled over blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey.kernel import STATE_KEYS, begin, step
from simulator.journey.keys import uniform
from simulator.journey.records import EVENT, NEVER_US, NOT_SEEN, ONGOING, SHOPPER, VISIT, Record
from simulator.journey.shopper import draw_shopper
from simulator.journey.surroundings import look_around
from simulator.model.compiled import compiled
from simulator.model.distributions import sample
from simulator.page.card import BLOCKING, LCP, Pages
from simulator.page.load import load_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.model.population import Population

US = 1e6


class World(NamedTuple):
    """All that a walk needs besides who walks: compiled population, pages, arms and the seed."""

    population: Population
    pages: Pages
    arms: NDArray[Any]
    seed: int


class Plan(NamedTuple):
    """Who comes and when: one row a visit and arm, visits of a shopper side by side."""

    shopper: NDArray[np.int64]
    visit: NDArray[np.int64]
    arm: NDArray[np.int64]
    start_us: NDArray[np.int64]


class Rows(NamedTuple):
    """What was played: structured arrays of SHOPPER, VISIT and EVENT."""

    shoppers: NDArray[Any]
    visits: NDArray[Any]
    events: NDArray[Any]


@compiled
def server_s(pages: Pages, seed: int, visit: Record, placement: int) -> float:
    """Return the unloaded server's time for the calls of one placement of the page, one after another."""
    total = 0.0
    for place in range(pages.calls.shape[1]):
        operation = pages.calls[visit.state, place]
        if operation >= 0 and pages.placements[visit.state, place] == placement:
            key = STATE_KEYS[visit.state]
            u = uniform(seed, visit.shopper, visit.visit, key, visit.nth, pages.service_keys[operation])
            total += sample(pages.service[operation], pages.tables, u)
    return total


@compiled
def add_up(
    pages: Pages, population: Population, shopper: Record, visit: Record, event: Record, blocking_us: int, lcp_us: int
) -> tuple[int, int]:
    """Return (FCP, load) in microseconds of a page whose calls took `blocking_us` and `lcp_us` on the server.

    Reads the network from `event`; the rest of the page comes from its card.
    """
    promotion_s = population.technologies[event.network].promotion_s
    fcp_s, rest_s = load_parts(
        pages.cards[visit.state],
        visit.pages == 0,
        event.rtt_ms / 1e3,
        event.down_kbps,
        promotion_s,
        shopper.cpu_slowdown,
    )
    fcp_us = int(fcp_s * US) + blocking_us
    return fcp_us, fcp_us + int(rest_s * US) + lcp_us


@compiled
def play_page(world: World, shopper: Record, visit: Record, event: Record) -> None:
    """Show the shopper one page of an unloaded shop and let them decide."""
    look_around(world.population, world.seed, shopper, visit, event)
    blocking_us = int(server_s(world.pages, world.seed, visit, BLOCKING) * US)
    lcp_us = int(server_s(world.pages, world.seed, visit, LCP) * US)
    fcp_us, load_us = add_up(world.pages, world.population, shopper, visit, event, blocking_us, lcp_us)
    delay_us = world.arms[visit.arm].delay_us[visit.state]
    event.server_us, event.measured_us = blocking_us + lcp_us, 0
    fcp_us, load_us = min(fcp_us + delay_us, NEVER_US), min(load_us + delay_us, NEVER_US)
    step(world.population, world.arms, world.seed, shopper, visit, event, fcp_us, load_us, True, NOT_SEEN)


@compiled
def _play(world: World, plan: Plan, first: int, out: Rows) -> tuple[int, int, int]:
    """Play visits from `first` on until `out` could overflow; return (next visit, shoppers, events) written.

    Visits are written at their own position in `out.visits`.
    """
    shoppers, events = 0, 0
    last = -1
    for row in range(first, len(plan.shopper)):
        if plan.shopper[row] != last:
            if shoppers == len(out.shoppers):
                return row, shoppers, events
            draw_shopper(world.population, world.seed, plan.shopper[row], out.shoppers[shoppers])
            last = plan.shopper[row]
            shoppers += 1
        shopper, visit = out.shoppers[shoppers - 1], out.visits[row]
        begun = events
        begin(world.population, world.seed, shopper, plan.visit[row], plan.arm[row], plan.start_us[row], visit)
        while visit.cause == ONGOING:
            if events == len(out.events):
                return row, shoppers, begun
            play_page(world, shopper, visit, out.events[events])
            events += 1
    return len(plan.shopper), shoppers, events


def play(world: World, plan: Plan, *, block: int = 4_096) -> Rows:
    """Play every visit of a plan; the result does not depend on `block`, the number of visits played at a time."""
    parts = [_play_block(world, Plan(*(c[i : i + block] for c in plan))) for i in range(0, len(plan.shopper), block)]
    if not parts:
        return Rows(np.zeros(0, SHOPPER), np.zeros(0, VISIT), np.zeros(0, EVENT))
    shoppers = np.concatenate([part.shoppers for part in parts])
    # A shopper whose visits span two blocks was drawn twice, alike both times.
    fresh = np.append(True, shoppers["shopper"][1:] != shoppers["shopper"][:-1])  # noqa: FBT003 - a leading True
    return Rows(
        shoppers[fresh],
        np.concatenate([part.visits for part in parts]),
        np.concatenate([part.events for part in parts]),
    )


def _play_block(world: World, plan: Plan) -> Rows:
    visits = len(plan.shopper)
    out = Rows(np.zeros(visits, SHOPPER), np.zeros(visits, VISIT), np.zeros(8 * visits + 64, EVENT))
    while True:
        done, shoppers, events = _play(world, plan, 0, out)
        if done == visits:
            return Rows(out.shoppers[:shoppers], out.visits, out.events[:events])
        out = out._replace(events=np.zeros(2 * len(out.events), EVENT))
