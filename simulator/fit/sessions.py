"""Hits → visits: a pause of more than 30 minutes ends one, as in GA4, and so does the log's own change of session.

The last page of a visit has no next tap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.journey.kernel import S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.hits import Hits

CUT_OFF_US = 1_800_000_000
"""GA4's and Segment's session timeout of 30 minutes."""
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
THURSDAY = 3
"""The weekday of 1970-01-01, Monday being 0."""
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Visits:
    """Hits cut into visits. V visits; arrays of hits have H elements.

    `first` is the (V,) hit each begins with, `visit` the (H,) visit of each hit, `next` the (H,) following state (S:
    the visit ends), `think_us` the (H,) time from the usable page to the next tap (−1: none, or not positive),
    `user` the (V,) user, `local_us` the (V,) start on the shopper's own clock.
    """

    first: NDArray[np.int64]
    visit: NDArray[np.int64]
    next: NDArray[np.int8]
    think_us: NDArray[np.int64]
    user: NDArray[np.int32]
    local_us: NDArray[np.int64]
    overlapping: int
    """Hits whose logged load time is longer than the time to the next tap: they have no think time."""

    def __len__(self) -> int:
        return len(self.first)

    @property
    def hour(self) -> NDArray[np.int64]:
        """The (V,) local hour of the start."""
        return (self.local_us // HOUR_US) % 24

    @property
    def weekend(self) -> NDArray[np.bool_]:
        """Whether each visit began on a local Saturday or Sunday."""
        return weekday(self.local_us // DAY_US) >= SATURDAY


def weekday(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the weekday (Monday 0) of days since 1970."""
    return (day + THURSDAY) % 7


def cut(hits: Hits) -> Visits:
    """Return the visits of hits that stand in the order of users and times."""
    gap_us = np.diff(hits.at_us)
    begins = np.concatenate([[True], (np.diff(hits.user) != 0) | (gap_us > CUT_OFF_US)])
    if hits.session is not None:
        begins[1:] |= np.diff(hits.session) != 0
    last = np.append(begins[1:], True)
    following = np.where(last, S, np.append(hits.state[1:], 0)).astype(np.int8)
    think_us = np.where(last, -1, np.append(gap_us, 0) - np.maximum(hits.load_us, 0))
    overlapping = int((~last & (think_us <= 0)).sum())
    think_us[think_us <= 0] = -1
    first = np.flatnonzero(begins)
    offset = 0 if hits.offset_s is None else hits.offset_s[first].astype(np.int64) * 1_000_000
    return Visits(
        first,
        np.cumsum(begins) - 1,
        following,
        think_us,
        hits.user[first],
        hits.at_us[first] + offset,
        overlapping,
    )
