"""The crowd world as a data set: shards of a fixed number of shoppers, so that workers and blocks never show.

A shard is one file in each table's folder. Whoever writes it, and in whatever order, its bytes are the same.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from simulator.export.parts import part
from simulator.export.source import Source
from simulator.journey.plan import draw_shoppers
from simulator.journey.tables import TABLES, events_table, shoppers_table, visits_table
from simulator.runfolder.files import sha256
from simulator.runfolder.manifest import base_manifest
from simulator.runfolder.tables import write_table
from simulator.scenario.load import load_scenario
from simulator.worlds.crowd import World, play

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from simulator.journey.tables import TableName
    from simulator.runfolder.tables import Format
    from simulator.scenario.load import Scenario

SHARD_SHOPPERS = 16_384
"""Shoppers in one shard, about 150,000 events: large enough for good row groups, small enough for flat memory."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Shoppers `first` to `last` − 1."""

    number: int
    first: int
    last: int


def shards(shoppers: int) -> list[Shard]:
    """Return the shards of shoppers 0 to `shoppers` − 1."""
    starts = range(0, shoppers, SHARD_SHOPPERS)
    return [Shard(i, first, min(first + SHARD_SHOPPERS, shoppers)) for i, first in enumerate(starts)]


def play_shard(scenario: Scenario, shard: Shard) -> dict[TableName, pa.Table]:
    """Return the tables of one shard."""
    spec = scenario.spec
    shoppers = draw_shoppers(scenario.population, spec.seed, shard.first, shard.last)
    plan = scenario.calendar_plan(shard.first, shard.last, shoppers)
    rows = play(World(scenario.population, scenario.pages, scenario.arms, spec.seed), plan, shoppers=shoppers)
    names = scenario.names
    return {
        "shoppers": shoppers_table(rows.shoppers, names),
        "visits": visits_table(rows.visits, rows.shoppers, rows.events, names),
        "events": events_table(rows.events, names),
    }


def write_shard(
    scenario: Scenario, shard: Shard, folder: Path, kind: Format, also: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Play a shard, write its files, and return what the manifest says of each: table, file, rows, digest.

    `also` names further parts, made from the shard's tables.
    """
    entries = []
    tables = play_shard(scenario, shard)
    source = Source(scenario.spec.seed, scenario.spec.reference, **tables)
    made = {name: table for wanted in also for name, table in part(wanted).make(source).items()}
    for table, data in {**tables, **made}.items():
        path = folder / table / f"part-{shard.number:05d}.{kind}"
        write_table(data, path, kind)
        entries.append(
            {"table": table, "file": str(path.relative_to(folder)), "rows": data.num_rows, "sha256": sha256(path)}
        )
    return entries


_scenario: Scenario | None = None


def _prepare_worker(name: str, overrides: Mapping[str, Any]) -> None:
    global _scenario  # noqa: PLW0603 - a worker process has one scenario
    _scenario = load_scenario(name, overrides)


def _work(shard: Shard, folder: Path, kind: Format, also: Sequence[str]) -> list[dict[str, Any]]:
    assert _scenario is not None
    return write_shard(_scenario, shard, folder, kind, also)


def write_dataset(
    scenario: Scenario,
    folder: Path,
    kind: Format,
    *,
    also: Sequence[str] = (),
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _shoppers, _events: None,
) -> dict[str, Any]:
    """Generate a scenario's data into `folder` and return its manifest.

    `progress` is told (shoppers, events) of each finished shard. Raises `CannotWrite` and `FileFaults`.
    """
    todo = shards(scenario.spec.shoppers)
    done: list[dict[str, Any]] = []
    with closing(_all_shards(scenario, todo, folder, kind, also, workers)) as written:
        for shard, entries in written:
            done += entries
            progress(shard.last - shard.first, next(e["rows"] for e in entries if e["table"] == "events"))
    written_tables = [*TABLES, *sorted({str(e["table"]) for e in done} - set(TABLES))]
    tables = {
        str(t): sorted((e for e in done if e["table"] == t), key=lambda e: str(e["file"])) for t in written_tables
    }
    return crowd_manifest(scenario, tables)


def _all_shards(
    scenario: Scenario,
    todo: list[Shard],
    folder: Path,
    kind: Format,
    also: Sequence[str],
    workers: int,
) -> Generator[tuple[Shard, list[dict[str, Any]]]]:
    if workers == 1 or len(todo) == 1:
        for shard in todo:
            yield shard, write_shard(scenario, shard, folder, kind, also)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, _prepare_worker, (scenario.name, dict(scenario.overrides))) as pool:
        jobs = {pool.submit(_work, shard, folder, kind, also): shard for shard in todo}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        except BaseException:
            # With `wait`: the end of the block shuts down once more, which would take the cancelling back.
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def crowd_manifest(scenario: Scenario, tables: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the manifest of generated data; it holds no clock, so that equal runs are equal bytes."""
    return base_manifest(scenario, "crowd", tables) | {
        "assumed": [
            "behaviour: every parameter of the personas",
            "load times: the page model on modelled networks and devices",
            "server times: the page cards' unloaded server",
        ],
        "measured": [],
    }
