"""`make soak`: a constant rate for ten minutes, and whether memory stands still meanwhile.

The bar: between the first third of the run and the last, the generator's memory (its master and its worker) grows by
less than 5 %. The first minute, in which caches fill, does not count.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import psutil
from bench_live import nginx

from simulator.scenario.load import load_scenario
from simulator.worlds.live.launch import Workers, launch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HERE = Path(__file__).parent
MINUTES, RATE, GROWTH = 10.0, 30.0, 0.05
WARM_S, SAMPLE_S = 60.0, 1.0


def main() -> int:
    """Run for the minutes named on the command line, or ten; return 1 when memory grew."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    samples: list[tuple[float, float]] = []
    begun_s = monotonic()

    def see(now: Mapping[str, Any]) -> None:
        if now["started"] and (not samples or monotonic() - begun_s - samples[-1][0] >= SAMPLE_S):
            samples.append((monotonic() - begun_s, _memory_mb()))

    overrides = {"arrivals": {"kind": "constant", "rate": f"{rate}/s"}, "duration": f"{60 * minutes}s"}
    with nginx() as url, tempfile.TemporaryDirectory() as name:
        scenario = load_scenario(str(HERE / "files" / "hurried_scenario.yaml"), overrides)
        launch(Path(name), scenario, url, "soak", see, Workers(1, 1))
        size_mb = sum(path.stat().st_size for path in Path(name).iterdir()) / 1e6
    warm_s = samples[0][0] + min(WARM_S, 10 * minutes)
    steady = [memory_mb for at_s, memory_mb in samples if at_s >= warm_s]
    third = len(steady) // 3
    before_mb, after_mb = median(steady[:third]), median(steady[-third:])
    growth = after_mb / before_mb - 1
    sys.stdout.write(
        f"{minutes:g} min at {rate:g} visits/s, {size_mb:,.0f} MB of tables: memory {before_mb:,.1f} MB in the first"
        f" third, {after_mb:,.1f} MB in the last, {growth:+.1%} (bar {GROWTH:+.0%})\n"
    )
    return 0 if growth < GROWTH else 1


def _memory_mb() -> float:
    """Return the memory of the live world's processes, in megabytes."""
    found = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            if any("simulator.worlds.live" in word for word in child.cmdline()):
                found += child.memory_info().rss / 1e6
        except psutil.NoSuchProcess:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
