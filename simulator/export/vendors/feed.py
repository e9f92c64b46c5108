"""What a tracker on the shop's pages sends: declared calls by state, made from a shard's steps, as columns.

A call goes out when the page is tapped for, when something of it is painted, when it has come, when its action has
taken effect or when it is left (`When`); a page that was never painted runs no tag, and an action that failed is no
event. Each call keeps the three times of the delivery of its step (`simulator.export.delivery`), moved by how much
later than the tap it was made.

*Consent.* A shopper who does not allow analytics sends nothing at all, as on a site that loads its tracker only after
the consent banner said yes. Their visits stand in the data set's own tables. Segment and Snowplow also describe weaker
forms (events stamped with refused categories and filtered at the destination; anonymous tracking without cookies);
they would be sent without the consent that European law asks for before anything is read from a device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from simulator.export.delivery import delivered
from simulator.export.vendors.steps import numbers
from simulator.export.vendors.vocabulary import WORDS
from simulator.model.states import STATE_INDEX, STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulator.export.vendors.tracked import Tracked

When = Literal["tapped", "painted", "came", "done", "left"]
_MOMENTS = {"tapped": 0, "painted": 1, "came": 2, "done": 2, "left": 3}
"""When → which moment of a page it is; a page that failed has come, but its action is not done."""
_TIMES = ("device_at_us", "sent_at_us", "received_at_us")
_APART_US = 1_000
"""Calls made at the same moment follow each other by a millisecond (assumed)."""
_BY_CALL = ("code", "parcel", "row", "event_id", "device_us", "sent_us", "received_us")
BLOCK = 65_536
"""Calls made into columns at a time, so that long text (a column of which has 2 GiB at most) is never too much."""
PAGES = tuple(state for state, word in WORDS.items() if word.path is not None)
"""States that open a page."""
ANY = STATE_NAMES


@dataclass(frozen=True, slots=True)
class Call:
    """A call and the states whose pages make it; `only` names a further condition, `checkout` the step it is of."""

    event: str
    states: tuple[str, ...]
    when: When = "done"
    only: str = ""
    checkout: int = 0


@dataclass(frozen=True)
class Feed:
    """Calls in the order of delivery: which call it is, which delivery of which step, their id, times since 1970."""

    tracked: Tracked
    calls: tuple[Call, ...]
    code: NDArray[np.int64]
    parcel: NDArray[np.int64]
    row: NDArray[np.int64]
    event_id: pa.Array
    device_us: NDArray[np.int64]
    sent_us: NDArray[np.int64]
    received_us: NDArray[np.int64]

    def of(self, *events: str) -> NDArray[np.bool_]:
        """Return which calls are one of these events."""
        return np.array([call.event in events for call in self.calls])[self.code]

    @cached_property
    def open_at(self) -> NDArray[np.int64]:
        """Return the step whose page is open when a call is made: what is tapped stands on the page before."""
        tapped = np.array([call.when == "tapped" for call in self.calls])[self.code]
        return np.where(tapped & ~self.tracked.steps.first[self.row], self.row - 1, self.row)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Return whether the shop knew who made the call: what is sent before a log-in is done does not tell."""
        late = np.array([_MOMENTS[call.when] > _MOMENTS["painted"] for call in self.calls])[self.code]
        before, after = self.tracked.steps.logins
        return np.where(late, after[self.row], before[self.row])

    @property
    def shopper(self) -> NDArray[np.int64]:
        """Return the row of the shoppers table for each call."""
        return self.tracked.steps.who[self.row]


def feed_of(seen: Tracked, calls: Sequence[Call], *, consent: bool = True) -> Feed:
    """Return the calls that a tracker makes; with `consent`, only those of shoppers who allow analytics."""
    source, steps = seen.source, seen.steps
    got = delivered(replace(source, events=steps.events))
    made = tuple(sorted(calls, key=lambda call: _MOMENTS[call.when]))
    row = numbers(got["row"])
    masks = [_makes(seen, call, consent)[row] for call in made]
    parcels = [np.flatnonzero(mask) for mask in masks]
    parcel = np.concatenate(parcels)
    code = np.repeat(np.arange(len(made)), [len(found) for found in parcels])
    order = np.argsort(parcel, kind="stable")
    parcel, code = parcel[order], code[order]
    later = _later_us(seen, made, code, parcel, row[parcel])
    device, sent, received = (source.since_epoch_us(numbers(got[name])[parcel]) + later for name in _TIMES)
    ids = got["event_id"].combine_chunks().take(pa.array(parcel))
    return Feed(seen, made, code, parcel, row[parcel], ids, device, sent, received)


def blocks(feed: Feed, calls: int = BLOCK) -> Iterator[Feed]:
    """Yield the feed in blocks of about so many calls, one at least; the calls of one delivery stay together."""
    starts = np.flatnonzero(np.append(np.ones(min(1, len(feed.parcel)), np.bool_), np.diff(feed.parcel) != 0))
    wanted = np.searchsorted(starts, np.arange(calls, len(feed.code), calls))
    cuts = [0, *np.unique(np.append(starts, len(feed.code))[wanted]).tolist(), len(feed.code)]
    for begin, end in pairwise(cuts):
        if end > begin or end == 0:
            at = slice(begin, end)
            yield replace(feed, **{name: getattr(feed, name)[at] for name in _BY_CALL})


def _makes(seen: Tracked, call: Call, consent: bool) -> NDArray[np.bool_]:
    """Return which steps make a call."""
    steps = seen.steps
    wanted = np.zeros(len(STATE_NAMES), np.bool_)
    wanted[[STATE_INDEX[state] for state in call.states]] = True
    mask: NDArray[np.bool_] = wanted[steps.state]
    if consent:
        mask = mask & seen.allows
    if call.when in {"painted", "came", "done"}:
        mask = mask & {"painted": steps.seen, "came": seen.came, "done": steps.done}[call.when]
    return mask & getattr(seen, call.only) if call.only else mask


def _later_us(
    seen: Tracked, calls: Sequence[Call], code: NDArray[np.int64], parcel: NDArray[np.int64], row: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how much later than its page was tapped for each call is made; calls stand by parcel and moment."""
    steps = seen.steps
    moment = np.array([_MOMENTS[call.when] for call in calls], np.int64)[code]
    run = np.append(np.ones(min(1, len(code)), np.bool_), (np.diff(parcel) != 0) | (np.diff(moment) != 0))
    place = np.arange(len(code))
    place -= np.maximum.accumulate(np.where(run, place, 0))
    painted = (steps.shown_us - steps.at_us)[row]
    loaded = np.maximum(seen.load_us[row], painted + 2 * _APART_US)
    base = np.choose(moment, (np.zeros_like(painted), painted, loaded, (steps.left_us - steps.at_us)[row]))
    return base + place * _APART_US
