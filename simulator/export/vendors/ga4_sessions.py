"""Users and sessions as Google Analytics counts them: only visits of which some page was painted exist for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simulator.export.columns import places
from simulator.export.ids import hashes
from simulator.export.vendors.steps import flags, numbers
from simulator.export.vendors.vocabulary import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.steps import Steps

DAY_US = 86_400_000_000
DIRECT = list(CHANNELS).index("direct")


@dataclass(frozen=True)
class Sessions:
    """The sessions of `steps`. A user is a shopper in one arm; `skew` is what the device's clock is ahead, a visit.

    Columns have one entry a visit unless they say otherwise.
    """

    steps: Steps
    skew: NDArray[np.int64]

    @cached_property
    def who(self) -> NDArray[np.int64]:
        """Return the row of the shoppers table."""
        return self.steps.who[self.steps.starts]

    @cached_property
    def user(self) -> NDArray[np.int64]:
        """Return a number for the user."""
        return self.who * len(self.steps.arms) + self.steps.arm[self.steps.starts]

    @cached_property
    def analytics(self) -> NDArray[np.bool_]:
        """Return whether the shopper allows analytics."""
        return flags(self.steps.source.shoppers["analytics"])[self.who]

    @cached_property
    def landing(self) -> NDArray[np.int64]:
        """Return the step that opened the first page that was painted; −1 where there is none."""
        painted = np.flatnonzero(self.steps.opens & self.steps.seen)
        visits, first = np.unique(self.steps.visit_of[painted], return_index=True)
        landing = np.full(len(self.who), -1)
        landing[visits] = painted[first]
        return landing

    @cached_property
    def begin_us(self) -> NDArray[np.int64]:
        """Return when the session began by the device's clock, since 1970; −1 where there is none."""
        return np.where(self.landing >= 0, self.steps.shown_us[self.landing] + self.skew, -1)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """Return the visits by user, each user's in their order."""
        return np.lexsort((self.steps.visit[self.steps.starts], self.user))

    @cached_property
    def _group(self) -> NDArray[np.int64]:
        """Return for each place in `_order` the first place of the same user."""
        user = self.user[self._order]
        starts = np.append(np.ones(min(1, len(user)), np.bool_), user[1:] != user[:-1])
        return np.maximum.accumulate(np.where(starts, np.arange(len(user)), 0))

    @cached_property
    def past(self) -> NDArray[np.int64]:
        """Return how many sessions the shopper had before the run, from tenure and rate of visits."""
        shoppers = self.steps.source.shoppers
        if "tenure_days" not in shoppers.column_names:
            return np.zeros(len(self.who), np.int64)
        days = shoppers["tenure_days"].fill_null(0.0).to_numpy()
        times = np.floor(days / 7.0 * shoppers["visits_per_week"].to_numpy())
        return np.where(days > 0, np.maximum(1, times), 0).astype(np.int64)[self.who]

    @cached_property
    def number(self) -> NDArray[np.int64]:
        """Return which session of the user this is, from 1; 0 for visits that are none."""
        exists = (self.landing >= 0)[self._order]
        total = np.cumsum(exists)
        within: NDArray[np.int64] = total - (total - exists)[self._group]
        number = np.empty(len(total), np.int64)
        number[self._order] = np.where(exists, within + self.past[self._order], 0)
        return number

    @cached_property
    def first_touch_us(self) -> NDArray[np.int64]:
        """Return when the user was first seen, since 1970; −1 for those whom nothing was ever painted for."""
        begin = self.begin_us[self._order]
        exists = begin >= 0
        later = np.where(exists, np.arange(len(begin)), len(begin))
        first = np.full(int(self.user.max(initial=-1)) + 1, len(begin))
        np.minimum.at(first, self.user[self._order], later)
        seen: NDArray[np.int64] = np.append(begin, -1)[first][self.user]
        if "tenure_days" not in self.steps.source.shoppers.column_names:
            return seen
        days = self.steps.source.shoppers["tenure_days"].fill_null(0.0).to_numpy()[self.who]
        ago = self.steps.source.since_epoch_us(np.zeros(1, np.int64)) - (days * DAY_US).astype(np.int64)
        known = (days > 0) & (seen >= 0)
        seen[known] = ago[known]
        return seen

    @cached_property
    def client(self) -> NDArray[np.int64]:
        """Return the random half of the user's client id, 31 bits."""
        arm = self.steps.arm[self.steps.starts]
        mixed = hashes(self.steps.source.seed, "ga4.client", self.steps.shopper[self.steps.starts], arm)
        return (mixed >> np.uint64(33)).astype(np.int64)

    @cached_property
    def channel(self) -> NDArray[np.int64]:
        """Return how the shopper came to the visit, as a place in `CHANNELS`."""
        visits, steps = self.steps.source.visits, self.steps
        if "channel" not in visits.column_names:
            return np.where(steps.visit[steps.starts] == 0, self._acquired, DIRECT)
        theirs = _key(numbers(visits["shopper"]), numbers(visits["visit"]), places(visits["arm"], steps.arms))
        mine = _key(*(column[steps.starts] for column in (steps.shopper, steps.visit, steps.arm)))
        order = np.argsort(theirs, kind="stable")
        return _or_direct(places(visits["channel"], list(CHANNELS)))[order[np.searchsorted(theirs[order], mine)]]

    @cached_property
    def _acquired(self) -> NDArray[np.int64]:
        shoppers = self.steps.source.shoppers
        if "channel" not in shoppers.column_names:
            return np.full(len(self.who), DIRECT)
        return _or_direct(places(shoppers["channel"], list(CHANNELS)))[self.who]

    @cached_property
    def acquired(self) -> NDArray[np.int64]:
        """Return how the shopper came for the first time."""
        return self._acquired

    @cached_property
    def last_click(self) -> NDArray[np.int64]:
        """Return the last channel that was not direct, up to this visit; direct where there was none."""
        channel = self.channel[self._order]
        place = np.maximum.accumulate(np.where(channel != DIRECT, np.arange(len(channel)), -1))
        found = np.where(place >= self._group, channel[place], DIRECT)
        last = np.empty(len(found), np.int64)
        last[self._order] = found
        return last


def _or_direct(channel: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(channel < 0, DIRECT, channel)


def _key(shopper: NDArray[np.int64], visit: NDArray[np.int64], arm: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for a visit: shoppers count to 2^40, visits to 2^16, arms to 2^7."""
    return (shopper << 23) | (visit << 7) | arm
