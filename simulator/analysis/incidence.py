"""Why visits end, as competing risks: Aalen-Johansen cumulative incidence, by shopper."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.survival import Curve


def aalen_johansen(
    times: NDArray[np.float64],
    kinds: NDArray[np.int64],
    names: Sequence[str],
    clusters: NDArray[np.int64] | None = None,
) -> dict[str, Curve]:
    """Return for each kind of end the share of rows that came to it by each time.

    `kinds` (n,) are positions in `names`, -1 where a row was cut. `survival` of a curve is its cumulative incidence
    here: it rises, and all of them with the Kaplan-Meier curve sum to 1. Intervals are log-log ones (as in `survival`),
    from the variance of Aalen & Johansen (1978) without `clusters`, and from sums over shoppers with them.
    """
    raise NotImplementedError
