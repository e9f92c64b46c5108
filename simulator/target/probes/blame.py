"""Which hazard a violation is to blame on: one defect breaks many checks, and a tester wants its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.target.probes.findings import BROKEN, ONLY_TOGETHER, UNSEEN, only_among

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.probes.findings import Finding
    from simulator.target.probes.probe import Probe

SHADOWS: dict[str, tuple[str, ...]] = {}
"""Of a hazard, those whose violations it explains where both are found."""


def blame(found: list[Finding], probes: Mapping[str, Probe]) -> list[Finding]:
    """Return the findings with those explained by another one marked so."""
    del probes
    together = [one for one in found if one.state == BROKEN and only_among(one)]
    if together:
        found = [_because_of_many(one, together) for one in found]
    broken = {one.hazard.code for one in found if one.blamed}
    return [
        replace(one, explained_by=next((code for code in broken if one.hazard.code in SHADOWS.get(code, ())), ""))
        if one.blamed
        else one
        for one in found
    ]


def _because_of_many(one: Finding, together: list[Finding]) -> Finding:
    """Return a finding where what broke among many alone is laid at the door of their number."""
    if one in together:
        return replace(one, explained_by=ONLY_TOGETHER)
    if one.hazard.code != ONLY_TOGETHER or one.state == BROKEN:
        return one
    first = together[0]
    names = " and ".join(other.hazard.name for other in together)
    why = f"{names}: held for one shopper at a time, broken among many"
    operations = tuple(dict.fromkeys(name for other in together for name in other.operations))
    assert one.state != UNSEEN or first.among.checked
    return replace(
        one, state=BROKEN, why=why, alone=first.alone, among=first.among, operations=operations, samples=first.samples
    )
