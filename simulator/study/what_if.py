"""What a recorded live run would have been with other latencies, as with a p95 of search that is 300 ms lower.

The same shoppers make the same visits; each request's latency is changed as asked, and their reaction follows. What a
request took is measured; how shoppers react to waiting is assumed, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.estimates import Estimate, mean
from simulator.journey.records import NEVER_US, ONGOING
from simulator.journey.shopper import draw_these
from simulator.model.faults import one_fault
from simulator.model.states import STATE_NAMES
from simulator.page.card import BLOCKING, LCP, OPERATIONS
from simulator.study.attribution import lost_table
from simulator.study.dose_run import tiers_of_devices
from simulator.study.what_if_latency import changed_us
from simulator.study.what_if_run import read_recorded
from simulator.worlds.paired import attribute_all
from simulator.worlds.replay import replay
from simulator.worlds.what_if import Played, Pool, Served, play_what_if

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.study.attribution import Lost
    from simulator.study.what_if_latency import Latency
    from simulator.study.what_if_run import Recorded
    from simulator.worlds.crowd import Rows

US = 1_000_000
METRICS = {
    "wall_time": ("elapsed_us", 1 / US),
    "engaged_time": ("engaged_us", 1 / US),
    "waited_time": ("waited_us", 1 / US),
    "ga_time": ("ga_us", 1 / US),
    "pages": ("pages", 1.0),
    "bounce": ("pages", 1.0),
    "conversion": ("orders", 1.0),
    "revenue_per_1000": ("revenue_cents", 10.0),
}
"""What is compared: a column of VISIT and the factor to the told unit; `bounce` and `conversion` are shares."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change did to an operation's recorded requests, seconds."""

    operation: str
    requests: int
    p50_s: tuple[float, float]
    p95_s: tuple[float, float]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The recorded run beside what it would have been; every dict is by `METRICS`.

    `difference` and `relative` (a share of what was recorded) are of the same visits, clustered by shopper. Pages of
    the changed visits are `measured`, or `drawn` from other visits' pages where nothing was recorded. `cut` visits
    were ended by the run's end, and count as far as they came.
    """

    changes: tuple[Latency, ...]
    visits: int
    cut: int
    measured: int
    drawn: int
    moved: tuple[Moved, ...]
    recorded: dict[str, float]
    changed: dict[str, float]
    difference: dict[str, Estimate]
    relative: dict[str, Estimate]
    lost: Lost


def what_if(run: Path, changes: Sequence[Latency]) -> WhatIf:
    """Return what a live run's recorded visits would have been. Raises `FileFaults`."""
    return compare_runs(read_recorded(run), changes)


def compare_runs(recorded: Recorded, changes: Sequence[Latency]) -> WhatIf:
    """Return a recorded run beside what it would have been. Raises `FileFaults` where it does not replay."""
    world, rows, requests = recorded.world, recorded.rows, recorded.requests
    took_us = requests["took_us"]
    new_us = changed_us(requests["operation"], took_us, changes)
    served = _served(len(rows.events), requests, new_us)
    shoppers = draw_these(world.population, world.seed, rows.shoppers["shopper"])
    who = np.searchsorted(rows.shoppers["shopper"], rows.visits["shopper"])
    unchanged = served._replace(new_blocking_us=served.blocking_us, new_lcp_us=served.lcp_us)
    before = play_what_if(world, rows, unchanged, _pool(rows, unchanged), shoppers, who)
    _check(before, rows, replay(world, *rows))
    after = play_what_if(world, rows, served, _pool(rows, served), shoppers, who)
    tiers = tiers_of_devices()[shoppers["device"][who]]
    clusters = before.visits["shopper"]
    values = {name: (_values(before.visits, name), _values(after.visits, name)) for name in METRICS}
    return WhatIf(
        tuple(changes),
        len(rows.visits),
        int((rows.visits["cause"] == ONGOING).sum()),
        int(after.measured.sum()),
        int(after.drawn.sum()),
        tuple(_moved(requests["operation"], took_us, new_us)),
        {name: float(old.mean()) for name, (old, _) in values.items()},
        {name: float(new.mean()) for name, (_, new) in values.items()},
        {name: mean(new - old, clusters) for name, (old, new) in values.items()},
        {name: relative(old, new, clusters) for name, (old, new) in values.items()},
        lost_table(attribute_all(before.visits, after.visits, before.last, after.last, shoppers[who], tiers)),
    )


def _served(events: int, requests: dict[str, NDArray[np.int64]], new_us: NDArray[np.int64]) -> Served:
    """Return what each event's blocking and lcp requests took, and take."""
    columns = []
    for took_us in (requests["took_us"], new_us):
        for placement in (BLOCKING, LCP):
            here = requests["placement"] == placement
            sums = np.zeros(events, np.int64)
            np.add.at(sums, requests["event"][here], took_us[here])
            columns.append(sums)
    return Served(*columns)


def _pool(rows: Rows, served: Served) -> Pool:
    """Return the recorded pages that loaded without error, by kind, each with what the server took of it."""
    events = rows.events
    kind = events["state"] + len(STATE_NAMES) * (events["step"] == 0)
    loaded = np.flatnonzero((events["load_us"] != NEVER_US) & (events["ok"] == 1))
    order = loaded[np.argsort(kind[loaded], kind="stable")]
    first = np.searchsorted(kind[order], np.arange(2 * len(STATE_NAMES) + 1))
    return Pool(first, Served(*(column[order] for column in served)))


def _check(before: Played, rows: Rows, again: Rows) -> None:
    """Raise `FileFaults` unless the record replays, page by page."""
    same = np.array_equal(before.visits["pages"], rows.visits["pages"])
    same = same and before.visits.tobytes() == again.visits.tobytes()
    if not same:
        raise one_fault("the run", "does not replay", "was it recorded by another version?", "run it again")


def _values(visits: NDArray[Any], name: str) -> NDArray[np.float64]:
    column, factor = METRICS[name]
    if name == "bounce":
        found: NDArray[np.float64] = ((visits["pages"] == 1) & (visits["cause"] != ONGOING)).astype(np.float64)
    elif name == "conversion":
        found = (visits["orders"] > 0).astype(np.float64)
    else:
        found = visits[column] * factor
    return found


def relative(old: NDArray[np.float64], new: NDArray[np.float64], clusters: NDArray[np.int64]) -> Estimate:
    """Return the change of a mean as a share of it, a ratio of sums (Cochran 1977); nothing where it is 0."""
    base = float(old.mean()) if len(old) else 0.0
    if base == 0:
        return Estimate(None, len(old))
    ratio = float((new - old).mean()) / base
    left = mean((new - old - ratio * old) / base, clusters)
    if left.low is None or left.high is None:
        return Estimate(ratio, len(old))
    return Estimate(ratio, len(old), ratio + left.low, ratio + left.high)


def _moved(operation: NDArray[np.int64], old_us: NDArray[np.int64], new_us: NDArray[np.int64]) -> list[Moved]:
    """Return what became of each operation that changed."""
    found = []
    for code in np.unique(operation[old_us != new_us]):
        here = operation == code
        p50, p95 = (
            (float(np.quantile(old_us[here], q)) / US, float(np.quantile(new_us[here], q)) / US) for q in (0.5, 0.95)
        )
        found.append(Moved(OPERATIONS[code], int(here.sum()), p50, p95))
    return found
