"""What a vendor's dashboard would draw of the same shoppers, beside what speed does to them, and the gap taken apart.

The charts have everything that real ones have: people on bad links and cheap phones want less, bots come, beacons are
lost, and who left before a page loaded has no load time. How much of each is assumed; that is stated with the result.
Data that is generated has none of it: here it is laid over the crowd world, whose own visits stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from simulator.analysis.estimates import NOTHING, Estimate, mean, share
from simulator.analysis.speed import EDGES_S, ENOUGH, Bin
from simulator.model.faults import COMMAND_LINE, Fault, FileFaults
from simulator.study.decomposition import Decomposition, decompose
from simulator.study.observed_scene import AXES, US, Axis, Confounding, Scene, binned, load_of
from simulator.worlds.confounded import VIEW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.scenario.load import Scenario

__all__ = ["AXES", "METRICS", "NOTHING_LOST", "Axis", "Chart", "Confounding", "Observed", "Telemetry", "observed_view"]

METRICS = ("bounce", "pages", "engaged_time", "wall_time", "ga_time", "conversion")
"""What the charts show; units as in `analysis.metrics`."""
LEAST = {"pages": 1.0}
_SHARES = frozenset({"bounce", "conversion"})
_COLUMNS = {"pages": "pages", "engaged_time": "engaged_us", "wall_time": "wall_us", "ga_time": "ga_us"}


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What measuring does to the data (all assumed).

    `lost_early` is the share of visits left before the landing page was usable that send nothing. `bots` come for
    each visit; they see one page, which takes a log-normal time of this median and sigma.
    """

    lost_early: float = 0.5
    bots: float = 0.05
    bot_load_s: float = 0.6
    bot_sigma: float = 0.5


NOTHING_LOST = Telemetry(lost_early=0.0, bots=0.0)
"""Measuring that sees every visit and nobody else; who has no load time is in no bin all the same."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart by load time. One by a session's `average` load is biased by construction, and must say so."""

    axis: Axis
    biased: bool
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """The charts, the causal curve at the same load times, and the gap between them.

    `charts` are by axis; `load_s` is how fast landings of each bin are, `causal` what each metric would be were
    everybody that fast. `lost` visits sent nothing, `unseen` ones more had no load time; `bots` are in the charts.
    """

    visits: int
    bots: int
    lost: int
    unseen: int
    confounding: Confounding
    telemetry: Telemetry
    charts: dict[Axis, Chart]
    load_s: tuple[float, ...]
    causal: dict[str, tuple[Estimate, ...]]
    decompositions: tuple[Decomposition, ...]

    def decomposition(self, metric: str, axis: Axis = "landing") -> Decomposition:
        """Return the decomposition of a metric on an axis."""
        return next(one for one in self.decompositions if (one.metric, one.axis) == (metric, axis))


def observed_view(
    scenario: Scenario,
    *,
    confounding: Confounding | None = None,
    telemetry: Telemetry | None = None,
    shoppers: int | None = None,
) -> Observed:
    """Return what would be observed of a scenario's shoppers, and what is true of them.

    `shoppers` replaces the scenario's number. Raises `FileFaults` for correlations or shares that cannot be.
    """
    confounding, telemetry = confounding or Confounding(), telemetry or Telemetry()
    if found := [*_faults(confounding, telemetry)]:
        raise FileFaults(found)
    scene = Scene.of(scenario, scenario.spec.shoppers if shoppers is None else shoppers)
    edges = (*EDGES_S, math.inf)
    load_us = scene.speeds(edges)
    true = [scene.play(confounding, landing_us=speed) for speed in load_us]
    apart = [scene.play(Confounding(n, d, confounding.strength)) for n, d in ((0.0, 0.0), (confounding.network, 0.0))]
    seen = scene.play(confounding)
    stages = list(_stages(apart, seen, telemetry))
    last = stages[-1]
    decompositions = [_decomposition(axis, metric, true, stages, edges) for axis in AXES for metric in METRICS]
    early = seen["unseen"] == 1
    lost = int((early & (seen["lost_u"] < telemetry.lost_early)).sum())
    return Observed(
        len(seen),
        len(stages[3]) - len(seen),
        lost,
        int(early.sum()) - lost,
        confounding,
        telemetry,
        {axis: Chart(axis, axis == "average", chart_bins(last, axis, edges)) for axis in AXES},
        tuple(speed / US for speed in load_us),
        {metric: tuple(figure(rows, metric) for rows in true) for metric in METRICS},
        tuple(decompositions),
    )


def _stages(apart: list[NDArray[Any]], seen: NDArray[Any], telemetry: Telemetry) -> Iterator[NDArray[Any]]:
    """Yield the rows of each stage after the causal one; averaging changes only the axis."""
    yield from apart
    yield seen
    with_bots = np.concatenate([seen, bots_of(seen, telemetry)])
    yield with_bots
    heard = with_bots[(with_bots["unseen"] == 0) | (with_bots["lost_u"] >= telemetry.lost_early)]
    yield heard
    yield heard[heard["unseen"] == 0]


def _decomposition(
    axis: Axis, metric: str, true: list[NDArray[Any]], stages: list[NDArray[Any]], edges: tuple[float, ...]
) -> Decomposition:
    """Return the decomposition of a metric; before averaging is let in, charts are by landing load."""
    curves: list[list[Fraction | None]] = [[exact(rows, metric) for rows in true]]
    axes: tuple[Axis, ...] = ("landing", "landing", "landing", axis, axis, axis, axis)
    rows = (*stages[:3], stages[2], *stages[3:])
    counts = np.inf * np.ones(len(edges) - 1)
    for one, on in zip(rows, axes, strict=True):
        bins = binned(one, on, edges)
        counts = np.minimum(counts, [len(part) for part in bins])
        curves.append([exact(part, metric) for part in bins])
    enough = np.flatnonzero(counts >= ENOUGH)
    return decompose(axis, metric, int(enough[0]) if len(enough) else 0, curves)


def chart_bins(rows: NDArray[Any], axis: Axis, edges: tuple[float, ...]) -> tuple[Bin, ...]:
    """Return the bins of a chart, empty ones too, each with every metric."""
    found = []
    for number, part in enumerate(binned(rows, axis, edges)):
        middle = float(np.median(load_of(part, axis))) if len(part) else None
        metrics = {metric: figure(part, metric) for metric in METRICS}
        found.append(Bin(edges[number], edges[number + 1], len(part), middle, metrics))
    return tuple(found)


def _values(rows: NDArray[Any], metric: str) -> tuple[NDArray[np.int64], int]:
    """Return (whole numbers, what one of the metric's unit counts in them)."""
    if metric in _SHARES:
        return (rows["pages"] == 1 if metric == "bounce" else rows["orders"] > 0).astype(np.int64), 1
    return rows[_COLUMNS[metric]], 1 if metric == "pages" else US


def figure(rows: NDArray[Any], metric: str) -> Estimate:
    """Return a metric's mean or share with its interval, clustered by shopper."""
    if not len(rows):
        return NOTHING
    values, unit = _values(rows, metric)
    if metric in _SHARES:
        return share(values > 0, rows["shopper"])
    return mean(values / unit, rows["shopper"], LEAST.get(metric, 0.0))


def exact(rows: NDArray[Any], metric: str) -> Fraction | None:
    """Return a metric's mean as a fraction; None of no rows."""
    values, unit = _values(rows, metric)
    return Fraction(int(values.sum()), len(rows) * unit) if len(rows) else None


def bots_of(rows: NDArray[Any], telemetry: Telemetry) -> NDArray[Any]:
    """Return the bots that come with these visits: one page each, fast, seen, and nobody's."""
    with_bot = rows[rows["bot_u"] < telemetry.bots]
    bots = np.zeros(len(with_bot), VIEW)
    loads_s = telemetry.bot_load_s * np.exp(telemetry.bot_sigma * norm.ppf(with_bot["bot_v"]))
    bots["landing_us"] = bots["loads_us"] = np.round(US * loads_s)
    bots["pages"], bots["lost_u"] = 1, 1.0
    bots["shopper"] = -1 - np.arange(len(bots))
    return bots


def _faults(confounding: Confounding, telemetry: Telemetry) -> Iterator[Fault]:
    """Yield what cannot be."""
    shares = {"lost_early": telemetry.lost_early, "bots": telemetry.bots}
    for name, value in shares.items():
        if not 0 <= value <= 1:
            yield Fault(COMMAND_LINE, 0, name, f"is {value:g}", "must be a share from 0 to 1")
    for name, value in (("bot_load_s", telemetry.bot_load_s), ("bot_sigma", telemetry.bot_sigma)):
        if not (math.isfinite(value) and value > 0):
            yield Fault(COMMAND_LINE, 0, name, f"is {value:g}", "must be above 0")
    if not math.isfinite(confounding.strength):
        yield Fault(COMMAND_LINE, 0, "strength", f"is {confounding.strength:g}", "must be a number")
    total = confounding.network**2 + confounding.device**2
    if not total <= 1:
        found = f"are {confounding.network:g} and {confounding.device:g}"
        yield Fault(COMMAND_LINE, 0, "correlations of network and device", found, "their squares must sum to 1 at most")
