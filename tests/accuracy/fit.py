"""What is fitted on the training templates: how work stretches, and the error that is left."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np
from cells import on
from measure import METRICS

import simulator.page.forecast as forecasting
from simulator.page.predict import Conditions, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cells import Cell

    from simulator.page.read import PageSource

FACTORS = tuple(round(0.6 + 0.2 * step, 2) for step in range(13))
EXPONENTS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
FIT_RUNS = 3
LEAST_ERROR = 0.01
ERRORS_S = tuple(round(0.005 * step, 3) for step in range(61))
"""Errors that are tried: as a share at least, and in seconds."""
JUDGED = ("fcp", "lcp", "load")


def fit(cells: Sequence[Cell], pages: dict[str, dict[str, PageSource]], *, trusted: bool) -> dict[str, Any]:
    """Return the calibration that the training cells give: how work stretches, and the error that is left.

    Loads that were disturbed are not `trusted` to say how work stretches: then that part stays as it is.
    """
    train = [cell for cell in cells if not cell.held_out]

    def loss(factor: float, exponent: float) -> float:
        errors = []
        for cell in train:
            here = Conditions(**vars(on(cell)) | {"cpu": factor * cell.cpu**exponent})
            seconds = [spread(graph, here, FIT_RUNS) for graph in pages["T3"][cell.page].graphs]
            errors += [abs(math.log(np.median([one[m] for one in seconds]) / cell.truth[m])) for m in JUDGED]
        return mean(errors)

    factor, exponent = forecasting.calibration()["stretch"].values()
    for _ in range(2 if trusted else 0):  # one after the other: both are smooth, and nearly independent
        factor = min(FACTORS, key=lambda value: loss(value, exponent))
        exponent = min(EXPONENTS, key=lambda value: loss(factor, value))
    found: dict[str, Any] = {"stretch": {"factor": factor, "exponent": exponent}, "error": {}}
    none = {name: dict.fromkeys(("low", "low_s", "high", "high_s"), 0.0) for name in METRICS}
    with_calibration(found | {"error": dict.fromkeys(pages, none)})
    for tier, of_page in pages.items():
        found["error"][tier] = _errors(train, of_page)
    return found


def with_calibration(found: dict[str, Any]) -> None:
    """Let forecasts use this calibration."""
    forecasting.calibration = lambda: found  # type: ignore[assignment]


def _errors(train: Sequence[Cell], of_page: dict[str, PageSource]) -> dict[str, dict[str, float]]:
    """Return by metric what intervals need besides the spread of runs to hold 80 % of single loads, each side.

    Forecasts must be without errors meanwhile, so that their intervals are that spread alone; both go together as
    independent errors do (`simulator.page.forecast`).
    """
    below: dict[str, list[tuple[float, float]]] = defaultdict(list)
    above: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for cell in train:
        for name, one in forecasting.forecast(of_page[cell.page], on(cell)).metrics.items():
            for run in cell.runs[name]:
                below[name].append((one.value, _missing(math.log(one.value / run), math.log(one.value / one.low))))
                above[name].append((one.value, _missing(math.log(run / one.value), math.log(one.high / one.value))))
    return {name: _side("low", below[name]) | _side("high", above[name]) for name in METRICS}


def _missing(apart: float, reach: float) -> float:
    """Return what must be added to a reach, as independent errors are, to come as far as a load lies apart."""
    return math.sqrt(max(apart, reach) ** 2 - reach**2)


def _side(side: str, loads: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return an error in proportion and one in seconds with which all but one in ten loads lie within a side.

    `loads` are predicted seconds, and what is missing. Of all such pairs it is the one that holds as many loads among
    the slower half of predictions as among the faster one. No pair is that holds more than nine in ten with its seconds
    alone.
    """
    value_s, missing = np.array(loads).T
    fast = value_s <= np.median(value_s)

    def pair(seconds: float) -> tuple[float, float]:
        left = np.sqrt(np.maximum(missing**2 - (seconds / value_s) ** 2, 0.0))
        share = float(np.quantile(left, forecasting.HIGH))
        held = left <= share
        return abs(float(held[fast].mean() - held[~fast].mean())), share

    pairs = {seconds: pair(seconds) for seconds in ERRORS_S}
    able = [seconds for seconds, (_, share) in pairs.items() if share > LEAST_ERROR] or ERRORS_S[:1]
    best_s = min(able, key=lambda seconds: pairs[seconds][0])
    return {side: round(max(pairs[best_s][1], LEAST_ERROR), 3), f"{side}_s": best_s}
