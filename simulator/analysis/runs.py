"""A run folder, read and checked: whichever world wrote it, this is all that any report knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulator.analysis.cut import visit_weights
from simulator.analysis.frames import Frame, Labels, LateFrame, among, without_repeats
from simulator.analysis.latency import LABELS, Histograms, read_histograms
from simulator.analysis.manifest import Manifest, read_manifest
from simulator.journey.arms import CONTROL
from simulator.journey.records import CAUSES, ONGOING
from simulator.model.faults import Fault, FileFaults, one_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.analysis.parting import Parting

NEEDED = {
    "shoppers": ("shopper", "persona", "os", "tier"),
    "visits": (
        "shopper", "visit", "arm", "persona", "country", "os", "tier", "situation", "network", "start_at_us", "lag_us",
        "wall_us", "engaged_us", "waited_us", "ga_us", "pages", "bounced", "landing_load_us", "cause", "carted",
        "orders",
    ),
    "events": (
        "shopper", "visit", "arm", "persona", "page", "fcp_us", "load_us", "measured_us", "ok", "waited_us",
        "situation", "network", "country", "cause",
    ),
    "requests": (
        "shopper", "persona", "page", "operation", "placement", "due_us", "sent_us", "done_us", "status", "error",
    ),
    "latency": ("page", "persona", "clock", "count", "hdr"),
}  # fmt: skip
"""The columns that are read of each table."""
WARMUP = "warmup"
WHERE_THERE = {
    "latency": LABELS,
    "requests": ("network", "tier", "arm", WARMUP),
    "visits": (WARMUP, "revenue_cents"),
    "events": ("step", WARMUP),
}
"""Columns that are read too, and that runs of older versions do not have."""
EVERY_WORLD = ("shoppers", "visits", "events")
CHUNK = 1_000_000
"""Rows of a table in memory that are looked at together."""
OTHER_FORMATS = ("csv", "jsonl")


@dataclass(frozen=True)
class Run:
    """A run's manifest and tables. `requests` and `histograms` are there for live runs only.

    Rows of the warm-up are left out: no figure counts them. Its visits alone are kept, in `warmup`.
    """

    folder: Path
    manifest: Manifest
    shoppers: Frame
    visits: Frame
    events: Frame
    requests: Frame | None
    histograms: Histograms | None
    warmup: Frame | None = None

    @cached_property
    def base_arm(self) -> str | None:
        """The arm that figures are of when nothing else is said: `control` where there are several."""
        several = len(self.manifest.arms) > 1 and CONTROL in self.manifest.arms
        return CONTROL if several else None

    @cached_property
    def finished(self) -> NDArray[np.bool_]:
        """Which visits came to their end; the others were cut when the run ended."""
        return ~self.visits.labels("cause").are(CAUSES[ONGOING])

    @cached_property
    def all_finished(self) -> bool:
        """Whether no visit was cut."""
        return bool(self.finished.all())

    @cached_property
    def parted(self) -> dict[str, tuple[tuple[str, ...], Parting]]:
        """How each table is parted at present: by which labels, and the parting."""
        return {}

    @cached_property
    def visit_weights(self) -> NDArray[np.float64]:
        """What each visit counts, so that the finished ones stand in for those that were cut."""
        return visit_weights(self._took_us(), self.finished)

    def _took_us(self) -> NDArray[np.float64]:
        """Return how long each visit took of the run's own time, in which shoppers may think faster than in life."""
        visits, generator = self.visits, self.manifest.generator
        took = visits.numbers("waited_us") + visits.numbers("engaged_us") / self.manifest.pace
        if generator is None or generator.duration_s is None:
            return took
        # A cut visit's last think time stands in the table whole, though the end came during it.
        left = 1e6 * generator.duration_s - visits.numbers("start_at_us") - visits.numbers("lag_us")
        return np.where(self.finished, took, np.clip(took, 0.0, np.maximum(left, 0.0)))

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Which visits count in figures of visits: all that finished, and cut ones that none can stand in for."""
        return self.visit_weights > 0

    @cached_property
    def event_shopper(self) -> NDArray[np.int64]:
        """For each event, the row of its shopper in the shoppers table."""
        known = self.shoppers.integers("shopper")
        order = np.argsort(known, kind="stable")
        found = np.searchsorted(known, self.events.integers("shopper"), sorter=order)
        rows: NDArray[np.int64] = order[np.minimum(found, max(len(order) - 1, 0))] if len(order) else found
        return rows

    def event_labels(self, column: str) -> Labels:
        """Return a label of each event; what only the shopper knows (`os`, `tier`) is looked up there."""
        if column in self.events.columns:
            return self.events.labels(column)
        return self.shoppers.labels(column).take(self.event_shopper)


def read_run(path: Path, *, events_later: bool = False) -> Run:
    """Read a run folder. Raises `FileFaults` with everything that is missing, changed or not Parquet.

    With `events_later` the events table is read, and its faults are found, when somebody looks at it; `chunks_of` does
    without the whole.
    """
    manifest = read_manifest(path)
    names = (*EVERY_WORLD, *(name for name in ("requests", "latency") if manifest.world == "live"))
    frames: dict[str, Frame | None] = {}
    faults, warmup = [], None
    for name in names:
        if events_later and name == "events":
            frames[name] = LateFrame(lambda: _counted(path, manifest))
            continue
        try:
            table = _read_table(path, name, manifest, needed=name in EVERY_WORLD)
            if table is not None and WARMUP in table.column_names:
                table, early = _split_off_warmup(table)
                warmup = Frame(early) if name == "visits" else warmup
            frames[name] = Frame(table) if table is not None else None
        except FileFaults as error:
            faults += error.faults
    if faults:
        raise FileFaults(faults)
    shoppers, visits, events = (frames[name] for name in EVERY_WORLD)
    assert shoppers is not None
    assert visits is not None
    assert events is not None
    latency = frames.get("latency")
    histograms = read_histograms(latency, str(path / "latency.parquet")) if latency is not None else None
    run = Run(path, manifest, shoppers, visits, events, frames.get("requests"), histograms, warmup)
    _check_shoppers(run)
    return run


def _counted(path: Path, manifest: Manifest) -> pa.Table:
    """Return the events table without its warm-up."""
    table = _read_table(path, "events", manifest, needed=True)
    assert table is not None
    return _split_off_warmup(table)[0] if WARMUP in table.column_names else table


def chunks_of(run: Run, columns: Sequence[str]) -> Iterator[Frame]:
    """Yield the events a row group at a time, with those of the columns that the run has, its warm-up left out.

    A run that was read with `events_later` is read anew, so that its table is never whole in memory. Raises
    `FileFaults` for a part that cannot be read.
    """
    if not isinstance(run.events, LateFrame):
        table = run.events.table.select([name for name in columns if name in run.events.columns])
        for start in range(0, table.num_rows, CHUNK):
            yield Frame(table.slice(start, CHUNK))
        return
    for part in _parts(run.folder, "events", run.manifest):
        try:
            file = pq.ParquetFile(part)
            wanted = [name for name in (*columns, WARMUP) if name in file.schema_arrow.names]
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=wanted)
                yield Frame(_split_off_warmup(table)[0] if WARMUP in wanted else table)
        except FileNotFoundError:
            raise one_fault(str(part), "is named in the manifest but does not exist") from None
        except (OSError, pa.ArrowException) as error:
            raise one_fault(str(part), f"cannot be read as Parquet ({_first_line(error)})") from None


def _split_off_warmup(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the rows that count, and those of the warm-up."""
    early = table[WARMUP]
    return table.filter(pc.invert(early)).drop_columns(WARMUP), table.filter(early)


def _read_table(folder: Path, name: str, manifest: Manifest, *, needed: bool) -> pa.Table | None:
    parts = _parts(folder, name, manifest)
    if not parts:
        if not needed:
            return None
        raise one_fault(str(folder), _why_absent(folder, name), "Parquet tables are needed", _hint(folder, name))
    tables = [_read_part(part, name) for part in parts]
    faults = [
        fault
        for entry in manifest.tables.get(name, [])
        for fault in _changed(folder / entry.file, entry.rows, entry.sha256)
    ]
    if faults:
        raise FileFaults(faults)
    return pa.concat_tables(tables)


def _parts(folder: Path, name: str, manifest: Manifest) -> list[Path]:
    """Return the Parquet files of a table: those the manifest names, or those that are there."""
    listed = [folder / entry.file for entry in manifest.tables.get(name, []) if entry.file.endswith(".parquet")]
    if listed:
        return listed
    single = folder / f"{name}.parquet"
    return [single] if single.is_file() else sorted((folder / name).glob("part-*.parquet"))


def _others(folder: Path, name: str) -> list[str]:
    found = [*folder.glob(f"{name}.*"), *(folder / name).glob("part-*")]
    kinds = {path.name.split(".")[1] for path in found if "." in path.name}  # as csv of part-00000.csv.gz
    return sorted(kinds & set(OTHER_FORMATS))


def _why_absent(folder: Path, name: str) -> str:
    others = _others(folder, name)
    return f"has its {name} table as {' and '.join(others)} only" if others else f"has no {name} table"


def _hint(folder: Path, name: str) -> str:
    return (
        "generate with --format parquet to get a report" if _others(folder, name) else "the run may have been cut short"
    )


def _read_part(path: Path, name: str) -> pa.Table:
    try:
        file = pq.ParquetFile(path)
        missing = [column for column in NEEDED[name] if column not in file.schema_arrow.names]
        if missing:
            raise one_fault(str(path), f"has no column {', '.join(missing)}", "", "was it written by another version?")
        others = [name for name in WHERE_THERE.get(name, ()) if name in file.schema_arrow.names]
        return file.read(columns=list(dict.fromkeys([*NEEDED[name], *others])))
    except FileNotFoundError:
        raise one_fault(str(path), "is named in the manifest but does not exist") from None
    except (OSError, pa.ArrowException) as error:
        raise one_fault(str(path), f"cannot be read as Parquet ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")


def _changed(path: Path, rows: int, sha256: str) -> list[Fault]:
    """Return a fault when a file is not the one the manifest describes."""
    found = pq.read_metadata(path).num_rows
    if found != rows:
        return [Fault(str(path), 0, "", f"has {found} rows", f"the manifest says {rows}", "the file was changed")]
    if sha256 and _digest(path) != sha256:
        return [Fault(str(path), 0, "", "is not the file the run wrote (its SHA-256 differs)", "")]
    return []


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_shoppers(run: Run) -> None:
    """Every event and visit belongs to a shopper of the run, or the tables are not of one run."""
    known = run.shoppers.integers("shopper")
    late = isinstance(run.events, LateFrame)
    for name, frame in (("visits", run.visits), *(() if late else (("events", run.events),))):
        strangers = _strangers(frame.integers("shopper"), known)
        if len(strangers):
            found = f"{name} has shopper {min(strangers)}, who is not in the shoppers table"
            raise one_fault(str(run.folder), found, "", "the tables are not of one run")


def _strangers(shoppers: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those who are not known; rows stand mostly by shopper, so each stretch of one is looked at once."""
    once = without_repeats(shoppers)
    return once[~among(once, known)]
