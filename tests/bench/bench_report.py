"""How long the reports on ten million page events take, on two cores and from the command line, as a user waits.

The run is one of the capacity world, repeated: its tables several times over, with other shoppers' numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from figures import Figure, at_most

from simulator.journey.tables import TABLES
from simulator.runfolder.files import sha256
from simulator.runfolder.tables import parquet_options

EVENTS, ROUNDS = 10_000_000, 3
MOST_BYTES = 4e9
ROWS = 1 << 20
"""Rows of a row group, as pyarrow writes them where nobody says otherwise."""
RUN = ("capacity", "demo", "--backend", "uncontended", "--rate", "400/s", "--duration", "20min")


def run() -> list[Figure]:
    """Time both reports; imports and everything else that a command does are within the time."""
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name, "small"), Path(name, "large")
        _footfall(*RUN, "--out", str(small))
        repeat(small, large, -(-EVENTS // _events(small)))
        return [figure for command in ("speed", "report") for figure in _figures(command, large)]


def _figures(command: str, folder: Path) -> list[Figure]:
    _footfall(command, str(folder))
    seen = [_footfall(command, str(folder)) for _ in range(ROUNDS)]
    seconds, most_bytes = median(seconds for seconds, _ in seen), max(most for _, most in seen)
    told = f"report: `footfall {command}` of {_events(folder) / 1e6:.1f} million events"
    return [at_most(told, seconds, 30.0, " s"), at_most(f"{told}, memory", most_bytes / 1e9, MOST_BYTES / 1e9, " GB")]


def _footfall(*words: str) -> tuple[float, int]:
    """Run a command; return how long it took, seconds, and the most memory that its process had, bytes."""
    begun_s = perf_counter()
    command = [sys.executable, "-m", "simulator.cli", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1), f"{' '.join(words)} ended with {process.returncode}"
    return perf_counter() - begun_s, used.ru_maxrss * 1024


def _events(folder: Path) -> int:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return sum(int(entry["rows"]) for entry in manifest["tables"]["events"])


def repeat(folder: Path, to: Path, times: int) -> None:
    """Write a run whose tables are those of `folder` so many times over, each time with shoppers of other numbers."""
    to.mkdir(parents=True)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    shoppers = pq.read_table(folder / "shoppers.parquet", columns=["shopper"])["shopper"]
    apart = pc.max(shoppers).as_py() + 1
    for table in TABLES:
        rows = _repeat(folder / f"{table}.parquet", to / f"{table}.parquet", times, apart)
        entry = {"file": f"{table}.parquet", "rows": rows, "sha256": sha256(to / f"{table}.parquet")}
        manifest["tables"][table] = [entry]
    (to / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _repeat(source: Path, to: Path, times: int, apart: int) -> int:
    table = pq.read_table(source).unify_dictionaries().combine_chunks()
    place, field = table.schema.get_field_index("shopper"), table.schema.field("shopper")
    with pq.ParquetWriter(to, table.schema, **parquet_options(table.schema, "snappy")) as writer:
        for copy in range(times):
            numbers = pc.add(table["shopper"], pa.scalar(copy * apart, field.type))
            writer.write_table(table.set_column(place, field, numbers), row_group_size=ROWS)
    return times * int(table.num_rows)
