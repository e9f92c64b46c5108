"""The same visit in every arm of an experiment, side by side: played, and compared with control's.

All arms share their draws, so that a treated visit is its control visit up to the page on which one of the two ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey.kernel import begin
from simulator.journey.records import BUDGET, CAUSES, EVENT, IMPATIENT, ONGOING, PUT_OFF, WALK, Record
from simulator.model.compiled import compiled, record_dtype
from simulator.model.schema import TECHNOLOGIES, TIERS
from simulator.model.states import STATE_NAMES
from simulator.worlds.crowd import play_page

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.plan import Plan

WAIT_EDGES_S = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)
"""Where the stretches of `wait` begin, seconds; the last has no end."""
WAIT_EDGES_US = np.array([round(1e6 * edge) for edge in WAIT_EDGES_S])
AMOUNTS = ("visits", "pages", "engaged_us", "orders", "revenue_cents")
"""What is lost: visits that ended earlier, and what control's had more; exact integers."""
LOSS = record_dtype(
    [
        ("shopper", "i8"),
        ("visit", "i8"),
        ("change", "i8"),
        ("step", "i8"),
        ("page", "i8"),
        ("network", "i8"),
        ("tier", "i8"),
        ("device", "i8"),
        ("cause", "i8"),
        ("waited_us", "i8"),
        ("amounts", "i8", (len(AMOUNTS),)),
    ]
)
"""One visit under one change that differs from control: the page at which the first of the two ended, and what control
had more."""


class Arms(NamedTuple):
    """All arms of an experiment, control first; A of them, on K sets of personas and L of cards."""

    personas: NDArray[Any]
    """(K, P) of PERSONA."""
    tables: NDArray[Any]
    """(1,) of TABLES, of the personas."""
    cards: NDArray[Any]
    """(L, S) of PAGE."""
    page_tables: NDArray[Any]
    """(1,) of TABLES, of the cards."""
    arms: NDArray[Any]
    """(A,) of ARM."""
    of_personas: NDArray[np.int64]
    """(A,) each arm's set of personas."""
    of_cards: NDArray[np.int64]
    """(A,) each arm's set of cards."""
    cpu: NDArray[np.float64]
    """(A, 2): an arm's phones are `cpu[0]` times as slow as control's, plus `cpu[1]`."""


class Room(NamedTuple):
    """Memory that a loop works in: each arm's walk and last page, and one loss."""

    walks: NDArray[Any]
    """(A,) of WALK."""
    events: NDArray[Any]
    """(A,) of EVENT."""
    one: NDArray[Any]
    """(1,) of LOSS."""


def room(arms: int) -> Room:
    """Return fresh memory."""
    return Room(np.zeros(arms, WALK), np.zeros(arms, EVENT), np.zeros(1, LOSS))


@compiled
def play_visit(
    arms: Arms, place: int, seed: int, shopper: Record, number: int, start_us: int, visit: Record, event: Record
) -> tuple[int, int]:
    """Play one visit in one arm; return (states whose page was loaded and waited for, as bits; landing network).

    `event` is left as the visit's last page.
    """
    persona, cards = arms.personas[arms.of_personas[place], shopper.persona], arms.cards[arms.of_cards[place]]
    arm, slowdown, seen, landing = arms.arms[place], shopper.cpu_slowdown, 0, 0
    shopper.cpu_slowdown = arms.cpu[place, 0] * slowdown + arms.cpu[place, 1]
    begin(persona, arms.tables[0], seed, shopper, number, place, start_us, visit)
    while visit.cause == ONGOING:
        state = visit.state
        play_page(persona, arms.tables[0], cards[state], arms.page_tables[0], arm, seed, shopper, visit, event)
        if event.cause != IMPATIENT:
            seen |= 1 << state
        if visit.pages == 1:
            landing = event.network
    shopper.cpu_slowdown = slowdown
    return seen, landing


@compiled
def moment(visit: Record) -> int:
    """Return when a visit ended, to compare with another arm's: while waiting, after the page, after looking at it."""
    within = 2
    if visit.cause == IMPATIENT:
        within = 0
    elif visit.cause < BUDGET and visit.cause >= PUT_OFF:
        within = 1
    return int(visit.pages) * 3 + within


@compiled
def compare(control: Record, treated: Record, before: Record, after: Record, shopper: Record, loss: Record) -> bool:
    """Fill a row of LOSS for a visit in two arms, whose last pages are `before` and `after`; False if none differs."""
    earlier = moment(control) - moment(treated)
    amounts = loss.amounts
    amounts[0] = (earlier > 0) - (earlier < 0)
    amounts[1] = control.pages - treated.pages
    amounts[2] = control.engaged_us - treated.engaged_us
    amounts[3] = control.orders - treated.orders
    amounts[4] = control.revenue_cents - treated.revenue_cents
    loss.shopper, loss.visit, loss.change = shopper.shopper, treated.visit, treated.arm - 1
    loss.device = shopper.device
    if earlier < 0:
        loss.step, loss.page, loss.network = before.step, before.state, before.network
        loss.cause, loss.waited_us = before.cause, before.waited_us
    else:
        loss.step, loss.page, loss.network = after.step, after.state, after.network
        loss.cause, loss.waited_us = after.cause, after.waited_us
    differs = False
    for amount in amounts:
        differs |= amount != 0
    return differs


def empty_losses(arms: int) -> NDArray[np.int64]:
    """Return sums of no loss: (arms, states, networks, tiers, causes, waits, amounts, 2), what was lost and gained."""
    labels = (STATE_NAMES, TECHNOLOGIES, TIERS, CAUSES, WAIT_EDGES_S, AMOUNTS)
    return np.zeros((arms, *map(len, labels), 2), np.int64)


@compiled
def attribute(lost: NDArray[np.int64], loss: Record, arm: int, tier: int) -> None:
    """Add a row of LOSS to the sums of `empty_losses`."""
    wait = len(WAIT_EDGES_US) - 1
    while WAIT_EDGES_US[wait] > loss.waited_us:
        wait -= 1
    cell = lost[arm, loss.page, loss.network, tier, loss.cause, wait]
    for place in range(len(loss.amounts)):
        amount = loss.amounts[place]
        if amount > 0:
            cell[place, 0] += amount
        else:
            cell[place, 1] -= amount


def attribute_all(
    control: NDArray[Any],
    treated: NDArray[Any],
    before: NDArray[Any],
    after: NDArray[Any],
    shoppers: NDArray[Any],
    tiers: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the sums of what visits lost against control: rows of VISIT, of their last EVENT and of their SHOPPER."""
    lost = empty_losses(1)
    _attribute_all(control, treated, before, after, shoppers, tiers, np.zeros(1, LOSS), lost)
    found: NDArray[np.int64] = lost[0]
    return found


@compiled
def _attribute_all(
    control: NDArray[Any],
    treated: NDArray[Any],
    before: NDArray[Any],
    after: NDArray[Any],
    shoppers: NDArray[Any],
    tiers: NDArray[np.int64],
    one: NDArray[Any],
    lost: NDArray[np.int64],
) -> None:
    for row in range(len(control)):
        if compare(control[row], treated[row], before[row], after[row], shoppers[row], one[0]):
            attribute(lost, one[0], 0, tiers[row])


@compiled
def play_losses(
    arms: Arms, seed: int, plan: Plan, shoppers: NDArray[Any], tier_of_device: NDArray[np.int64], use: Room
) -> NDArray[Any]:
    """Return a row of LOSS for every visit of a plan and change in which something differs from control."""
    found, used, who = np.zeros(len(plan.shopper) * (len(arms.arms) - 1), LOSS), 0, -1
    for row in range(len(plan.shopper)):
        if row == 0 or plan.shopper[row] != plan.shopper[row - 1]:
            who += 1
        shopper = shoppers[who]
        for arm in range(len(arms.arms)):
            visit, event = use.walks[arm], use.events[arm]
            play_visit(arms, arm, seed, shopper, plan.visit[row], plan.start_us[row], visit, event)
            if arm > 0 and compare(use.walks[0], visit, use.events[0], event, shopper, found[used]):
                found[used].tier = tier_of_device[shopper.device]
                used += 1
    return found[:used]
