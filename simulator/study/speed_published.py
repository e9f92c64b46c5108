"""Published figures beside what their designs give when simulated with a scenario's own behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.study.scorecard import scorecard
from simulator.study.speed_findings import Published

if TYPE_CHECKING:
    from simulator.scenario.load import Scenario


def published(scenario: Scenario, visits: int) -> tuple[Published, ...]:
    """Return the scorecard's rows."""
    rows = scorecard(scenario.spec.seed, visits, scenario.behaviour.name)
    return tuple(
        Published(row.study, row.design, row.published, row.simulated, row.inside, row.role, row.note) for row in rows
    )
