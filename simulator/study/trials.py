"""Experiments in which the truth is known: the everyday crowd slowed down at random, many times over.

A trial is a week of so many shoppers. Every visit is played in every arm, and each shopper is also assigned to one of
them: the visits of that arm are what a real experiment sees, all of them what only a simulator does. Shoppers of
different trials are others, so that trials are independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simulator.journey.arms import choose_arm, compile_arms
from simulator.journey.plan import DAY_US, calendar_plan, draw_shoppers
from simulator.journey.records import IMPATIENT, ONGOING
from simulator.model.behaviour import apply, load_behaviour
from simulator.model.devices import device_table
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.model.schema import SITUATIONS, TECHNOLOGIES, TIERS
from simulator.page.card import compile_pages, page_file
from simulator.worlds.crowd import World, play_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.model.population import Population
    from simulator.page.card import Pages

    Floats = NDArray[np.float64]

Preset = Literal["h0.025", "null"]
"""Behaviour presets of the everyday population: one whose effect is clear, and one in which waiting does nothing."""
KNOWN_EFFECT: Preset = "h0.025"
US = 1e6
DAYS = 7
DELAYS_S = (0.0, 2.0, 4.0)
"""Of the arms; the first is control."""
SHOPPERS = 900
"""Of one trial: some 300 in each of three arms."""
CUT_MOST_S = 240.0
"""In the trials that are cut, a visit is seen for a time between 0 and this, any as likely as another."""
METRICS = ("engaged_time", "wall_time", "pages", "ga_time", "bounce", "conversion")


@dataclass(frozen=True, slots=True)
class Trial:
    """Visits in every arm and their pages, a row each.

    `values` holds the metrics of METRICS (visits,); `before` (visits, covariates) what was known of each before its
    first page; `cut_s` after how long it would be lost from sight, the same in every arm. `ended` says of each page
    whether the visit was over with it, `page_visit` which visit it is of.
    """

    shoppers: NDArray[np.int64]
    arm: NDArray[np.int64]
    delay_s: NDArray[np.float64]
    assigned: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]
    impatient: NDArray[np.bool_]
    landing_s: NDArray[np.float64]
    mean_load_s: NDArray[np.float64]
    before: NDArray[np.float64]
    cut_s: NDArray[np.float64]
    page_visit: NDArray[np.int64]
    page_number: NDArray[np.int64]
    ended: NDArray[np.bool_]


@cache
def population(preset: Preset) -> Population:
    """Return the everyday population as it reacts under a preset."""
    return compile_population(apply(load_behaviour(preset), load_population("everyday")))[0]


@cache
def _pages() -> Pages:
    return compile_pages(page_file())


def trial(preset: Preset, seed: int, first: int, last: int, delays_s: tuple[float, ...] = DELAYS_S) -> Trial:
    """Return the trial of shoppers `first` to `last` − 1; `delays_s` are those of the arms, control's first."""
    people = population(preset)
    arms = compile_arms([(f"slower_{delay:g}s", 1.0, {"all": delay}, {}) for delay in delays_s])
    shoppers = draw_shoppers(people, seed, first, last)
    plan = calendar_plan(people, seed, first, last, DAYS * DAY_US, 0, len(arms), shoppers)
    visits, events = play_columns(World(people, _pages(), arms, seed), plan, shoppers)
    starts = np.cumsum(visits["pages"]) - visits["pages"]
    page_visit = np.repeat(np.arange(len(starts)), visits["pages"])
    chosen = np.array([choose_arm(arms, seed, number) for number in range(first, last)])
    waited = visits["waited_us"] / US / visits["pages"]
    return Trial(
        visits["shopper"],
        visits["arm"].astype(np.int64),
        np.array(delays_s)[visits["arm"]],
        visits["arm"] == chosen[visits["shopper"] - first],
        _values(visits),
        visits["cause"] == IMPATIENT,
        visits["landing_load_us"] / US,
        waited,
        _before(shoppers, plan, events, starts),
        _cut_s(seed, first, len(starts), len(arms)),
        page_visit,
        np.arange(len(page_visit)) - starts[page_visit] + 1,
        events["cause"] != ONGOING,
    )


def _values(visits: dict[str, NDArray[Any]]) -> dict[str, Floats]:
    found = (
        visits["engaged_us"] / US,
        visits["elapsed_us"] / US,
        visits["pages"],
        visits["ga_us"] / US,
        visits["pages"] == 1,
        visits["orders"] > 0,
    )
    return {name: column.astype(np.float64) for name, column in zip(METRICS, found, strict=True)}


def _before(shoppers: NDArray[Any], plan: Plan, events: dict[str, NDArray[Any]], starts: NDArray[np.int64]) -> Floats:
    """Return persona, tier of the device, and network and situation of the landing page, as columns of 0 and 1."""
    who = plan.shopper - shoppers["shopper"][0]
    tiers = np.array([TIERS.index(device.tier) for device in device_table().devices])
    codes = (
        (shoppers["persona"][who], len(population("null").personas)),
        (tiers[shoppers["device"][who]], len(TIERS)),
        (events["network"][starts], len(TECHNOLOGIES)),
        (events["situation"][starts], len(SITUATIONS)),
    )
    return np.column_stack([np.eye(count)[code] for code, count in codes])


def _cut_s(seed: int, first: int, visits: int, arms: int) -> Floats:
    """Return after how long each visit is lost from sight: of its own, and so the same for its rows in every arm."""
    drawn = np.random.default_rng((seed, first)).uniform(0.0, CUT_MOST_S, visits // arms)
    return np.repeat(drawn, arms)
