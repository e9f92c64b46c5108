"""The rows that the kernel writes: a shopper, a visit, an event. Codes are positions in the name lists of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from simulator.model.compiled import record_dtype
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAUSES = ("ongoing", "done", "impatient", "put_off", "error", "budget")
"""Why a visit ended. `ongoing`: the end of a live run cut it."""
ONGOING, DONE, IMPATIENT, PUT_OFF, ERROR, BUDGET = range(len(CAUSES))

Record: TypeAlias = Any
"""One element of a structured array, as compiled code sees it; numpy has no static type for it."""

NEVER_US = 2**31 - 1
"""A load time longer than any patience: the page was never seen."""
LONGEST_WAIT_US = 1_800_000_000
"""Nobody waits longer than the 30 minutes after which a session is over anyway (GA4, mPulse)."""
MAX_STEPS = 1_000
"""A visit ends with cause `budget` here, whatever the persona says."""
NOT_SEEN = -1.0
"""Relevance where nothing observable was answered."""

SHOPPER = record_dtype(
    [
        ("shopper", "i8"),
        ("persona", "i8"),
        ("city", "i8"),
        ("country", "i8"),
        ("latitude_deg", "f8"),
        ("longitude_deg", "f8"),
        ("utc_offset_s", "i8"),
        ("device", "i8"),
        ("cpu_slowdown", "f8"),
        ("analytics", "i8"),
        ("personalization", "i8"),
        ("location", "i8"),
        ("push", "i8"),
        ("member", "i8"),
        ("logged_in", "i8"),
        ("favourite", "i8"),
        ("price_sensitivity", "f8"),
        ("frailty", "f8"),
        ("visits_per_week", "f8"),
        ("email", "i8"),
        ("biometric", "i8"),
        ("ar", "i8"),
        ("channel", "i8"),
        ("campaign_response", "f8"),
        ("tenure_days", "f8"),
        ("basket_cents", "f8"),
        ("orders_per_year", "f8"),
        ("past_orders", "i8"),
        ("past_spend_cents", "i8"),
        ("last_order_days", "f8"),
        ("lifetime_value_cents", "i8"),
    ]
)

VISIT = record_dtype(
    [
        ("shopper", "i8"),
        ("visit", "i8"),
        ("arm", "i4"),
        ("start_us", "i8"),
        ("lag_us", "i8"),
        ("situation", "i4"),
        ("channel", "i4"),
        ("entry", "i4"),
        ("cause", "i4"),
        ("pages", "i4"),
        ("elapsed_us", "i8"),
        ("waited_us", "i8"),
        ("engaged_us", "i8"),
        ("ga_us", "i8"),
        ("landing_load_us", "i8"),
        ("added_to_cart", "i4"),
        ("orders", "i4"),
        ("revenue_cents", "i8"),
    ]
)

LANES = 8
"""Draws that are made at once, one in each lane of the processor's vectors; each gives a pair of numbers."""
WALK = record_dtype(
    [
        # First the visit itself, byte for byte: `visit_bytes` shows it.
        *((name, VISIT[name]) for name in VISIT.names or ()),
        # What follows is the walk's own state and stands in no table.
        ("begun_u", "f8", (LANES,)),
        ("begun_v", "f8", (LANES,)),
        ("u", "f8", (LANES,)),
        ("v", "f8", (LANES,)),
        ("state", "i4"),
        ("nth", "i4"),
        ("count", "u2", (len(STATE_NAMES),)),
        ("flags", "u4"),
        ("memory", "f8"),
        ("budget_us", "f8"),
        ("intended_us", "i8"),
        ("network", "i4"),
        ("stay", "i4"),
        ("until_us", "i8"),
        ("reconnects", "i4"),
        ("rtt_ms", "f8"),
        ("down_kbps", "f8"),
        ("cart_items", "i4"),
        ("cart_cents", "i8"),
        ("product", "i4"),
        ("category", "i4"),
        ("price_cents", "i8"),
    ]
)

"""A visit on its way: its row, and what the kernel keeps between two pages."""


def visit_bytes(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a view of the visits of WALK or VISIT rows, a row of bytes each: numpy copies records field by field."""
    return rows.view(np.uint8).reshape(len(rows), rows.itemsize)[:, : VISIT.itemsize]


def as_visits(walks: NDArray[Any]) -> NDArray[Any]:
    """Return the VISIT rows of WALK rows."""
    return np.ascontiguousarray(visit_bytes(walks)).reshape(-1).view(VISIT)


EVENT = record_dtype(
    [
        ("shopper", "i8"),
        ("visit", "i4"),
        ("step", "i4"),
        ("arm", "i1"),
        ("state", "i1"),
        ("nth", "i2"),
        ("at_us", "i8"),
        ("fcp_us", "i4"),
        ("load_us", "i4"),
        ("server_us", "i4"),
        ("measured_us", "i4"),
        ("ok", "i1"),
        ("relevance", "f4"),
        ("waited_us", "i4"),
        ("think_us", "i4"),
        ("situation", "i1"),
        ("network", "i1"),
        ("rtt_ms", "f4"),
        ("down_kbps", "f4"),
        ("loss", "f4"),
        ("stalled_us", "i4"),
        ("product", "i4"),
        ("category", "i1"),
        ("price_cents", "i4"),
        ("cart_items", "i2"),
        ("cause", "i1"),
        ("patience_us", "i4"),
        ("put_off_p", "f4"),
        ("persona", "i2"),
        ("city", "i2"),
        ("country", "i2"),
        ("device", "i2"),
    ]
)

ARM = record_dtype(
    [
        ("key", "u4"),
        ("share", "f8"),
        ("delay_us", "i8", (len(STATE_NAMES),)),
        ("pull", "f8", (len(STATE_NAMES) + 1,)),
    ]
)
"""One treatment: a delay added to each state's page and a factor on the weight of each next state (last: exit)."""
