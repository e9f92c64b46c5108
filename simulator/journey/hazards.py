"""What waiting for a page did to the chance of leaving, for rows of played events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey.kernel import hazard_sum
from simulator.journey.records import LONGEST_WAIT_US
from simulator.model.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

US = 1e6


@compiled
def waiting_hazards(
    personas: NDArray[Any],
    persona: NDArray[np.int64],
    state: NDArray[np.int64],
    fcp_us: NDArray[np.int64],
    load_us: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the cumulative hazard of leaving before each page was usable, for a shopper of average patience.

    `personas` are rows of PERSONA; the other arrays have one element a page. It is infinite for a page slower than
    anybody waits. A shopper of frailty Z leaves with probability 1 − exp(−Z·Λ).
    """
    hazards = np.empty(len(persona))
    for row in range(len(persona)):
        kind, here = personas[persona[row]], state[row]
        if load_us[row] > LONGEST_WAIT_US:
            hazards[row] = np.inf
        else:
            rate = kind.hazard_per_s[here]
            fcp_s, load_s = fcp_us[row] / US, load_us[row] / US
            hazards[row] = hazard_sum(rate, kind.patience_shape, kind.feedback, fcp_s, load_s)
    return hazards
