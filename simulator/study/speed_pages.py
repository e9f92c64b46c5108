"""The events of a run, reduced a row group at a time to counts on fixed grids: what pages took, and who left waiting.

Nothing here keeps a row, so that ten million events need no more memory than one row group of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.frames import without_repeats
from simulator.analysis.runs import chunks_of
from simulator.analysis.visits import FUNNEL, arrived, keys_of
from simulator.model.compiled import compiled
from simulator.model.devices import device_table
from simulator.model.networks import network_table
from simulator.model.schema import TECHNOLOGIES, TIERS
from simulator.model.states import STATE_NAMES
from simulator.page.parts import lcp_parts_s

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simulator.analysis.frames import Frame
    from simulator.analysis.runs import Run

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

US = 1e6
COLUMNS = (
    "arm", "persona", "page", "network", "device", "cause", "step", "fcp_us", "load_us", "measured_us", "waited_us",
    "server_us", "stalled_us", "rtt_ms", "down_kbps", "loss", "shopper", "visit", "ok",
)  # fmt: skip
FASTEST_S, SLOWEST_S, CELLS = 0.01, 1_800.0, 480
"""The grid of load times: so many cells, of equal ratio (2.6 % each)."""
RATIO = (SLOWEST_S / FASTEST_S) ** (1 / CELLS)
WAIT_STEP_S, WAIT_CELLS = 0.25, 240
"""The grid of waits: a minute in quarters of a second; longer ones stand in the last cell."""
GOOD_FCP_S, GOOD_TTFB_S = 1.8, 0.8
"""The field's bounds of good first paint and first byte (web.dev/articles/fcp, /ttfb)."""
LABELS = ("all", "persona", "network", "tier", "page")
ORDER: dict[str, tuple[str, ...]] = {
    "all": ("all",), "network": TECHNOLOGIES, "tier": TIERS, "page": STATE_NAMES,
}  # fmt: skip


@dataclass
class Cells:
    """Counts of one label's groups: load times seen, waits that ended unseen, and sums over pages with parts."""

    names: tuple[str, ...]
    seen: Ints = field(init=False)
    unseen: Ints = field(init=False)
    good_fcp: Ints = field(init=False)
    good_ttfb: Ints = field(init=False)
    with_parts: Ints = field(init=False)
    parts_s: Floats = field(init=False)

    def __post_init__(self) -> None:
        groups = len(self.names)
        self.seen, self.unseen = (np.zeros((groups, CELLS + 1), np.int64) for _ in range(2))
        self.good_fcp, self.good_ttfb, self.with_parts = (np.zeros(groups, np.int64) for _ in range(3))
        self.parts_s = np.zeros((groups, 4))

    @property
    def pages(self) -> Ints:
        """How many pages each group has."""
        total: Ints = self.seen.sum(axis=1) + self.unseen.sum(axis=1)
        return total


@dataclass
class Pages:
    """All that is kept of the events of one arm.

    `waits` (personas, cells) counts waits by length, `waited_s` sums them, `left` counts those that the shopper ended.
    `reached` holds for each step of the funnel the keys (`visits.keys_of`) of the visits of every arm that got there.
    """

    by: dict[str, Cells]
    personas: tuple[str, ...]
    waits: Ints
    waited_s: Floats
    left: Ints
    reached: dict[str, list[Ints]] = field(default_factory=dict)
    load_s: float = 0.0
    measured_s: float = 0.0
    events: int = 0

    @property
    def measured_share(self) -> float | None:
        """Which share of the load time that shoppers saw was measured; None where no page was seen."""
        return min(1.0, self.measured_s / self.load_s) if self.load_s > 0 else None


def reduce_pages(run: Run, cards: NDArray[Any] | None) -> Pages:
    """Return the pages of control (or of all visits, without arms); without `cards` no page is taken apart."""
    personas = tuple(dict.fromkeys(run.shoppers.labels("persona").names))
    kept = Pages(
        {label: Cells(ORDER.get(label, personas)) for label in LABELS},
        personas,
        np.zeros((len(personas), WAIT_CELLS + 1), np.int64),
        np.zeros((len(personas), WAIT_CELLS + 1)),
        np.zeros((len(personas), WAIT_CELLS + 1), np.int64),
    )
    for frame in chunks_of(run, COLUMNS):
        rows = _base_rows(frame, run.base_arm)
        _add(kept, frame, rows, cards)
        for _, page in FUNNEL:
            there = keys_of(frame, run.manifest.arms, np.flatnonzero(arrived(frame, page)))
            kept.reached.setdefault(page, []).append(without_repeats(there))
    return kept


def _base_rows(frame: Frame, arm: str | None) -> Ints:
    return np.flatnonzero(frame.labels("arm").are(arm)) if arm is not None else np.arange(len(frame))


def _add(kept: Pages, frame: Frame, rows: Ints, cards: NDArray[Any] | None) -> None:
    """Count the rows of one chunk."""
    load_s, waited_s = frame.numbers("load_us")[rows] / US, frame.numbers("waited_us")[rows] / US
    seen = ~np.isnan(load_s)
    cell = cell_of(np.where(seen, load_s, waited_s))
    groups = _groups(kept, frame, rows)
    good = frame.numbers("fcp_us")[rows] <= GOOD_FCP_S * US
    parts = _parts(frame, rows, load_s, cards)
    for label, cells in kept.by.items():
        _count(groups[label], cell, seen, good, cells.seen, cells.unseen, cells.good_fcp)
        if parts is not None:
            _sum_parts(groups[label], *parts, cells.with_parts, cells.parts_s, cells.good_ttfb)
    _add_waits(kept, groups["persona"], waited_s, frame.labels("cause").are("impatient")[rows])
    kept.load_s += float(np.nansum(load_s))
    kept.measured_s += float(np.nansum(np.where(seen, frame.numbers("measured_us")[rows], 0.0))) / US
    kept.events += len(rows)


def cell_of(seconds: Floats) -> Ints:
    """Return the cell of the grid of each load time."""
    with np.errstate(divide="ignore"):
        place = np.log(np.maximum(seconds, FASTEST_S) / FASTEST_S) / np.log(RATIO)
    cell: Ints = np.minimum(place.astype(np.int64), CELLS)
    return cell


def ends_of_cells() -> Floats:
    """Return the load time at which each cell ends, seconds."""
    ends: Floats = FASTEST_S * RATIO ** np.arange(1, CELLS + 2)
    return ends


def _groups(kept: Pages, frame: Frame, rows: Ints) -> dict[str, Ints]:
    """Return each row's place among the names of each label, -1 where it has none."""
    found = {"all": np.zeros(len(rows), np.int64)}
    for label in ("persona", "network", "page"):
        column = frame.labels(label)
        found[label] = _places(column.names, kept.by[label].names)[column.codes[rows]]
    if "device" in frame.columns:
        column, tiers = frame.labels("device"), _tiers()
        names = tuple(tiers.get(name, "") for name in column.names)
        found["tier"] = _places(names, kept.by["tier"].names)[column.codes[rows]]
    else:
        found["tier"] = np.full(len(rows), -1)
    return found


def _tiers() -> dict[str, str]:
    return {device.model: device.tier for device in device_table().devices}


def _places(names: Iterable[str], known: tuple[str, ...]) -> Ints:
    """Return where each name stands among the known ones; the last element, that of code -1, is -1."""
    return np.array([*(known.index(name) if name in known else -1 for name in names), -1], np.int64)


@compiled
def _count(
    group: Ints, cell: Ints, seen: NDArray[np.bool_], good: NDArray[np.bool_], known: Ints, unknown: Ints, painted: Ints
) -> None:
    """Add each row to its group's cell: `known` where the page was seen, `unknown` where not; `painted` in time."""
    for row in range(len(group)):
        place = group[row]
        if place >= 0:
            if seen[row]:
                known[place, cell[row]] += 1
            else:
                unknown[place, cell[row]] += 1
            if good[row]:
                painted[place] += 1


@compiled
def _sum_parts(group: Ints, which: Ints, parts_s: Floats, counts: Ints, sums_s: Floats, fast: Ints) -> None:
    """Add the parts of the rows `which` to their groups; `fast` counts first bytes in time."""
    for place in range(len(which)):
        here = group[which[place]]
        if here >= 0:
            counts[here] += 1
            for part in range(4):
                sums_s[here, part] += parts_s[place, part]
            if parts_s[place, 0] <= GOOD_TTFB_S:
                fast[here] += 1


def _parts(frame: Frame, rows: Ints, load_s: Floats, cards: NDArray[Any] | None) -> tuple[Ints, Floats] | None:
    """Return which of the rows were seen and are known in every column, and the parts of their load time."""
    needed = ("step", "server_us", "stalled_us", "rtt_ms", "down_kbps", "loss")
    if cards is None or any(name not in frame.columns for name in needed):
        return None
    which = np.flatnonzero(~np.isnan(load_s) & ~np.isnan(frame.numbers("fcp_us")[rows]))
    at = rows[which]
    page, network = frame.labels("page"), frame.labels("network")
    promotions = {str(name): one.radio_promotion for name, one in network_table().technologies.items()}
    promotion_s = np.array([promotions.get(name, 0.0) for name in network.names])
    numbers = {name: frame.numbers(name)[at] for name in needed}
    return which, lcp_parts_s(
        cards,
        _places(page.names, STATE_NAMES)[page.codes[at]],
        numbers["step"] == 0,
        numbers["rtt_ms"] / 1e3,
        numbers["down_kbps"],
        numbers["loss"],
        promotion_s[network.codes[at]],
        numbers["stalled_us"] / US,
        numbers["server_us"] / US,
        frame.numbers("fcp_us")[at] / US,
        load_s[which],
    )


def _add_waits(kept: Pages, persona: Ints, waited_s: Floats, left: NDArray[np.bool_]) -> None:
    cell = np.minimum((waited_s / WAIT_STEP_S).astype(np.int64), WAIT_CELLS)
    flat, size = persona * (WAIT_CELLS + 1) + cell, kept.waits.size
    shape = kept.waits.shape
    kept.waits += np.bincount(flat, minlength=size).reshape(shape)
    kept.waited_s += np.bincount(flat, waited_s, size).reshape(shape)
    kept.left += np.bincount(flat[left], minlength=size).reshape(shape)
