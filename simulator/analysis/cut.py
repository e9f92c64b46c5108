"""Visits that the end of the run cut: the finished ones stand in for them.

A visit that would have lasted longer was more likely to be cut, so the finished ones alone are too short, and bounce
too often. So a cut visit hands what it counts to all longer ones in equal parts (redistribution to the right, Efron
1967), which is the same as counting a finished visit of length t as 1 / G(t), G being the share of visits that had more
than t before the end (inverse probability of censoring, Robins & Rotnitzky 1992). It holds because when a run ends has
nothing to do with what a shopper does. Cut visits already longer than every finished one keep what they count: how long
they would have been, no visit of the run can tell, and they count as long as they got.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.estimates import product_limit

if TYPE_CHECKING:
    from numpy.typing import NDArray


def visit_weights(lengths: NDArray[np.float64], finished: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what each visit counts; the sum is the number of visits, and all count 1 when none was cut."""
    if finished.all():
        return np.ones(len(lengths))
    times, cut = product_limit(lengths, ~finished)
    before = np.searchsorted(times, lengths, side="left") - 1
    kept = 1.0 - np.where(before >= 0, cut[np.maximum(before, 0)], 0.0)
    weights = np.where(finished, 1.0 / np.where(finished, kept, 1.0), 0.0)
    last = ~finished & (lengths >= lengths.max(where=finished, initial=-np.inf))
    if last.any():
        weights[last] = max(0.0, len(lengths) - float(weights.sum())) / last.sum()
    return weights
