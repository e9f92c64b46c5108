"""Why a shop sends push messages, and when: after a visit that is over by then, or on a campaign's day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.export.chance import chance
from simulator.export.local_time import HOUR_US, offsets_us
from simulator.export.reading import codes, flags, is_word, place_of, seen, visit_of_event, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

DAY_US = 24 * HOUR_US
REASONS = ("campaign", "back_in_stock", "price_drop", "abandoned_cart", "reward")
CAMPAIGN, BACK_IN_STOCK, PRICE_DROP, ABANDONED_CART, REWARD = range(len(REASONS))
CAMPAIGN_DAYS, CAMPAIGN_REACH = 2 / 7, 0.6
"""Share of days with a campaign, and of consenting shoppers whom each is sent to (assumed)."""
RESTOCKED, CHEAPER = 0.008, 0.020
"""Share of products looked at and not bought that come back into stock, or get cheaper, within a week (assumed)."""
AWAKE_US = (8 * HOUR_US, 22 * HOUR_US)
"""Hours, on the shopper's own clock, in which a shop sends (assumed); what is due at night waits for the morning."""
NONE = -1


class Due(NamedTuple):
    """Messages that would be sent. `group` is shopper and arm (see `Groups`), `order` a row of the orders' table.

    `cause` tells messages of one reason to one shopper apart: a day, or a visit and step.
    """

    group: NDArray[np.int64]
    reason: NDArray[np.int64]
    visit: NDArray[np.int64]
    cause: NDArray[np.int64]
    product: NDArray[np.int64]
    order: NDArray[np.int64]
    at_us: NDArray[np.int64]

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Due:
        """Return those rows."""
        return Due(*(column[rows] for column in self))


class Groups:
    """The shoppers who allow push messages, once for each arm they came in; numbered by shopper and arm."""

    def __init__(self, source: Source) -> None:
        self.arms = words(source.visits, "arm")
        self._seed = source.seed
        shopper = source.visits["shopper"].to_numpy()
        key = shopper * len(self.arms) + codes(source.visits, "arm")
        allowed = flags(source.shoppers, "push")[place_of(source, shopper)]
        self.keys = np.unique(key[allowed])
        self.shopper, self.arm = np.divmod(self.keys, len(self.arms))
        place = place_of(source, self.shopper)
        self.zone, self.zones = codes(source.shoppers, "timezone")[place], words(source.shoppers, "timezone")
        systems = words(source.shoppers, "os")
        self.system = np.array(systems)[codes(source.shoppers, "os")[place]]
        self.member = flags(source.shoppers, "member")[place]
        self.known_us = self._known_us(source, key, place)

    def _known_us(self, source: Source, key: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return when the shop first saw each: in the first visit, or before the run if they have been there before."""
        at = self.of(*np.divmod(key, len(self.arms)))
        first = np.full(len(self.keys), np.iinfo(np.int64).max)
        np.minimum.at(first, at[at != NONE], source.visits["start_at_us"].to_numpy()[at != NONE])
        if "tenure_days" not in source.shoppers.column_names:
            return first
        tenure = source.shoppers["tenure_days"].fill_null(0).to_numpy()[place]
        return np.where(tenure > 0, np.int64(NONE), first)

    def arm_of(self, table: pa.Table) -> NDArray[np.int64]:
        """Return the arms of a table's rows as places in `arms`, whatever that table's own codes are."""
        known = np.array([self.arms.index(name) for name in words(table, "arm")], np.int64)
        return known[codes(table, "arm")]

    def of(self, shopper: NDArray[np.int64], arm: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the groups of shoppers in arms, `NONE` where they allow no messages."""
        key = shopper * len(self.arms) + arm
        at = np.minimum(np.searchsorted(self.keys, key), max(len(self.keys) - 1, 0))
        return np.where(self.keys[at] == key, at, NONE) if len(self.keys) else np.full(len(key), NONE)

    def chance(self, kind: str, due: Due) -> NDArray[np.float64]:
        """Return a draw for each message, the same in every arm."""
        return chance(self._seed, f"push.{kind}", self.shopper[due.group], due.reason, due.visit, due.cause)


def due_messages(source: Source, groups: Groups, orders: pa.Table) -> Due:
    """Return all messages that the shop has a reason to send, by group and time.

    None leaves before the shopper was first seen: nobody has allowed messages by then.
    """
    parts = (
        _campaigns(source, groups),
        _news(source, groups),
        _abandoned(source, groups, orders),
        _rewards(groups, orders),
    )
    due = Due(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    due = due._replace(at_us=_in_waking_hours(source, groups, due))
    due = due.where((due.at_us < _horizon_us(source)) & (due.at_us > groups.known_us[due.group]))
    return due.where(np.lexsort((due.cause, due.reason, due.at_us, due.group)))


def sortable(group: NDArray[np.int64], at_us: NDArray[np.int64], far_us: int) -> NDArray[np.int64]:
    """Return one number of group and time that sorts as both do; `far_us` is later than every time."""
    return group * np.int64(far_us) + at_us


def _horizon_us(source: Source) -> int:
    """Return the end of the run; of one without a horizon, when the last visit is over."""
    if source.horizon_us is not None:
        return source.horizon_us
    return int(_ends_us(source).max(initial=0)) + 1


def _ends_us(source: Source) -> NDArray[np.int64]:
    """Return when each visit is over."""
    ends: NDArray[np.int64] = source.visits["start_at_us"].to_numpy() + source.visits["wall_us"].to_numpy()
    return ends


def _due(
    group: NDArray[np.int64], reason: int | NDArray[np.int64], at_us: NDArray[np.int64], **columns: NDArray[np.int64]
) -> Due:
    """Return messages to those groups that allow any; what is not given is `NONE`."""
    none = np.full(len(group), NONE)
    rest = {name: columns.get(name, none) for name in ("visit", "cause", "product", "order")}
    return Due(group, np.broadcast_to(np.int64(reason), len(group)), at_us=at_us, **rest).where(group != NONE)


def _campaigns(source: Source, groups: Groups) -> Due:
    """Return campaigns: on keyed days, at the same local hour everywhere, to some of the shoppers."""
    days = np.arange(-1, -(-_horizon_us(source) // DAY_US) + 1)
    days = days[chance(source.seed, "push.campaign", days) < CAMPAIGN_DAYS]
    hour = 9 + 11 * chance(source.seed, "push.campaign.hour", days)
    group = np.repeat(np.arange(len(groups.keys)), len(days))
    day = np.tile(days, len(groups.keys))
    shopper = groups.shopper[group]
    late_us = 15 * 60e6 * chance(source.seed, "push.campaign.late", shopper, day)
    local_us = day * DAY_US + (np.tile(hour, len(groups.keys)) * HOUR_US + late_us).astype(np.int64)
    # Days begin at midnight of the reference instant's UTC day.
    local_us -= source.since_epoch_us(np.zeros(1, np.int64)) % DAY_US
    due = _due(group, CAMPAIGN, local_us - _offsets(source, groups, group, local_us), cause=day)
    reached = chance(source.seed, "push.campaign.reach", shopper, day) < CAMPAIGN_REACH
    return due.where(reached & (due.at_us >= 0))


def _news(source: Source, groups: Groups) -> Due:
    """Return news of products looked at and not bought: back in stock, or cheaper, some days later."""
    events = source.events
    rows = np.flatnonzero(seen(events) & is_word(events, "page", "product"))
    looked = events.take(pa.array(rows))
    shopper, visit, step = (looked[name].to_numpy().astype(np.int64) for name in ("shopper", "visit", "step"))
    u = chance(source.seed, "push.news", shopper, visit, step)
    visits = visit_of_event(source)[rows]
    bought = source.visits["orders"].to_numpy()[visits] > 0
    wait = (0.5 + 5.5 * chance(source.seed, "push.news.wait", shopper, visit, step)) * DAY_US
    ended = _ends_us(source)[visits]
    return _due(
        groups.of(shopper, codes(looked, "arm")),
        np.where(u < RESTOCKED, BACK_IN_STOCK, PRICE_DROP),
        ended + wait.astype(np.int64),
        visit=visit,
        cause=step,
        product=looked["product"].to_numpy().astype(np.int64),
    ).where(((u < CHEAPER) & ~bought)[groups.of(shopper, codes(looked, "arm")) != NONE])


def _abandoned(source: Source, groups: Groups, orders: pa.Table) -> Due:
    """Return reminders of carts left behind, an hour or two later, unless the shopper has ordered since."""
    visits, events = source.visits, source.events
    pages = visits["pages"].to_numpy()
    last = np.cumsum(pages) - 1
    left = np.flatnonzero(events["cart_items"].to_numpy()[last] > 0)
    # The last thing that went into the cart of a visit which left one.
    adds = np.flatnonzero(seen(events) & is_word(events, "page", "add_to_cart"))
    about = events["product"].to_numpy()[adds[np.searchsorted(adds, last[left], side="right") - 1]]
    shopper, visit = (visits[name].to_numpy().astype(np.int64)[left] for name in ("shopper", "visit"))
    ended = _ends_us(source)[left]
    wait = HOUR_US * (1 + chance(source.seed, "push.cart", shopper, visit))
    group = groups.of(shopper, codes(visits, "arm")[left])
    due = _due(
        group, ABANDONED_CART, ended + wait.astype(np.int64), visit=visit, cause=visit, product=about.astype(np.int64)
    )
    return due.where(~_ordered_between(groups, orders, due.group, ended[group != NONE], due.at_us))


def _ordered_between(
    groups: Groups, orders: pa.Table, group: NDArray[np.int64], after_us: NDArray[np.int64], by_us: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether the shopper ordered after one instant and by another."""
    buyer = groups.of(orders["shopper"].to_numpy(), groups.arm_of(orders))
    ordered_us = orders["ordered_at_us"].to_numpy()
    far_us = 1 + int(max(ordered_us.max(initial=0), by_us.max(initial=0)))
    key = np.sort(sortable(buyer, ordered_us, far_us))
    ends = (np.searchsorted(key, sortable(group, at_us, far_us), "right") for at_us in (by_us, after_us))
    by, after = ends
    return np.asarray(by > after)


def _rewards(groups: Groups, orders: pa.Table) -> Due:
    """Return what tells members of their points, on the day after an order."""
    shopper, visit, step = (orders[name].to_numpy().astype(np.int64) for name in ("shopper", "visit", "step"))
    group = groups.of(shopper, groups.arm_of(orders))
    due = _due(
        group,
        REWARD,
        orders["ordered_at_us"].to_numpy() + 20 * HOUR_US,
        visit=visit,
        cause=step,
        order=np.arange(len(group)),
    )
    return due.where(groups.member[due.group])


def _offsets(source: Source, groups: Groups, group: NDArray[np.int64], at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    return offsets_us(source.since_epoch_us(at_us), groups.zone[group], groups.zones)


def _in_waking_hours(source: Source, groups: Groups, due: Due) -> NDArray[np.int64]:
    """Return when messages leave: at once by day, at night in the first hour of the next morning."""
    offset = _offsets(source, groups, due.group, due.at_us)
    local_us = source.since_epoch_us(due.at_us) + offset
    day, time = np.divmod(local_us, DAY_US)
    early, late = time < AWAKE_US[0], time >= AWAKE_US[1]
    morning = AWAKE_US[0] + (HOUR_US * groups.chance("morning", due)).astype(np.int64)
    kept_us = np.where(early | late, (day + late) * DAY_US + morning, local_us) - local_us
    moved = due.at_us + kept_us
    # The clocks may have changed in the night.
    return np.where(kept_us > 0, moved + offset - _offsets(source, groups, due.group, moved), due.at_us)
