"""A live run as a what-if needs it: its visits and pages as recorded, and each request that held a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.analysis.runs import read_run
from simulator.journey.records import ONGOING
from simulator.journey.tables import TABLES
from simulator.model.faults import one_fault
from simulator.page.card import BLOCKING, LCP, OPERATIONS, PLACEMENTS
from simulator.scenario.load import load_scenario
from simulator.worlds.crowd import Rows, World
from simulator.worlds.replay import rows_from_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.scenario.load import Scenario


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as it was recorded; `requests` are those that hold pages, (event, operation, placement, took)."""

    world: World
    rows: Rows
    requests: dict[str, NDArray[np.int64]]


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
