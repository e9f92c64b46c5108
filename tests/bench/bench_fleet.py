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


def run() -> list[Figure]:
    """Return what two workers do for their processor time over what one does, and the memory of 20,000 open visits."""
    with suppress(ValueError, OSError):  # the server's end of each connection is a file too
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * OPEN_VISITS, 2 * OPEN_VISITS))
    with nginx() as url:
        ratios = [2 * _per_core(url, 2, 2 * VISITS_PER_S) / _per_core(url, 1, VISITS_PER_S) for _ in range(ROUNDS)]
        waiting = played(url, "waiting_scenario", arrivals={"kind": "constant", "rate": "500/s"}, duration="45s")
    assert max(waiting["open"]) >= OPEN_VISITS, f"only {max(waiting['open']):,} visits were open"
    return [
        at_least("fleet: requests a core of two workers over one's, twice", median(ratios), 1.8, "×"),
        at_most("fleet: memory of a worker with twenty thousand open visits", waiting["memory_mb"], 1024.0, " MB"),
    ]


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
