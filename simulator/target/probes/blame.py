"""Which hazard a violation is to blame on: one defect breaks many checks, and a tester wants its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.target.probes.findings import BROKEN, HELD, ONLY_TOGETHER, SINGLE, UNSEEN, only_among

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.probes.findings import Finding
    from simulator.target.probes.probe import Probe

SHADOWS: dict[str, tuple[str, ...]] = {
    # Who is dealt an arm anew with each answer is so before and after a login too.
    "H10": ("H9",),
    # Where personalization gives way, whoever comes back is shown what everybody gets.
    "H17": ("H24",),
}
"""Of a hazard, those whose violations it explains where both are found."""


def blame(found: list[Finding], probes: Mapping[str, Probe]) -> list[Finding]:
    """Return the findings with those explained by another one marked so."""
    del probes
    broken = [one.hazard.code for one in found if one.state == BROKEN]
    found = [replace(one, explained_by=_cause(one, broken)) if one.state == BROKEN else one for one in found]
    together = [one for one in found if one.blamed and only_among(one)]
    if together:
        return [_because_of_many(one, together) for one in found]
    return [_held_among_many(one, found) for one in found]


def _cause(one: Finding, broken: list[str]) -> str:
    return next((code for code in broken if one.hazard.code in SHADOWS.get(code, ())), "")


def _because_of_many(one: Finding, together: list[Finding]) -> Finding:
    """Return a finding where what broke among many alone is laid at the door of their number."""
    # Where something surely broke among many alone, rarer breaks that nobody saw alone are no second defect.
    if one in together or (one.blamed and one.hazard.code in SINGLE and one.alone.checked and not one.alone.violated):
        return replace(one, explained_by=ONLY_TOGETHER)
    if one.hazard.code != ONLY_TOGETHER or one.state == BROKEN:
        return one
    first = together[0]
    names = " and ".join(other.hazard.name for other in together)
    why = f"{names}: held for one shopper at a time, broken among many"
    operations = tuple(dict.fromkeys(name for other in together for name in other.operations))
    return replace(
        one, state=BROKEN, why=why, alone=first.alone, among=first.among, operations=operations, samples=first.samples
    )


def _held_among_many(one: Finding, found: list[Finding]) -> Finding:
    """Return a finding where what held for one shopper and for many says that their number broke nothing.

    What could be asked twice at once is judged by its own probe; this is for targets that have nothing of the kind.
    """
    if one.hazard.code != ONLY_TOGETHER or one.state != UNSEEN:
        return one
    both = [other for other in found if other.hazard.code in SINGLE and other.alone.checked and other.among.checked]
    if not both:
        return one
    names = ", ".join(other.hazard.name for other in both)
    why = f"what was checked for one shopper at a time and among many ({names}) broke in neither, or in both"
    most = max(both, key=lambda other: other.among.checked)
    return replace(one, state=HELD, why=why, alone=most.alone, among=most.among, operations=most.operations)
