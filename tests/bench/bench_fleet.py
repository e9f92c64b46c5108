"""What workers add, and what many open visits and many minutes cost in memory."""

from __future__ import annotations

import json
import resource
import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench_live import nginx
from figures import Figure, at_least, at_most

from simulator.scenario.load import load_scenario
from simulator.worlds.live.launch import Workers, launch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HERE = Path(__file__).parent
ROUNDS = 3
VISITS_PER_S = 60.0
"""For one worker: about a third of a core, so that two of them, their master and the server fit two cores."""
OPEN_VISITS = 20_000
SPARE_FILES = 300
"""Of the files a process may open, those that are no visit's connection."""
STAY = 0.5
"""The share of the bench's shoppers who stay on their first page, for two minutes; the others leave it at once."""


def run() -> list[Figure]:
    """Return what two workers do for their processor time over what one does, and the memory of 20,000 open visits."""
    with nginx() as url:
        ratios = [2 * _per_core(url, 2, 2 * VISITS_PER_S) / _per_core(url, 1, VISITS_PER_S) for _ in range(ROUNDS)]
        waiting = _many_open(url)
    held = max(waiting["open"])
    memory_mb = waiting["memory_mb"] * max(OPEN_VISITS / held, 1.0)
    return [
        at_least("fleet: requests a core of two workers over one's, twice", median(ratios), 1.8, "×"),
        at_most(f"fleet: memory of a worker for twenty thousand open visits, {held:,} seen", memory_mb, 1073.0, " MB"),
    ]


def _many_open(url: str) -> dict[str, Any]:
    """Hold twenty thousand visits open, or as many as this machine lets one process have connections."""
    with suppress(ValueError, OSError):  # the server's end of each connection is a file too
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * OPEN_VISITS, 2 * OPEN_VISITS))
    wanted = min(OPEN_VISITS, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES)
    seconds = 80
    waiting = played(
        url,
        "waiting_scenario",
        arrivals={"kind": "constant", "rate": f"{wanted / STAY / seconds}/s"},
        duration=f"{seconds}s",
    )
    assert max(waiting["open"]) >= 0.95 * wanted, f"only {max(waiting['open']):,} of {wanted:,} visits were open"
    return waiting


def played(url: str, scenario: str, workers: int = 1, **overrides: Any) -> dict[str, Any]:
    """Play a scenario of the bench; return the manifest's generator section, and `open`: how many visits were."""
    seen: list[int] = []

    def see(now: Mapping[str, Any]) -> None:
        seen.append(now["open"])

    with tempfile.TemporaryDirectory() as name:
        loaded = load_scenario(str(HERE / "files" / f"{scenario}.yaml"), overrides)
        launch(Path(name), loaded, url, "bench", see, Workers(workers, workers))
        found: dict[str, Any] = json.loads((Path(name) / "manifest.json").read_text())["generator"]
    return {**found, "open": seen}


def _per_core(url: str, workers: int, rate: float) -> float:
    """Return requests a second of a worker's processor time."""
    found = played(url, "hurried_scenario", workers, arrivals={"kind": "constant", "rate": f"{rate}/s"}, duration="15s")
    share = sum(worker["cpu_share"] for worker in found["workers"]) / workers
    return float(found["requests"] / workers / share)
