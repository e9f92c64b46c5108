"""What was measured, cell by cell, and the pages as each tier reads them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from corpus import is_test
from har_of import har_of
from measure import METRICS, MOST_FOREIGN
from world import NETWORKS

from simulator.page.graph import graph_of
from simulator.page.har import read_har
from simulator.page.predict import Conditions
from simulator.page.read import PageSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulator.page.recording import Recording

ENOUGH_LOADS = 3
"""Of a cell, to tell how far one load lies from the next."""


class Cell(NamedTuple):
    """What was measured of one page on one network and processor: medians in seconds, and the runs."""

    page: str
    net: str
    cpu: int
    truth: dict[str, float]
    runs: dict[str, list[float]]

    @property
    def held_out(self) -> bool:
        """Whether its page's template is one that nothing is tuned on."""
        return is_test(self.page.rpartition("-")[0])


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


def noise(cells: Sequence[Cell]) -> dict[str, dict[str, float]]:
    """Return mean |run − median| / median by network, of cells with enough loads: nothing can be judged below it."""
    found: dict[str, dict[str, float]] = {}
    for net in NETWORKS:
        for name in METRICS:
            apart = [
                abs(run / c.truth[name] - 1)
                for c in cells
                if c.net == net and len(c.runs[name]) >= ENOUGH_LOADS
                for run in c.runs[name]
            ]
            if apart:
                found.setdefault(net, {})[name] = round(mean(apart), 4)
    return found
