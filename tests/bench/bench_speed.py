"""How long a paired dose–response takes: a million visits in control and under eight delays, on two cores."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from figures import Figure, at_most

from simulator.scenario.load import load_scenario
from simulator.study.dose import DELAYS, dose_response

if TYPE_CHECKING:
    from simulator.scenario.load import Scenario

SHOPPERS, VISITS, ROUNDS = 292_000, 1_000_000, 3
"""So many shoppers of `demo` make a little over a million visits in its week."""


def run() -> list[Figure]:
    """Play the usual delays; processes start and import within the time."""
    assert len(DELAYS) == 8
    scenario = load_scenario("demo")
    dose_response(scenario, shoppers=100)

    seconds = median(_seconds(scenario) for _ in range(ROUNDS))
    return [at_most("speed: a million visits under eight delays on two cores", seconds, 30.0, " s")]


def _seconds(scenario: Scenario) -> float:
    begun_s = perf_counter()
    found = dose_response(scenario, shoppers=SHOPPERS, workers=2)
    assert found.control.visits >= VISITS
    return perf_counter() - begun_s
