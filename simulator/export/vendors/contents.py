"""What stood on each page: the lines of the cart, the products of a list, the address and the title.

Lists and search words are not part of a journey; they are drawn by hashes around the product tapped next, if any.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.export.ids import hashes
from simulator.export.products import product_facts
from simulator.export.vendors.steps import ADD
from simulator.export.vendors.vocabulary import CHANNELS, HOST, WORDS
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY
from simulator.model.schema import CATEGORIES
from simulator.model.states import STATE_INDEX, STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.steps import Steps

SHOWN = 10
"""Products that a list shows."""
ALL = len(CATEGORIES) * PRODUCTS_PER_CATEGORY
LISTS = tuple(STATE_INDEX[name] for name, word in WORDS.items() if word.items == "list")
SEARCH, CATEGORY, PRODUCT = (STATE_INDEX[name] for name in ("search", "category", "product"))
ONE_SHELF = (SEARCH, CATEGORY)
"""Lists that show one category; the others mix all of them."""
_CATEGORY, _QUERY = len(STATE_NAMES), len(STATE_NAMES) + len(CATEGORIES)
_SKU = _QUERY + ALL
"""Where the addresses of categories, searches and products begin in the pool of addresses."""


class Lines(NamedTuple):
    """Lists of lines, one list a row: `first[i]` to `first[i] + count[i]` − 1 of the lines are row i's."""

    first: NDArray[np.int64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # hides the tuple's method
    product: NDArray[np.int64]
    quantity: NDArray[np.int64]
    place: NDArray[np.int64]
    """Position in the list, from 0."""


def ragged(first: NDArray[np.int64], count: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for lists of `count` entries beginning at `first`: the row and the entry of each, in order."""
    row = np.repeat(np.arange(len(count)), count)
    return row, np.repeat(first - (np.cumsum(count) - count), count) + np.arange(len(row))


@dataclass(frozen=True)
class Contents:
    """What stood on the pages of `steps`."""

    steps: Steps

    def key(self, kind: str, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return a hash of each step, the same in every arm."""
        steps = self.steps
        what = (steps.shopper, steps.visit, steps.step, steps.state)
        return hashes(steps.source.seed, f"vendors.{kind}", *(column[rows] for column in what))

    @cached_property
    def lists(self) -> NDArray[np.bool_]:
        """Return whether the step shows a list of products."""
        return np.isin(self.steps.state, LISTS)

    @cached_property
    def anchor(self) -> NDArray[np.int64]:
        """Return the product that a list was shown around: the one tapped next, else any; −1 where there is no list."""
        steps, rows = self.steps, np.flatnonzero(self.lists)
        any_product = (self.key("anchor", rows) % np.uint64(ALL)).astype(np.int64)
        following = np.append(steps.product[1:], np.full(min(1, len(steps.product)), -1))[rows]
        anchor = np.full(len(steps.state), -1)
        anchor[rows] = np.where(steps.clicked[rows] & (following >= 0), following, any_product)
        return anchor

    @cached_property
    def anchor_place(self) -> NDArray[np.int64]:
        """Return where in the list that product stands; upper places are likelier."""
        u = (self.key("place", np.arange(len(self.lists))) >> np.uint64(12)).astype(np.float64) / 2.0**52
        return (SHOWN * u**2).astype(np.int64)

    @cached_property
    def shown(self) -> Lines:
        """Return the products that lists show, all different, `SHOWN` a list."""
        rows = np.flatnonzero(self.lists)
        anchor, one_shelf = self.anchor[rows], np.isin(self.steps.state[rows], ONE_SHELF)
        size = np.where(one_shelf, PRODUCTS_PER_CATEGORY, ALL)
        start = np.where(one_shelf, anchor - anchor % PRODUCTS_PER_CATEGORY, 0)
        stride = _STRIDES[(self.key("stride", rows) % np.uint64(len(_STRIDES))).astype(np.int64)]
        away = np.arange(SHOWN)[None, :] - self.anchor_place[rows][:, None]
        product = start[:, None] + (anchor[:, None] - start[:, None] + away * stride[:, None]) % size[:, None]
        count = np.where(self.lists, SHOWN, 0)
        place = np.tile(np.arange(SHOWN), len(rows))
        return Lines(np.cumsum(count) - count, count, product.ravel(), np.ones(product.size, np.int64), place)

    @cached_property
    def cart(self) -> Lines:
        """Return the cart after each step; at a purchase what was bought. Equal products are one line."""
        steps = self.steps
        added = steps.done & (steps.state == ADD)
        total = np.cumsum(added)
        inside = np.where(steps.bought, steps.cart_before, np.where(added, steps.cart_before + 1, steps.cart_before))
        step, entry = ragged(total - inside, inside)
        product = steps.product[np.flatnonzero(added)][entry]
        pair, first, quantity = np.unique(step * np.int64(ALL) + product, return_index=True, return_counts=True)
        order = np.argsort(first, kind="stable")
        of_step, product, quantity = pair[order] // ALL, pair[order] % ALL, quantity[order]
        count = np.bincount(of_step, minlength=len(inside))
        first_line = np.cumsum(count) - count
        return Lines(first_line, count, product, quantity, np.arange(len(product)) - first_line[of_step])

    @cached_property
    def one(self) -> Lines:
        """Return the product in view of each step."""
        product = self.steps.product
        ones = np.ones(len(product), np.int64)
        return Lines(np.arange(len(product)), (product >= 0).astype(np.int64), product, ones, ones * 0)

    @cached_property
    def address(self) -> NDArray[np.int64]:
        """Return the code of the page on which each step happens, in `addresses` and `titles`."""
        steps = self.steps
        own = steps.state.copy()
        for state, begin, value in (
            (CATEGORY, _CATEGORY, self.anchor // PRODUCTS_PER_CATEGORY),
            (SEARCH, _QUERY, self.anchor),
            (PRODUCT, _SKU, steps.product),
        ):
            here = steps.state == state
            own[here] = begin + value[here]
        return own[steps.page]


_STRIDES = np.array([n for n in range(7, 200) if gcd(n, ALL) == 1 and n % PRODUCTS_PER_CATEGORY > 1], np.int64)
"""Steps through the products that come to the same one only after all of them."""


@cache
def queries() -> pa.Array:
    """Return what somebody types to find each product: the last word of its name."""
    return pa.array([name.split()[-1].lower() for name in product_facts()["name"].to_pylist()])


@cache
def _filled() -> tuple[list[str], list[str]]:
    """Return the paths and titles of all addresses."""
    facts = product_facts().to_pylist()
    named = dict(zip(CATEGORIES, (category.replace("-", " & ").capitalize() for category in CATEGORIES), strict=True))
    pages: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in STATE_NAMES]
    pages += [("category", {"category": category, "name": named[category]}) for category in CATEGORIES]
    pages += [("search", {"query": query}) for query in queries().to_pylist()]
    pages += [("product", fact) for fact in facts]
    paths, titles = [], []
    for state, values in pages:
        word, blank = WORDS[state], dict.fromkeys(("query", "category", "sku", "name"), "")
        paths.append((word.path or "/").format(**blank | values))
        shown = values | {"category": named.get(str(values.get("category")), "")}
        titles.append(word.title.format(**blank | shown))
    return paths, titles


@cache
def addresses() -> pa.Array:
    """Return the addresses: without a campaign, then with each channel's words, `campaign_address` finds them."""
    paths, _ = _filled()
    plain = [f"https://{HOST}{path}" for path in paths]
    tagged = [
        url + ("&" if "?" in url else "?") + f"utm_source={c.source}&utm_medium={c.medium}&utm_campaign={c.campaign}"
        if c.tagged
        else url
        for c in CHANNELS.values()
        for url in plain
    ]
    return pa.array(plain + tagged)


def campaign_address(address: NDArray[np.int64], channel: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the code in `addresses` of a landing page reached by a channel; −1 is no channel."""
    return address + (channel + 1) * len(_filled()[0])


@cache
def titles() -> pa.Array:
    """Return the title of each address."""
    return pa.array(_filled()[1])
