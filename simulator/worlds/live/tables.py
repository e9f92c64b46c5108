"""The tables of a live run, written while it goes on: what waits in memory is the visits that are still open.

A visit's pages are written with it, when it has ended; requests as they come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from simulator.journey.records import EVENT, SHOPPER, VISIT
from simulator.journey.tables import CODE, NAME, events_table, schema, shoppers_table, visits_table
from simulator.page.card import OPERATIONS, PLACEMENTS
from simulator.runfolder.files import CannotWrite
from simulator.runfolder.manifest import write_tables
from simulator.runfolder.parts import Parts, Reserve, add_together
from simulator.worlds.live.histograms import Cells
from simulator.worlds.live.recorder import ROW, keys_of
from simulator.worlds.live.warmup import marked, with_mark

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.journey.tables import Names, TableName
    from simulator.worlds.live.recorder import Chunk

REQUESTS = pa.schema(
    [
        ("shopper", pa.int64()), ("visit", pa.int32()), ("step", pa.int32()), ("persona", NAME), ("page", CODE),
        ("arm", CODE), ("network", CODE), ("tier", CODE), ("operation", CODE), ("placement", CODE),
        ("due_us", pa.int64()), ("sent_us", pa.int64()), ("done_us", pa.int64()), ("status", pa.int16()),
        ("bytes", pa.int64()), ("dns_us", pa.int32()), ("connect_us", pa.int32()), ("tls_us", pa.int32()),
        ("wait_us", pa.int32()), ("receive_us", pa.int32()), ("redirects", pa.int8()), ("abandoned", pa.bool_()),
        ("error", NAME),
    ]
)  # fmt: skip
ERROR = ROW.index("error")
PART_ROWS = 50_000
"""Rows that wait until a part is written."""
ORDER = {
    "shoppers": ("shopper",),
    "visits": ("shopper", "visit"),
    "events": ("shopper", "visit", "step"),
    "requests": ("shopper", "visit", "sent_us"),
}
"""By which columns each table stands."""


class _Open:
    """A visit of which there may be more to come: its rows as they stand now."""

    __slots__ = ("events", "shopper", "visit")

    def __init__(self) -> None:
        self.visit = self.shopper = b""
        self.events: list[bytes] = []


class RunTables:
    """Writes what a run measured into its folder, a chunk at a time; not for several threads at once.

    `failures` says which tables could not be written to their end: the run is worth finishing all the same.
    """

    def __init__(self, folder: Path, names: Names, warmup_us: int = 0) -> None:
        self.cells, self._warmup_us = Cells(names, warmup_us), warmup_us
        self._names, self._folder = names, folder
        self._parts = {name: Parts(folder, name, _schema(name), order) for name, order in ORDER.items()}
        self._open: dict[tuple[int, int], _Open] = {}
        self._over: list[_Open] = []
        # As they came: a table for each chunk takes more memory than the rows in it.
        self._requests: list[bytes] = []
        self._errors: dict[str, int] = {}
        self._known = np.empty(0, np.int64)
        self._pages = self._asked = 0
        self._reserve, self._reserved = Reserve(folder), False
        self._latency_failure = ""

    @property
    def failures(self) -> list[str]:
        """One sentence for each table that is not whole."""
        told = [
            f"{part.name} is not whole, {part.lost:,} rows are missing: {part.failure}"
            for part in self._parts.values()
            if part.failure and part.lost
        ]
        return [*told, *([self._latency_failure] if self._latency_failure else [])]

    def add(self, chunk: Chunk) -> None:
        """Take a chunk in; write what has become a part."""
        if not self._reserved:
            self._reserve.keep()
            self._reserved = True
        self._take_requests(chunk)
        self._take_pages(chunk.events)
        self._take_visits(chunk)
        if self._asked >= PART_ROWS:
            self._write_requests()
        if self._pages >= PART_ROWS:
            self._write_visits()

    @property
    def open(self) -> set[tuple[int, int]]:
        """The visits, as (shopper, visit), of which a page is known and no end."""
        return set(self._open)

    @property
    def waiting(self) -> int:
        """The rows that wait in memory to be written: pages of visits that are over, and requests."""
        return self._pages + self._asked

    def finish(self) -> dict[str, list[dict[str, Any]]]:
        """Write what still waits and return the manifest's entries; visits that are open are written as cut.

        Raises `CannotWrite` when the folder takes nothing at all.
        """
        self._over += [visit for visit in self._open.values() if visit.visit]
        self._open = {}
        self._write_visits()
        self._write_requests()
        self._reserve.release()
        entries = {name: part.finish() for name, part in self._parts.items()}
        try:
            entries |= write_tables({"latency": self.cells.table()}, self._folder)
        except CannotWrite as error:
            self._latency_failure = f"latency is missing: {error}"
        return entries

    def _take_requests(self, chunk: Chunk) -> None:
        rows = np.frombuffer(chunk.requests, np.int64).reshape(-1, len(ROW))
        if not len(rows):
            return
        self.cells.add_requests(rows)
        self._requests.append(self._with_our_errors(rows, chunk.errors))
        self._asked += len(rows)

    def _with_our_errors(self, rows: NDArray[np.int64], errors: list[str]) -> bytes:
        """Return rows whose errors are numbered as those of all chunks since the last part."""
        if not errors:
            return rows.tobytes()
        ours = np.array([self._errors.setdefault(name, len(self._errors)) for name in errors], np.int64)
        kept = rows.copy()
        codes = kept[:, ERROR]
        codes[codes >= 0] = ours[codes[codes >= 0]]
        return kept.tobytes()

    def _take_pages(self, given: bytes) -> None:
        events = np.frombuffer(given, EVENT)
        if not len(events):
            return
        self.cells.add_pages(events)
        for place, key in enumerate(keys_of(events)):
            row = given[place * EVENT.itemsize : (place + 1) * EVENT.itemsize]
            self._open.setdefault(key, _Open()).events.append(row)

    def _take_visits(self, chunk: Chunk) -> None:
        visits = np.frombuffer(chunk.visits, VISIT)
        for place, (key, over) in enumerate(zip(keys_of(visits), chunk.ended, strict=True)):
            visit = self._open.setdefault(key, _Open())
            visit.visit = chunk.visits[place * VISIT.itemsize : (place + 1) * VISIT.itemsize]
            visit.shopper = chunk.shoppers[place * SHOPPER.itemsize : (place + 1) * SHOPPER.itemsize]
            if over:
                self._over.append(self._open.pop(key))
                self._pages += len(visit.events)

    def _write_visits(self) -> None:
        """Write the visits that are over, with their pages and with those shoppers who are new."""
        if not self._over:
            return
        visits = np.frombuffer(b"".join(one.visit for one in self._over), VISIT)
        shoppers = np.frombuffer(b"".join(one.shopper for one in self._over), SHOPPER)
        events = np.frombuffer(b"".join(row for one in self._over for row in one.events), EVENT)
        self._over, self._pages = [], 0
        visits = visits[np.lexsort((visits["visit"], visits["shopper"]))]
        events = events[np.lexsort((events["step"], events["visit"], events["shopper"]))]
        shoppers = shoppers[np.unique(shoppers["shopper"], return_index=True)[1]]
        new = shoppers[~np.isin(shoppers["shopper"], self._known)]
        self._known = np.union1d(self._known, new["shopper"])
        add_together(
            (self._parts["shoppers"], shoppers_table(new, self._names)),
            self._marked("visits", visits_table(visits, shoppers, events, self._names)),
            self._marked("events", events_table(events, self._names)),
        )

    def _write_requests(self) -> None:
        if self._requests:
            rows = np.frombuffer(b"".join(self._requests), np.int64).reshape(-1, len(ROW))
            add_together(self._marked("requests", _requests_table(rows, list(self._errors), self._names)))
        self._requests, self._errors, self._asked = [], {}, 0

    def _marked(self, name: str, rows: pa.Table) -> tuple[Parts, pa.Table]:
        """Return rows with the mark of the warm-up, and where they go."""
        return self._parts[name], marked(rows, name, self._warmup_us)


def _schema(name: str) -> pa.Schema:
    return with_mark(REQUESTS if name == "requests" else schema(cast("TableName", name)), name)


def _requests_table(rows: NDArray[np.int64], errors: list[str], names: Names) -> pa.Table:
    """Return rows of `ROW` as the table they are read as."""
    columns = dict(zip(ROW, rows.T, strict=True))
    tier = names.of_device["tier"].column(columns["device"])
    columns["tier"] = tier.codes
    words = {
        "persona": names.persona,
        "page": names.state,
        "arm": names.arm,
        "network": names.network,
        "tier": tier.words,
        "operation": pa.array(OPERATIONS),
        "placement": pa.array(PLACEMENTS),
        "error": pa.array(errors, pa.string()),
    }
    made = []
    for field in REQUESTS:
        values = columns[field.name]
        if field.name in words:
            codes = values.astype(field.type.index_type.to_pandas_dtype())
            indices = pa.array(codes, mask=codes < 0)
            made.append(pa.DictionaryArray.from_arrays(indices, words[field.name]))
        else:
            made.append(pa.array(values.astype(field.type.to_pandas_dtype())))
    return pa.Table.from_arrays(made, schema=REQUESTS)
