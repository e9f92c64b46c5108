"""Charts as dashboards of real shoppers draw them, from single visits: by landing page, and by the visit's average."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.analysis.estimates import Estimate, wilson
from simulator.analysis.influence import mean_of
from simulator.analysis.metrics import METRICS, Sample, matching, sample
from simulator.analysis.plateau import isotonic, knee
from simulator.study.speed_findings import Bin, Binned, Plateau, Rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

    Floats = NDArray[np.float64]

US = 1e6
EDGES_S = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0)
"""Load times at which bins begin; the last has no end."""
STEP_S = 0.5
MOST_COLUMNS = 40
SHOWN = ("bounce", "pages", "engaged_time", "wall_time", "ga_time", "conversion")
PLATEAU_METRIC = "bounce"
SAMPLE = 20_000
"""Visits behind the plateau's bootstrap; all where there are fewer."""
MOST_PAGES = 20


def loads_s(run: Run, by: Literal["landing", "average"]) -> Floats:
    """Return the load time by which each counted visit of control is binned; NaN where it was never seen."""
    here = matching(run, "visits", {}) & run.counted
    if by == "landing":
        return run.visits.numbers("landing_load_us")[here] / US
    # What a dashboard averages: the waits of all pages of the visit.
    average: Floats = run.visits.numbers("waited_us")[here] / US / np.maximum(run.visits.numbers("pages")[here], 1.0)
    return average


def binned(run: Run, by: Literal["landing", "average"]) -> Binned | None:
    """Return the chart; None where no visit has a load time."""
    load_s = loads_s(run, by)
    known = load_s[~np.isnan(load_s)]
    if not len(known):
        return None
    samples = {name: sample(run, METRICS[name]) for name in SHOWN}
    edges = histogram_edges(known)
    counts = np.histogram(known, edges)[0]
    ends = [*(edge for edge in EDGES_S if edge <= known.max()), float("inf")]
    codes = np.searchsorted(ends, load_s, side="right") - 1  # what was never seen (NaN) comes after the last
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(ends)))
    rows = [order[first:last] for first, last in pairwise(starts)]
    bins = [_bin(samples, load_s, here, *span) for here, span in zip(rows, pairwise(ends), strict=True)]
    return Binned(
        by,
        tuple(edges.tolist()),
        tuple(counts.tolist()),
        tuple(one for one in bins if one.visits),
        int(np.isnan(load_s).sum()),
        _slopes(load_s, samples),
    )


def histogram_edges(known_s: Floats) -> Floats:
    """Return edges in steps of half a second, up to where nearly all visits are."""
    last = min(MOST_COLUMNS, max(4, int(np.ceil(np.quantile(known_s, 0.985) / STEP_S))))
    return (np.arange(last + 1) * STEP_S).astype(np.float64)


def _bin(samples: dict[str, Sample], load_s: Floats, here: NDArray[np.int64], low: float, high: float) -> Bin:
    found = {
        name: one.only(here).share() if METRICS[name].kind == "share" else one.only(here).mean(METRICS[name].least)
        for name, one in samples.items()
    }
    middle = float(np.median(load_s[here])) if len(here) else low
    return Bin(low, high, middle, len(here), found)


def _slopes(load_s: Floats, samples: dict[str, Sample]) -> dict[str, Estimate]:
    """Return the slope of each metric; loads slower than 98 of 100 count as that, for a few could turn the line."""
    known = ~np.isnan(load_s)
    x = load_s[known]
    x = np.minimum(x, np.quantile(x, 0.98))
    return {name: slope(x, one.values[known], one.clusters[known]) for name, one in samples.items()}


def slope(x: Floats, y: Floats, clusters: NDArray[np.int64]) -> Estimate:
    """Return the change in `y` a unit of `x` of the straight line by least squares, in parts of the mean of `y`.

    All arrays are (n,); the interval is by shopper (`clusters`).
    """
    middle_x, middle_y, spread = float(x.mean()), float(y.mean()), float(x.var())
    if len(y) < 3 or spread <= 0 or not middle_y:
        return Estimate(None, len(y))
    apart_x, apart_y = x - middle_x, y - middle_y
    line = float((apart_x * apart_y).mean()) / spread
    # The influence of each visit on the line and on the mean; their ratio by the delta method.
    moved = apart_x * (apart_y - line * apart_x) / spread
    made = mean_of((moved - line * apart_y / middle_y) / middle_y, clusters).estimate()
    half = 0.0 if made.high is None or made.value is None else made.high - made.value
    value = line / middle_y
    return Estimate(value, len(y), value - half, value + half)


def plateau(run: Run, chart: Binned | None, seed: int = 0) -> Plateau | None:
    """Return where bounce stops to rise with the landing page's load time; None without enough visits.

    `chart` is that of the same visits by landing page.
    """
    load_s, found = loads_s(run, "landing"), sample(run, METRICS[PLATEAU_METRIC])
    known = np.flatnonzero(~np.isnan(load_s))
    if chart is None or len(known) < 200:
        return None
    if len(known) > SAMPLE:
        known = np.sort(np.random.default_rng(seed).choice(known, SAMPLE, replace=False))
    x, y, who = load_s[known], found.values[known], found.clusters[known]
    kept = x <= np.quantile(x, 0.98)
    x, y, who = x[kept], y[kept], who[kept]
    try:
        curve, bend = isotonic(x, y, who), knee(x, y, who)
    except ArithmeticError:
        return None
    places = np.unique(np.linspace(0, len(curve.load_s) - 1, 80).astype(int))
    shown = [one for one in chart.bins if one.middle_s <= x.max()]
    return Plateau(
        PLATEAU_METRIC,
        tuple(one.middle_s for one in shown),
        tuple(one.metrics[PLATEAU_METRIC] for one in shown),
        tuple(curve.load_s[places].tolist()),
        tuple(curve.value[places].tolist()),
        bend.knee_s,
        bend.bends,
    )


def leaving_by_page(run: Run) -> tuple[Rate, ...]:
    """Return the share of visits that ended on their first, second, … page, of those that got there."""
    here = matching(run, "visits", {}) & run.finished
    pages = run.visits.integers("pages")[here]
    counts = np.bincount(pages, minlength=2)[1 : MOST_PAGES + 1]
    at_risk = len(pages) - np.concatenate([[0], counts.cumsum()[:-1]])
    rates = []
    for page, (ended, there) in enumerate(zip(counts.tolist(), at_risk.tolist(), strict=True), 1):
        if there > 0:
            rates.append(Rate(float(page), Estimate(ended / there, there, *wilson(ended / there, there))))
    return tuple(rates)


def middle_s(chart: Binned) -> float:
    """Return the median load time behind a chart, from its histogram."""
    half, run = sum(chart.counts) / 2, 0.0
    for place, count in enumerate(chart.counts):
        if count and run + count >= half:
            left, right = chart.edges_s[place], chart.edges_s[place + 1]
            return left + (right - left) * (half - run) / count
        run += count
    return chart.edges_s[-1]
