"""Histograms of a run while it goes on: by page, persona, network, device tier, arm and clock, however many there are.

They are counted from the rows, a chunk at a time, so that those of several workers merge exactly, and kept as
(cell, bucket) → count: a full HdrHistogram has 23,552 counts, and most cells hold a few values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.analysis.latency import LABELS, Part, blank, buckets_of, encode, merge
from simulator.journey.records import NEVER_US
from simulator.journey.tables import CODE, NAME
from simulator.worlds.live.recorder import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.analysis.latency import Clock, Histogram
    from simulator.journey.tables import Names

CLOCKS: tuple[Clock, ...] = ("due", "sent", "load")
DUE, SENT, LOAD = range(3)
FOLD = 100_000
"""Values that wait before they are counted: each count sorts, and sorting often costs more than sorting much."""
BUCKETS = blank().counts_len
LATENCY = pa.schema(
    [(name, NAME if name == "persona" else CODE) for name in LABELS]
    + [("clock", CODE), ("count", pa.int64()), ("hdr", pa.binary())]
)


class Cell(NamedTuple):
    """One histogram: the codes of its labels, its clock, and what it holds."""

    codes: tuple[int, ...]
    clock: int
    part: Part


class Cells:
    """All histograms of a run."""

    def __init__(self, names: Names, warmup_us: int = 0) -> None:
        self._warmup_us = warmup_us
        tier = names.of_device["tier"].column(np.arange(len(names.device)))
        self._tier_of = tier.codes
        self._words = (names.state, names.persona, names.network, tier.words, names.arm)
        self._shape = (*(len(words) for words in self._words), len(CLOCKS))
        self._keys, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._waiting: list[NDArray[np.int64]] = []
        self._waits = 0

    def add_requests(self, rows: NDArray[np.int64]) -> None:
        """Count requests, rows of `ROW`, on the clocks of due and of sent; those of the warm-up are left out."""
        rows = rows[rows[:, ROW.index("due_us")] >= self._warmup_us]
        by = {name: rows[:, ROW.index(name)] for name in ("page", "persona", "network", "device", "arm")}
        due, sent, done = (rows[:, ROW.index(name)] for name in ("due_us", "sent_us", "done_us"))
        cells = self._cells(by)
        self._wait(cells + DUE, done - due)
        self._wait(cells + SENT, done - sent)

    def add_pages(self, events: NDArray[Any]) -> None:
        """Count the load times of EVENT rows; a page never seen has none, those of the warm-up are left out."""
        events = events[(events["load_us"] < NEVER_US) & (events["at_us"] >= self._warmup_us)]
        by = {name: events[name] for name in ("persona", "network", "device", "arm")} | {"page": events["state"]}
        self._wait(self._cells(by) + LOAD, events["load_us"].astype(np.int64))

    def _cells(self, by: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return the number of each row's cell, at clock 0."""
        codes = [by["page"], by["persona"], by["network"], self._tier_of[by["device"]], by["arm"]]
        place = tuple(column.astype(np.int64) for column in codes)
        cells: NDArray[np.int64] = np.ravel_multi_index((*place, np.zeros_like(place[0])), self._shape)
        return cells

    def _wait(self, cells: NDArray[np.int64], values_us: NDArray[np.int64]) -> None:
        self._waiting.append(cells * BUCKETS + buckets_of(values_us))
        self._waits += len(values_us)
        if self._waits >= FOLD:
            self._fold()

    def _fold(self) -> None:
        """Count what waits."""
        found, counts = np.unique(np.concatenate([np.empty(0, np.int64), *self._waiting]), return_counts=True)
        self._waiting, self._waits = [], 0
        keys = np.concatenate([self._keys, found])
        order = np.argsort(keys, kind="stable")
        keys, both = keys[order], np.concatenate([self._counts, counts])[order]
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
        self._keys = keys[first]
        self._counts = np.add.reduceat(both, first) if len(first) else both

    def cells(self) -> Iterator[Cell]:
        """Return each histogram that holds anything, ordered by its labels."""
        self._fold()
        numbers, starts = np.unique(self._keys // BUCKETS, return_index=True)
        places = np.stack(np.unravel_index(numbers, self._shape), axis=1).tolist()
        ends = np.append(starts, len(self._keys))[1:].tolist()
        for codes, start, end in zip(places, starts.tolist(), ends, strict=True):
            yield Cell(tuple(codes[:-1]), codes[-1], Part(self._keys[start:end] % BUCKETS, self._counts[start:end]))

    def merged(self, clock: Clock, **labels: str) -> Histogram:
        """Return the sum of the histograms of one clock that have these labels, as `network="lte"`."""
        wanted = {LABELS.index(name): self._words[LABELS.index(name)].index(word) for name, word in labels.items()}
        return merge(
            cell.part
            for cell in self.cells()
            if CLOCKS[cell.clock] == clock and all(cell.codes[at] == code.as_py() for at, code in wanted.items())
        )

    def table(self) -> pa.Table:
        """Return the run's latency table."""
        rows = [
            {name: words[code].as_py() for name, words, code in zip(LABELS, self._words, cell.codes, strict=True)}
            | {"clock": CLOCKS[cell.clock], "count": cell.part.n, "hdr": encode(cell.part)}
            for cell in self.cells()
        ]
        return pa.Table.from_pylist(rows, schema=LATENCY)
