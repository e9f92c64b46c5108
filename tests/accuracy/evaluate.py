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
from statistics import mean, median
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent)]

import numpy as np
import orjson
from corpus import TEST_TEMPLATES, is_test
from har_of import har_of
from measure import FOLDER, METRICS, MOST_FOREIGN, recordings, truths
from scipy.optimize import nnls
from scipy.stats import spearmanr
from world import NETWORKS
from write import write_accuracy

import simulator.page.forecast as forecasting
from simulator.page.graph import graph_of
from simulator.page.har import read_har
from simulator.page.predict import Conditions, spread
from simulator.page.read import PageSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simulator.page.recording import Recording

CALIBRATION = ROOT / "simulator/page/calibration.json"
BASELINE = ROOT / "tests/accuracy/baseline.json"
FACTORS = tuple(round(0.6 + 0.2 * step, 2) for step in range(13))
EXPONENTS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
FIT_RUNS = 3
MOST_DISTURBED = 0.5
JUDGED = ("fcp", "lcp", "load")


class Cell(NamedTuple):
    """What was measured of one page on one network and processor: medians in seconds, and the runs."""

    page: str
    net: str
    cpu: int
    truth: dict[str, float]
    runs: dict[str, list[float]]


def cells_of(lines: Iterable[dict[str, Any]], mode: str) -> list[Cell]:
    """Return the cells of a mode; disturbed runs count only where there is no other."""
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["mode"] == mode and min(line[name] for name in METRICS) > 0:
            found[line["page"], line["net"], line["cpu"]].append(line)
    cells = []
    for key, runs in sorted(found.items()):
        quiet = [run for run in runs if run["foreign"] <= MOST_FOREIGN] or runs
        values = {name: [run[name] / 1e3 for run in quiet] for name in METRICS}
        cells.append(Cell(*key, {name: median(some) for name, some in values.items()}, values))
    return cells


def sources(made: dict[str, Recording]) -> dict[str, dict[str, PageSource]]:
    """Return each page as each tier would read it."""
    found: dict[str, dict[str, PageSource]] = {"T1": {}, "T2": {}, "T3": {}}
    for page, one in made.items():
        graphs = tuple(graph_of(load) for load in one.loads)
        found["T3"][page] = PageSource(one.url, one.browser, "T3", tuple(one.loads), graphs)
        for tier, chrome in (("T1", False), ("T2", True)):
            har = read_har(Path(f"{page}.har"), orjson.dumps(har_of(one.loads[0], chrome=chrome)))
            found[tier][page] = PageSource(har.url, har.browser, har.tier, (har.load,), (graph_of(har.load),))
    return found


def on(cell: Cell) -> Conditions:
    """Return the conditions of a cell."""
    net = NETWORKS[cell.net]
    return Conditions(net.rtt_ms, net.down_kbps, net.up_kbps, cpu=cell.cpu)


def fit(cells: Sequence[Cell], pages: dict[str, dict[str, PageSource]], *, trusted: bool) -> dict[str, Any]:
    """Return the calibration that the training cells give: how work stretches, and the error that is left.

    Loads that were disturbed are not `trusted` to say how work stretches: then that part stays as it is.
    """
    train = [cell for cell in cells if not is_test(cell.page.rpartition("-")[0])]

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
    none = {name: {"low": 0.0, "high": 0.0} for name in METRICS}
    with_calibration(found | {"error": dict.fromkeys(pages, none)})
    for tier, of_page in pages.items():
        found["error"][tier] = {name: _error(train, of_page, name) for name in METRICS}
    return found


def with_calibration(found: dict[str, Any]) -> None:
    """Let forecasts use this calibration."""
    forecasting.calibration = lambda: found  # type: ignore[assignment]


def _error(train: Sequence[Cell], of_page: dict[str, PageSource], name: str) -> dict[str, float]:
    """Return how far truth lies from predictions, as logarithms that hold 80 % of the single runs, each side."""
    logs = []
    for cell in train:
        value = forecasting.forecast(of_page[cell.page], on(cell), 5).metrics[name].value
        logs += [math.log(run / value) for run in cell.runs[name]]
    low, high = np.quantile(logs, [forecasting.LOW, forecasting.HIGH])
    return {"low": round(max(-float(low), 0.01), 3), "high": round(max(float(high), 0.01), 3)}


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
    by: dict[str, list[tuple[Cell, float, int, int]]] = defaultdict(list)
    for cell in cells:
        found = forecasting.forecast(of_page[cell.page], on(cell), 9).metrics
        for name in METRICS:
            one = found[name]
            held = sum(one.low <= run <= one.high for run in cell.runs[name])
            by[name].append((cell, one.value, held, len(cell.runs[name])))
    made: dict[str, dict[str, Any]] = {}
    for name, rows in by.items():
        made[name] = score([(cell.truth[name], value) for cell, value, _, _ in rows])
        made[name]["covered"] = round(sum(held for *_, held, _ in rows) / sum(count for *_, count in rows), 3)
        made[name]["by_network"] = {
            net: score([(c.truth[name], v) for c, v, _, _ in rows if c.net == net])
            for net in NETWORKS
            if any(c.net == net for c, *_ in rows)
        }
    return made


def baseline(cells: Sequence[Cell], guess: Callable[[Cell, str], float | None]) -> dict[str, dict[str, Any]]:
    """Return the scores of something that is no model."""
    found = {}
    for name in METRICS:
        pairs = [(cell.truth[name], value) for cell in cells if (value := guess(cell, name)) is not None]
        if pairs:
            found[name] = score(pairs)
    return found


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


def noise(cells: Sequence[Cell]) -> dict[str, dict[str, float]]:
    """Return mean |run − median| / median by network: nothing can be judged below it."""
    found: dict[str, dict[str, float]] = {}
    for net in NETWORKS:
        for name in METRICS:
            apart = [
                abs(run / c.truth[name] - 1)
                for c in cells
                if c.net == net and len(c.runs[name]) > 1
                for run in c.runs[name]
            ]
            if apart:
                found.setdefault(net, {})[name] = round(mean(apart), 4)
    return found


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
    test = [cell for cell in packet if is_test(cell.page.rpartition("-")[0])]
    train = [cell for cell in packet if cell not in test]
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
        figures["lighthouse"] = baseline(test, guess)
        figures["lighthouse_cells"] = sum(guess(cell, "fcp") is not None for cell in test)
    if devtools:
        figures["devtools"] = judged([cell for cell in devtools if is_test(cell.page.rpartition("-")[0])], pages["T3"])
    text = write_accuracy(figures)
    if given.write:
        BASELINE.write_text(json.dumps(figures, indent=2) + "\n")
        (ROOT / "docs/accuracy.md").write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
