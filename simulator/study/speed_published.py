"""Published figures beside what their designs give when simulated with a scenario's own behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.study.scorecard import scorecard
from simulator.study.speed_findings import Published

if TYPE_CHECKING:
    from simulator.study.scorecard import Row

LEAST_VISITS = 5_000
DEALT = "slow-down"
"""The design of studies that dealt shoppers to delays; the others compared sites or visits as they were."""


def published(behaviour: str, seed: int, visits: int) -> tuple[Published, ...]:
    """Return the scorecard's rows; `behaviour` is a preset by name or path. Raises `FileFaults` for none."""
    return tuple(map(_row, scorecard(seed, max(visits, LEAST_VISITS), behaviour)))


def _row(row: Row) -> Published:
    what = " · ".join(part for part in (row.conditions, row.measure.replace("_", " ")) if part)
    return Published(
        row.study, row.design, what, row.unit, row.published, row.simulated, row.inside, row.role, row.grade, row.note
    )
