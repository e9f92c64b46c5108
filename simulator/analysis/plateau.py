"""Where slowness stops (or starts) to matter: an isotonic curve of outcome against load, and a line with one knee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Monotone:
    """A step curve that never turns: at `load_s` (K,), ascending, the outcome is `value`, of `n` rows."""

    load_s: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Knee:
    """Two straight lines that meet at `knee_s`.

    `before` and `after` are their slopes, outcome a second; `at_knee` the outcome where they meet. `bends` says whether
    the slopes differ by more than chance (their difference's 95 % interval excludes 0); without that a knee means
    nothing and none should be drawn.
    """

    knee_s: Estimate
    before: Estimate
    after: Estimate
    at_knee: float
    bends: bool


def isotonic(
    load_s: NDArray[np.float64],
    outcome: NDArray[np.float64],
    clusters: NDArray[np.int64],
    direction: Literal["rising", "falling"] = "rising",
) -> Monotone:
    """Return the best curve that only rises (or only falls), with pointwise intervals by bootstrap of shoppers."""
    raise NotImplementedError


def knee(load_s: NDArray[np.float64], outcome: NDArray[np.float64], clusters: NDArray[np.int64]) -> Knee:
    """Return the broken line of least squares, with intervals by bootstrap of shoppers."""
    raise NotImplementedError
