"""How fast the crowd world writes data, on one core."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from figures import Figure, at_least, at_most

from simulator.export.dataset import SHARD_SHOPPERS, Job, Shard, play_shard, write_shard
from simulator.export.output import Output
from simulator.runfolder.tables import write_table
from simulator.scenario.load import load_scenario
from simulator.worlds.pool import make_all

if TYPE_CHECKING:
    from simulator.scenario.load import Scenario

ROUNDS = 7
GROW = True
SHARDS = 24
"""Of a run with workers: some 3.5 million events."""


def run() -> list[Figure]:
    """Return events a second to Parquet, against writing the same tables alone; memory and time against size."""
    scenario = load_scenario("demo")
    speeds, ratios = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _one(scenario, folder, 0)
        for number in range(1, ROUNDS + 1):
            speed, ratio = _one(scenario, folder, number)
            speeds.append(speed)
            ratios.append(ratio)
    return [
        at_least("generate: million events/s to Parquet, one core", median(speeds) / 1e6, 1.0),
        at_most("generate: time over that of writing the finished tables alone", median(ratios), 3.0, "×"),
        _two_workers(scenario),
        *(_growth() if GROW else []),
    ]


def _two_workers(scenario: Scenario) -> Figure:
    """Return how much of two cores two workers use: their shards a second over twice those of one."""
    pairs = [(_shards_a_second(scenario, 1), _shards_a_second(scenario, 2)) for _ in range(3)]
    ratio = median(two / one for one, two in pairs)
    return at_least("generate: two workers over one", ratio, 1.7, "×")


def _shards_a_second(scenario: Scenario, workers: int) -> float:
    """Return the shards a second of so many workers, counted from when each has made its first."""
    with tempfile.TemporaryDirectory() as name:
        job = Job.of(scenario, Path(name), Output())
        todo = [Shard(number, number * SHARD_SHOPPERS, (number + 1) * SHARD_SHOPPERS) for number in range(SHARDS)]
        times_s = [perf_counter() for _ in make_all(job, todo, workers)]
    return (SHARDS - workers) / (times_s[-1] - times_s[workers - 1])


def _one(scenario: Scenario, folder: Path, number: int) -> tuple[float, float]:
    """Return (events a second, time over that of writing alone) of one shard."""
    shard = Shard(number, number * SHARD_SHOPPERS, (number + 1) * SHARD_SHOPPERS)
    begun_s = perf_counter()
    entries = write_shard(scenario, shard, folder, Output())
    took_s = perf_counter() - begun_s
    tables = play_shard(scenario, shard)
    begun_s = perf_counter()
    for name, table in tables.items():
        write_table(table, folder / name / "alone.parquet", "parquet")
    alone_s = perf_counter() - begun_s
    events = next(entry["rows"] for entry in entries if entry["table"] == "events")
    return events / took_s, took_s / alone_s


def _growth() -> list[Figure]:
    """Return peak memory and time of ten times the shoppers over those of the smaller run."""
    small, large = 10 * SHARD_SHOPPERS, 100 * SHARD_SHOPPERS
    runs = [(_whole(small), _whole(large)) for _ in range(3)]
    idle_s = median(_whole(1)[0] for _ in range(3))
    memory = median(big[1] / little[1] for little, big in runs)
    linear = median((big[0] - idle_s) / (little[0] - idle_s) / 10 for little, big in runs)
    return [
        at_most("generate: peak memory of ten times the shoppers", memory, 1.1, "×"),
        at_most("generate: time a shopper at ten times the shoppers", linear, 1.1, "×"),
    ]


def _whole(shoppers: int) -> tuple[float, float]:
    """Return (seconds, peak bytes) of a whole `footfall generate`."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "simulator.cli", "generate", "demo", "--shoppers", str(shoppers)]
        begun_s = perf_counter()
        process = subprocess.Popen([*command, "--out", f"{name}/data"], stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        return perf_counter() - begun_s, usage.ru_maxrss * 1024.0
