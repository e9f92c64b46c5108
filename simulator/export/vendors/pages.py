"""The page that is open at a step, as the address bar, the title and the referrer tell it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.products import product_facts
from simulator.export.vendors.columns import named, where
from simulator.export.vendors.steps import codes
from simulator.export.vendors.vocabulary import CHANNELS, HOST, WORDS
from simulator.model.schema import CATEGORIES
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.tracked import Tracked

ORIGIN = f"https://{HOST}"
QUERIES = tuple(category.replace("-", " ") for category in CATEGORIES)
"""What a shopper types who looks for something of a category."""
TITLES = tuple(query.capitalize() for query in QUERIES)
UTM = tuple(
    urlencode({"utm_source": c.source, "utm_medium": c.medium, "utm_campaign": c.campaign}) if c.tagged else None
    for c in CHANNELS.values()
)


class Addresses(NamedTuple):
    """Every page of the site by number: path, query with its `?` (empty where there is none), and title."""

    path: pa.Array
    query: pa.Array
    title: pa.Array
    base: NDArray[np.int64]
    by: NDArray[np.int64]
    """State → its first page, and what is added to it: nothing (0), the shelf (1) or the product (2)."""


@cache
def addresses() -> Addresses:
    """Return the site's pages: one a state, except for categories, searches and products, of which each has its own."""
    facts = product_facts()
    rows: list[tuple[str, str, str]] = []
    base, by = [], []
    for word in WORDS.values():
        template = word.path or "/"
        kind = 2 if "{sku}" in template else 1 if "{" in template else 0
        base.append(len(rows))
        by.append(kind)
        shelves = [{"query": quote(q), "category": c} for q, c in zip(QUERIES, CATEGORIES, strict=True)]
        fills = ([{}], shelves, [{"sku": sku} for sku in facts["sku"].to_pylist()])[kind]
        names = ([""], TITLES, facts["name"].to_pylist())[kind]
        for fill, name in zip(fills, names, strict=True):
            path, mark, query = template.format(**fill).partition("?")
            rows.append((path, mark + query, word.title.format(query=name.lower(), category=name, name=name)))
    path, query, title = (pa.array(column) for column in zip(*rows, strict=True))
    return Addresses(path, query, title, np.array(base), np.array(by))


@dataclass(frozen=True)
class Pages:
    """The pages open at some steps: one entry for each of `rows`, which count steps."""

    seen: Tracked
    rows: NDArray[np.int64]

    @cached_property
    def opened(self) -> NDArray[np.int64]:
        """Return the step that opened the page."""
        return self.seen.steps.page[self.rows]

    @cached_property
    def number(self) -> NDArray[np.int64]:
        """Return the page's number in `addresses`."""
        return self._numbers(self.opened)

    @cached_property
    def before(self) -> NDArray[np.int64]:
        """Return the step that opened the page before, −1 where the visit began with this one."""
        begins = self.seen.steps.first[self.opened]
        return np.where(begins, -1, self.seen.steps.page[self.opened - 1])

    @cached_property
    def channel(self) -> NDArray[np.int64]:
        """Return the channel of those who come with this page for the very first time, −1 elsewhere."""
        shoppers, steps = self.seen.source.shoppers, self.seen.steps
        if "channel" not in shoppers.column_names:
            return np.full(len(self.rows), -1)
        comes = steps.first[self.opened] & (steps.visit[self.rows] == 0)
        return np.where(comes, codes(shoppers["channel"], list(CHANNELS))[steps.who[self.rows]], -1)

    @property
    def path(self) -> pa.Array:
        """Return the path, from its first `/`."""
        return addresses().path.take(pa.array(self.number))

    @property
    def title(self) -> pa.Array:
        """Return the document's title."""
        return addresses().title.take(pa.array(self.number))

    @cached_property
    def search(self) -> pa.Array:
        """Return the query with its `?`, the landing page's campaign words included; empty where there is none."""
        query = addresses().query.take(pa.array(self.number))
        if not (self.channel >= 0).any():
            return query
        mark = pc.if_else(pc.equal(query, ""), "?", "&")
        words = pc.binary_join_element_wise(mark, named(self.channel, UTM), "").fill_null("")
        return pc.binary_join_element_wise(query, words, "")

    @cached_property
    def url(self) -> pa.Array:
        """Return the whole address."""
        return pc.binary_join_element_wise(ORIGIN, self.path, self.search, "")

    @cached_property
    def referrer(self) -> pa.Array:
        """Return the page before, or where the visit came from; empty where the browser says nothing."""
        earlier = self._numbers(np.maximum(self.before, 0))
        known = addresses()
        path, query = (column.take(pa.array(earlier)) for column in (known.path, known.query))
        inside = where(self.before >= 0, pc.binary_join_element_wise(ORIGIN, path, query, ""))
        outside = named(self.channel, [channel.referrer for channel in CHANNELS.values()])
        return pc.coalesce(inside, outside, pa.scalar(""))

    def _numbers(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        known, steps = addresses(), self.seen.steps
        state = steps.state[rows]
        fill = np.choose(known.by[state], (np.zeros_like(rows), self.seen.shelf[rows], steps.product[rows]))
        return known.base[state] + fill


assert len(WORDS) == len(STATE_NAMES)
