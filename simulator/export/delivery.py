"""How events reach a collector: each has an id, the device's clock, the moment it was sent and the one it arrived.

With dirt, some come twice, late, overtaken, misdated, incomplete or not at all. Each such thing is decided by a hash of
(seed, shopper, visit, page, nth time on this page, what for) and written down, so that `repaired` can undo all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.columns import blanked, may_be_empty, put, put_column
from simulator.export.defects import Defects
from simulator.export.dirt import NULLABLE, amounts
from simulator.export.ids import hashes, uuids
from simulator.export.source import Part
from simulator.journey.keys import state_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.dirt import Dirt
    from simulator.export.source import Source

US = 1_000_000
DELIVERED = ("event_id", "device_at_us", "sent_at_us", "received_at_us")
"""The columns that delivery adds to the events table; all times from the run's reference instant."""
MEANINGS = {
    "event_id": "id that the device gave the event; one id may come twice where delivery is dirty",
    "device_at_us": "when it was tapped, by the device's clock",
    "sent_at_us": "when it was sent, by the device's clock",
    "received_at_us": "when the collector got it, by the collector's clock",
}
LONGEST_US = 2**31 - 2
"""The largest duration that a column of durations holds."""


class Delivery(NamedTuple):
    """What the collector got, what is wrong with it, and the rows that never came, as they would have come."""

    delivered: pa.Table
    defects: pa.Table
    lost: pa.Table


def delivered(source: Source) -> pa.Table:
    """Return the events as a collector gets them: the events table and the columns of `DELIVERED`.

    Without dirt a row an event, in the events' order. With dirt in the order of arrival, `at_us` is the device's, and
    rows may lack or come twice.
    """
    return clean(source.events, source.seed) if source.dirt is None else deliver(source).delivered


def clean(events: pa.Table, seed: int) -> pa.Table:
    """Return the events as they would arrive if nothing went wrong."""
    shopper, visit, step = (events[name].to_numpy() for name in ("shopper", "visit", "step"))
    arm = events["arm"].combine_chunks().indices.to_numpy()
    at_us = events["at_us"].to_numpy()
    return _with_times(
        events, uuids(seed, "event", shopper, visit, step, arm), at_us, at_us, at_us + _travel_us(events)
    )


def deliver(source: Source) -> Delivery:
    """Return the delivery of a source with dirt."""
    assert source.dirt is not None
    whole = may_be_empty(clean(source.events, source.seed), NULLABLE)
    keys = _Keys(source.seed, whole)
    dirt, defects = source.dirt, Defects()
    gone = keys.unit("dropped") < dirt.dropped.share
    lost, kept = whole.filter(pa.array(gone)), whole.filter(pa.array(~gone))
    defects.add("dropped", lost["event_id"])
    keys = keys.of(~gone)
    sent, received = _sent(kept, source.visits, keys, dirt)
    defects.add("late", kept["event_id"], sent - kept["at_us"].to_numpy())
    skewed_at, skewed_sent = _by_device(keys, dirt, kept["at_us"].to_numpy(), sent)
    defects.add("clock", kept["event_id"], skewed_at - kept["at_us"].to_numpy())
    overtaken = _overtaken(keys, dirt, received)
    defects.add("out_of_order", kept["event_id"], overtaken - received)
    kept = put(kept, at_us=skewed_at, device_at_us=skewed_at, sent_at_us=skewed_sent, received_at_us=overtaken)
    for column, share in sorted(dirt.nulls.columns.items()):
        empty = (keys.unit(f"null.{column}") < share) & pc.is_valid(kept[column]).to_numpy()
        defects.add_nulls(column, kept.filter(pa.array(empty)))
        kept = put_column(kept, column, blanked(kept[column], empty))
    natural, synthetic = _copies(kept, keys, dirt)
    for kind, (copies, after_us) in {"natural_duplicate": natural, "synthetic_duplicate": synthetic}.items():
        defects.add_copies(kind, copies, after_us)
    return Delivery(_by_arrival([kept, natural[0], synthetic[0]]), defects.table(), lost)


def _make(source: Source) -> dict[str, pa.Table]:
    if source.dirt is None:
        return {"delivered": delivered(source)}
    made = deliver(source)
    return {"delivered": made.delivered, "truth_defects": made.defects, "truth_lost": made.lost}


PART = Part("delivered", "the events as a collector receives them; with dirt, its defects too", _make)


class _Keys:
    """Who, which visit, which page, for the how manieth time: what every draw is keyed by, whatever the arm."""

    def __init__(self, seed: int, events: pa.Table, rows: NDArray[np.bool_] | None = None) -> None:
        self._seed, self._events = seed, events if rows is None else events.filter(pa.array(rows))
        pages = self._events["page"].combine_chunks()
        names = np.array([state_key(name) for name in pages.dictionary.to_pylist()], np.int64)
        self.arm = self._events["arm"].combine_chunks().indices.to_numpy()
        self.shopper, self.visit = (self._events[name].to_numpy() for name in ("shopper", "visit"))
        self._event = (self.shopper, self.visit, names[pages.indices.to_numpy()], self._events["nth"].to_numpy())

    def of(self, rows: NDArray[np.bool_]) -> _Keys:
        """Return the keys of some rows only."""
        return _Keys(self._seed, self._events, rows)

    def unit(self, purpose: str) -> NDArray[np.float64]:
        """Return u in (0, 1) for each event."""
        return _unit(hashes(self._seed, f"delivery.{purpose}", *self._event))

    def of_visit(self, purpose: str) -> NDArray[np.float64]:
        """Return u in (0, 1) for each event, the same for all of a visit."""
        return _unit(hashes(self._seed, f"delivery.{purpose}", self.shopper, self.visit))

    def of_shopper(self, purpose: str) -> NDArray[np.float64]:
        """Return u in (0, 1) for each event, the same for all of a shopper."""
        return _unit(hashes(self._seed, f"delivery.{purpose}", self.shopper))

    def last(self) -> NDArray[np.int64]:
        """Return the position of the last row of each row's visit; a visit's rows of one arm stand side by side."""
        differs = [column[1:] != column[:-1] for column in (self.shopper, self.visit, self.arm)]
        ends = np.append(np.flatnonzero(np.logical_or.reduce(differs)), max(len(self.shopper) - 1, 0))
        return ends[np.searchsorted(ends, np.arange(len(self.shopper)))]


def _unit(hashed: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the middle of one of 2^52 equal parts of (0, 1), as `journey.keys.open_unit` does."""
    return ((hashed >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52


def _sent(events: pa.Table, visits: pa.Table, keys: _Keys, dirt: Dirt) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when each event was sent and received by the true clock, before anything overtakes it.

    Of a late visit the events from some page on are held, the share of its pages before that being uniform. They go
    as one batch, after the last of them by `held`, but not later than the shopper's next visit.
    """
    at_us, last = events["at_us"].to_numpy(), keys.last()
    situations = events["situation"].combine_chunks()
    of_situation = np.array([dirt.late.situations.get(name, 0.0) for name in situations.dictionary.to_pylist()])
    late = keys.of_visit("late") < of_situation[situations.indices.to_numpy()]
    pages, following = _of_visits(visits, keys)
    late &= events["step"].to_numpy() >= np.floor(keys.of_visit("late.from") * pages)
    held_us = np.maximum(1, np.rint(amounts(dirt.late.held, keys.of_visit("late.held")) * US)).astype(np.int64)
    batch = np.maximum(at_us[last], np.minimum(at_us[last] + held_us, following))
    sent = np.where(late, batch, at_us)
    travel = _travel_us(events)
    return sent, sent + np.where(late, travel[last], travel)


def _of_visits(visits: pa.Table, keys: _Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each event the pages of its visit, and when the shopper's next visit in this arm starts."""
    who, which, start, pages = (visits[n].to_numpy() for n in ("shopper", "visit", "start_at_us", "pages"))
    arm = visits["arm"].combine_chunks().indices.to_numpy()
    order = np.lexsort((start, arm, who))
    following = np.full(len(who), np.iinfo(np.int64).max // 2)
    here, after = order[:-1], order[1:]
    same = (who[here] == who[after]) & (arm[here] == arm[after])
    following[here[same]] = start[after[same]]
    by_key = np.lexsort((arm, which, who))
    key = _order_key(who, which, arm)
    place = by_key[np.searchsorted(key[by_key], _order_key(keys.shopper, keys.visit, keys.arm))]
    return pages[place], following[place]


def _order_key(who: NDArray[np.int64], which: NDArray[np.int64], arm: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for (shopper, visit, arm): shoppers count to 2^40, visits to 2^16, arms to 2^7."""
    return (who.astype(np.int64) << 23) | (which.astype(np.int64) << 7) | arm


def _by_device(
    keys: _Keys, dirt: Dirt, at_us: NDArray[np.int64], sent_us: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the true times `at_us` and `sent_us` as the shopper's own device tells them."""
    wrong = keys.of_shopper("clock") < dirt.clock.share
    ahead = np.where(keys.of_shopper("clock.ahead") < dirt.clock.ahead, 1.0, -1.0)
    faster = np.where(keys.of_shopper("clock.faster") < 0.5, 1.0, -1.0)
    offset_us = ahead * amounts(dirt.clock.offset, keys.of_shopper("clock.offset")) * US
    drift = faster * amounts(dirt.clock.drift_ppm, keys.of_shopper("clock.drift")) * 1e-6

    def told(true_us: NDArray[np.int64]) -> NDArray[np.int64]:
        return true_us + np.where(wrong, np.rint(offset_us + drift * true_us), 0.0).astype(np.int64)

    return told(at_us), told(sent_us)


def _overtaken(keys: _Keys, dirt: Dirt, received_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return when each event arrives once some come after the one that follows them in their visit."""
    rows = np.arange(len(received_us))
    chosen = (keys.unit("out_of_order") < dirt.out_of_order.share) & (rows != keys.last())
    delay_us = np.rint(amounts(dirt.out_of_order.delay, keys.unit("out_of_order.delay")) * US).astype(np.int64)
    moved = received_us.copy()
    for row in np.flatnonzero(chosen)[::-1]:  # the later first: where two in a row are chosen, the earlier comes last
        moved[row] = max(moved[row], moved[row + 1]) + max(1, int(delay_us[row]))
    return moved


def _copies(
    events: pa.Table, keys: _Keys, dirt: Dirt
) -> tuple[tuple[pa.Table, NDArray[np.int64]], tuple[pa.Table, NDArray[np.int64]]]:
    """Return the natural and the synthetic duplicates, each with how much later than its original it arrives.

    A natural one is the same event sent again. A synthetic one is the page shown again under the id of the first time,
    as where it had been rendered in advance: its times and durations are others, and nobody looked at it.
    """
    u = keys.unit("duplicate")
    after_us = np.maximum(1, np.rint(amounts(dirt.duplicates.resent_after, keys.unit("duplicate.after")) * US))
    natural = u < dirt.duplicates.natural
    synthetic = ~natural & (u < dirt.duplicates.natural + dirt.duplicates.synthetic)
    again, again_us = events.filter(pa.array(natural)), after_us[natural].astype(np.int64)
    again = put(again, **{name: again[name].to_numpy() + again_us for name in ("sent_at_us", "received_at_us")})
    other, other_us = events.filter(pa.array(synthetic)), after_us[synthetic].astype(np.int64)
    times = ("at_us", *DELIVERED[1:])
    other = put(other, **{name: other[name].to_numpy() + other_us for name in times})
    stretch = 0.5 + 1.5 * keys.unit("duplicate.stretch")[synthetic]
    return (again, again_us), (_shown_again(other, stretch), other_us)


def _shown_again(events: pa.Table, stretch: NDArray[np.float64]) -> pa.Table:
    for name in ("fcp_us", "load_us", "server_us", "waited_us"):
        longer = np.minimum(np.rint(events[name].fill_null(0).to_numpy() * stretch), LONGEST_US).astype(np.int32)
        column = pa.array(longer, mask=~pc.is_valid(events[name]).to_numpy())
        events = put_column(events, name, column)
    return put(events, think_us=np.zeros(len(events), np.int32))


def _by_arrival(tables: list[pa.Table]) -> pa.Table:
    """Return the rows of all tables in the order in which they arrive; of two at once, the true order decides."""
    rows = pa.concat_tables(tables)
    arm = rows["arm"].unify_dictionaries().combine_chunks().indices.to_numpy()
    order = ("step", None, "visit", "shopper", "received_at_us")
    return rows.take(np.lexsort([arm if name is None else rows[name].to_numpy() for name in order])).combine_chunks()


def _with_times(events: pa.Table, ids: pa.Array, *times: NDArray[np.int64]) -> pa.Table:
    for name, column in zip(DELIVERED, (ids, *map(pa.array, times)), strict=True):
        events = events.append_column(pa.field(name, column.type, metadata={"meaning": MEANINGS[name]}), column)
    return events


def _travel_us(events: pa.Table) -> NDArray[np.int64]:
    """Return how long a beacon is on its way: half a round trip."""
    travel: NDArray[np.int64] = (events["rtt_ms"].to_numpy() * 500.0).astype(np.int64)
    return travel
