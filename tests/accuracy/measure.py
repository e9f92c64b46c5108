"""Truth: what real Chromium does. Resumable: what has been measured is never measured again.

`python -m tests.accuracy.measure` records every page once without throttling, then loads every cell (page × network ×
processor) `--repeats` times in random order, round by round, so that any prefix is a fair sample.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

import psutil
from corpus import PAGES, Page
from link import OPEN, possible
from world import NETWORKS, World, world

from simulator.page.browser import BrowserError
from simulator.page.recording import Recording, read_recording, recording_text
from simulator.page.reduce import load_of
from simulator.page.visit import Throttle, visit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.page.browser import Browser

FOLDER = Path("reports/accuracy")
CPUS = (1, 2, 4, 6)
RECORDED = 3
BROWSER_VISITS = 40
"""Visits before the browser is started anew."""
MOST_FOREIGN = 0.12
"""Share of a processor that others may take before a load counts as disturbed (the calibration study's bar)."""
METRICS = ("ttfb", "fcp", "lcp", "load", "idle")


@dataclass(frozen=True)
class Cell:
    """One thing to measure."""

    page: str
    net: str
    cpu: int
    mode: str


def recording_path(folder: Path, page: str) -> Path:
    """Return where a page's recording lies."""
    return folder / "recordings" / f"{page}.json"


def recordings(folder: Path) -> dict[str, Recording]:
    """Return every recording there is."""
    found = sorted((folder / "recordings").glob("*.json"))
    return {path.stem: read_recording(path, path.read_bytes()) for path in found}


def truths(folder: Path) -> list[dict[str, Any]]:
    """Return every measured load."""
    path = folder / "truth.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def record(where: World, pages: Sequence[Page], folder: Path) -> None:
    """Record each page that has no recording yet."""
    missing = [page for page in pages if not recording_path(folder, page.name).exists()]
    where.on(OPEN)
    for page in missing:
        with where.browser() as browser:
            visit(browser, page.url)  # the first one starts processes
            seen = [visit(browser, page.url, trace=True) for _ in range(RECORDED)]
        made = Recording(url=page.url, browser=seen[0].agent, loads=[load_of(one) for one in seen])
        path = recording_path(folder, page.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recording_text(made))
        print(f"recorded {page.name}", flush=True)


def foreign_share(before: tuple[float, float], elapsed_s: float) -> float:
    """Return the share of one processor that processes other than ours took since `before`."""
    busy, own = busy_and_own()
    return max(0.0, (busy - before[0]) - (own - before[1])) / elapsed_s


def busy_and_own() -> tuple[float, float]:
    """Return seconds of processor: of everything, and of this process and its descendants.

    A tab's process has ended by the time we ask; what it took is then among its parent's children.
    """
    times = psutil.cpu_times()
    own = 0.0
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        try:
            spent = process.cpu_times()
            own += spent.user + spent.system + spent.children_user + spent.children_system
        except psutil.Error:
            continue
    return sum(times) - times.idle - times.iowait - getattr(times, "guest", 0.0), own


def measured(where: World, browser: Browser, cell: Cell, page: Page) -> dict[str, Any]:
    """Load a cell once and return its line."""
    net = NETWORKS[cell.net]
    packet = cell.mode == "packet"
    where.on(net if packet else OPEN)
    throttle = None if packet else Throttle(net.rtt_ms, net.down_kbps, net.up_kbps)
    before, started = busy_and_own(), monotonic()
    seen = visit(browser, page.url, cpu=cell.cpu, throttle=throttle, timeout_s=300)
    return {
        "page": cell.page, "net": cell.net, "cpu": cell.cpu, "mode": cell.mode,
        **{name: round(getattr(seen, f"{name}_ms") or -1, 2) for name in METRICS},
        "foreign": round(foreign_share(before, monotonic() - started), 3),
    }  # fmt: skip


def rounds(cells: Sequence[Cell], done: Sequence[dict[str, Any]], repeats: int, quiet: bool) -> Iterator[Cell]:
    """Yield cells in random order, each as often as it still lacks."""
    had: dict[Cell, int] = {}
    for line in done:
        if not quiet or line["foreign"] <= MOST_FOREIGN:
            cell = Cell(line["page"], line["net"], line["cpu"], line["mode"])
            had[cell] = had.get(cell, 0) + 1
    for number in range(repeats):
        order = list(cells)
        random.Random(number).shuffle(order)
        yield from (cell for cell in order if had.get(cell, 0) <= number)


def measure(
    where: World, pages: Sequence[Page], cells: Sequence[Cell], folder: Path, repeats: int, quiet: bool
) -> None:
    """Measure what is missing, a line a load."""
    by_name = {page.name: page for page in pages}
    todo = list(rounds(cells, truths(folder), repeats, quiet))
    started = monotonic()
    with (folder / "truth.jsonl").open("a") as file:
        for first in range(0, len(todo), BROWSER_VISITS):
            with where.browser() as browser:
                visit(browser, pages[0].url)
                for number, cell in enumerate(todo[first : first + BROWSER_VISITS], first + 1):
                    try:
                        line = measured(where, browser, cell, by_name[cell.page])
                    except BrowserError as error:
                        print(f"{cell}: {error}", flush=True)
                        break
                    file.write(json.dumps(line) + "\n")
                    file.flush()
                    left_s = (monotonic() - started) / number * (len(todo) - number)
                    print(f"{number}/{len(todo)}, {left_s / 60:.0f} min left", end="\r", flush=True)


def main() -> int:
    """Record and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cpus", default=",".join(map(str, CPUS)))
    parser.add_argument("--sizes", default="0,1,2")
    parser.add_argument("--modes", default="packet,devtools")
    parser.add_argument("--quiet", action="store_true", help="measure disturbed loads again")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # so that namespaces and processes go
    if not possible():
        print("needs root and /dev/net/tun", file=sys.stderr)
        return 1
    pages = [page for page in PAGES if str(page.size) in given.sizes.split(",")]
    cells = [
        Cell(page.name, net, int(cpu), mode)
        for page in pages for net in NETWORKS for cpu in given.cpus.split(",") for mode in given.modes.split(",")
    ]  # fmt: skip
    given.folder.mkdir(parents=True, exist_ok=True)
    with world() as where:
        record(where, pages, given.folder)
        measure(where, pages, cells, given.folder, given.repeats, given.quiet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
