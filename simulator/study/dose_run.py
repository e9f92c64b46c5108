"""Running an experiment: shoppers block by block, on as many processes as wished, summed and told as estimates."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import compress, product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey.arms import control_arm
from simulator.journey.calendar import responses
from simulator.journey.plan import calendar_plan, draw_shoppers
from simulator.model.devices import device_table
from simulator.model.schema import TECHNOLOGIES, TIERS
from simulator.study.attribution import lost_table
from simulator.study.dose import (
    FUNNEL,
    GROUP_METRICS,
    GROUPINGS,
    METRICS,
    Change,
    Dose,
    DoseResponse,
    GroupEffect,
    Outcome,
)
from simulator.study.dose_arms import compile_changes
from simulator.study.dose_sums import Moments, add_packed, numbers, packed, scale_of, unit_of, variance_reduction
from simulator.worlds.crowd import World
from simulator.worlds.paired import play_losses, room
from simulator.worlds.paired_sums import GROUPED, Groups, empty_sums, empty_tally, play_all
from simulator.worlds.pool import make_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from simulator.journey.calendar import Calendar, Campaign
    from simulator.journey.plan import Plan
    from simulator.model.population import Population, Roster
    from simulator.scenario.load import Scenario
    from simulator.worlds.paired import Arms
    from simulator.worlds.paired_sums import Tally

DIMENSIONS = ("persona", "tier", "network", "country")


class Block(NamedTuple):
    """What one block of shoppers came to: a packed tally."""

    shoppers: int
    visits: int
    tally: list[tuple[NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """All that it takes to play any block of shoppers in every arm; can be sent to another process."""

    population: Population
    roster: Roster
    arms: Arms
    changes: tuple[Change, ...]
    seed: int
    horizon_us: int
    calendar: Calendar
    campaigns: tuple[Campaign, ...]

    @classmethod
    def of(cls, scenario: Scenario, changes: tuple[Change, ...]) -> Experiment:
        """Return the experiment of a scenario and its changes. Raises `FileFaults`."""
        spec = scenario.spec
        world = World(scenario.population, scenario.pages, control_arm(), spec.seed)
        return cls(
            scenario.population,
            scenario.roster,
            compile_changes(world, changes),
            changes,
            spec.seed,
            round(spec.horizon * 1e6),
            scenario.calendar,
            tuple(scenario.campaigns),
        )

    def __call__(self, numbers: tuple[int, int]) -> Block:
        """Play the shoppers from the first number to below the second."""
        shoppers, plan = self.who_comes(*numbers)
        arms = len(self.arms.arms)
        tally = empty_tally(arms, self.groups)
        play_all(self.arms, self.seed, plan, shoppers, self.grouping(), room(arms), empty_sums(arms), tally)
        return Block(len(shoppers), len(plan.shopper), packed(tally))

    def losses(self, first: int, last: int) -> NDArray[Any]:
        """Return a row of LOSS for every visit and change in which something differs from control, shopper by shopper.

        Shoppers are those numbered `first` to `last` − 1.
        """
        shoppers, plan = self.who_comes(first, last)
        return play_losses(self.arms, self.seed, plan, shoppers, tiers_of_devices(), room(len(self.arms.arms)))

    def who_comes(self, first: int, last: int) -> tuple[NDArray[Any], Plan]:
        """Return the shoppers `first` to `last` − 1 and their visits, each once."""
        drawn = draw_shoppers(self.population, self.seed, first, last)
        strengths = responses(list(self.campaigns), self.roster, drawn)
        weekday, days = self.calendar.weekday, self.calendar
        plan = calendar_plan(
            self.population, self.seed, first, last, self.horizon_us, weekday, 1, drawn, calendar=days,
            strengths=strengths,
        )  # fmt: skip
        return drawn, plan

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The names of each dimension of groups, by their codes."""
        return dict(zip(DIMENSIONS, (self.roster.personas, TIERS, TECHNOLOGIES, self.roster.countries), strict=True))

    @property
    def groups(self) -> int:
        """How many groups there may be, over all groupings."""
        return sum(_size(self.names, grouping) for grouping in GROUPINGS)

    def grouping(self) -> Groups:
        """Return how a visit finds its groups."""
        names = self.names
        first = np.cumsum([0, *(_size(names, grouping) for grouping in GROUPINGS[:-1])])
        strides = np.zeros((len(GROUPINGS), len(DIMENSIONS)), np.int64)
        for row, grouping in zip(strides, GROUPINGS, strict=True):
            stride = 1
            for name in reversed(grouping):
                row[DIMENSIONS.index(name)] = stride
                stride *= len(names[name])
        return Groups(first, strides, tiers_of_devices())

    def labels(self) -> Iterator[dict[str, str]]:
        """Yield what each group is called, in the order of their numbers."""
        names = self.names
        for grouping in GROUPINGS:
            for values in product(*(names[name] for name in grouping)):
                yield dict(zip(grouping, values, strict=True))


def _size(names: dict[str, tuple[str, ...]], grouping: tuple[str, ...]) -> int:
    return int(np.prod([len(names[name]) for name in grouping]))


def tiers_of_devices() -> NDArray[np.int64]:
    """Return the place in TIERS of each device."""
    return np.array([TIERS.index(device.tier) for device in device_table().devices])


def run(
    experiment: Experiment,
    shoppers: int,
    *,
    workers: int,
    block: int,
    progress: Callable[[int, int], None],
    grouped: bool = True,
) -> DoseResponse:
    """Play shoppers 0 to `shoppers` − 1 and return what came of it, by group only where `grouped`."""
    assert block > 0, "a block has shoppers"
    todo = [(first, min(first + block, shoppers)) for first in range(0, shoppers, block)]
    tally = empty_tally(len(experiment.arms.arms), experiment.groups)
    with closing(make_all(experiment, todo, max(1, min(workers, len(todo))))) as blocks:
        for played in blocks:
            add_packed(tally, played.tally)
            progress(played.shoppers, played.visits)
    places = range(1, len(experiment.arms.arms))
    return DoseResponse(
        outcome_of(tally, 0), tuple(_dose(experiment, tally, place, grouped=grouped) for place in places)
    )


def moments_of(tally: Tally, arm: int) -> dict[str, Moments]:
    """Return the sums of each metric in an arm beside control."""
    rows, control, [counts] = numbers(tally.products[arm]), numbers(tally.products[0]), numbers(tally.counts)
    return {
        name: Moments(rows[place], control[place], counts, unit_of(place), scale_of(name))
        for place, name in enumerate(METRICS)
    }


def outcome_of(tally: Tally, arm: int) -> Outcome:
    """Return what the visits of an arm came to."""
    counts, pages = tally.counts[0], tally.pages[arm]
    longest = int(np.flatnonzero(tally.pages.any(axis=(0, 1)))[-1]) if counts["visits"] else 0
    steps = zip(FUNNEL, tally.funnel[arm].tolist(), strict=True)
    return Outcome(
        int(counts["visits"]),
        int(counts["shoppers"]),
        {name: found.mean(name) for name, found in moments_of(tally, arm).items()},
        {"visits": int(counts["visits"]), **dict(steps)},
        pages[:, : longest + 1].copy(),
        tally.engaged[arm].copy(),
        tally.wall[arm].copy(),
    )


def _dose(experiment: Experiment, tally: Tally, arm: int, *, grouped: bool) -> Dose:
    treated, control = moments_of(tally, arm), moments_of(tally, 0)
    return Dose(
        experiment.changes[arm - 1],
        outcome_of(tally, arm),
        {name: found.difference() for name, found in treated.items()},
        {name: found.relative() for name, found in treated.items()},
        {name: variance_reduction(found, control[name]) for name, found in treated.items()},
        lost_table(tally.lost[arm]),
        tuple(_group_effects(experiment, tally, arm)) if grouped else (),
    )


def _group_effects(experiment: Experiment, tally: Tally, arm: int) -> Iterator[GroupEffect]:
    """Yield the groups that had a visit, the groupings in their order."""
    used = tally.group_counts["visits"] > 0
    groups, labels = tally.groups[used], compress(experiment.labels(), used.tolist())
    told = map(numbers, (tally.group_counts[used], groups[:, arm], groups[:, 0]))
    scales = [(name, unit_of(int(place)), scale_of(name)) for name, place in zip(GROUP_METRICS, GROUPED, strict=True)]
    for where, counts, row, base in zip(labels, *told, strict=True):
        found = {
            name: Moments(row[place], base[place], counts, unit, scale)
            for place, (name, unit, scale) in enumerate(scales)
        }
        yield GroupEffect(
            where,
            counts[0],
            counts[1],
            {name: one.y0 * one.scale / one.n for name, one in found.items()},
            {name: one.difference() for name, one in found.items()},
            {name: one.relative() for name, one in found.items()},
        )
