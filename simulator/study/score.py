"""How good an estimator is: what it said in many trials against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.estimates import Z95, Estimate, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COVERED = (0.93, 0.97)
"""Where the share of 95 % intervals that hold the truth must lie."""
FALSE_ALARMS = 0.05


class Said(NamedTuple):
    """What an estimator said in one trial: a value with its interval, or the p of a test alone (value NaN)."""

    value: float
    low: float
    high: float
    p: float | None = None

    @property
    def shows(self) -> bool:
        """Whether it claims an effect: its p is below 5 %, or its interval leaves out 0."""
        return self.p < FALSE_ALARMS if self.p is not None else not self.low <= 0.0 <= self.high


def said(found: Estimate, p: float | None = None) -> Said:
    """Return an estimate as what was said."""
    assert found.value is not None
    low = found.low if found.low is not None else np.nan
    return Said(found.value, low, found.high if found.high is not None else np.nan, p)


@dataclass(frozen=True, slots=True)
class Score:
    """An estimator over `runs` trials: mean error and its standard error, RMSE, coverage, all against `truth`.

    `coverage` is the share of 95 % intervals that hold the truth; `alarms` the share of trials of the null preset in
    which it showed an effect that is not there. Both have their own 95 % interval, and are None where the estimator has
    no interval, or claims no effect.
    """

    runs: int
    truth: float | None
    bias: float | None
    bias_error: float | None
    rmse: float | None
    coverage: Estimate | None
    alarms: Estimate | None

    @property
    def holds(self) -> bool:
        """Whether coverage and false alarms are what they should be, as far as so many trials can tell."""
        covers = self.coverage is None or _meets(self.coverage, *COVERED)
        quiet = self.alarms is None or (self.alarms.low or 0.0) <= FALSE_ALARMS
        return covers and quiet


def _meets(found: Estimate, low: float, high: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= high and found.high >= low


def score(found: Sequence[Said], truth: float | Sequence[float] | None, null: Sequence[Said] | None) -> Score:
    """Return the score of what was said in trials of known truth (one for all, or one each), and of no effect."""
    alarms = None if null is None else share_of([one.shows for one in null])
    runs = max(len(found), len(null or ()))
    if truth is None:
        return Score(runs, None, None, None, None, None, alarms)
    values, low, high = np.array([one[:3] for one in found], np.float64).T
    truths = np.broadcast_to(np.asarray(truth, np.float64), values.shape)
    error = values - truths
    covered = None if np.isnan(low).all() else share_of((low <= truths) & (truths <= high))
    return Score(
        runs,
        float(truths.mean()),
        float(error.mean()),
        float(error.std(ddof=1)) / len(error) ** 0.5,
        float(np.sqrt(np.mean(error**2))),
        covered,
        alarms,
    )


def share_of(hits: Sequence[bool] | NDArray[np.bool_]) -> Estimate:
    """Return a share with Wilson's interval."""
    flags = np.asarray(hits, np.bool_)
    return share(flags, np.arange(len(flags)))


def far(found: Score) -> bool:
    """Return whether the mean error is more than chance and more than a tenth of the RMSE: biased in practice."""
    if found.bias is None or found.bias_error is None or found.rmse is None:
        return False
    return abs(found.bias) > max(Z95 * found.bias_error, 0.1 * found.rmse)
