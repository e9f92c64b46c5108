"""CUPED: sharper comparisons by what was known before the experiment (Deng, Xu, Kohavi & Walker 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.influence import Influenced


@dataclass(frozen=True, slots=True)
class Arm:
    """Outcomes of one arm, all (n,): `before` is known before the treatment; `clusters` are the shoppers."""

    values: NDArray[np.float64]
    before: NDArray[np.float64]
    clusters: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The means of both arms after adjustment, `theta` that made it, and the share of variance it removed."""

    control: Influenced
    treated: Influenced
    difference: Influenced
    theta: float
    removed: float


def cuped(treated: Arm, control: Arm) -> Adjusted:
    """Return treated against control, each less θ·(its covariate's mean − the mean over both).

    θ = cov(Y, X)/var(X) over both arms, of shoppers' sums, which is what the variance of the difference is of.
    """
    raise NotImplementedError
