"""The table `push_messages`: what a shop sends to shoppers who allow it, why, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.export.chance import lognormal_us
from simulator.export.ids import uuids
from simulator.export.push_causes import ABANDONED_CART, DAY_US, NONE, REASONS, Due, Groups, due_messages, sortable
from simulator.export.reading import made, named, nullable
from simulator.journey.tables import CODE, Column
from simulator.model.persona import base_messages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

DELIVERED = 0.94
"""Share that reaches a phone before it expires (assumed)."""
OPENED_ABANDONED = 0.16
"""Direct opens in retail of messages about a cart left behind (Leanplum, second-hand); of others the base persona's."""
OPEN_MEDIAN_US, OPEN_SIGMA = 48 * 60e6, 1.4
"""Android's median (second-hand, taken for iOS too); the spread is assumed."""
DISMISS_MEDIAN_US = 25 * 60e6
"""Of those not opened that are swiped away (assumed); which share is the base persona's."""
OPT_OUT, OPT_OUT_MORE, ENOUGH, WEEK_US = 0.0015, 0.006, 3, 7 * DAY_US
"""Chance that an unwanted message ends all: OPT_OUT, and OPT_OUT_MORE for each beyond ENOUGH in a week (assumed)."""


COLUMNS = (
    Column("message_id", pa.string(), "unique; a UUID"),
    Column("shopper", pa.int64(), "to whom; only shoppers who allow push messages"),
    Column("arm", CODE, "treatment whose visits led to it"),
    Column("reason", CODE, "campaign, back_in_stock, price_drop (announced only), abandoned_cart or reward"),
    Column("visit", pa.int32(), "the visit that caused it; null for a campaign"),
    Column("product", pa.int32(), "what it is about; null where it is about none"),
    Column("order_id", pa.string(), "the order a reward is for; null otherwise"),
    Column("sent_at_us", pa.int64(), "when it left, between 8 and 22 h of the shopper's own time"),
    Column("delivered", pa.bool_(), "it reached the phone"),
    Column("opened_at_us", pa.int64(), "when it was tapped; null if never. Visits follow the calendar, not this"),
    Column("dismissed_at_us", pa.int64(), "when it was swiped away; null if never"),
    Column("opted_out_at_us", pa.int64(), "when the shopper forbade further messages because of it; null mostly"),
)


def push_messages(source: Source, orders: pa.Table) -> pa.Table:
    """Return the table `push_messages`, by shopper and arm, in order of time; `orders` is the shard's table of them."""
    groups = Groups(source)
    return _table(source, groups, orders, *_outcome(groups, due_messages(source, groups, orders)))


class Outcome(NamedTuple):
    """What became of messages; times are `NONE` for what never happened."""

    delivered: NDArray[np.bool_]
    opened_us: NDArray[np.int64]
    dismissed_us: NDArray[np.int64]
    opted_out_us: NDArray[np.int64]

    def where(self, rows: NDArray[np.bool_]) -> Outcome:
        """Return those rows."""
        return Outcome(self.delivered[rows], self.opened_us[rows], self.dismissed_us[rows], self.opted_out_us[rows])


def _outcome(groups: Groups, due: Due) -> tuple[Due, Outcome]:
    """Return the messages that were sent and their outcome: none after the shopper opted out."""
    delivered = groups.chance("delivered", due) < DELIVERED
    habits = base_messages()
    likely = np.where(
        due.reason == ABANDONED_CART,
        OPENED_ABANDONED,
        np.where(groups.system[due.group] == "android", habits.opened.android, habits.opened.ios),
    )
    opened = delivered & (groups.chance("opened", due) < likely)
    opened_us = due.at_us + lognormal_us(groups.chance("opened.after", due), OPEN_MEDIAN_US, OPEN_SIGMA)
    read_us = due.at_us + lognormal_us(groups.chance("dismissed.after", due), DISMISS_MEDIAN_US, OPEN_SIGMA)
    tired = groups.chance("opted_out", due) < OPT_OUT + OPT_OUT_MORE * np.maximum(0, _within_a_week(due) - ENOUGH)
    leaves = delivered & ~opened & tired
    dismissed = delivered & ~opened & (leaves | (groups.chance("dismissed", due) < habits.dismissed))
    first = np.full(len(groups.keys), np.iinfo(np.int64).max)
    np.minimum.at(first, due.group[leaves], read_us[leaves])
    sent = due.at_us <= first[due.group]
    leaves &= read_us == first[due.group]
    outcome = Outcome(
        delivered,
        np.where(opened, opened_us, NONE),
        np.where(dismissed, read_us, NONE),
        np.where(leaves, read_us, NONE),
    )
    return due.where(sent), outcome.where(sent)


def _within_a_week(due: Due) -> NDArray[np.int64]:
    """Return how many messages each shopper has got in the seven days up to and with each; `due` is in order."""
    far_us = 1 + int(due.at_us.max(initial=0))
    key = sortable(due.group, due.at_us, far_us)
    week_ago = sortable(due.group, np.maximum(due.at_us - WEEK_US, 0), far_us)
    counts: NDArray[np.int64] = np.arange(len(key)) - np.searchsorted(key, week_ago) + 1
    return counts


def _table(source: Source, groups: Groups, orders: pa.Table, due: Due, outcome: Outcome) -> pa.Table:
    shopper, arm = groups.shopper[due.group], groups.arm[due.group]
    for_order = pa.array(due.order, mask=due.order == NONE)
    values = {
        "message_id": uuids(source.seed, "push", shopper, arm, due.reason, due.visit, due.cause),
        "shopper": shopper,
        "arm": named(arm, groups.arms),
        "reason": named(due.reason, REASONS),
        "visit": nullable(due.visit, due.visit != NONE),
        "product": nullable(due.product, due.product != NONE),
        "order_id": orders["order_id"].combine_chunks().take(for_order),
        "sent_at_us": due.at_us,
        "delivered": outcome.delivered,
        "opened_at_us": nullable(outcome.opened_us, outcome.opened_us != NONE),
        "dismissed_at_us": nullable(outcome.dismissed_us, outcome.dismissed_us != NONE),
        "opted_out_at_us": nullable(outcome.opted_out_us, outcome.opted_out_us != NONE),
    }
    return made(COLUMNS, values)
