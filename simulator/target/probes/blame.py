"""Which hazard a violation is to blame on: one defect breaks many checks, and a tester wants its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import fisher_exact

from simulator.target.probes.findings import BROKEN, HELD, UNSEEN

if TYPE_CHECKING:
    from simulator.target.probes.findings import Finding

RARE = 0.01
"""What broke among many and never alone is blamed on their number where chance had done so less often than this.

By Fisher's exact test, of visits.
"""
ONLY_TOGETHER = "H18"
SINGLE = (
    "H1",
    "H2",
    "H3",
    "H4",
    "H5",
    "H6",
    "H9",
    "H10",
    "H12",
    "H13",
    "H14",
    "H16",
    "H19",
    "H21",
    "H23",
    "H24",
    "H25",
)
"""Hazards whose checks are the same for one shopper and for many, so that they can show what only many break."""
SHADOWS: dict[str, tuple[str, ...]] = {
    # Who is dealt an arm anew with each answer is so before and after a login too.
    "H10": ("H9",),
    # Where personalization gives way, whoever comes back is shown what everybody gets.
    "H17": ("H24",),
}
"""Of a hazard, those whose violations it explains where both are found."""


def blame(found: list[Finding]) -> list[Finding]:
    """Return the findings with those explained by another one marked so."""
    broken = [one.hazard.code for one in found if one.state == BROKEN]
    found = [replace(one, explained_by=_cause(one, broken)) if one.state == BROKEN else one for one in found]
    together = [one for one in found if one.blamed and _only_among(one)]
    if together:
        return [_because_of_many(one, together) for one in found]
    return [_held_among_many(one, found) for one in found]


def _only_among(finding: Finding) -> bool:
    """Return whether a hazard's checks broke among many, and would have broken alone too were it not for the number."""
    alone, among = finding.alone, finding.among
    if finding.hazard.code not in SINGLE or not among.violated or alone.violated or not alone.checked:
        return False
    # By visits: of one shopper all checks may hold, or break, for the same reason.
    told = np.array([[0, alone.visits], [among.visits_violated, among.visits - among.visits_violated]])
    return bool(fisher_exact(told, alternative="less").pvalue < RARE)


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
