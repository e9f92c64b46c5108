"""What the counted pages come to: parts of LCP by cohort, the field's bounds, distributions, rates of leaving."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv

from simulator.analysis.estimates import TAIL, Estimate
from simulator.page.parts import LCP_PARTS
from simulator.study.speed_findings import Cohort, Rate, Spread, Vitals
from simulator.study.speed_pages import WAIT_CELLS, WAIT_STEP_S, Cells, ends_of_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.study.speed_findings import LcpPart
    from simulator.study.speed_pages import Pages

    Floats = NDArray[np.float64]

GOOD_LCP_S, POOR_LCP_S = 2.5, 4.0
"""The field's bounds of good and poor LCP (web.dev/articles/lcp)."""
APDEX_S = 2.5
"""Satisfied up to here, tolerating up to four times as much (Apdex 1.1); a convention, no finding."""
CRUX = (
    ("sites with good LCP", (0.60, 0.35, 0.16, 0.23)),
    ("sites between", (1.36, 0.72, 0.27, 0.31)),
    ("sites with poor LCP", (2.27, 1.29, 0.35, 0.36)),
)
"""Medians over mobile origins of the p75 of each part, by the origin's LCP (HTTP Archive's Web Almanac 2025, CrUX)."""
CRUX_SITES = (("good", 0.62), ("in need of work", 0.25), ("poor", 0.13))
"""Mobile origins by the p75 of their LCP, the shares by those bounds (HTTP Archive's Web Almanac 2025, CrUX)."""
CRUX_SOURCE = "CrUX in the Web Almanac 2025: medians over origins of the p75 of each part"
COHORTS = ("network", "tier", "page")
VITALS = ("all", "persona", "network", "tier")
WAIT_EDGES_S = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)


def cohorts(pages: Pages) -> tuple[Cohort, ...]:
    """Return mean parts of LCP by network, device tier and page, and what the field has; none without page cards."""
    found = [
        Cohort(label, cells.names[group], int(cells.with_parts[group]), _named(cells.parts_s[group] / count))
        for label in COHORTS
        for cells in (pages.by[label],)
        for group, count in enumerate(cells.with_parts)
        if count
    ]
    references = [Cohort("reference", name, 0, _named(np.array(parts)), CRUX_SOURCE) for name, parts in CRUX]
    return (*found, *references) if found else ()


def _named(parts_s: Floats) -> dict[LcpPart, float]:
    return {name: float(seconds) for name, seconds in zip(LCP_PARTS, parts_s, strict=True)}  # type: ignore[misc]


def vitals(pages: Pages) -> tuple[Vitals, ...]:
    """Return shares within the field's bounds, quantiles and Apdex, of all pages and by group; groups by size."""
    return tuple(one for label in VITALS for one in _vitals(label, pages.by[label]))


def _vitals(label: str, cells: Cells) -> Iterator[Vitals]:
    ends, counts = ends_of_cells(), cells.pages
    for group in sorted(range(len(cells.names)), key=lambda place: -counts[place]):
        n = int(counts[group])
        if not n:
            continue
        curve = share_by(cells, group)
        p50, p75, p95 = (_at(ends, curve, q) for q in (0.5, 0.75, 0.95))
        good, poor = _by(ends, curve, GOOD_LCP_S), 1.0 - _by(ends, curve, POOR_LCP_S)
        satisfied, tolerating = _by(ends, curve, APDEX_S), _by(ends, curve, 4 * APDEX_S)
        known = int(cells.with_parts[group])
        yield Vitals(
            label, cells.names[group], n, p50, p75, p95, good, poor, float(cells.good_fcp[group]) / n,
            float(cells.good_ttfb[group]) / known if known else None, satisfied + (tolerating - satisfied) / 2,
        )  # fmt: skip


def share_by(cells: Cells, group: int) -> Floats:
    """Return the share of pages loaded by the end of each cell.

    Pages that nobody waited for count as longer than the wait (Kaplan & Meier 1958, on the grid).
    """
    seen, unseen = cells.seen[group].astype(np.float64), cells.unseen[group]
    left = (seen + unseen)[::-1].cumsum()[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        stay = np.where(left > 0, 1.0 - seen / left, 1.0)
    return (1.0 - np.cumprod(stay)).astype(np.float64)


def _at(ends: Floats, curve: Floats, q: float) -> float | None:
    place = int(np.searchsorted(curve, q - 1e-12))
    return float(ends[place]) if place < len(ends) else None


def _by(ends: Floats, curve: Floats, seconds: float) -> float:
    """Return the share loaded by so many seconds, between two cells in proportion."""
    return float(np.interp(seconds, ends, curve))


def spreads(pages: Pages, points: int = 120) -> tuple[Spread, ...]:
    """Return the distribution of LCP of all pages and of each network, thinned to about `points`."""
    ends = ends_of_cells()
    made = []
    for label in ("all", "network"):
        cells = pages.by[label]
        for group, n in enumerate(cells.pages):
            if n:
                curve = share_by(cells, group)
                inside = np.flatnonzero((curve > 0.0) & (curve < 0.999))
                kept = inside[:: max(1, len(inside) // points)]
                name = "all pages" if label == "all" else cells.names[group]
                made.append(Spread(name, int(n), tuple(ends[kept].tolist()), tuple(curve[kept].tolist())))
    return tuple(made)


def leaving_by_wait(pages: Pages) -> dict[str, tuple[Rate, ...]]:
    """Return how fast shoppers leave while they wait, a second, by how long they have waited; all, then by persona."""
    order = sorted(range(len(pages.personas)), key=lambda place: -int(pages.waits[place].sum()))
    groups = {"all": np.arange(len(pages.personas)), **{pages.personas[p]: np.array([p]) for p in order}}
    rates = {name: _rates(pages, places) for name, places in groups.items()}
    return {name: found for name, found in rates.items() if found}


def _rates(pages: Pages, places: NDArray[np.int64]) -> tuple[Rate, ...]:
    """Return rates in stretches of waiting: departures over seconds waited there, with exact Poisson limits."""
    counts, sums, left = (part[places].sum(axis=0) for part in (pages.waits, pages.waited_s, pages.left))
    above = counts[::-1].cumsum()[::-1] - counts
    starts = np.arange(WAIT_CELLS + 1) * WAIT_STEP_S
    exposed_s = sums - counts * starts + above * WAIT_STEP_S
    exposed_s[-1] = 0.0
    made = []
    for low, high in pairwise(WAIT_EDGES_S):
        here = slice(int(low / WAIT_STEP_S), int(high / WAIT_STEP_S))
        at_risk = int(counts[here.start :].sum())
        seconds, gone = float(exposed_s[here].sum()), int(left[here].sum())
        if seconds > 0 and at_risk:
            made.append(Rate((low + high) / 2, poisson_rate(gone, seconds, at_risk)))
    return tuple(made)


def poisson_rate(events: int, exposure: float, n: int) -> Estimate:
    """Return a rate of events with its exact 95 % limits (Garwood 1936)."""
    low = float(gammaincinv(events, TAIL)) / exposure if events else 0.0
    return Estimate(events / exposure, n, low, float(gammaincinv(events + 1, 1 - TAIL)) / exposure)
