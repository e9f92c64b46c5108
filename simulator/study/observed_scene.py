"""The visits that the observed view is of, played as often as it takes: with intent, or with speed given."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from simulator.journey.arms import control_arm
from simulator.study.dose_run import Experiment, tiers_of_devices
from simulator.worlds.confounded import Intent, play_view
from simulator.worlds.crowd import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario

US = 1_000_000
CALIBRATION = 4_096
"""Shoppers whose landings say what a good link and an ordinary phone are, and how fast the landings of a bin."""
Axis = Literal["landing", "average"]
AXES: tuple[Axis, ...] = ("landing", "average")


@dataclass(frozen=True, slots=True)
class Confounding:
    """How what people want of a visit goes with their speed (all assumed).

    `network` and `device` are correlations of intent with the quality of link and phone, together 0.5 as they stand;
    `strength` is what intent weighs in the logit of leaving after a page.
    """

    network: float = 0.4
    device: float = 0.3
    strength: float = 0.9


def load_of(rows: NDArray[Any], axis: Axis) -> NDArray[np.float64]:
    """Return the load time of each row of VIEW on an axis, seconds."""
    sums_us, pages = (rows["landing_us"], 1) if axis == "landing" else (rows["loads_us"], np.maximum(rows["pages"], 1))
    found: NDArray[np.float64] = sums_us / pages / US
    return found


def binned(rows: NDArray[Any], axis: Axis, edges: tuple[float, ...]) -> list[NDArray[Any]]:
    """Return the rows of each bin."""
    place = np.searchsorted(edges, load_of(rows, axis), side="right") - 1
    return [rows[place == number] for number in range(len(edges) - 1)]


class Scene(NamedTuple):
    """Who comes and what they meet: all that any play of the same visits needs."""

    world: World
    plan: Plan
    who: NDArray[np.int64]
    shoppers: NDArray[Any]
    tiers: NDArray[np.int64]
    sample: NDArray[Any]
    """Rows of VIEW of the calibration's visits."""
    phones: NDArray[np.float64]

    @classmethod
    def of(cls, scenario: Scenario, shoppers: int) -> Scene:
        """Return the scene of a scenario: the visits of its first `shoppers`."""
        world = World(scenario.population, scenario.pages, control_arm(), scenario.spec.seed)
        experiment, tiers = Experiment.of(scenario, ()), tiers_of_devices()
        drawn, plan = experiment.who_comes(0, CALIBRATION)
        phones = phone_scores(drawn["device"], scenario.population.devices["cpu_slowdown"])
        who = np.searchsorted(drawn["shopper"], plan.shopper)
        nothing = Intent(0.0, 0.0, 0.0, np.zeros(1), phones)
        sample = play_view(world, plan, who, drawn, tiers, nothing, 0.0)
        drawn, plan = experiment.who_comes(0, shoppers)
        who = np.searchsorted(drawn["shopper"], plan.shopper)
        return cls(world, plan, who, drawn, tiers, sample, phones)

    def play(self, confounding: Confounding, landing_us: float = 0.0) -> NDArray[Any]:
        """Return a row of VIEW for each visit; see `play_view`."""
        links = np.sort(self.sample["link_us"]).astype(np.float64)
        intent = Intent(confounding.strength, confounding.network, confounding.device, links, self.phones)
        return play_view(self.world, self.plan, self.who, self.shoppers, self.tiers, intent, landing_us)

    def speeds(self, edges: tuple[float, ...]) -> list[float]:
        """Return how long the landings of each bin take on average, microseconds."""
        speeds = []
        for number, part in enumerate(binned(self.sample, "landing", edges)):
            low, high = edges[number], edges[number + 1]
            middle_s = (low + high) / 2 if math.isfinite(high) else 1.25 * low
            speeds.append(float(part["landing_us"].mean()) if len(part) else middle_s * US)
        return speeds


def phone_scores(of_shoppers: NDArray[np.int64], slowdowns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal score of each device, the fast ones high, with mean 0 and variance 1 over some shoppers.

    Devices as fast as one another share the score of their middle rank.
    """
    ranks = (rankdata(-slowdowns[of_shoppers]) - 0.5) / len(of_shoppers)
    speeds, first = np.unique(slowdowns[of_shoppers], return_index=True)
    scores = norm.ppf(ranks)
    spread = float(scores.std()) or 1.0
    # A device that nobody in the sample has gets the score between its neighbours'.
    found: NDArray[np.float64] = np.interp(slowdowns, speeds, (scores[first] - scores.mean()) / spread)
    return found
