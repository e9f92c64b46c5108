"""The crowd world as a data set: shards of a fixed number of shoppers, so that workers and blocks never show.

A shard is one file in each table's folder. Whoever writes it, on whatever machine and in whatever order, its bytes are
the same; `receipts` say which are there, and the manifest is written when all are.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pyarrow as pa

from simulator.export.finish import finish
from simulator.export.made import all_tables
from simulator.export.output import Output
from simulator.export.receipts import Receipts, deciding
from simulator.export.source import Source
from simulator.journey.plan import draw_shoppers
from simulator.journey.tables import events_table, shoppers_table, visits_table
from simulator.runfolder.files import sha256
from simulator.runfolder.manifest import base_manifest, crowd_facts
from simulator.runfolder.tables import csv_header, write_table
from simulator.worlds.crowd import World, play_columns
from simulator.worlds.pool import make_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from simulator.export.receipts import Entry
    from simulator.journey.tables import TableName
    from simulator.runfolder.tables import Compression, Format
    from simulator.scenario.load import Scenario
    from simulator.target.request import Target

SHARD_SHOPPERS = 16_384
"""Shoppers in one shard, about 150,000 events: large enough for good row groups, small enough for flat memory."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Shoppers `first` to `last` − 1."""

    number: int
    first: int
    last: int


def shards(shoppers: int, size: int | None = None) -> list[Shard]:
    """Return the shards of shoppers 0 to `shoppers` − 1, of `size` shoppers or the usual."""
    size = size or SHARD_SHOPPERS
    return [Shard(i, first, min(first + size, shoppers)) for i, first in enumerate(range(0, shoppers, size))]


def play_shard(scenario: Scenario, shard: Shard) -> dict[TableName, pa.Table]:
    """Return the tables of one shard."""
    spec = scenario.spec
    shoppers = draw_shoppers(scenario.population, spec.seed, shard.first, shard.last)
    plan = scenario.calendar_plan(shard.first, shard.last, shoppers)
    world = World(scenario.population, scenario.pages, scenario.arms, spec.seed)
    visits, events = play_columns(world, plan, shoppers)
    names = scenario.names
    return {
        "shoppers": shoppers_table(shoppers, names),
        "visits": visits_table(visits, shoppers, events, names),
        "events": events_table(events, names),
    }


def source_of(scenario: Scenario, tables: Mapping[TableName, pa.Table]) -> Source:
    """Return what parts are made from: a shard's tables, and what the scenario says of the run."""
    spec = scenario.spec
    return Source(
        spec.seed,
        spec.reference,
        tables["shoppers"],
        tables["visits"],
        tables["events"],
        horizon_us=round(spec.horizon * 1e6),
        name=spec.scenario,
        arms=scenario.arms,
        scenario=scenario,
    )


def write_shard(scenario: Scenario, shard: Shard, folder: Path, output: Output) -> list[Entry]:
    """Play a shard, write its files, and return what the receipt says of each."""
    entries: list[Entry] = []
    source = source_of(scenario, play_shard(scenario, shard))
    for table, data in all_tables(source, output.wanted).items():
        name = output.part_file(table, shard.number)
        path = folder / name
        write_table(data, path, output.kind, output.squeezed, header=not output.single_file)
        entry = {"table": table, "file": name, "rows": data.num_rows, "bytes": path.stat().st_size}
        entries.append(entry | {"sha256": sha256(path)})
        if output.single_file and output.kind == "csv":
            entries[-1]["header"] = csv_header(data.schema)
    return entries


class Written(NamedTuple):
    """What progress is told of a shard."""

    shoppers: int
    events: int


@dataclass(frozen=True)
class Job:
    """All that it takes to make any shard of a data set; can be sent to another process, or another machine."""

    scenario: Scenario
    folder: Path
    output: Output
    shard_shoppers: int

    @classmethod
    def of(cls, scenario: Scenario, folder: Path, output: Output) -> Job:
        """Return the job of a data set with shards of the usual size."""
        return cls(scenario, folder, output, SHARD_SHOPPERS)

    def shards(self) -> list[Shard]:
        """Return all shards of the data set."""
        return shards(self.scenario.spec.shoppers, self.shard_shoppers)

    def shoppers(self, numbers: range) -> int:
        """Return how many shoppers are in the shards of these numbers."""
        ends = (min(edge * self.shard_shoppers, self.scenario.spec.shoppers) for edge in (numbers.start, numbers.stop))
        return -next(ends) + next(ends)

    def __call__(self, shard: Shard) -> Written:
        """Make a shard: its files, then its receipt."""
        entries = write_shard(self.scenario, shard, self.folder, self.output)
        self.receipts.write(shard.number, entries)
        return Written(shard.last - shard.first, next(e["rows"] for e in entries if e["table"] == "events"))

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels: all but the target, which data has no use for and whose probes stay where they are."""
        bare = replace(self.scenario, target=cast("Target", None), thresholds=())
        return {"scenario": bare, "folder": self.folder, "output": self.output, "shard_shoppers": self.shard_shoppers}

    @cached_property
    def receipts(self) -> Receipts:
        """The receipts of the data set, by its settings."""
        return Receipts(self.folder, deciding(crowd_manifest(self.scenario, {}, self._data())))

    def manifest(self, tables: Mapping[str, list[Entry]]) -> dict[str, Any]:
        """Return the manifest of the data set."""
        return crowd_manifest(self.scenario, tables, self._data())

    def _data(self) -> dict[str, Any]:
        return self.output.settings() | {"shard_shoppers": self.shard_shoppers, "pyarrow": pa.__version__}


def write_dataset(
    scenario: Scenario,
    folder: Path,
    kind: Format,
    *,
    also: Sequence[str] = (),
    compression: Compression | None = None,
    single_file: bool = False,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _shoppers, _events: None,
) -> dict[str, Any]:
    """Generate a scenario's data into an empty `folder`, its manifest last, and return that.

    `progress` is told (shoppers, events) of each finished shard. Raises `CannotWrite` and `FileFaults`.
    """
    job = Job.of(scenario, folder, Output(kind, compression, tuple(also), single_file))
    todo = job.shards()
    job.receipts.begin()
    with closing(make_all(job, todo, min(workers, len(todo)))) as written:
        for shard in written:
            progress(*shard)
    manifest = finish(job)
    assert manifest is not None
    return manifest


def crowd_manifest(scenario: Scenario, tables: Mapping[str, list[Entry]], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of generated data; it holds no clock, so that equal runs are equal bytes."""
    kept = ("file", "rows", "sha256")
    listed = {name: [{key: entry[key] for key in kept} for entry in entries] for name, entries in tables.items()}
    manifest = base_manifest(scenario, "crowd", listed)
    return manifest | {"data": dict(data)} | crowd_facts(scenario, manifest)
