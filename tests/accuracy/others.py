"""What else could predict a page: nothing at all, arithmetic, and Lighthouse's own simulation."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import METRICS
from scipy.optimize import nnls
from world import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cells import Cell

    from simulator.page.recording import Recording


def unthrottled(made: dict[str, Recording]) -> Callable[[Cell, str], float]:
    """Return the guess that a page takes as long as it did when it was recorded."""
    return lambda cell, name: median(getattr(load.seen, f"{name}_ms") or 1.0 for load in made[cell.page].loads) / 1e3


def regression(train: Sequence[Cell], made: dict[str, Recording]) -> Callable[[Cell, str], float]:
    """Return the guess a·bytes/bandwidth + k·RTT + c·work·cpu + d, by relative least squares on the training cells."""

    def row(cell: Cell) -> list[float]:
        net, load = NETWORKS[cell.net], made[cell.page].loads[0]
        size = sum(one.wire_bytes for one in load.requests)
        return [
            size * 0.008 / net.down_kbps,
            net.rtt_ms / 1e3,
            cell.cpu * sum(task.ms for task in load.tasks) / 1e3,
            1.0,
        ]

    fits = {}
    for name in METRICS:
        scaled = np.array([np.array(row(cell)) / cell.truth[name] for cell in train])
        fits[name], _ = nnls(scaled, np.ones(len(train)))
    return lambda cell, name: float(np.dot(fits[name], row(cell)))


def lighthouse(folder: Path) -> Callable[[Cell, str], float | None] | None:
    """Return Lighthouse's own simulation, where `lighthouse.py` has run it."""
    path = folder / "lighthouse.jsonl"
    if not path.exists():
        return None
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for line in map(json.loads, path.read_text().splitlines()):
        found[line["page"], line["net"], line["cpu"]].append(line)

    def guess(cell: Cell, name: str) -> float | None:
        runs = [run[name] / 1e3 for run in found.get(cell[:3], ()) if run.get(name)]
        return median(runs) if runs else None

    return guess
