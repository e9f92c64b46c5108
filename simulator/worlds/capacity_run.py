"""A capacity run as a folder: the plan, the play, tables and manifest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.journey.tables import events_table, shoppers_table, visits_table
from simulator.model.faults import one_fault
from simulator.runfolder.manifest import base_manifest, write_manifest, write_tables
from simulator.worlds.capacity import play
from simulator.worlds.crowd import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario
    from simulator.worlds.backend import BackendFile


def capacity_plan(scenario: Scenario, times: float) -> Plan:
    """Return the scenario's arrivals at `times` its rates. Raises `FileFaults` where they have none to multiply."""
    if scenario.closed:
        found = "arrivals are closed: each visit waits for the one before it"
        raise one_fault(scenario.name, found, "the capacity world plays arrivals that wait for nobody", "give --rate")
    if times != 1 and not scenario.profile:
        found = "arrivals are replayed as they were and have no rate to multiply"
        raise one_fault(scenario.name, found, "--times must be 1", "give `speed`, or a curve with kind: csv")
    return scenario.plan(times)


def run_capacity(
    scenario: Scenario,
    backend: BackendFile,
    plan: Plan,
    times: float,
    folder: Path,
    progress: Callable[[int], None],
) -> None:
    """Play a plan against a backend and write the run to `folder`; `progress` is told how many visits have ended."""
    world = World(scenario.population, scenario.pages, scenario.arms, scenario.spec.seed)
    rows = play(world, plan, backend, progress=progress)
    names = scenario.names
    tables = {
        "shoppers": shoppers_table(rows.shoppers, names),
        "visits": visits_table(rows.visits, rows.shoppers, rows.events, names),
        "events": events_table(rows.events, names),
    }
    manifest = base_manifest(scenario, "capacity", write_tables(tables, folder)) | {
        "backend": {
            "name": backend.backend,
            "times": times,
            "file": backend.model_dump(mode="json", by_alias=True),
            "stations": [
                _station(name, row, rows.series) for name, row in zip(backend.stations, rows.stations, strict=True)
            ],
        },
        "assumed": [
            "behaviour: every parameter of the personas",
            scenario.behaviour.assumed(),
            "load times: the page model on modelled networks and devices",
            "server times: the backend's stations, their servers and service times",
        ],
        "measured": [],
    }
    write_manifest(manifest, folder)


def _station(name: str, row: NDArray[Any], series: NDArray[Any]) -> dict[str, Any]:
    """Return what the manifest says of one station; what is not a number there is null.

    Its means run to the last visit's end, long after the last arrival, so the busiest interval stands beside them.
    """
    assert row.dtype.names is not None
    values = {key: row[key].item() for key in row.dtype.names if key != "station"}
    values["servers"] = values["servers"] or "unlimited"
    values["peak_utilisation"] = float(series["utilisation"][series["station"] == row["station"]].max(initial=0.0))
    return {"name": name} | {
        key: None if isinstance(value, float) and math.isnan(value) else value for key, value in values.items()
    }
