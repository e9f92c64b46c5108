"""Paired dose–responses as a report shows them: arms, groups, sensitivity to the assumed hazard, and where to spend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.analysis.words import counted
from simulator.study.dose import dose_response
from simulator.study.dose_change import DELAYS_S, Change, delay
from simulator.study.speed_findings import (
    HEADLINE,
    Arm,
    Conclusion,
    Saving,
    Sensitivity,
    Turned,
)
from simulator.study.speed_play import under_preset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simulator.analysis.estimates import Estimate
    from simulator.scenario.load import Scenario
    from simulator.study.dose import Dose, DoseResponse
    from simulator.study.speed_findings import Says

    Progress = Callable[[int, int], None]

PRESETS = {0.0: "null", 0.01: "h0.01", 0.025: "h0.025", 0.05: "h0.05"}
"""The hazards that every conclusion is tried at, a second of waiting, and the presets that have them."""
SENSITIVITY_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
MEASURED = (*HEADLINE, "waited_time")
ONE_SECOND_S = 1.0
SAVED_S = (0.1, 0.2, 0.5, 1.0)
SAVED_METRICS = ("pages", "engaged_time", "conversion", "revenue_per_1000")
MOST_PAGES = 8


def doses(scenario: Scenario, shoppers: int | None, workers: int, progress: Progress) -> DoseResponse:
    """Return the scenario's dose–response over the usual delays."""
    changes = [delay(seconds) for seconds in DELAYS_S if seconds > 0]
    return dose_response(scenario, changes, shoppers=shoppers, workers=workers, progress=progress)


def arm_table(response: DoseResponse) -> tuple[Arm, ...]:
    """Return control and every delay."""
    control = response.control
    means = {name: control.means[name] for name in MEASURED}
    return (Arm("control", 0.0, control.visits, control.shoppers, means, {}, {}), *map(_arm, response.doses))


def _arm(dose: Dose) -> Arm:
    parts = (dose.outcome.means, dose.difference, dose.relative)
    means, difference, relative = ({name: one[name] for name in MEASURED} for one in parts)
    outcome = dose.outcome
    return Arm(dose.change.name, dose.change.dose_s, outcome.visits, outcome.shoppers, means, difference, relative)


def variance_reduction(response: DoseResponse) -> dict[str, float]:
    """Return how many times more visits two groups of different shoppers would need; only where that is a number."""
    found = response.variance_reduction
    return {name: found[name] for name in HEADLINE if math.isfinite(found[name])}


def dose_at(response: DoseResponse, seconds: float = ONE_SECOND_S) -> Dose:
    """Return the dose of a delay."""
    return next(dose for dose in response.doses if dose.change.dose_s == seconds)


def sensitivity(scenario: Scenario, shoppers: int, workers: int, progress: Progress) -> tuple[Sensitivity, ...]:
    """Return the dose–response were the base shopper to leave at each of the hazards of `PRESETS`."""
    changes = [delay(seconds) for seconds in SENSITIVITY_DELAYS_S]
    made = []
    for hazard, preset in PRESETS.items():
        changed = under_preset(scenario, preset)
        found = dose_response(changed, changes, shoppers=shoppers, workers=workers, progress=progress, grouped=False)
        relative = {name: tuple(dose.relative[name] for dose in found.doses) for name in HEADLINE}
        made.append(Sensitivity(hazard, SENSITIVITY_DELAYS_S, relative))
    return tuple(made)


def conclusions(effects: dict[str, Estimate], delay_s: float, tried: Sequence[Sensitivity]) -> tuple[Conclusion, ...]:
    """Return what a delay does to each metric of the headline, and the hazards at which that would not be so."""
    made = []
    for metric in HEADLINE:
        if metric not in effects:
            continue
        says = direction(effects[metric])
        found = [Turned(one.hazard_per_s, direction(_at(one, metric, delay_s))) for one in tried]
        flips = [one for one in found if one.says != says]
        made.append(Conclusion(metric, says, effects[metric], delay_s, tuple(flips)))
    return tuple(made)


def _at(one: Sensitivity, metric: str, delay_s: float) -> Estimate:
    place = min(range(len(one.delay_s)), key=lambda row: abs(one.delay_s[row] - delay_s))
    return one.relative[metric][place]


def direction(change: Estimate) -> Says:
    """Return whether a change is shown, and which way: its 95 % interval has to leave zero out."""
    if change.high is not None and change.high < 0:
        return "falls"
    return "rises" if change.low is not None and change.low > 0 else "no change shown"


def savings(
    scenario: Scenario, pages: Iterable[str], shoppers: int, workers: int, progress: Progress
) -> tuple[Saving, ...]:
    """Return what faster pages of each state would bring, best first; a page cannot take less than no time."""
    todo = [(page, saved) for page in pages for saved in SAVED_S]
    changes = [Change(f"{page} -{saved:g} s", {page: -saved}) for page, saved in todo]
    found = (
        dose_response(scenario, changes, shoppers=shoppers, workers=workers, progress=progress, grouped=False)
        if changes
        else None
    )
    made = [
        Saving(
            page, saved, *({name: part[name] for name in SAVED_METRICS} for part in (dose.relative, dose.difference))
        )
        for (page, saved), dose in zip(todo, found.doses if found else (), strict=True)
    ]
    worth = {one.page: one.difference["engaged_time"].value or 0.0 for one in made}
    return tuple(sorted(made, key=lambda one: (-worth[one.page], one.saved_s)))


def told(response: DoseResponse) -> str:
    """Return how large the experiment was."""
    visits, shoppers = response.control.visits, response.control.shoppers
    return (
        f"{counted(visits, 'visit')} of {counted(shoppers, 'shopper')}, each played in {len(response.doses) + 1} arms"
    )
