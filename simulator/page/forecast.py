"""A prediction as people need it: a figure, an interval around it, and the load behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from simulator.page.predict import METRICS, Conditions, Played, simulate, spread

if TYPE_CHECKING:
    from simulator.page.read import PageSource

LOW, HIGH = 0.1, 0.9
"""The interval is to hold 80 % of loads."""
RUNS = 33


class Interval(NamedTuple):
    """Seconds, and between what 80 % of loads should lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Forecast:
    """What is predicted of a page in some conditions; `typical` is the load that was nearest to all medians."""

    on: Conditions
    metrics: dict[str, Interval]
    load: int
    typical: Played


@cache
def calibration() -> dict[str, Any]:
    """Return what was fitted on the accuracy corpus's training pages: `stretch`, and by tier and metric the error.

    Errors are logarithms, and with `_s` seconds, each side.
    """
    found: dict[str, Any] = orjson.loads(files("simulator.page").joinpath("calibration.json").read_bytes())
    return found


def fitted(on: Conditions) -> Conditions:
    """Return the conditions with the processor's slowdown as it was found to stretch work."""
    stretch = calibration()["stretch"]
    return replace(on, cpu=stretch["factor"] * math.pow(on.cpu, stretch["exponent"]))


def forecast(source: PageSource, on: Conditions, runs: int = RUNS) -> Forecast:
    """Return the prediction for a page; `on.cpu` is the device's slowdown against a fast desktop."""
    here = fitted(replace(on, cpu=max(on.cpu * source.speed, 1e-3)))
    each = [spread(graph, here, runs) for graph in source.graphs]
    together = {name: np.concatenate([one[name] for one in each]) for name in METRICS}
    metrics = {name: _interval(together[name], source.tier, name) for name in METRICS}
    middles = [sum(abs(math.log(np.median(one[name]) / metrics[name].value)) for name in METRICS) for one in each]
    best = int(np.argmin(middles))
    return Forecast(on, metrics, best, simulate(source.graphs[best], here))


def _interval(found: Any, tier: str, name: str) -> Interval:  # noqa: ANN401 - an array
    """Return the median, with the spread of the runs and the model's own error on the training pages around it.

    That error has a part in proportion, which decides on slow networks, and one in seconds, which does on fast ones.
    """
    value = float(np.median(found))
    error = calibration()["error"][tier][name]
    least, most = (math.log(float(np.quantile(found, share)) / value) for share in (LOW, HIGH))
    low = -math.hypot(least, error["low"], error["low_s"] / value)
    high = math.hypot(most, error["high"], error["high_s"] / value)
    return Interval(value, value * math.exp(low), value * math.exp(high))
