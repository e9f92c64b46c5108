"""What is counted of visits and events while they stream by: memory grows with kinds and days, never with rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.analysis.sketch import Grid, Sketches
from simulator.journey.records import CAUSES

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
FIRST_SECONDS = 180
"""How far visits are counted by the second: a run as short as this is drawn so."""
QUARTER_US = 15 * MINUTE_US
MOST_PAGES = 1_000
"""Visits with more pages count as this."""
VISIT_COLUMNS = (
    "shopper", "visit", "arm", "persona", "os", "tier", "network", "start_at_us", "engaged_us", "pages", "bounced",
    "landing_load_us", "cause", "carted", "orders",
)  # fmt: skip
EVENT_COLUMNS = (
    "shopper", "visit", "step", "arm", "persona", "page", "at_us", "load_us", "ok", "think_us", "network", "city",
    "device", "cause",
)  # fmt: skip
SHOPPER_COLUMNS = ("shopper", "persona")
FUNNEL = ("product", "add_to_cart", "checkout", "payment", "purchase")
"""Pages that make a step of the funnel, once they loaded without error."""
SUMS = ("visits", "pages", "pages2", "engaged_us", "bounced", "carted", "bought")


class Book:
    """Names in the order in which they were first met, and their numbers."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = list(names)
        self._numbers = {name: number for number, name in enumerate(names)}

    def number(self, name: str) -> int:
        """Return the number of a name, a new one where it was not met before."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def codes(self, column: pa.Array) -> NDArray[np.int64]:
        """Return the number of each name in a column; null is the name of nothing."""
        coded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
        indices = pc.fill_null(coded.indices.cast(pa.int64()), len(coded.dictionary)).to_numpy(zero_copy_only=False)
        # Only names that occur are met: a dictionary may hold others.
        seen = np.bincount(indices, minlength=len(coded.dictionary) + 1) > 0
        words = [*coded.dictionary.to_pylist(), ""]
        numbers = np.array([self.number(str(w)) if here else -1 for w, here in zip(words, seen, strict=True)], np.int64)
        found: NDArray[np.int64] = numbers[indices]
        return found


class Rows:
    """A batch's columns as arrays."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def column(self, name: str) -> pa.Array:
        """Return a column as it is."""
        return self._batch.column(self._batch.schema.get_field_index(name))

    def whole(self, name: str) -> NDArray[np.int64]:
        """Return a column of integers; null is −1."""
        found: NDArray[np.int64] = pc.fill_null(self.column(name).cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        return found

    def flags(self, name: str) -> NDArray[np.bool_]:
        """Return a column of truth values; null is false."""
        found: NDArray[np.bool_] = pc.fill_null(self.column(name), False).to_numpy(zero_copy_only=False)
        return found.astype(np.bool_)


class VisitTally:
    """Visits of one arm: when, by persona, device and network, and why they ended."""

    def __init__(self) -> None:
        self.rows = 0
        self.persona, self.device, self.network = Book(), Book(), Book()
        self.cause = Book(CAUSES)
        self.seconds, self.minutes, self.causes, self.by_device = Grid(), Grid(), Grid(), Grid()
        self.sums = {name: Grid() for name in SUMS}
        self.lengths, self.engaged, self.landing = Grid(), Sketches(), Sketches()

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the visits of a batch with `VISIT_COLUMNS`."""
        rows = Rows(batch)
        persona, cause = self.persona.codes(rows.column("persona")), self.cause.codes(rows.column("cause"))
        self.rows += len(persona)
        start = np.maximum(rows.whole("start_at_us"), 0)
        self.minutes.add(np.zeros_like(start), start // MINUTE_US)
        early = start[start < FIRST_SECONDS * SECOND_US]
        self.seconds.add(np.zeros_like(early), early // SECOND_US)
        self.causes.add(persona, cause)
        self._landings(rows)
        over = cause != 0  # a visit that the end of the run cut says nothing of how long visits are
        self._figures(rows, persona, over)

    def _landings(self, rows: Rows) -> None:
        device = pc.binary_join_element_wise(
            *(rows.column(name).cast(pa.string()).fill_null("") for name in ("os", "tier")), ", "
        )
        device, network = self.device.codes(device), self.network.codes(rows.column("network"))
        self.by_device.add(device, network)
        load = rows.whole("landing_load_us")
        self.landing.add(pair(device, network)[load >= 0], load[load >= 0])

    def _figures(self, rows: Rows, persona: NDArray[np.int64], over: NDArray[np.bool_]) -> None:
        pages, engaged = rows.whole("pages")[over], rows.whole("engaged_us")[over]
        persona = persona[over]
        none = np.zeros_like(persona)
        figures = {
            "visits": np.ones(len(persona)),
            "pages": pages,
            "pages2": pages**2,
            "engaged_us": engaged,
            "bounced": rows.flags("bounced")[over],
            "carted": rows.flags("carted")[over],
            "bought": rows.whole("orders")[over] > 0,
        }
        for name, values in figures.items():
            self.sums[name].add(persona, none, values)
        self.lengths.add(persona, np.clip(pages, 0, MOST_PAGES))
        self.engaged.add(persona, engaged)


WIDTH = 32
"""More than there are pages, or networks."""


def pair(one: Any, other: Any) -> Any:  # noqa: ANN401 - numbers, or arrays of them
    """Return one number for two, the second of which is a page or a network; from the last on they are one kind."""
    return one * WIDTH + (min(other, WIDTH - 1) if isinstance(other, int) else np.minimum(other, WIDTH - 1))


class EventTally:
    """Events of one arm: think times by persona and page, loads by device and network, and how far visits came."""

    def __init__(self) -> None:
        self.rows = self.visits = 0
        self.persona, self.page, self.device = Book(), Book(FUNNEL), Book()
        self.network, self.city, self.cause = Book(), Book(), Book(CAUSES)
        self.pages, self.landings, self.started = Grid(), Grid(), Grid()
        self.thinking, self.loading = Sketches(), Sketches()
        self.reached = np.zeros(len(FUNNEL), np.int64)
        self._last: tuple[int, int] | None = None
        self._bits = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the events of a batch with `EVENT_COLUMNS`."""
        if not batch.num_rows:
            return
        rows = Rows(batch)
        self.rows += batch.num_rows
        persona, page = self.persona.codes(rows.column("persona")), self.page.codes(rows.column("page"))
        cause, load = self.cause.codes(rows.column("cause")), rows.whole("load_us")
        self.pages.add(persona, page)
        self._thinking(rows, persona, page, cause)
        self._places(rows, load)
        seen = rows.flags("ok") & (load >= 0) & (cause != CAUSES.index("impatient"))
        self._funnel(rows, page, seen)

    def _thinking(
        self, rows: Rows, persona: NDArray[np.int64], page: NDArray[np.int64], cause: NDArray[np.int64]
    ) -> None:
        """Count think times that came to their end: not those that a budget or the end of the run cut."""
        think = rows.whole("think_us")
        whole = (think > 0) & ((cause < 0) | (cause == CAUSES.index("done")) | (cause >= len(CAUSES)))
        self.thinking.add(pair(persona, page)[whole], think[whole])

    def _places(self, rows: Rows, load: NDArray[np.int64]) -> None:
        device, network = self.device.codes(rows.column("device")), self.network.codes(rows.column("network"))
        self.loading.add(pair(device, network)[load >= 0], load[load >= 0])
        first = rows.whole("step") == 0
        self.landings.add(device[first], network[first])
        city = self.city.codes(rows.column("city"))
        self.started.add(city[first], np.maximum(rows.whole("at_us")[first], 0) // QUARTER_US)

    def _funnel(self, rows: Rows, page: NDArray[np.int64], seen: NDArray[np.bool_]) -> None:
        """Note which pages each visit came to; its events stand together, though perhaps not in one batch."""
        shopper, visit = rows.whole("shopper"), rows.whole("visit")
        bits = np.where(seen & (page < len(FUNNEL)), np.int64(1) << np.minimum(page, 30), 0)
        begins = np.flatnonzero((np.diff(shopper) != 0) | (np.diff(visit) != 0)) + 1
        runs = np.bitwise_or.reduceat(bits, np.r_[0, begins])
        if self._last == (shopper[0], visit[0]):
            runs[0] |= self._bits
        else:
            self.close()
        self._count(runs[:-1])
        self._last, self._bits = (int(shopper[-1]), int(visit[-1])), int(runs[-1])

    def close(self) -> None:
        """Count the last visit."""
        if self._last is not None:
            self._count(np.array([self._bits]))
        self._last, self._bits = None, 0

    def _count(self, runs: NDArray[np.int64]) -> None:
        self.visits += len(runs)
        self.reached += np.array([np.count_nonzero(runs & (1 << place)) for place in range(len(FUNNEL))], np.int64)
