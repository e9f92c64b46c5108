"""From truth to figures: fit on the training templates, judge on the others, write docs/accuracy.md and the baseline.

`python tests/accuracy/evaluate.py` reads what `measure.py` wrote. With `--fit` it first fits `calibration.json`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent)]

import numpy as np
from cells import cells_of, noise, on, sources
from corpus import TEST_TEMPLATES
from fit import fit, with_calibration
from measure import FOLDER, METRICS, MOST_FOREIGN, recordings, truths
from others import lighthouse, regression, unthrottled
from scipy.stats import spearmanr
from world import NETWORKS
from write import write_accuracy

import simulator.page.forecast as forecasting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cells import Cell

    from simulator.page.read import PageSource

CALIBRATION = ROOT / "simulator/page/calibration.json"
BASELINE = ROOT / "tests/accuracy/baseline.json"
MOST_DISTURBED = 0.5


class Judged(NamedTuple):
    """One prediction beside the truth, in seconds, and how many of the loads its interval held."""

    net: str
    truth_s: float
    predicted_s: float
    held: int
    loads: int


def score(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the errors of (truth, predicted) pairs."""
    errors = [predicted / truth - 1.0 for truth, predicted in pairs]
    sizes = np.abs(errors)
    return {
        "n": len(pairs),
        "p50": round(float(np.quantile(sizes, 0.5)), 4),
        "p90": round(float(np.quantile(sizes, 0.9)), 4),
        "bias": round(float(np.mean(errors)), 4),
        "rank": round(float(spearmanr(*zip(*pairs, strict=True)).statistic), 4) if len(pairs) > 2 else math.nan,
    }


def judged(cells: Sequence[Cell], of_page: dict[str, PageSource]) -> dict[str, dict[str, Any]]:
    """Return the scores of a tier, by metric and by network, and how many runs its intervals held."""
    by: dict[str, list[Judged]] = defaultdict(list)
    for cell in cells:
        found = forecasting.forecast(of_page[cell.page], on(cell)).metrics
        for name in METRICS:
            one = found[name]
            held = sum(one.low <= run <= one.high for run in cell.runs[name])
            by[name].append(Judged(cell.net, cell.truth[name], one.value, held, len(cell.runs[name])))
    return {
        name: _judged(rows)
        | {"by_network": {net: _judged(here) for net in NETWORKS if (here := [row for row in rows if row.net == net])}}
        for name, rows in by.items()
    }


def _judged(rows: Sequence[Judged]) -> dict[str, Any]:
    """Return the errors of one metric's predictions, and the share of loads that lay inside their intervals."""
    found = score([(row.truth_s, row.predicted_s) for row in rows])
    return found | {"covered": round(sum(row.held for row in rows) / sum(row.loads for row in rows), 3)}


def baseline(cells: Sequence[Cell], guess: Callable[[Cell, str], float | None]) -> dict[str, dict[str, Any]]:
    """Return the scores of something that is no model."""
    found = {}
    for name in METRICS:
        pairs = [(cell.truth[name], value) for cell in cells if (value := guess(cell, name)) is not None]
        if pairs:
            found[name] = score(pairs)
    return found


def main() -> int:
    """Fit if asked, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--fit", action="store_true", help="fit calibration.json on the training templates first")
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md and the baseline")
    given = parser.parse_args()
    made, lines = recordings(given.folder), truths(given.folder)
    packet = [cell for cell in cells_of(lines, "packet") if cell.page in made]
    devtools = [cell for cell in cells_of(lines, "devtools") if cell.page in made]
    pages = sources(made)
    if given.fit:
        found = fit(packet, pages, trusted=mean(line["foreign"] > MOST_FOREIGN for line in lines) < MOST_DISTURBED)
        CALIBRATION.write_text(json.dumps(found, indent=2) + "\n")
        with_calibration(found)
    test = [cell for cell in packet if cell.held_out]
    train = [cell for cell in packet if not cell.held_out]
    figures: dict[str, Any] = {
        "runs": len(lines),
        "disturbed": round(mean(line["foreign"] > MOST_FOREIGN for line in lines), 3),
        "pages": len({cell.page for cell in packet}),
        "test_templates": list(TEST_TEMPLATES),
        "cells": {"train": len(train), "test": len(test), "devtools": len(devtools)},
        "stretch": forecasting.calibration()["stretch"],
        "noise": noise(packet),
        "test": {tier: judged(test, pages[tier]) for tier in pages},
        "train": {"T3": judged(train, pages["T3"])},
        "unthrottled": baseline(test, unthrottled(made)),
        "regression": baseline(test, regression(train, made)),
    }
    if (guess := lighthouse(given.folder)) is not None:
        beside = [cell for cell in test if guess(cell, "fcp") is not None]
        figures["lighthouse"] = baseline(beside, guess)
        figures["beside_lighthouse"] = judged(beside, pages["T3"])
        figures["lighthouse_cells"] = len(beside)
    if devtools:
        figures["devtools"] = judged([cell for cell in devtools if cell.held_out], pages["T3"])
    text = write_accuracy(figures)
    if given.write:
        BASELINE.write_text(json.dumps(figures, indent=2) + "\n")
        (ROOT / "docs/accuracy.md").write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
