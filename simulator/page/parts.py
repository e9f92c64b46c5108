"""What the load time of played pages was made of, by the parts of LCP that the web-vitals library names.

The closed-form model (`load`) sums these parts; here a row of the events table is taken apart again. The script's work,
which the table does not hold, is what the rest leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.model.compiled import compiled
from simulator.page.load import FCP_SCRIPT_SHARE, SETUP_ROUND_TRIPS, recovery_s, transfer_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LCP_PARTS = ("timeToFirstByte", "resourceLoadDelay", "resourceLoadDuration", "elementRenderDelay")
"""The sub-parts of LCP, as web-vitals' attribution names them; they sum to it."""


@compiled
def lcp_parts_s(
    cards: NDArray[Any],
    state: NDArray[np.int64],
    first: NDArray[np.bool_],
    rtt_s: Floats,
    down_kbps: Floats,
    loss: Floats,
    promotion_s: Floats,
    stalled_s: Floats,
    server_s: Floats,
    fcp_s: Floats,
    load_s: Floats,
) -> Floats:
    """Return the seconds of each of `LCP_PARTS` for each page, (n, 4); all other arrays are (n,), `cards` rows of PAGE.

    `server_s` is what blocking and lcp calls took together; how much of it held the first byte follows from when
    something was painted. Stalls count before the first byte. Parts never fall below zero, and sum to `load_s`.
    """
    parts = np.zeros((len(state), 4))
    for row in range(len(state)):
        card, rtt, speed = cards[state[row]], rtt_s[row], down_kbps[row] * 125.0
        share = 1.0 if first[row] else card.warm_share
        setup = promotion_s[row] + SETUP_ROUND_TRIPS * rtt if first[row] else 0.0
        early = card.document_bytes + card.critical_bytes * share
        arriving = transfer_s(early, rtt, speed) + recovery_s(early, rtt, loss[row])
        call = rtt if card.has_lcp_call else 0.0
        content = rtt + transfer_s(card.content_bytes, rtt, speed) + recovery_s(card.content_bytes, rtt, loss[row])
        wire = setup + rtt + stalled_s[row]
        script = max(load_s[row] - wire - arriving - call - content - server_s[row], 0.0)
        blocking = fcp_s[row] - wire - arriving - FCP_SCRIPT_SHARE * script
        blocking = min(max(blocking, 0.0), server_s[row])
        parts[row, 0] = wire + blocking
        parts[row, 1] = arriving + call + server_s[row] - blocking + FCP_SCRIPT_SHARE * script
        parts[row, 2] = content
        parts[row, 3] = (1.0 - FCP_SCRIPT_SHARE) * script
        total = parts[row].sum()
        if total > 0.0:
            parts[row] *= load_s[row] / total
    return parts
