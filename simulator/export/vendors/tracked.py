"""What trackers add to a shard's steps: who is known, which product was chosen from where, what lies in the cart.

A visit played in several arms counts once, as in control: arms are what-ifs of one visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.ids import hashes, uuids
from simulator.export.products import product_facts
from simulator.export.vendors.columns import lists, ranges
from simulator.export.vendors.steps import LOGINS, PRODUCT, Steps, codes, flags, numbers, since_start, steps_of
from simulator.export.vendors.vocabulary import WORDS
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY
from simulator.model.schema import CATEGORIES
from simulator.model.states import STATE_INDEX
from simulator.target.identity import PREFIX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

LISTS = tuple(state for state, word in WORDS.items() if word.items == "list")
"""States that show a list of products to choose from."""
NETWORKS = ("wifi", "5g", "lte", "hspa")
_LISTS = np.array([STATE_INDEX[state] for state in LISTS])


@dataclass(frozen=True)
class Tracked:
    """The steps of a shard and what trackers add to them; every array has one entry a step."""

    steps: Steps

    @property
    def source(self) -> Source:
        """Return the shard."""
        return self.steps.source

    @cached_property
    def allows(self) -> NDArray[np.bool_]:
        """Return whether a step's shopper allows analytics."""
        return flags(self.source.shoppers["analytics"])[self.steps.who]

    @cached_property
    def played(self) -> NDArray[np.bool_]:
        """Return whether a step belongs to the first arm in which its visit was played."""
        steps = self.steps
        fresh = np.ones(len(steps.shopper), np.bool_)
        fresh[1:] = (steps.shopper[1:] != steps.shopper[:-1]) | (steps.visit[1:] != steps.visit[:-1])
        visit = np.cumsum(fresh) - 1
        return cast("NDArray[np.bool_]", steps.arm == steps.arm[fresh][visit])

    @cached_property
    def before(self) -> NDArray[np.int64]:
        """Return the state before, −1 where the visit begins."""
        state = self.steps.state
        return np.where(self.steps.first, -1, np.append(np.full(min(1, len(state)), -1), state[:-1]))

    @cached_property
    def chosen(self) -> NDArray[np.bool_]:
        """Return whether the page is of a product that was chosen from a list."""
        return (self.steps.state == PRODUCT) & np.isin(self.before, _LISTS)

    @cached_property
    def logs_in(self) -> NDArray[np.bool_]:
        """Return whether the shopper logs in here."""
        return self.steps.done & np.isin(self.steps.state, LOGINS)

    @cached_property
    def arrives_known(self) -> NDArray[np.bool_]:
        """Return whether the visit begins here, with a shopper who is logged in already."""
        return self.steps.first & self.steps.logged_in & ~self.logs_in

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
        return self.came & ~flags(self.steps.events["ok"])

    @cached_property
    def shelf(self) -> NDArray[np.int64]:
        """Return the category that a list is of, by number.

        It is that of the product chosen from it; where none is chosen, no figure depends on it and it is a keyed draw.
        """
        steps = self.steps
        keys = (steps.shopper, steps.visit, steps.step)
        drawn = (hashes(self.source.seed, "shelf", *keys) % np.uint64(len(CATEGORIES))).astype(np.int64)
        following = np.append(steps.product[1:], np.full(min(1, len(drawn)), -1)) // PRODUCTS_PER_CATEGORY
        return np.where(steps.clicked & (following >= 0), following, drawn)

    @cached_property
    def network(self) -> NDArray[np.int64]:
        """Return the technology as its position in `NETWORKS`; −1 where there is no network."""
        return codes(self.steps.events["network"], list(NETWORKS))

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Return how many orders the visit has placed before this step: the number of the next one."""
        bought = self.steps.bought.astype(np.int64)
        return since_start(bought, self.steps.starts, self.steps.visit_of) - bought

    @property
    def bought(self) -> NDArray[np.bool_]:
        """Return whether an order was placed."""
        return self.steps.bought

    @cached_property
    def added(self) -> NDArray[np.bool_]:
        """Return whether the step put its product into the cart."""
        return numbers(self.steps.events["cart_items"]) > self.steps.cart_before

    @cached_property
    def items(self) -> NDArray[np.int64]:
        """Return the items of the cart that the page shows; on a purchase, those that were bought."""
        after = numbers(self.steps.events["cart_items"])
        return np.where(self.steps.bought, self.steps.cart_before, after)

    @cached_property
    def cart_cents(self) -> NDArray[np.int64]:
        """Return the value of those items."""
        prices = np.where(self.added, product_facts()["price_cents"].to_numpy()[np.maximum(self.steps.product, 0)], 0)
        total = np.cumsum(prices[self.added])
        upto = np.cumsum(self.added)
        worth = np.concatenate([[0], total])
        return cast("NDArray[np.int64]", worth[upto] - worth[upto - self.items])

    def lines(self, rows: NDArray[np.int64]) -> Lines:
        """Return the cart of each of these steps as lines of products, in the order in which they were put there."""
        upto = np.cumsum(self.added)[rows]
        owner, place = ranges(upto - self.items[rows], self.items[rows])
        product = self.steps.product[self.added][place]
        _, first, quantity = np.unique(owner * len(product_facts()) + product, return_index=True, return_counts=True)
        order = np.argsort(first)
        return Lines(owner[first[order]], product[first[order]], quantity[order], len(rows))

    def visitors(self, rows: NDArray[np.int64]) -> pa.Array:
        """Return the id that a tracker keeps in the browser of these steps' shoppers, the same in all their visits."""
        return uuids(self.source.seed, "visitor", self.steps.shopper[rows])

    def ids(self, kind: str, rows: NDArray[np.int64], *parts: NDArray[np.int64]) -> pa.Array:
        """Return ids of what belongs to these steps' visits, such as `session`, or their `order` with its number."""
        return uuids(self.source.seed, kind, self.steps.shopper[rows], self.steps.visit[rows], *parts)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of carts: the cart each belongs to, product and quantity."""

    owner: NDArray[np.int64]
    product: NDArray[np.int64]
    quantity: NDArray[np.int64]
    carts: int

    def listed(self, values: pa.Array) -> pa.ListArray:
        """Return one value a line as a list for each cart."""
        return lists(self.owner, self.carts, values)


def customer_ids(seed: int, shopper: NDArray[np.int64]) -> pa.Array:
    """Return the shop's number of a customer, the same as in live runs of this seed (`simulator.target.identity`)."""
    return pc.binary_join_element_wise(f"{PREFIX}-{seed:x}-", pa.array(shopper).cast(pa.string()), "")


def tracked(source: Source, part: str) -> Tracked:
    """Return a shard as trackers see it. Raises `FileFaults` naming `part` where a needed column is missing."""
    return Tracked(steps_of(source, part))
