"""Scenarios played in memory for a speed report: as they are, under delays, and that of a run again."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.analysis.frames import Frame
from simulator.analysis.manifest import Manifest
from simulator.analysis.runs import Run
from simulator.journey.plan import draw_shoppers
from simulator.journey.tables import events_table, shoppers_table, visits_table
from simulator.model.faults import FileFaults
from simulator.runfolder.manifest import base_manifest
from simulator.scenario.load import load_scenario
from simulator.worlds.crowd import World, play_columns

if TYPE_CHECKING:
    from simulator.scenario.load import Scenario

SHOWN_DELAYS_S = (1.0, 4.0, 8.0)
"""Delays whose visits are drawn one by one beside control's: curves, what ended visits, funnels."""
SHARD = 8_192
"""Shoppers played at a time."""


def played(scenario: Scenario, shoppers: int | None = None) -> Run:
    """Return what `footfall generate` would write of a scenario's first `shoppers`, in memory, in every arm."""
    many = scenario.spec.shoppers if shoppers is None else min(shoppers, scenario.spec.shoppers)
    everybody = draw_shoppers(scenario.population, scenario.spec.seed, 0, many)
    plan = scenario.calendar_plan(0, many, everybody)
    world = World(scenario.population, scenario.pages, scenario.arms, scenario.spec.seed)
    visits, events = play_columns(world, plan, everybody)
    names = scenario.names
    manifest = base_manifest(scenario, "crowd", {}) | {
        "assumed": [
            "behaviour: every parameter of the personas",
            scenario.behaviour.assumed(),
            "load times: the page model on modelled networks and devices",
            "server times: the page cards' unloaded server",
        ],
        "measured": [],
    }
    return Run(
        Path(scenario.name),
        Manifest.model_validate(manifest),
        Frame(shoppers_table(everybody, names)),
        Frame(visits_table(visits, everybody, events, names)),
        Frame(events_table(events, names)),
        None,
        None,
    )


def under_delays(scenario: Scenario, shoppers: int) -> Run:
    """Return visits of a scenario's first `shoppers` in control and under `SHOWN_DELAYS_S`, all the same visits."""
    arms = [{"name": arm_name(s), "share": 0.1, "delay": {"all": f"{s:g}s"}} for s in SHOWN_DELAYS_S]
    return played(again(scenario, arms=arms, thresholds=[]), shoppers)


def arm_name(delay_s: float) -> str:
    """Return the name in tables of an arm that delays every page."""
    return f"plus_{delay_s:g}s".replace(".", "_")


def again(scenario: Scenario, **overrides: object) -> Scenario:
    """Return a scenario, read anew with other fields. Raises `FileFaults`."""
    return load_scenario(scenario.name, {**scenario.overrides, **overrides})


def scenario_of(run: Run) -> Scenario:
    """Return the scenario of a run, as its manifest holds it, without arms and thresholds.

    Raises `FileFaults` where what it names, as a population of the reader's own, is not at hand.
    """
    spec = {
        key: value
        for key, value in run.manifest.scenario.items()
        if key not in ("arms", "thresholds", "host", "allowed_hosts", "target", "warmup", "returning")
    }
    plain = spec | {"arrivals": {"kind": "constant", "rate": "1/s"}, "network": "modelled"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(json.dumps(plain), encoding="utf-8")
        try:
            return load_scenario(str(path))
        except FileFaults as error:
            raise FileFaults(error.faults) from None
