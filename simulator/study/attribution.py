"""Where what was lost was lost: each page that control saw and a treated visit did not, and why it did not.

A treated visit is its control visit up to the page on which one of the two ends first. All by which they differ is
put there: on the treated visit's last page, unless control's ended first. So the parts sum to the whole, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey.records import CAUSES
from simulator.model.schema import TECHNOLOGIES, TIERS
from simulator.model.states import STATE_NAMES
from simulator.worlds.paired import AMOUNTS, WAIT_EDGES_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ("page", "network", "tier", "cause", "wait")
"""What is known of the page at which a visit ended first; `wait` is how long the shopper waited for it."""
WAITS = tuple(
    f"{low:g} to {high:g} s" if high < inf else f"{low:g} s or more" for low, high in pairwise((*WAIT_EDGES_S, inf))
)
"""Names of the stretches of `wait`."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A table of what was lost, one row for each combination of labels that occurs.

    `labels` holds for each of `LABELS` the name in every row; `lost` and `gained` hold for each of `AMOUNTS` what
    control had more of, and what the treated visits had more of. `lost` less `gained` sums to control less treated,
    exactly. Added waiting alone gains no page.
    """

    labels: dict[str, tuple[str, ...]]
    lost: dict[str, NDArray[Any]]
    gained: dict[str, NDArray[Any]]

    def by(self, *labels: str) -> dict[tuple[str, ...], dict[str, int]]:
        """Return what was lost less what was gained of each amount, by some of the labels, most pages first."""
        places = [LABELS.index(label) for label in labels]
        net = {name: self.lost[name] - self.gained[name] for name in AMOUNTS}
        found: dict[tuple[str, ...], dict[str, int]] = {}
        for row, names in enumerate(zip(*(self.labels[label] for label in LABELS), strict=True)):
            sums = found.setdefault(tuple(names[place] for place in places), dict.fromkeys(AMOUNTS, 0))
            for name in AMOUNTS:
                sums[name] += int(net[name][row])
        return dict(sorted(found.items(), key=lambda item: -item[1]["pages"]))


def lost_table(cells: NDArray[np.int64]) -> Lost:
    """Return the table of what was lost: `cells` are (states, networks, tiers, causes, waits, amounts, 2)."""
    used = np.argwhere(cells.any(axis=(-2, -1)))
    names = (STATE_NAMES, TECHNOLOGIES, TIERS, CAUSES, WAITS)
    rows = cells[tuple(used.T)]
    return Lost(
        {
            label: tuple(known[i] for i in used[:, place])
            for place, (label, known) in enumerate(zip(LABELS, names, strict=True))
        },
        {name: rows[:, place, 0].copy() for place, name in enumerate(AMOUNTS)},
        {name: rows[:, place, 1].copy() for place, name in enumerate(AMOUNTS)},
    )
