"""What visits came to: bounce, pages, the four session lengths, conversion, causes of leaving, the funnel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.estimates import Estimate, distinct, share
from simulator.analysis.frames import among
from simulator.analysis.metrics import LEAVING, METRICS, VISIT_LABELS, labels_of, matching, rows_of, sample
from simulator.model.schema import SITUATIONS, TECHNOLOGIES, TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simulator.analysis.frames import Frame
    from simulator.analysis.metrics import Rows
    from simulator.analysis.runs import Run
    from simulator.analysis.words import Kind

HEADLINE = ("bounce", "pages", "engaged_time", "wall_time", "ga_time", "conversion", "cart_abandonment")
"""The metrics every group of visits is described by."""
COLUMNS = 24
"""Stretches in the histogram of a session length."""
LENGTHS = ("engaged_time", "wall_time", "pages", "ga_time")
"""The four definitions of session length."""
FUNNEL = (
    ("saw a product", "product"),
    ("put something into the cart", "add_to_cart"),
    ("reached checkout", "checkout"),
    ("reached payment", "payment"),
    ("ordered", "purchase"),
)
"""Steps of the funnel and the page that counts for each, once it loaded without error."""
ORDER = {"network": TECHNOLOGIES, "tier": TIERS, "situation": SITUATIONS}
"""Labels with an order of their own; the others go by number of visits."""


@dataclass(frozen=True, slots=True)
class Group:
    """Visits that share a label: how many, of how many shoppers, how many were cut, and each headline metric."""

    name: str
    visits: int
    ongoing: int
    shoppers: int
    metrics: dict[str, Estimate]
    causes: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Spread:
    """One definition of session length: mean with interval, quantiles of single visits, and how they spread.

    `counts` are visits in equal stretches of `span`, which ends at the 95 % quantile.
    """

    metric: str
    mean: Estimate
    median: float | None
    p90: float | None
    span: tuple[float, float]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the funnel: visits that got there, as a share of all and of the step before."""

    name: str
    visits: int
    of_all: Estimate
    of_previous: Estimate


def measure(run: Run, metric: str, where: Mapping[str, str] | None = None) -> Estimate:
    """Return the mean or share of one metric of visits, in its own unit."""
    found = sample(run, METRICS[metric], where)
    return found.share() if METRICS[metric].kind == "share" else found.mean(METRICS[metric].least)


def group(run: Run, name: str, where: Mapping[str, str] | None = None) -> Group:
    """Return what the visits with these labels came to."""
    rows = rows_of(run, "visits", where or {})
    finished = run.finished[rows]
    return Group(
        name,
        len(finished),
        int((~finished).sum()),
        distinct(run.visits.integers("shopper")[rows]),
        {metric: measure(run, metric, where) for metric in HEADLINE},
        {cause: measure(run, f"left_{cause}", where) for cause in LEAVING},
    )


def groups(run: Run, label: str) -> list[Group]:
    """Return the visits of each value of a label that occurs; labels without an order of their own by size."""
    counts = labels_of(run, "visits", label).take(rows_of(run, "visits", {})).counts()
    if label == "arm":
        names = [name for name in run.manifest.arms if labels_of(run, "visits", "arm").are(name).any()]
    else:
        order = ORDER.get(label)
        names = [n for n in order if n in counts] if order else sorted(counts, key=lambda n: (-counts[n], n))
    return [group(run, name, {label: name}) for name in names]


def all_groups(run: Run) -> dict[str, list[Group]]:
    """Return `groups` of every label."""
    return {label: groups(run, label) for label in VISIT_LABELS}


def lengths(run: Run) -> list[Spread]:
    """Return the four session lengths side by side."""
    spreads = []
    for metric in LENGTHS:
        found, kind = sample(run, METRICS[metric]), METRICS[metric].kind
        middle, high, most = (estimate.value for estimate in found.quantiles((0.5, 0.9, 0.95)))
        edges = _edges(kind, most or 1.0)
        counts = tuple(map(int, np.histogram(found.values, edges)[0]))
        spreads.append(Spread(metric, found.mean(METRICS[metric].least), middle, high, (edges[0], edges[-1]), counts))
    return spreads


def _edges(kind: Kind, most: float) -> list[float]:
    """Return the edges of a histogram up to `most`: of equal stretches, or round each whole number of a count."""
    if kind == "count":
        return [count + 0.5 for count in range(max(1, int(most)) + 1)]
    return [most * index / COLUMNS for index in range(COLUMNS + 1)]


def funnel(run: Run) -> list[Step]:
    """Return how many visits got to each step; steps count where their page loaded, in any order."""
    base = matching(run, "visits", {}) & run.counted
    shopper, weights = run.visits.integers("shopper")[base], run.visit_weights[base]
    steps, previous = [], np.ones(len(shopper), np.bool_)
    for name, page in FUNNEL:
        reached = _reached(run, page)[base]
        onward = share(reached[previous], shopper[previous], weights[previous])
        steps.append(Step(name, int(reached.sum()), share(reached, shopper, weights), onward))
        previous = reached
    return steps


def _reached(run: Run, page: str) -> NDArray[np.bool_]:
    """Return, for each visit, whether one of its events was such a page, usable before the shopper left."""
    here = arrived(run.events, page)
    return among(visit_keys(run, "visits"), visit_keys(run, "events", here))


def arrived(events: Frame, page: str) -> NDArray[np.bool_]:
    """Return which events are such a page, usable before the shopper left."""
    here = events.labels("page").are(page) & events.flags("ok") & events.present("load_us")
    return here & ~events.labels("cause").are("impatient")


def visit_keys(run: Run, table: str, rows: Rows = slice(None)) -> NDArray[np.int64]:
    """Return a number for each row's (shopper, visit, arm), equal in both tables."""
    return keys_of(run.visits if table == "visits" else run.events, run.manifest.arms, rows)


def keys_of(frame: Frame, arms: Sequence[str], rows: Rows = slice(None)) -> NDArray[np.int64]:
    """Return a number for the (shopper, visit, arm) of each of `rows`, given the names of the run's arms."""
    labels = frame.labels("arm")
    known = [*arms, *sorted(set(labels.names) - set(arms))]
    arm = np.array([known.index(name) for name in labels.names], np.int64)[labels.codes[rows]]
    numbers: NDArray[np.int64] = frame.integers("shopper")[rows] << 22
    numbers |= frame.integers("visit")[rows] << 6
    numbers |= arm
    return numbers
