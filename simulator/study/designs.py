"""Playing the designs of studies in the crowd world: who comes, what is measured of each visit, and ratios of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.estimates import Z95, Estimate
from simulator.journey.arms import CONTROL, compile_arms
from simulator.journey.plan import Plan
from simulator.journey.records import IMPATIENT
from simulator.model.behaviour import apply
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.model.states import STATE_INDEX
from simulator.page.card import compile_pages, page_file
from simulator.worlds.crowd import World, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from simulator.model.behaviour import Behaviour
    from simulator.model.persona import PopulationSpec
    from simulator.model.population import Population
    from simulator.worlds.crowd import Rows

    Values = NDArray[np.float64]

POPULATION = "everyday"
"""Who comes in every study: the shop's own everyday shoppers, also where the study's were readers or searchers."""
US = 1e6
SEARCH = STATE_INDEX["search"]
GOOD_LCP_US = 2_500_000
"""Core Web Vitals call a largest paint within 2.5 s good."""


def population_under(behaviour: Behaviour, people: PopulationSpec | None = None) -> Population:
    """Return a population, by default everyday shoppers, compiled as it reacts under a preset."""
    return compile_population(apply(behaviour, people or load_population(POPULATION)))[0]


def delayed_world(
    population: Population, base_s: float, delays_s: Sequence[float], seed: int, delayed: Sequence[str] = ()
) -> World:
    """Return a world in which each page is blank for `base_s` and then there, with an arm for each delay after control.

    Delays are added to the pages of the states `delayed`, or to all.
    """
    arms: list[tuple[str, float, dict[str, float], dict[str, float]]] = [(CONTROL, 1.0, {"all": base_s}, {})]
    for place, delay_s in enumerate(delays_s):
        loads = {"all": base_s} | dict.fromkeys(delayed or ["all"], base_s + delay_s)
        arms.append((f"delay{place}", 1.0, loads, {}))
    return World(population, compile_pages(page_file(), instant=True), compile_arms(arms), seed)


def one_visit_each(shoppers: int, arms: int) -> Plan:
    """Return a plan in which each shopper comes once, in every arm, so that each is their own control."""
    who = np.repeat(np.arange(shoppers), arms)
    return Plan(who, np.zeros_like(who), np.tile(np.arange(arms), shoppers), who * 1_000_000)


class Landed(NamedTuple):
    """A block of rows with where each visit's events begin."""

    rows: Rows
    first: NDArray[np.int64]


def _conversion(landed: Landed) -> Values:
    return np.asarray(landed.rows.visits["orders"] > 0, np.float64)


def _pages(landed: Landed) -> Values:
    return np.asarray(landed.rows.visits["pages"], np.float64)


def _articles(landed: Landed) -> Values:
    """Pages that were seen: without the last one of who did not wait for it."""
    visits = landed.rows.visits
    return np.asarray(visits["pages"] - (visits["cause"] == IMPATIENT), np.float64)


def _bounce(landed: Landed) -> Values:
    return np.asarray(landed.rows.visits["pages"] == 1, np.float64)


def _revenue(landed: Landed) -> Values:
    return np.asarray(landed.rows.visits["revenue_cents"], np.float64)


def _ga_time(landed: Landed) -> Values:
    return np.asarray(landed.rows.visits["ga_us"] / US)


def _searches(landed: Landed) -> Values:
    return np.add.reduceat((landed.rows.events["state"] == SEARCH).astype(np.float64), landed.first)


def _time_to_click(landed: Landed) -> Values:
    """Seconds from asking for results, as the first page, to the next tap; NaN where there was none."""
    events, visits = landed.rows.events[landed.first], landed.rows.visits
    spent_s = (events["waited_us"] + events["think_us"]) / US
    return np.where((visits["pages"] > 1) & (visits["entry"] == SEARCH), spent_s, np.nan)


def _wait_a_page(landed: Landed) -> Values:
    """Mean seconds waited for a page of the visit."""
    return np.asarray(landed.rows.visits["waited_us"] / landed.rows.visits["pages"] / US)


def _landing_s(landed: Landed) -> Values:
    return np.asarray(landed.rows.visits["landing_load_us"] / US)


def _unseen_landing(landed: Landed) -> Values:
    """1 for a visit that ended before its landing page had loaded."""
    visits = landed.rows.visits
    return np.asarray((visits["pages"] == 1) & (visits["cause"] == IMPATIENT), np.float64)


def _cpu(landed: Landed) -> Values:
    who = np.searchsorted(landed.rows.shoppers["shopper"], landed.rows.visits["shopper"])
    return np.asarray(landed.rows.shoppers["cpu_slowdown"][who], np.float64)


def _counted(which: Callable[[Rows], NDArray[np.bool_]]) -> Callable[[Landed], Values]:
    return lambda landed: np.add.reduceat(which(landed.rows).astype(np.float64), landed.first)


def _is_good(rows: Rows) -> NDArray[np.bool_]:
    return np.asarray(rows.events["load_us"] <= GOOD_LCP_US)


def _is_left(rows: Rows) -> NDArray[np.bool_]:
    return np.asarray(rows.events["cause"] == IMPATIENT)


MEASURES: dict[str, Callable[[Landed], Values]] = {
    "conversion": _conversion,
    "pages": _pages,
    "articles": _articles,
    "bounce": _bounce,
    "revenue": _revenue,
    "ga_time": _ga_time,
    "searches": _searches,
    "time_to_click": _time_to_click,
    "wait_a_page": _wait_a_page,
    "landing_s": _landing_s,
    "unseen_landing": _unseen_landing,
    "cpu": _cpu,
    "good_pages": _counted(_is_good),
    "good_left": _counted(lambda rows: _is_good(rows) & _is_left(rows)),
    "slow_pages": _counted(lambda rows: ~_is_good(rows)),
    "slow_left": _counted(lambda rows: ~_is_good(rows) & _is_left(rows)),
}
"""What is measured of a visit, by name."""


def measured(world: World, plan: Plan, names: Iterable[str]) -> dict[str, Values]:
    """Play a plan and return these measures of each of its visits, in its order, without keeping the events."""
    parts: dict[str, list[Any]] = {name: [] for name in names}
    for rows in blocks(world, plan):
        landed = Landed(rows, np.cumsum(rows.visits["pages"]) - rows.visits["pages"])
        for name, values in parts.items():
            values.append(np.array(MEASURES[name](landed)))
    return {name: np.concatenate(values) for name, values in parts.items()}


def paired_change(treated: Values, control: Values) -> Estimate:
    """Return mean(treated) / mean(control) − 1 of the same shoppers, with its 95 % interval (ratio estimator)."""
    base = float(control.mean())
    if base == 0.0:
        return Estimate(None, len(control))
    ratio = float(treated.mean()) / base
    error = float((treated - ratio * control).std(ddof=1)) / base / math.sqrt(len(control))
    return Estimate(ratio - 1, len(control), ratio - 1 - Z95 * error, ratio - 1 + Z95 * error)


def paired_slope(treated: Values, control: Values, delay_s: float) -> Estimate:
    """Return what each second of delay added, over shoppers of whom both values are known."""
    added = (treated - control)[~np.isnan(treated - control)] / delay_s
    middle, error = float(added.mean()), float(added.std(ddof=1)) / math.sqrt(len(added))
    return Estimate(middle, len(added), middle - Z95 * error, middle + Z95 * error)


def share_change(hits: float, n: float, base_hits: float, base_n: float) -> Estimate:
    """Return one share over another − 1, of different visits, with the interval of the logarithm of a risk ratio.

    Katz and others 1978. None where a share has no hit.
    """
    if min(hits, base_hits) <= 0:
        return Estimate(None, int(n))
    ratio = hits / n / (base_hits / base_n)
    error = math.sqrt(1 / hits - 1 / n + 1 / base_hits - 1 / base_n)
    return Estimate(ratio - 1, int(n), ratio * math.exp(-Z95 * error) - 1, ratio * math.exp(Z95 * error) - 1)
