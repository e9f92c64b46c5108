"""What a visit, and each page of it, may need of chance, drawn together: one draw in each lane of the vector unit.

Eight draws at once take the time of one. Each number is the one that `keys.uniform_pair` gives for its purpose alone,
so that nothing depends on what else is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.journey import keys
from simulator.journey.keys import NOWHERE, block, open_unit, state_key
from simulator.journey.records import LANES
from simulator.model.compiled import compiled
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from simulator.journey.records import Record

STATE_KEYS = np.array([state_key(name) for name in STATE_NAMES], np.uint64)

SITUATION, CHANNEL, BUDGET, ENTRY, TECHNOLOGY, STAY, LINK, _SPARE = range(LANES)
"""Lanes of a visit's draws, in `begun_u` and `begun_v` of its WALK."""
_OF_VISIT = np.array(
    [
        keys.SITUATION,
        keys.VISIT_CHANNEL,
        keys.BUDGET,
        keys.ENTRY,
        keys.TECHNOLOGY,
        keys.STAY,
        keys.LINK,
        np.uint64(0),
    ]
)
PATIENCE, PUT_OFF, ERROR, THINK, NEXT, STALL, PRODUCT, CHEAPER = range(LANES)
"""Lanes of a page's draws, in `u` and `v` of the WALK that stands before it."""
_OF_PAGE = np.array(
    [
        keys.PATIENCE,
        keys.PUT_OFF,
        keys.ERROR,
        keys.THINK,
        keys.NEXT,
        keys.STALL,
        keys.PRODUCT,
        keys.CHEAPER,
    ]
)


@compiled
def draw_visit(seed: int, walk: Record) -> None:
    """Draw what the beginning of the visit needs."""
    shopper, visit, u, v = walk.shopper, walk.visit, walk.begun_u, walk.begun_v
    for lane in range(LANES):
        a, b, c, d = block(seed, shopper, visit, NOWHERE, 0, _OF_VISIT[lane])
        u[lane], v[lane] = open_unit(a, b), open_unit(c, d)


@compiled
def draw_page(seed: int, walk: Record) -> None:
    """Draw what the page that the visit stands before needs."""
    shopper, visit, state, nth, u, v = walk.shopper, walk.visit, STATE_KEYS[walk.state], walk.nth, walk.u, walk.v
    for lane in range(LANES):
        a, b, c, d = block(seed, shopper, visit, state, nth, _OF_PAGE[lane])
        u[lane], v[lane] = open_unit(a, b), open_unit(c, d)
