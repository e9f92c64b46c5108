"""The steps of a shard as numpy columns, with what vendors ask of each: what was seen, when, and what came of it.

All columns have one entry a step, in the order of `events`: the steps of a visit in one arm stand side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.columns import places
from simulator.export.delivery import delivered
from simulator.export.vendors.vocabulary import WORDS
from simulator.model.faults import Fault, FileFaults
from simulator.model.states import STATE_INDEX, STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

EVENTS = (
    "shopper", "visit", "step", "arm", "page", "at_us", "fcp_us", "load_us", "ok", "waited_us", "think_us", "rtt_ms",
    "product", "cart_items",
)  # fmt: skip
SHOPPERS = (
    "shopper", "country", "city", "device", "os", "language", "analytics", "personalization", "member", "logged_in",
)  # fmt: skip
"""Columns that every vendor's schema is made from."""
ADD, BUY = STATE_INDEX["add_to_cart"], STATE_INDEX["purchase"]
PRODUCT = STATE_INDEX["product"]
LOGINS = (STATE_INDEX["login"], STATE_INDEX["biometric_login"])
OPENS = np.array([word.path is not None for word in WORDS.values()])
"""Whether a state opens a page, by its code."""


def checked(source: Source, part: str) -> Source:
    """Return the source. Raises `FileFaults` with every column that its tables lack."""
    faults = [
        Fault(f"{name} table", 0, name_of, "is missing", f"but {part} is made from it", "generate the data anew")
        for name, table, needed in (("shoppers", source.shoppers, SHOPPERS), ("events", source.events, EVENTS))
        for name_of in needed
        if name_of not in table.column_names
    ]
    if faults:
        raise FileFaults(faults)
    return source


@dataclass(frozen=True)
class Steps:
    """A source's steps; see `steps_of`. `events` holds them in order, with their number in `row`."""

    source: Source
    events: pa.Table

    def _ints(self, name: str, missing: int = 0) -> NDArray[np.int64]:
        return numbers(self.events[name], missing)

    @cached_property
    def shopper(self) -> NDArray[np.int64]:
        """Return who."""
        return self._ints("shopper")

    @cached_property
    def visit(self) -> NDArray[np.int64]:
        """Return which of their visits."""
        return self._ints("visit")

    @cached_property
    def step(self) -> NDArray[np.int64]:
        """Return which step of the visit, from 0."""
        return self._ints("step")

    @cached_property
    def arm(self) -> NDArray[np.int64]:
        """Return the arm's code; control is 0."""
        return places(self.events["arm"], self.arms)

    @cached_property
    def arms(self) -> list[str]:
        """Return the arms' names, control first."""
        return words_of(self.events["arm"])

    @cached_property
    def state(self) -> NDArray[np.int64]:
        """Return the state's code."""
        return places(self.events["page"], list(STATE_NAMES))

    @cached_property
    def product(self) -> NDArray[np.int64]:
        """Return the product in view, −1 before the first."""
        return self._ints("product", -1)

    @cached_property
    def who(self) -> NDArray[np.int64]:
        """Return the row of the shoppers table."""
        known = numbers(self.source.shoppers["shopper"])
        order = np.argsort(known, kind="stable")
        return order[np.searchsorted(known[order], self.shopper)]

    @cached_property
    def first(self) -> NDArray[np.bool_]:
        """Return whether a step is its visit's first."""
        changed = np.ones(len(self.shopper), np.bool_)
        changed[1:] = [False] * max(0, len(changed) - 1)
        for column in (self.shopper, self.visit, self.arm):
            changed[1:] |= column[1:] != column[:-1]
        return changed

    @cached_property
    def last(self) -> NDArray[np.bool_]:
        """Return whether a step is its visit's last."""
        return np.append(self.first[1:], np.ones(min(1, len(self.first)), np.bool_))

    @cached_property
    def visit_of(self) -> NDArray[np.int64]:
        """Return the number of the visit in this shard, counted in the order of steps."""
        return np.cumsum(self.first) - 1

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Return the first step of each visit; one entry a visit."""
        return np.flatnonzero(self.first)

    @cached_property
    def at_us(self) -> NDArray[np.int64]:
        """Return when it was tapped, since 1970."""
        return self.source.since_epoch_us(self._ints("at_us"))

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Return whether something of the page was painted before the shopper left; only then can its tags fire."""
        painted = pc.is_valid(self.events["fcp_us"]).to_numpy()
        return cast("NDArray[np.bool_]", painted & (self._ints("fcp_us") <= self._ints("waited_us")))

    @cached_property
    def shown_us(self) -> NDArray[np.int64]:
        """Return when the page's first paint was, since 1970; means nothing where not `seen`."""
        return self.at_us + self._ints("fcp_us")

    @cached_property
    def loaded_us(self) -> NDArray[np.int64]:
        """Return when the page was usable or the shopper gave up, since 1970."""
        return self.at_us + self._ints("waited_us")

    @cached_property
    def left_us(self) -> NDArray[np.int64]:
        """Return when the shopper tapped on or left, since 1970."""
        return self.loaded_us + self._ints("think_us")

    @cached_property
    def done(self) -> NDArray[np.bool_]:
        """Return whether the page came whole and without error, so that its action took effect."""
        whole = pc.is_valid(self.events["load_us"]).to_numpy() & (self._ints("load_us") <= self._ints("waited_us"))
        return cast("NDArray[np.bool_]", whole & self.events["ok"].to_numpy())

    @cached_property
    def opens(self) -> NDArray[np.bool_]:
        """Return whether the step opens a page, rather than acting on the one that is open."""
        return OPENS[self.state]

    @cached_property
    def page(self) -> NDArray[np.int64]:
        """Return the step that opened the page on which this step happens."""
        rows = np.arange(len(self.state))
        return np.maximum.accumulate(np.where(self.opens | self.first, rows, 0))

    @cached_property
    def logins(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return whether the shop knows who this is, before the step and once it is done."""
        arrives = flags(self.source.shoppers["logged_in"])[self.who]
        done = (self.done & np.isin(self.state, LOGINS)).astype(np.int64)
        times = since_start(done, self.starts, self.visit_of)
        return arrives | (times - done > 0), arrives | (times > 0)

    @cached_property
    def bought(self) -> NDArray[np.bool_]:
        """Return whether an order was placed."""
        bought: NDArray[np.bool_] = self.done & (self.state == BUY) & (self.cart_before > 0)
        return bought

    @cached_property
    def cart_before(self) -> NDArray[np.int64]:
        """Return the items in the cart before the step."""
        after = self._ints("cart_items")
        return np.where(self.first, 0, np.append(np.zeros(min(1, len(after)), np.int64), after[:-1]))

    @cached_property
    def clicked(self) -> NDArray[np.bool_]:
        """Return whether the next step of the visit is a product's page."""
        following = np.append(self.state[1:], np.full(min(1, len(self.state)), -1))
        clicked: NDArray[np.bool_] = ~self.last & (following == PRODUCT)
        return clicked


def steps_of(source: Source, part: str) -> Steps:
    """Return the steps of a source. Raises `FileFaults` naming `part` where a needed column is missing."""
    events = checked(source, part).events.combine_chunks()
    steps = Steps(source, events)
    follows = ~steps.first
    if not np.array_equal(steps.step[follows], steps.step[:-1][follows[1:]] + 1):
        order = np.lexsort((steps.step, steps.arm, steps.visit, steps.shopper))
        events = events.take(pa.array(order))
    return Steps(source, events.append_column("row", pa.array(np.arange(len(events)))))


def arrived(steps: Steps) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the steps whose beacons reached the collector, in order of arrival, as (row, skew, late).

    `skew` is what the device's clock is ahead, `late` the time from tapping, by the device, to arrival; microseconds.
    """
    got = delivered(replace(steps.source, events=steps.events))
    row, device, received = (numbers(got[name]) for name in ("row", "device_at_us", "received_at_us"))
    return row, device - numbers(steps.events["at_us"])[row], received - device


def since_start(values: NDArray[Any], starts: NDArray[np.int64], visit_of: NDArray[np.int64]) -> NDArray[Any]:
    """Return the running sum of `values` within each visit."""
    total = np.cumsum(values)
    return total - (total - values)[starts][visit_of] if len(values) else total


def numbers(column: pa.ChunkedArray, missing: int = 0) -> NDArray[np.int64]:
    """Return a column of whole numbers, nulls as `missing`."""
    filled = column.combine_chunks()
    return cast("NDArray[np.int64]", pc.fill_null(filled, missing).to_numpy(zero_copy_only=False).astype(np.int64))


def flags(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return a column of booleans, null as False."""
    return cast("NDArray[np.bool_]", pc.fill_null(column, fill_value=False).to_numpy())


def words_of(column: pa.ChunkedArray) -> list[str]:
    """Return the words of a column of names, in the order of its codes if it has any."""
    whole = column.combine_chunks()
    found = whole.dictionary if isinstance(whole, pa.DictionaryArray) else pc.unique(whole)
    return [str(word) for word in found.to_pylist() if word is not None]
