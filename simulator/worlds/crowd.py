"""The crowd world: nobody waits for anybody, so every visit is a loop over the kernel, compiled over blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey.columns import Gathered
from simulator.journey.kernel import begin, step
from simulator.journey.keys import uniform
from simulator.journey.lanes import STATE_KEYS
from simulator.journey.records import (
    EVENT,
    MAX_STEPS,
    NEVER_US,
    NOT_SEEN,
    ONGOING,
    SHOPPER,
    VISIT,
    WALK,
    Record,
    visit_bytes,
)
from simulator.journey.shopper import draw_these
from simulator.journey.surroundings import look_around
from simulator.model.compiled import compiled
from simulator.model.distributions import sample
from simulator.page.card import BLOCKING, LCP, Pages
from simulator.page.load import load_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.model.population import Population

    Columns = dict[str, NDArray[Any]]

US = 1e6
EVENTS_A_VISIT = 4
"""First guess at the room for events."""
BLOCK = 1_024
"""Visits played at a time: with their events they stay in the processor's cache until they are columns."""


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
def made_calls(card: Record, seed: int, visit: Record) -> int:
    """Return which calls the page makes that the shopper stands before: bit n is the call at place n."""
    key, made = STATE_KEYS[visit.state], 0
    for place in range(card.calls):
        always = card.share[place] >= 1.0
        if (
            always
            or uniform(seed, visit.shopper, visit.visit, key, visit.nth, card.made_key[place]) < card.share[place]
        ):
            made |= 1 << place
    return made


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
def load_page(
    persona: Record,
    tables: Record,
    card: Record,
    card_tables: Record,
    arm: Record,
    seed: int,
    shopper: Record,
    visit: Record,
    event: Record,
) -> tuple[int, int]:
    """Load the page that the shopper stands before from an unloaded shop; return (FCP, load) in microseconds."""
    look_around(persona, tables, seed, shopper, visit, event)
    blocking_us, lcp_us = server_us(card, card_tables, seed, visit)
    fcp_us, load_us = add_up(card, persona, shopper, visit, event, blocking_us, lcp_us)
    delay_us = arm.delay_us[visit.state]
    event.server_us, event.measured_us = blocking_us + lcp_us, 0
    # A treatment may also save time, but no page is there before it was asked for.
    return max(min(fcp_us + delay_us, NEVER_US), 0), max(min(load_us + delay_us, NEVER_US), 0)


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
    fcp_us, load_us = load_page(persona, tables, card, card_tables, arm, seed, shopper, visit, event)
    step(persona, tables, arm, seed, shopper, visit, event, fcp_us, load_us, True, NOT_SEEN)


@compiled
def _play(
    world: World,
    plan: Plan,
    who: NDArray[np.int64],
    first: int,
    last: int,
    walk: NDArray[Any],
    row_bytes: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    rows: Rows,
) -> tuple[int, int]:
    """Play the plan's rows from `first` to `last` − 1, or until `rows.events` is full.

    `who` is the position in `rows.shoppers` of each plan row. `walk` is one row of WALK for all visits, which so stays
    in the processor's cache; `row_bytes` shows it and `rows.visits` as bytes. Returns (next row, events).
    """
    population, pages, arms, seed = world
    visit, (played, kept) = walk[0], row_bytes
    events = 0
    for row in range(first, last):
        shopper, begun = rows.shoppers[who[row]], events
        persona, arm = population.personas[shopper.persona], arms[plan.arm[row]]
        begin(persona, population.tables[0], seed, shopper, plan.visit[row], plan.arm[row], plan.start_us[row], visit)
        while visit.cause == ONGOING:
            if events == len(rows.events):
                return row, begun
            card, event = pages.cards[visit.state], rows.events[events]
            play_page(persona, population.tables[0], card, pages.tables[0], arm, seed, shopper, visit, event)
            events += 1
        kept[row - first] = played[0]
    return last, events


def blocks(world: World, plan: Plan, *, block: int = BLOCK, shoppers: NDArray[Any] | None = None) -> Iterator[Rows]:
    """Yield the visits of a plan in its order, at most `block` at a time, with all shoppers and the visits' events.

    A block's rows hold until the next one is asked for: it is played into the same memory, which so stays in the
    processor's cache. `shoppers` are the rows of the plan's shoppers, in its order, where they are drawn already.
    """
    fresh = np.diff(plan.shopper, prepend=-1) != 0
    everybody = draw_these(world.population, world.seed, plan.shopper[fresh]) if shoppers is None else shoppers
    who = np.cumsum(fresh) - 1
    block = min(block, len(who))
    # Room for the longest visit, so that every block has at least one.
    rows = Rows(everybody, np.empty(block, VISIT), np.empty(EVENTS_A_VISIT * block + MAX_STEPS, EVENT))
    walk = np.zeros(1, WALK)
    row_bytes = visit_bytes(walk), visit_bytes(rows.visits)
    row = 0
    while row < len(who):
        end, events = _play(world, plan, who, row, min(row + block, len(who)), walk, row_bytes, rows)
        yield Rows(everybody, rows.visits[: end - row], rows.events[:events])
        row = end


def play(world: World, plan: Plan, *, block: int = BLOCK, shoppers: NDArray[Any] | None = None) -> Rows:
    """Play every visit of a plan; the result does not depend on `block`. Takes what `blocks` takes."""
    everybody = np.empty(0, SHOPPER) if shoppers is None else shoppers
    visits, events = [b""], [b""]
    for rows in blocks(world, plan, block=block, shoppers=shoppers):
        everybody = rows.shoppers
        visits.append(rows.visits.tobytes())
        events.append(rows.events.tobytes())
    return Rows(
        everybody, np.frombuffer(bytearray().join(visits), VISIT), np.frombuffer(bytearray().join(events), EVENT)
    )


def play_columns(world: World, plan: Plan, shoppers: NDArray[Any]) -> tuple[Columns, Columns]:
    """Play every visit of a plan, whose shoppers are drawn; return the columns of the visits and of the events."""
    visits = Gathered(VISIT, len(plan.shopper))
    events = Gathered(EVENT, EVENTS_A_VISIT * len(plan.shopper))
    for rows in blocks(world, plan, shoppers=shoppers):
        visits.add(rows.visits)
        events.add(rows.events)
    return visits.columns(), events.columns()
