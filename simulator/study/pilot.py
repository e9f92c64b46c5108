"""A pilot of a scenario: some of its shoppers, every visit in control and under small delays, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.scenario.load import load_scenario
from simulator.study.speed_play import played

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.analysis.runs import Run

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
    changed = {**(overrides or {}), "arms": arms, "thresholds": [], "shoppers": shoppers}
    return played(load_scenario(name, changed))
