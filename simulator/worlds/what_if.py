"""A recorded run played again with other latencies: as measured where it was, drawn from the run where it was not.

Up to where a shopper left, each page is as recorded, its own requests changed. What was never seen (a page that they
gave up, pages after the recorded end) takes what the server took for another visit's page of the same state in the same
run, changed alike, on this shopper's own modelled network and phone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey import keys
from simulator.journey.kernel import begin, step
from simulator.journey.keys import uniform
from simulator.journey.lanes import STATE_KEYS
from simulator.journey.records import EVENT, NEVER_US, NOT_SEEN, ONGOING, WALK, Record, as_visits
from simulator.journey.surroundings import look_around
from simulator.model.compiled import compiled
from simulator.worlds.crowd import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.worlds.crowd import Rows, World

TRIES = 64
"""How often a page is drawn that took at least as long as what was given up; then it stays given up."""


class Served(NamedTuple):
    """What the server took of the calls that hold a page, before and after the change; microseconds."""

    blocking_us: NDArray[np.int64]
    lcp_us: NDArray[np.int64]
    new_blocking_us: NDArray[np.int64]
    new_lcp_us: NDArray[np.int64]


class Pool(NamedTuple):
    """Recorded pages that loaded, by kind: those of kind k stand from `first[k]` to `first[k + 1]` − 1.

    A kind is a state, or, as the first page of a visit, which also opens the session, a state of S more.
    """

    first: NDArray[np.int64]
    served: Served


class Played(NamedTuple):
    """The visits, the last page of each (of EVENT), and how many pages were measured, and drawn, in each."""

    visits: NDArray[Any]
    last: NDArray[Any]
    measured: NDArray[np.int64]
    drawn: NDArray[np.int64]


def play_what_if(
    world: World, recorded: Rows, served: Served, pool: Pool, shoppers: NDArray[Any], who: NDArray[np.int64]
) -> Played:
    """Play recorded visits with changed latencies; `served` is of each recorded event, `who` each visit's shopper.

    Without any change every visit comes out as `replay` plays it. A visit that the end of the run cut goes no further.
    """
    walks = np.zeros(len(recorded.visits), WALK)
    last = np.zeros(len(walks), EVENT)
    measured, drawn = np.zeros(len(walks), np.int64), np.zeros(len(walks), np.int64)
    _play(world, recorded, served, pool, shoppers, who, walks, Played(walks, last, measured, drawn))
    return Played(as_visits(walks), last, measured, drawn)


@compiled
def _play(
    world: World,
    recorded: Rows,
    served: Served,
    pool: Pool,
    shoppers: NDArray[Any],
    who: NDArray[np.int64],
    walks: NDArray[Any],
    out: Played,
) -> None:
    population, pages, arms, seed = world
    first = 0
    for row in range(len(recorded.visits)):
        past, visit, event, shopper = recorded.visits[row], walks[row], out.last[row], shoppers[who[row]]
        persona, arm = population.personas[shopper.persona], arms[past.arm]
        begin(persona, population.tables[0], seed, shopper, past.visit, past.arm, past.start_us, visit)
        visit.lag_us = past.lag_us
        while visit.cause == ONGOING:
            place, ok, relevance = first + visit.pages, True, NOT_SEEN
            was_seen = visit.pages < past.pages
            if not was_seen and past.cause == ONGOING:
                break
            look_around(persona, population.tables[0], seed, shopper, visit, event)
            if was_seen:
                seen = recorded.events[place]
                event.network, event.rtt_ms, event.down_kbps = seen.network, seen.rtt_ms, seen.down_kbps
                event.loss, event.stalled_us = seen.loss, seen.stalled_us
                ok, relevance = seen.ok == 1, float(seen.relevance)
            fcp_us, load_us = add_up(pages.cards[visit.state], persona, shopper, visit, event, 0, 0)
            if was_seen and seen.load_us != NEVER_US:
                fcp_us, load_us = _changed(seen, served, place)
                out.measured[row] += 1
            else:
                rest_us, before_us = load_us - fcp_us, fcp_us + arm.delay_us[visit.state]
                fcp_us, load_us = NEVER_US, NEVER_US
                gave_up = 0
                if was_seen:
                    fcp_us, gave_up = seen.fcp_us, 1 + (seen.fcp_us != NEVER_US)
                drawn = _drawn(seed, visit, served, place, gave_up, pool)
                if drawn >= 0:
                    if gave_up == 2:
                        fcp_us += served.new_blocking_us[place] - served.blocking_us[place]
                    else:
                        fcp_us = before_us + pool.served.new_blocking_us[drawn]
                    load_us = fcp_us + rest_us + pool.served.new_lcp_us[drawn]
                    out.drawn[row] += 1
            step(
                persona,
                population.tables[0],
                arm,
                seed,
                shopper,
                visit,
                event,
                min(fcp_us, NEVER_US),
                min(load_us, NEVER_US),
                ok,
                np.float64(relevance),
            )
        first += past.pages


@compiled
def _changed(seen: Record, served: Served, place: int) -> tuple[int, int]:
    """Return (FCP, load) of a recorded page whose requests were changed."""
    blocking_us = served.new_blocking_us[place] - served.blocking_us[place]
    lcp_us = served.new_lcp_us[place] - served.lcp_us[place]
    fcp_us = max(0, seen.fcp_us + blocking_us)
    return fcp_us, max(fcp_us, seen.load_us + blocking_us + lcp_us)


@compiled
def _drawn(seed: int, visit: Record, served: Served, place: int, gave_up: int, pool: Pool) -> int:
    """Return the page of the pool that stands in for one that was never seen, or −1 where there is none.

    `gave_up` says how far the recorded page came: 0 there was none, 1 the shopper left during the blocking calls, 2
    during the lcp calls. Then the page that stands in took the server at least as long in these as was waited for them;
    and unless the change changes it, nothing is known that the record does not say.
    """
    kind = visit.state + len(STATE_KEYS) * (visit.pages == 0)
    start, end = pool.first[kind], pool.first[kind + 1]
    for attempt in range(TRIES if end > start else 0):
        key = keys.WHAT_IF ^ np.uint64(attempt)
        u = uniform(seed, visit.shopper, visit.visit, STATE_KEYS[visit.state], visit.nth, key)
        drawn = start + int(u * (end - start))
        blocking_us, lcp_us = pool.served.blocking_us[drawn], pool.served.lcp_us[drawn]
        changed = pool.served.new_lcp_us[drawn] != lcp_us
        if gave_up == 0:
            return int(drawn)
        if gave_up == 1 and blocking_us >= served.blocking_us[place]:
            changed |= pool.served.new_blocking_us[drawn] != blocking_us
            return int(drawn) if changed else -1
        if gave_up == 2 and lcp_us >= served.lcp_us[place]:
            changed |= served.new_blocking_us[place] != served.blocking_us[place]
            return int(drawn) if changed else -1
    return -1
