"""Keyed draws of a part of a data set: from what they are for, never from what was drawn before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from simulator.export.ids import hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def chance(seed: int, kind: str, *columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one draw in (0, 1) a row of `kind` and integer columns, never 0 or 1: the middles of 2^52 parts."""
    return ((hashes(seed, kind, *columns) >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52


def lognormal_us(u: NDArray[np.float64], median_us: float | NDArray[np.float64], sigma: float) -> NDArray[np.int64]:
    """Return log-normal durations by the inverse of the distribution function, one microsecond at least."""
    return np.maximum(1.0, median_us * np.exp(sigma * ndtri(u))).astype(np.int64)
