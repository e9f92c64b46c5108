"""The same shoppers and visits under many treatments: what each takes away, exactly and with its 95 % interval.

All arms share their draws (common random numbers), so that a treated visit is its control visit up to the page at
which it ends earlier: differences are of the same people, and each lost page has a place where it was lost. What
speed does is an assumption of the population; its consequences for a shop's mix of people are what is computed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from simulator.model.distributions import CONSTANT
from simulator.study.dose_change import DELAYS, Change, delay
from simulator.worlds.paired_sums import FUNNEL, GROUP_METRICS, METRICS, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.model.population import Population
    from simulator.scenario.load import Scenario
    from simulator.study.attribution import Lost

__all__ = [
    "DELAYS",
    "FUNNEL",
    "GROUP_METRICS",
    "METRICS",
    "SECONDS",
    "Change",
    "Dose",
    "DoseResponse",
    "GroupEffect",
    "Outcome",
    "constant_hazard",
    "delay",
    "dose_response",
    "sensitivity",
]

GROUPINGS = (("persona",), ("tier",), ("network",), ("country",), ("persona", "tier", "network", "country"))
"""By what groups are told apart; the network is the one that the landing page met."""
HAZARDS_PER_S = (0.0, 0.01, 0.025, 0.05)
"""What is always shown: a conclusion that flips between them is no conclusion."""
BLOCK = 8_192
"""Shoppers played at a time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the visits of one arm came to.

    `pages` (CAUSES, pages) counts visits by cause and number of pages, up to the longest. `engaged_s` and `wall_s`
    (CAUSES, SECONDS) count visits by cause and whole seconds; nothing in them is censored. `funnel` counts visits that
    reached each step, `visits` being the first. Causes are those of `journey.records.CAUSES`, in its order.
    """

    visits: int
    shoppers: int
    means: dict[str, Estimate]
    funnel: dict[str, int]
    pages: NDArray[Any]
    engaged_s: NDArray[Any]
    wall_s: NDArray[Any]


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """What a change did to some of the visits; `where` says which, as {"tier": "low"}.

    `control` are means; `relative` is a share of control's, −0.05 being five per cent less.
    """

    where: dict[str, str]
    visits: int
    shoppers: int
    control: dict[str, float]
    difference: dict[str, Estimate]
    relative: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Dose:
    """One treated arm beside control; every dict is by `METRICS`.

    `difference` is treated less control in the metric's unit, `relative` the same as a share of control's mean; both
    are paired and clustered by shopper. `variance_reduction` says how many times more visits two groups of different
    shoppers would need for intervals as narrow (infinite where the arms do not differ at all). `lost` holds what was
    lost and where.
    """

    change: Change
    outcome: Outcome
    difference: dict[str, Estimate]
    relative: dict[str, Estimate]
    variance_reduction: dict[str, float]
    lost: Lost
    groups: tuple[GroupEffect, ...]


@dataclass(frozen=True, slots=True)
class DoseResponse:
    """Control and every dose, in the order of the changes."""

    control: Outcome
    doses: tuple[Dose, ...]

    @property
    def variance_reduction(self) -> dict[str, float]:
        """The median over the doses that differ from control in a metric; infinite where none does."""
        found = {}
        for name in METRICS:
            factors = [dose.variance_reduction[name] for dose in self.doses]
            found[name] = median([factor for factor in factors if math.isfinite(factor)] or [math.inf])
        return found


def constant_hazard(population: Population, hazard_per_s: float) -> Population:
    """Return a population whose shoppers leave a page that loads at a constant hazard, and mind no page that loaded."""
    personas = population.personas.copy()
    personas["hazard_per_s"], personas["patience_shape"], personas["feedback"] = hazard_per_s, 1.0, 1.0
    personas["put_off"], personas["memory"] = 0.0, 0.0
    for row in personas:
        row["frailty"] = (CONSTANT, 1.0, 0.0, -math.inf, math.inf)
    return population._replace(personas=personas)


def dose_response(
    scenario: Scenario,
    changes: Iterable[Change] = DELAYS,
    *,
    shoppers: int | None = None,
    workers: int = 1,
    block: int = BLOCK,
    progress: Callable[[int, int], None] = lambda _shoppers, _visits: None,
    grouped: bool = True,
) -> DoseResponse:
    """Play every visit of a scenario's shoppers in control and under each change.

    `shoppers` replaces the scenario's number; each makes their visits over its horizon. Arms of the scenario itself
    are left out; so are effects by group without `grouped`. `progress` is told (shoppers, visits) of each finished
    part. The result is the same for any number of `workers` and any `block` of shoppers played at a time. Raises
    `FileFaults` for a change that names what there is not.
    """
    from simulator.study.dose_run import Experiment, run  # noqa: PLC0415 - what is compiled needs the names above

    experiment = Experiment.of(scenario, tuple(changes))
    many = scenario.spec.shoppers if shoppers is None else shoppers
    return run(experiment, many, workers=workers, block=block, progress=progress, grouped=grouped)


def sensitivity(
    scenario: Scenario,
    changes: Iterable[Change],
    hazards_per_s: Iterable[float] = HAZARDS_PER_S,
    *,
    patience: Callable[[Population, float], Population] = constant_hazard,
    shoppers: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _shoppers, _visits: None,
) -> dict[float, DoseResponse]:
    """Return the dose–response were shoppers to leave a page that loads at each of these hazards.

    `patience` makes the population of a hazard; the usual one makes it constant, alike for everybody and every page,
    and the only thing that speed does.
    """
    todo, found = tuple(changes), {}
    for hazard in hazards_per_s:
        changed = replace(scenario, population=patience(scenario.population, hazard))
        found[hazard] = dose_response(changed, todo, shoppers=shoppers, workers=workers, progress=progress)
    return found
