"""How long pages took, by page, network and persona: quantiles with their sample sizes, never an average alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.metrics import METRICS, labels_of, matching, rows_of, sample
from simulator.model.schema import TECHNOLOGIES
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.runs import Run

STRIP = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}
"""The quantiles of a strip."""
BRIEF = {"p50": 0.5, "p75": 0.75, "p95": 0.95}
"""The quantiles of a table's row."""
ORDER = {"page": STATE_NAMES, "network": TECHNOLOGIES}


@dataclass(frozen=True, slots=True)
class Cell:
    """Pages that share labels: `n` of them, `unseen` of which nobody waited for, and quantiles in seconds."""

    where: dict[str, str]
    n: int
    unseen: int
    quantiles: dict[str, Estimate]


def cell(run: Run, where: Mapping[str, str], wanted: Mapping[str, float]) -> Cell:
    """Return the load times of the pages with these labels."""
    found = sample(run, METRICS["load_time"], where)
    assert found.seen is not None
    quantiles = dict(zip(wanted, found.quantiles(wanted.values()), strict=True))
    return Cell(dict(where), len(found.values), int((~found.seen).sum()), quantiles)


def names(run: Run, label: str) -> list[str]:
    """Return the values of a label of pages that occur: in their own order where they have one, else by size."""
    counts = labels_of(run, "events", label).take(rows_of(run, "events", {})).counts()
    order: Sequence[str] = ORDER.get(label) or sorted(counts, key=lambda name: (-counts[name], name))
    return [name for name in order if name in counts]


def by(run: Run, *labels: str, wanted: Mapping[str, float] = BRIEF) -> list[Cell]:
    """Return a cell for each combination of the labels' values that occurs."""
    combinations = product(*(names(run, label) for label in labels))
    cells = (cell(run, dict(zip(labels, values, strict=True)), wanted) for values in combinations)
    return [found for found in cells if found.n]


def measured_share(run: Run) -> float | None:
    """Return which share of the load time that shoppers saw was measured on a real connection; the rest is modelled."""
    mask = matching(run, "events", {}) & run.events.present("load_us")
    whole = float(run.events.numbers("load_us")[mask].sum())
    if whole <= 0:
        return None
    return min(1.0, float(np.nansum(run.events.numbers("measured_us")[mask])) / whole)
