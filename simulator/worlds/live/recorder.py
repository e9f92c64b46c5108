"""What a live run writes down: rows of the kernel, requests with their three clocks, histograms.

Nothing here decides anything; the tables are made when the run is over.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from hdrh.histogram import HdrHistogram

from simulator.journey.records import EVENT, NEVER_US, SHOPPER, VISIT
from simulator.journey.tables import events_table, shoppers_table, visits_table
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS, PLACEMENTS
from simulator.worlds.live.transport.reply import NO_SPLIT, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.tables import Names

Timed = tuple[int, int, int, int, str]
"""(sent, done, status, bytes, error) of one request; times in microseconds of the run."""

HOUR_US = 3_600_000_000
CLOCKS = ("due", "sent", "load")
DUE, SENT, LOAD = range(3)
CODE = pa.dictionary(pa.int8(), pa.string())
NAME = pa.dictionary(pa.int16(), pa.string())
REQUESTS = pa.schema(
    [
        ("shopper", pa.int64()), ("visit", pa.int32()), ("step", pa.int32()), ("persona", NAME), ("page", CODE),
        ("operation", CODE), ("placement", CODE), ("due_us", pa.int64()), ("sent_us", pa.int64()),
        ("done_us", pa.int64()), ("status", pa.int16()), ("bytes", pa.int64()), ("dns_us", pa.int32()),
        ("connect_us", pa.int32()), ("tls_us", pa.int32()), ("wait_us", pa.int32()), ("receive_us", pa.int32()),
        ("redirects", pa.int8()), ("abandoned", pa.bool_()), ("error", NAME),
    ]
)  # fmt: skip


ABANDONED = "abandoned"
"""What became of a request whose shopper left before the answer: not an error, for it is not the target's."""

LATENCY = pa.schema([("page", CODE), ("persona", NAME), ("clock", CODE), ("count", pa.int64()), ("hdr", pa.binary())])


class Stamp(NamedTuple):
    """Which page a request belongs to."""

    shopper: int
    visit: int
    step: int
    persona: int
    state: int


class Recorder:
    """Collects a run in memory: about 100 bytes an event and 200 a request."""

    def __init__(self) -> None:
        self._shoppers: list[bytes] = []
        self._visits: list[bytes] = []
        self._events: list[bytes] = []
        self._requests: list[tuple[int, ...]] = []
        self._errors: dict[str, int] = {}
        self._histograms: dict[tuple[int, int, int], HdrHistogram] = {}
        self.causes: Counter[int] = Counter()
        self.failed = 0

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return len(self._requests)

    @property
    def pages(self) -> int:
        """Pages shown so far."""
        return len(self._events)

    def request(
        self,
        stamp: Stamp,
        operation: int,
        placement: int,
        due_us: int,
        reply: Timed,
        split: Split = NO_SPLIT,
        redirects: int = 0,
    ) -> None:
        """Write down one request."""
        sent_us, done_us, status, size_bytes, error = reply
        code, abandoned = -1, error == ABANDONED
        if error and not abandoned:
            code = self._errors.setdefault(error, len(self._errors))
            self.failed += 1
        self._requests.append(
            (
                *stamp, operation, placement, due_us, sent_us, done_us, status, size_bytes, *split, redirects,
                abandoned, code,
            )
        )  # fmt: skip
        self._add(stamp, DUE, done_us - due_us)
        self._add(stamp, SENT, done_us - sent_us)

    def page(self, stamp: Stamp, event: NDArray[Any], load_us: int) -> None:
        """Write down one page that the shopper has seen, or given up (`NEVER_US`)."""
        self._events.append(event.tobytes())
        if load_us < NEVER_US:
            self._add(stamp, LOAD, load_us)

    def visit(self, shopper: NDArray[Any], visit: NDArray[Any]) -> None:
        """Write down a visit that has ended, or that the end of the run has cut."""
        self._visits.append(visit.tobytes())
        self._shoppers.append(shopper.tobytes())
        self.causes[int(visit["cause"][0])] += 1

    def _add(self, stamp: Stamp, clock: int, value_us: int) -> None:
        key = (stamp.state, stamp.persona, clock)
        histogram = self._histograms.get(key)
        if histogram is None:
            histogram = self._histograms[key] = HdrHistogram(1, HOUR_US, 3)
        histogram.record_value(min(max(value_us, 1), HOUR_US))

    def tables(self, names: Names) -> dict[str, pa.Table]:
        """Return the run's tables: shoppers, visits, events, requests, latency."""
        shoppers = np.frombuffer(b"".join(self._shoppers), SHOPPER)
        shoppers = shoppers[np.unique(shoppers["shopper"], return_index=True)[1]]
        visits = np.frombuffer(b"".join(self._visits), VISIT)
        visits = visits[np.lexsort((visits["visit"], visits["shopper"]))]
        events = np.frombuffer(b"".join(self._events), EVENT)
        events = events[np.lexsort((events["step"], events["visit"], events["shopper"]))]
        return {
            "shoppers": shoppers_table(shoppers, names),
            "visits": visits_table(visits, shoppers, events, names),
            "events": events_table(events, names),
            "requests": self._requests_table(names),
            "latency": self._latency_table(names),
        }

    def _requests_table(self, names: Names) -> pa.Table:
        rows = np.array(self._requests, np.int64).reshape(-1, len(REQUESTS))
        rows = rows[np.lexsort((rows[:, 8], rows[:, 1], rows[:, 0]))]
        errors = pa.array(list(self._errors), pa.string())
        words = {
            "persona": names.persona,
            "page": names.state,
            "operation": pa.array(OPERATIONS),
            "placement": pa.array(PLACEMENTS),
            "error": errors,
        }
        columns = []
        for field, values in zip(REQUESTS, rows.T, strict=True):
            if field.name in words:
                codes = values.astype(field.type.index_type.to_pandas_dtype())
                indices = pa.array(codes, mask=codes < 0)
                columns.append(pa.DictionaryArray.from_arrays(indices, words[field.name]))
            else:
                columns.append(pa.array(values.astype(field.type.to_pandas_dtype())))
        return pa.Table.from_arrays(columns, schema=REQUESTS)

    def _latency_table(self, names: Names) -> pa.Table:
        rows = [
            {
                "page": STATE_NAMES[state],
                "persona": names.persona[persona].as_py(),
                "clock": CLOCKS[clock],
                "count": histogram.get_total_count(),
                "hdr": histogram.encode(),
            }
            for (state, persona, clock), histogram in sorted(self._histograms.items())
        ]
        return pa.Table.from_pylist(rows, schema=LATENCY)
