"""A pilot of a scenario: some of its shoppers, every visit in control and under small delays, in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulator.analysis.frames import Frame
from simulator.analysis.manifest import Manifest
from simulator.analysis.runs import Run
from simulator.journey.plan import draw_shoppers
from simulator.journey.tables import events_table, shoppers_table, visits_table
from simulator.runfolder.manifest import base_manifest
from simulator.scenario.load import load_scenario
from simulator.worlds.crowd import World, play_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

DELAYS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Of the arms: near to the changes that people ask for, so that pairs need not be told from far."""
SHOPPERS = 20_000


def pilot(name: str, overrides: Mapping[str, object] | None = None, shoppers: int = SHOPPERS) -> Run:
    """Return the visits of a scenario's first shoppers over its horizon, each in every arm.

    Raises `FileFaults` with every fault of the scenario and what it names.
    """
    arms = [
        {"name": f"plus_{round(1000 * delay)}ms", "share": 0.1, "delay": {"all": f"{delay}s"}} for delay in DELAYS_S
    ]
    scenario = load_scenario(name, {**(overrides or {}), "arms": arms, "thresholds": []})
    everybody = draw_shoppers(scenario.population, scenario.spec.seed, 0, shoppers)
    plan = scenario.calendar_plan(0, shoppers, everybody)
    world = World(scenario.population, scenario.pages, scenario.arms, scenario.spec.seed)
    visits, events = play_columns(world, plan, everybody)
    words = scenario.names
    return Run(
        Path(name),
        Manifest.model_validate(base_manifest(scenario, "crowd", {})),
        Frame(shoppers_table(everybody, words)),
        Frame(visits_table(visits, everybody, events, words)),
        Frame(events_table(events, words)),
        None,
        None,
    )
