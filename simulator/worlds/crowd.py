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

    from simulator.journey.plan import Plan
    from simulator.model.population import Population

US = 1e6
EVENTS_A_VISIT = 6
"""First guess at the buffer for events."""


class World(NamedTuple):
    """All that a walk needs besides who walks: compiled population, pages, arms and the seed."""

    population: Population
    pages: Pages
    arms: NDArray[Any]
    seed: int


class Rows(NamedTuple):
    """What was played: structured arrays of SHOPPER, VISIT and EVENT."""

    shoppers: NDArray[Any]
    visits: NDArray[Any]
    events: NDArray[Any]


@compiled
def service_us(card: Record, tables: Record, seed: int, visit: Record, place: int) -> int:
    """Return the unloaded server's time for the call at `place` of the page the shopper stands before."""
    key = STATE_KEYS[visit.state]
    u = uniform(seed, visit.shopper, visit.visit, key, visit.nth, card.service_key[place])
    return int(sample(card.service[place], tables, u) * US)


@compiled
def server_us(card: Record, tables: Record, seed: int, visit: Record) -> tuple[int, int]:
    """Return the unloaded server's time for the page's blocking and for its lcp calls, one after another."""
    blocking_us, lcp_us = 0, 0
    for place in range(card.calls):
        if card.placement[place] == BLOCKING:
            blocking_us += service_us(card, tables, seed, visit, place)
        elif card.placement[place] == LCP:
            lcp_us += service_us(card, tables, seed, visit, place)
    return blocking_us, lcp_us


@compiled
def add_up(
    card: Record, persona: Record, shopper: Record, visit: Record, event: Record, blocking_us: int, lcp_us: int
) -> tuple[int, int]:
    """Return (FCP, load) in microseconds of a page whose calls took `blocking_us` and `lcp_us` on the server.

    Reads the network from `event`; the rest of the page comes from its card.
    """
    promotion_s = persona.promotion_s[event.network]
    fcp_s, rest_s = load_parts(
        card,
        visit.pages == 0,
        event.rtt_ms / 1e3,
        event.down_kbps,
        promotion_s,
        shopper.cpu_slowdown,
        visit.reconnects == 1,
        event.loss,
    )
    if card.instant:
        event.stalled_us = 0
    fcp_us = int(fcp_s * US) + event.stalled_us + blocking_us
    return fcp_us, fcp_us + int(rest_s * US) + lcp_us


@compiled
def play_page(
    persona: Record,
    tables: Record,
    card: Record,
    card_tables: Record,
    arm: Record,
    seed: int,
    shopper: Record,
    visit: Record,
    event: Record,
) -> None:
    """Show the shopper one page of an unloaded shop and let them decide."""
    look_around(persona, tables, seed, shopper, visit, event)
    blocking_us, lcp_us = server_us(card, card_tables, seed, visit)
    fcp_us, load_us = add_up(card, persona, shopper, visit, event, blocking_us, lcp_us)
    delay_us = arm.delay_us[visit.state]
    event.server_us, event.measured_us = blocking_us + lcp_us, 0
    fcp_us, load_us = min(fcp_us + delay_us, NEVER_US), min(load_us + delay_us, NEVER_US)
    step(persona, tables, arm, seed, shopper, visit, event, fcp_us, load_us, True, NOT_SEEN)


@compiled
def _play(
    world: World, plan: Plan, first: int, last: int, shoppers: int, events: int, out: Rows, drawn: bool
) -> tuple[int, int, int]:
    """Play the plan's rows from `first` to `last` − 1, or until `out.events` is full.

    `shoppers` and `events` count what `out` holds already; a visit stands at its plan row; `drawn` says that the
    shoppers are there. Returns (next row, shoppers, events).
    """
    population, pages, arms, seed = world
    for row in range(first, last):
        if row == 0 or plan.shopper[row] != plan.shopper[row - 1]:
            if not drawn:
                draw_shopper(population, seed, plan.shopper[row], out.shoppers[shoppers])
            shoppers += 1
        shopper, visit, begun = out.shoppers[shoppers - 1], out.visits[row], events
        persona, arm = population.personas[shopper.persona], arms[plan.arm[row]]
        begin(persona, population.tables[0], seed, shopper, plan.visit[row], plan.arm[row], plan.start_us[row], visit)
        while visit.cause == ONGOING:
            if events == len(out.events):
                if row == 0 or plan.shopper[row] != plan.shopper[row - 1]:
                    shoppers -= 1
                return row, shoppers, begun
            card, event = pages.cards[visit.state], out.events[events]
            play_page(persona, population.tables[0], card, pages.tables[0], arm, seed, shopper, visit, event)
            events += 1
    return last, shoppers, events


def play(world: World, plan: Plan, *, block: int = 4_096, shoppers: NDArray[Any] | None = None) -> Rows:
    """Play every visit of a plan; the result does not depend on `block`, the number of visits played at a time.

    `shoppers` are the rows of the plan's shoppers, in its order, where they are drawn already.
    """
    rows, drawn = len(plan.shopper), shoppers is not None
    fresh = 1 + np.count_nonzero(np.diff(plan.shopper)) if rows else 0
    who = np.empty(fresh, SHOPPER) if shoppers is None else shoppers
    # `empty` and one growing buffer: numpy copies structured rows field by field, ten times slower than the kernel.
    out = Rows(who, np.zeros(rows, VISIT), np.empty(EVENTS_A_VISIT * rows + 64, EVENT))
    row, begun, events = 0, 0, 0
    while row < rows:
        last = min(row + block, rows)
        row, begun, events = _play(world, plan, row, last, begun, events, out, drawn)
        if row < last:
            out = out._replace(events=_grown(out.events, events))
    return out._replace(events=out.events[:events])


def _grown(events: NDArray[Any], used: int) -> NDArray[Any]:
    """Return a buffer of twice the size that holds the first `used` rows."""
    larger = np.empty(2 * len(events), EVENT)
    larger.view(np.uint8)[: used * EVENT.itemsize] = events.view(np.uint8)[: used * EVENT.itemsize]
    return larger
