"""What trackers on the pages add to a shard's steps: who is known, what was chosen, what lies in the cart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.columns import places
from simulator.export.ids import uuids
from simulator.export.products import product_facts
from simulator.export.vendors.columns import lists
from simulator.export.vendors.contents import LISTS, ONE_SHELF, Contents, ragged
from simulator.export.vendors.ga4_sessions import Sessions
from simulator.export.vendors.people import account_ids, account_of, order_ids, visitor_ids
from simulator.export.vendors.steps import ADD, PRODUCT, Steps, flags, numbers, since_start, steps_of
from simulator.export.vendors.steps import EVENTS as STEP_EVENTS
from simulator.export.vendors.steps import SHOPPERS as STEP_SHOPPERS
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY
from simulator.model.faults import Fault, FileFaults

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source
    from simulator.export.vendors.contents import Lines

EVENTS = (*STEP_EVENTS, "network", "cause")
SHOPPERS = (*STEP_SHOPPERS, "timezone", "push")
"""Columns that trackers' feeds are made from."""
NETWORKS = ("wifi", "5g", "lte", "hspa")


class Listed(NamedTuple):
    """Lines of products, a list for each of so many `owners`; `place` counts from 0 in each list."""

    owner: NDArray[np.int64]
    product: NDArray[np.int64]
    quantity: NDArray[np.int64]
    place: NDArray[np.int64]
    owners: int

    def grouped(self, values: pa.Array) -> pa.ListArray:
        """Return one value a line as a list for each owner."""
        return lists(self.owner, self.owners, values)


@dataclass(frozen=True)
class Tracked:
    """The steps of a shard and what stood on their pages; every array has one entry a step.

    A shopper played in several arms is a visitor and a customer in each of them (`people.account_ids`).
    """

    steps: Steps
    contents: Contents

    @property
    def source(self) -> Source:
        """Return the shard."""
        return self.steps.source

    @cached_property
    def allows(self) -> NDArray[np.bool_]:
        """Return whether a step's shopper allows analytics."""
        return flags(self.source.shoppers["analytics"])[self.steps.who]

    @cached_property
    def before(self) -> NDArray[np.int64]:
        """Return the state before, −1 where the visit begins."""
        state = self.steps.state
        return np.where(self.steps.first, -1, np.append(np.full(min(1, len(state)), -1), state[:-1]))

    @cached_property
    def chosen(self) -> NDArray[np.bool_]:
        """Return whether the page is of a product that was chosen from a list."""
        chosen: NDArray[np.bool_] = (self.steps.state == PRODUCT) & np.isin(self.before, LISTS)
        return chosen

    @cached_property
    def logs_in(self) -> NDArray[np.bool_]:
        """Return whether the shopper logs in here."""
        before, after = self.steps.logins
        return after & ~before

    @cached_property
    def arrives_known(self) -> NDArray[np.bool_]:
        """Return whether the visit begins here, with a shopper who is logged in already."""
        before, _ = self.steps.logins
        return self.steps.first & before

    @property
    def begins(self) -> NDArray[np.bool_]:
        """Return whether the visit begins here."""
        return self.steps.first

    @property
    def follows(self) -> NDArray[np.bool_]:
        """Return whether a page of the same visit was open before."""
        return ~self.steps.first

    @cached_property
    def ends(self) -> NDArray[np.bool_]:
        """Return whether the visit ends here, on a page that was there to tell it."""
        ended = pc.is_valid(self.steps.events["cause"]).to_numpy()
        return cast("NDArray[np.bool_]", ended & self.steps.last & (~self.steps.first | self.steps.seen))

    @cached_property
    def load_us(self) -> NDArray[np.int64]:
        """Return the time from the tap to the usable page; 0 where it never came."""
        return numbers(self.steps.events["load_us"])

    @cached_property
    def came(self) -> NDArray[np.bool_]:
        """Return whether the whole page came while the shopper was there, with an error or without."""
        whole = pc.is_valid(self.steps.events["load_us"]).to_numpy()
        return cast("NDArray[np.bool_]", whole & (self.load_us <= numbers(self.steps.events["waited_us"])))

    @cached_property
    def failed(self) -> NDArray[np.bool_]:
        """Return whether the page came, but with an error."""
        return self.came & ~self.steps.done

    @cached_property
    def added(self) -> NDArray[np.bool_]:
        """Return whether the step put its product into the cart."""
        added: NDArray[np.bool_] = self.steps.done & (self.steps.state == ADD)
        return added

    @property
    def bought(self) -> NDArray[np.bool_]:
        """Return whether an order was placed."""
        return self.steps.bought

    @cached_property
    def network(self) -> NDArray[np.int64]:
        """Return the technology as its position in `NETWORKS`; −1 where there is no network."""
        return places(self.steps.events["network"], list(NETWORKS))

    @cached_property
    def channel(self) -> NDArray[np.int64]:
        """Return how the shopper came to the visit, as a place in `CHANNELS`."""
        unskewed = np.zeros(len(self.steps.starts), np.int64)
        return Sessions(self.steps, unskewed).channel[self.steps.visit_of]

    @cached_property
    def shelf(self) -> NDArray[np.int64]:
        """Return the category, by number, that a list is of; −1 where it is of several, or there is none."""
        one = np.isin(self.steps.state, ONE_SHELF)
        return np.where(one, self.contents.anchor // PRODUCTS_PER_CATEGORY, -1)

    @cached_property
    def cart_cents(self) -> NDArray[np.int64]:
        """Return the value of the cart; on a purchase, of what was bought."""
        cart = self.contents.cart
        row = np.repeat(np.arange(len(cart.count)), cart.count)
        cents = product_facts()["price_cents"].to_numpy()[cart.product] * cart.quantity
        return np.bincount(row, cents, len(cart.count)).astype(np.int64)

    @cached_property
    def cart_items(self) -> NDArray[np.int64]:
        """Return the items of the cart; on a purchase, those that were bought."""
        cart = self.contents.cart
        row = np.repeat(np.arange(len(cart.count)), cart.count)
        return np.bincount(row, cart.quantity, len(cart.count)).astype(np.int64)

    def in_cart(self, rows: NDArray[np.int64]) -> Listed:
        """Return the lines of the cart at these steps; at a purchase what was bought."""
        return _listed(self.contents.cart, rows)

    def on_list(self, rows: NDArray[np.int64]) -> Listed:
        """Return the products that the lists at these steps show."""
        return _listed(self.contents.shown, rows)

    def visitors(self, rows: NDArray[np.int64]) -> pa.Array:
        """Return the id that a tracker keeps in the browser of these steps' shoppers, the same in all their visits."""
        return visitor_ids(self.steps, rows)

    def customers(self, rows: NDArray[np.int64]) -> pa.Array:
        """Return the shop's number of these steps' shoppers, whether or not the shop knows them."""
        return self._accounts.take(pa.array(account_of(self.steps, rows)))

    @cached_property
    def _accounts(self) -> pa.Array:
        return account_ids(self.steps)

    def sessions(self, rows: NDArray[np.int64], ago: int = 0) -> pa.Array:
        """Return the id of these steps' visits, or of the shopper's visits so many before."""
        steps = self.steps
        return uuids(self.source.seed, "session", steps.shopper[rows], steps.visit[rows] - ago, steps.arm[rows])

    def views(self, rows: NDArray[np.int64]) -> pa.Array:
        """Return the id of the page view that each of these steps is part of."""
        steps, opened = self.steps, self.steps.page[rows]
        keys = (column[opened] for column in (steps.shopper, steps.visit, steps.step, steps.arm))
        return uuids(self.source.seed, "page_view", *keys)

    def orders(self, rows: NDArray[np.int64]) -> pa.Array:
        """Return the id of the orders that these steps placed."""
        return order_ids(self.steps, rows)

    def baskets(self, kind: str, rows: NDArray[np.int64]) -> pa.Array:
        """Return an id (of a `cart` or a `checkout`) that stays the same until the visit's next order is placed."""
        steps, bought = self.steps, self.steps.bought.astype(np.int64)
        earlier = since_start(bought, steps.starts, steps.visit_of) - bought
        keys = (column[rows] for column in (steps.shopper, steps.visit, steps.arm, earlier))
        return uuids(self.source.seed, kind, *keys)


def _listed(lines: Lines, rows: NDArray[np.int64]) -> Listed:
    owner, entry = ragged(lines.first[rows], lines.count[rows])
    return Listed(owner, lines.product[entry], lines.quantity[entry], lines.place[entry], len(rows))


def tracked(source: Source, part: str) -> Tracked:
    """Return a shard as trackers see it. Raises `FileFaults` naming `part` where a needed column is missing."""
    needed = (("shoppers", source.shoppers, SHOPPERS), ("events", source.events, EVENTS))
    faults = [
        Fault(f"{table} table", 0, name, "is missing", f"but {part} is made from it", "generate the data anew")
        for table, given, names in needed
        for name in names
        if name not in given.column_names
    ]
    if faults:
        raise FileFaults(faults)
    steps = steps_of(source, part)
    return Tracked(steps, Contents(steps))
