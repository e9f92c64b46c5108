"""Scenarios played in memory for a speed report: as they are, under delays, and that of a run again."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.analysis.frames import Frame
from simulator.analysis.manifest import Manifest
from simulator.analysis.runs import Run
from simulator.journey.arms import compile_arms
from simulator.journey.plan import draw_shoppers
from simulator.journey.tables import events_table, shoppers_table, visits_table
from simulator.model.behaviour import apply, load_behaviour
from simulator.model.population import compile_population
from simulator.runfolder.manifest import base_manifest, crowd_facts
from simulator.scenario.load import all_arms, load_scenario
from simulator.scenario.schema import Arm
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
    manifest = base_manifest(scenario, "crowd", {})
    manifest |= crowd_facts(scenario, manifest)
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
    arms = all_arms(
        [
            Arm(name=arm_name(s), share=0.1, delay={"all": f"{s:g}s"})  # type: ignore[dict-item] # parsed as in a file
            for s in SHOWN_DELAYS_S
        ]
    )
    changed = replace(
        scenario,
        spec=scenario.spec.model_copy(update={"arms": arms, "thresholds": []}),
        arms=compile_arms([(arm.name, arm.share, arm.delay, arm.pull) for arm in arms]),
        arm_names=tuple(arm.name for arm in arms),
    )
    return played(changed, shoppers)


def arm_name(delay_s: float) -> str:
    """Return the name in tables of an arm that delays every page."""
    return f"plus_{delay_s:g}s".replace(".", "_")


def under_preset(scenario: Scenario, preset: str) -> Scenario:
    """Return a scenario whose shoppers react to waiting as a preset says. Raises `FileFaults` where there is none."""
    behaviour = load_behaviour(preset)
    population, _ = compile_population(apply(behaviour, scenario.personas), scenario.spec.reference)
    return replace(scenario, behaviour=behaviour, population=population)


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
        return load_scenario(str(path))
