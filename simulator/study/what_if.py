"""What a recorded live run would have been with other latencies, as with a p95 of search that is 300 ms lower.

The same shoppers make the same visits; each request's latency is changed as asked, and their reaction follows. What a
request took is measured; how shoppers react to waiting is assumed, as everywhere.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.analysis.estimates import Estimate, mean
from simulator.analysis.runs import read_run
from simulator.journey.records import NEVER_US, ONGOING
from simulator.journey.shopper import draw_these
from simulator.journey.tables import TABLES
from simulator.model.faults import COMMAND_LINE, Fault, FileFaults, one_fault, suggestion
from simulator.model.states import STATE_NAMES
from simulator.model.units import parse_duration_s
from simulator.page.card import BLOCKING, LCP, OPERATIONS, PLACEMENTS
from simulator.scenario.load import load_scenario
from simulator.study.attribution import lost_table
from simulator.study.dose_change import ALL
from simulator.study.dose_run import tiers_of_devices
from simulator.worlds.crowd import Rows, World
from simulator.worlds.paired import attribute_all
from simulator.worlds.replay import replay, rows_from_tables
from simulator.worlds.what_if import Played, Pool, Served, play_what_if

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.scenario.load import Scenario
    from simulator.study.attribution import Lost

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
_FORM = re.compile(r"^(?P<operation>\w+)\s+(?P<p>p\d\d?\s+)?(?P<how>[-+]|x)\s*(?P<amount>\S+)$")
_HINT = 'as "search -300ms", "search p95 -300ms", "all x0.5"'


@dataclass(frozen=True, slots=True)
class Latency:
    """A change of an operation's latencies: `factor` times each, `add_s` more, never below zero.

    With a `quantile`, all are multiplied by the one factor that moves it by `add_s`; of `all` operations, each by its
    own.
    """

    text: str
    operation: str
    factor: float = 1.0
    add_s: float = 0.0
    quantile: float | None = None


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


def parse_latency(text: str) -> Latency:
    """Return the change that a text says. Raises `FileFaults`."""
    found = _FORM.match(text.strip())
    if found is None:
        raise FileFaults([_fault(text, "is no change of latency", _HINT)])
    operation, sign, amount = found["operation"], found["how"], found["amount"]
    if operation not in (ALL, *OPERATIONS):
        hint = suggestion(operation, OPERATIONS) or f"operations are {ALL}, {', '.join(OPERATIONS)}"
        raise FileFaults([_fault(text, f"names {operation}, which is no operation", hint)])
    try:
        value = float(amount) if sign == "x" else parse_duration_s(amount)
    except ValueError as error:
        raise FileFaults([_fault(text, str(error), _HINT)]) from None
    if not (math.isfinite(value) and value >= 0):
        raise FileFaults([_fault(text, "must be a number of 0 or more", _HINT)])
    if sign == "x":
        if found["p"]:
            raise FileFaults([_fault(text, "a factor moves every quantile alike", _HINT)])
        return Latency(text, operation, factor=value)
    quantile = int(found["p"].strip()[1:]) / 100 if found["p"] else None
    return Latency(text, operation, add_s=-value if sign == "-" else value, quantile=quantile)


def _fault(text: str, found: str, hint: str) -> Fault:
    return Fault(COMMAND_LINE, 0, f"--change {text!r}", found, "", hint)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as it was recorded; `requests` are those that hold pages, (event, operation, placement, took)."""

    world: World
    rows: Rows
    requests: dict[str, NDArray[np.int64]]


def what_if(run: Path, changes: Sequence[Latency]) -> WhatIf:
    """Return what a live run's recorded visits would have been. Raises `FileFaults`."""
    return compare_runs(read_recorded(run), changes)


def read_recorded(folder: Path) -> Recorded:
    """Read a live run and the scenario that it played. Raises `FileFaults` where it cannot be played again."""
    run = read_run(folder)
    if run.manifest.world != "live" or run.requests is None:
        raise one_fault(str(folder), f"is of the {run.manifest.world} world", "what-if needs a live run's requests")
    scenario = _scenario_of(folder)
    if scenario.spec.network != "modelled":
        hint = "run it with --network modelled"
        raise one_fault(str(folder), "has its network in the measured times", "what-if needs them apart", hint)
    tables = {name: _counted(pq.read_table(folder / f"{name}.parquet")) for name in TABLES}
    rows = rows_from_tables(tables, scenario.names)
    rows.visits["cause"] = _causes(tables["visits"])
    world = World(scenario.population, scenario.pages, scenario.arms, scenario.spec.seed)
    requests = _requests(_counted(pq.read_table(folder / "requests.parquet")), rows.events)
    return Recorded(world, rows, requests)


def _scenario_of(folder: Path) -> Scenario:
    """Return the scenario that a run's manifest holds, as it is today; refuse one that would play other shoppers."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    with TemporaryDirectory() as place:
        file = Path(place, f"{manifest['name']}.yaml")
        file.write_text(json.dumps(manifest["scenario"]), encoding="utf-8")
        scenario = load_scenario(str(file))
    if scenario.digest() != manifest["digest"]:
        found = "was played with other personas, pages or tables than there are now"
        raise one_fault(str(folder), found, "what-if plays the same shoppers", "run it again")
    return scenario


def _counted(table: pa.Table) -> pa.Table:
    """Return the rows that are not of the warm-up."""
    return table.filter(pa.compute.invert(table["warmup"])) if "warmup" in table.column_names else table


def _causes(visits: pa.Table) -> NDArray[np.int64]:
    """Return ONGOING, or something else, for each visit, in the order of `rows_from_tables`."""
    by_visit = [("shopper", "ascending"), ("visit", "ascending")]
    cut = pa.compute.equal(visits.sort_by(by_visit)["cause"].cast(pa.string()), "ongoing")
    return np.where(cut.to_numpy(), ONGOING, ONGOING + 1)


def _requests(table: pa.Table, events: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Return the requests that hold a page of `events`, as columns."""
    key = _key(*(table[name].to_numpy().astype(np.int64) for name in ("shopper", "visit", "step")))
    order = np.argsort(known := _key(events["shopper"], events["visit"], events["step"]), kind="stable")
    event = order[np.minimum(np.searchsorted(known, key, sorter=order), len(order) - 1)] if len(order) else key
    codes = {
        "operation": pa.compute.index_in(table["operation"].cast(pa.string()), pa.array(OPERATIONS)).to_numpy(),
        "placement": pa.compute.index_in(table["placement"].cast(pa.string()), pa.array(PLACEMENTS)).to_numpy(),
        "took_us": table["done_us"].to_numpy() - table["sent_us"].to_numpy(),
    }
    holds = np.isin(codes["placement"], (BLOCKING, LCP)) & np.isin(key, known)
    return {"event": event[holds], **{name: column[holds].astype(np.int64) for name, column in codes.items()}}


def _key(shopper: NDArray[Any], visit: NDArray[Any], step: NDArray[Any]) -> NDArray[np.int64]:
    """Return one number for each page; `step` is below 2^10, `visit` below 2^16."""
    found: NDArray[np.int64] = (shopper.astype(np.int64) << 26) | (visit.astype(np.int64) << 10) | step
    return found


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


def changed_us(
    operation: NDArray[np.int64], took_us: NDArray[np.int64], changes: Sequence[Latency]
) -> NDArray[np.int64]:
    """Return what requests take after all changes, in their order."""
    new = took_us.astype(np.float64)
    for change in changes:
        wanted = np.unique(operation) if change.operation == ALL else [OPERATIONS.index(change.operation)]
        places = [here for code in wanted if (here := operation == code).any()]
        if not places:
            raise FileFaults([_fault(change.text, "changes nothing: no such request held a page in this run", "")])
        for here in places:
            factor, add_us = change.factor, change.add_s * US
            if change.quantile is not None:
                now_us = float(np.quantile(new[here], change.quantile))
                factor, add_us = max(0.0, now_us + add_us) / max(now_us, 1.0), 0.0
            new[here] = np.maximum(0.0, factor * new[here] + add_us)
    return np.round(new).astype(np.int64)


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
