"""Where what was lost was lost: each page that control saw and a treated visit did not, and why it did not.

A treated visit is its control visit up to the page on which one of the two ends first. If the treated one does, all
that control still had is lost there; if control does, it is gained there. So the parts sum to the whole, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ("page", "network", "tier", "cause", "wait")
"""What is known of the page at which a visit ended first; `wait` is how long the shopper waited for it."""
WAIT_EDGES_S = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)
"""Where the stretches of `wait` begin, seconds; the last has no end."""
AMOUNTS = ("visits", "pages", "engaged_us", "orders", "revenue_cents")
"""What is lost: visits that ended earlier, and what control's had more; exact integers."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A table of what was lost, one row for each combination of labels that occurs.

    `labels` holds for each of `LABELS` the name in every row; `lost` and `gained` hold for each of `AMOUNTS` what
    control had more, or less, of, where the treated visit, or control's, ended first. `lost` less `gained` sums to
    control less treated, exactly.
    """

    labels: dict[str, tuple[str, ...]]
    lost: dict[str, NDArray[Any]]
    gained: dict[str, NDArray[Any]]

    def by(self, *labels: str) -> dict[tuple[str, ...], dict[str, int]]:
        """Return what was lost less what was gained of each amount, by some of the labels, most pages first."""
        raise NotImplementedError
