"""Three typical visits, page by page: one of middling length, one that ordered, one that waiting ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.metrics import matching
from simulator.analysis.runs import chunks_of
from simulator.analysis.visits import keys_of
from simulator.journey.arms import CONTROL
from simulator.study.speed_findings import Journey, SeenPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

US = 1e6
COLUMNS = ("shopper", "visit", "arm", "step", "page", "waited_us", "think_us")
MOST_PAGES = 14
"""Longer visits are no good to look at."""


def journeys(run: Run, arms: Sequence[str]) -> tuple[Journey, ...]:
    """Return the visits that `choose` picks, each in every arm that it was played in; events are read in chunks."""
    chosen = choose(run, arms)
    visits = run.visits
    who, number = visits.integers("shopper")[chosen], visits.integers("visit")[chosen]
    arm_ok = np.any([visits.labels("arm").are(arm) for arm in arms], axis=0) if run.base_arm else _all(run)
    rows = [
        row
        for shopper, visit in zip(who.tolist(), number.tolist(), strict=True)
        for row in _in_order(run, shopper, visit, arm_ok, arms)
    ]
    keys = keys_of(visits, run.manifest.arms)
    pages = _pages(run, keys[rows])
    return tuple(_journey(run, row, pages.get(int(keys[row]), ())) for row in rows if int(keys[row]) in pages)


def _all(run: Run) -> NDArray[np.bool_]:
    return np.ones(len(run.visits), np.bool_)


def _in_order(run: Run, shopper: int, visit: int, arm_ok: NDArray[np.bool_], arms: Sequence[str]) -> Iterable[int]:
    here = (run.visits.integers("shopper") == shopper) & (run.visits.integers("visit") == visit) & arm_ok
    names = run.visits.labels("arm")
    order = {arm: place for place, arm in enumerate(arms)}
    return sorted(np.flatnonzero(here).tolist(), key=lambda row: order.get(names.names[names.codes[row]], 0))


def choose(run: Run, arms: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of three visits of control: middling, one that ordered, and one that waiting cost pages.

    Each is the one nearest to the middle of its kind; where arms are of the same visits, the last is one that the
    slowest arm ended while waiting.
    """
    visits = run.visits
    base = matching(run, "visits", {}) & run.finished & (visits.numbers("pages") <= MOST_PAGES)
    several = base & (visits.numbers("pages") >= 3)
    ordered = base & (visits.numbers("orders") > 0)
    found: list[int] = []
    for kind in (several, ordered, _lost(run, arms, several)):
        row = _nearest(run, kind, found)
        if row is not None:
            found.append(row)
    return np.array(found, np.int64)


def _lost(run: Run, arms: Sequence[str], several: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of control's visits were ended by waiting in the slowest arm; without pairs, by waiting at all."""
    visits = run.visits
    left = visits.labels("cause").are("impatient")
    if run.base_arm is None or len(arms) < 2:
        return several & left
    names = list(run.manifest.arms)
    keys = keys_of(visits, names)
    slow = keys[left & visits.labels("arm").are(arms[-1])]
    return several & np.isin(keys - names.index(CONTROL), slow - names.index(arms[-1]))


def _nearest(run: Run, kind: NDArray[np.bool_], taken: Sequence[int]) -> int | None:
    """Return the row of the kind whose wall time is nearest to the kind's median, the first of several."""
    rows = np.setdiff1d(np.flatnonzero(kind), np.array(taken, np.int64))
    if not len(rows):
        return None
    wall = run.visits.numbers("wall_us")[rows]
    return int(rows[np.argmin(np.abs(wall - np.median(wall)))])


def _pages(run: Run, wanted: NDArray[np.int64]) -> dict[int, tuple[SeenPage, ...]]:
    """Return the pages of the wanted visits, in their order."""
    found: dict[int, list[tuple[int, SeenPage]]] = {}
    for frame in chunks_of(run, COLUMNS):
        keys = keys_of(frame, run.manifest.arms)
        rows = np.flatnonzero(np.isin(keys, wanted))
        names = frame.labels("page")
        step = frame.integers("step") if "step" in frame.columns else np.arange(len(frame))
        looked = frame.numbers("think_us") if "think_us" in frame.columns else np.zeros(len(frame))
        for row in rows.tolist():
            page = SeenPage(
                names.names[names.codes[row]], float(frame.numbers("waited_us")[row]) / US, float(looked[row]) / US
            )
            found.setdefault(int(keys[row]), []).append((int(step[row]), page))
    return {key: tuple(page for _, page in sorted(pages, key=lambda one: one[0])) for key, pages in found.items()}


def _journey(run: Run, row: int, pages: tuple[SeenPage, ...]) -> Journey:
    visits = run.visits
    labels = {name: visits.labels(name) for name in ("persona", "tier", "network", "arm", "cause", "country")}
    said = {name: column.names[column.codes[row]] for name, column in labels.items()}
    who = f"{said['persona']}, {said['tier']}-end phone, {said['network']}, {said['country']}"
    arm = said["arm"] if run.base_arm is not None else CONTROL
    shopper, visit, orders = (int(visits.integers(name)[row]) for name in ("shopper", "visit", "orders"))
    return Journey(shopper, visit, who, arm, said["cause"], orders, pages)
