"""What a data set or a run folder holds, read once from front to end in flat memory, whatever wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from simulator.analysis.datafiles import TableFiles, batches, column_names, count_rows, find_tables
from simulator.analysis.description import Description, TableCount
from simulator.analysis.localtime import local_week
from simulator.analysis.manifest import FILE, Manifest, read_manifest
from simulator.analysis.summing import causes_of, devices, funnel, models, personas, sessions
from simulator.analysis.tallies import (
    EVENT_COLUMNS,
    SHOPPER_COLUMNS,
    VISIT_COLUMNS,
    Book,
    EventTally,
    Rows,
    VisitTally,
)
from simulator.analysis.theory import Theory, theories
from simulator.journey.arms import CONTROL
from simulator.journey.tables import SCHEMAS, TABLES
from simulator.model.faults import Fault, FileFaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from simulator.journey.tables import TableName

NEEDED: dict[TableName, tuple[str, ...]] = {
    "shoppers": SHOPPER_COLUMNS,
    "visits": VISIT_COLUMNS,
    "events": EVENT_COLUMNS,
}


def describe(folder: Path, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Description:
    """Read the tables of a folder and return what they hold; `progress` is told (bytes read, bytes in all).

    Raises `FileFaults` for a folder that is none, lacks a table or a column, or has files that are broken or are not
    those that its manifest lists.
    """
    tables = find_tables(folder)
    manifest = read_manifest(folder) if (folder / FILE).exists() else None
    _check(folder, tables, manifest)
    read = _Meter(tables, progress)
    arms = _arms(tables["visits"], manifest)
    arm = CONTROL if len(arms) > 1 and CONTROL in arms else None
    visits, events = VisitTally(), EventTally()
    rows = {
        "shoppers": count_rows(tables["shoppers"], read),
        "visits": _stream(tables["visits"], VISIT_COLUMNS, arm, arms, visits.add, read),
        "events": _stream(tables["events"], EVENT_COLUMNS, arm, {}, events.add, read),
    }
    events.close()
    rows |= {name: count_rows(files, read) for name, files in tables.items() if name not in TABLES}
    _check_rows(folder, tables, rows, manifest)
    return _described(folder, manifest, tables, rows, arms, arm, visits, events)


class _Meter:
    """Adds up bytes read, for a progress bar."""

    def __init__(self, tables: Mapping[str, TableFiles], progress: Callable[[int, int], None]) -> None:
        self._done, self._total, self._progress = 0, sum(table.size for table in tables.values()), progress

    def __call__(self, read: int) -> None:
        self._done += read
        self._progress(self._done, self._total)


def _check(folder: Path, tables: Mapping[str, TableFiles], manifest: Manifest | None) -> None:
    """Raise every fault of tables and columns that are missing, and of files that the manifest lists."""
    missing = [name for name in TABLES if name not in tables]
    hint = "footfall generate, capacity, load and demo write such folders"
    if len(missing) == len(TABLES):
        found = f"holds no tables {', '.join(TABLES[:-1])} and {TABLES[-1]}"
        raise FileFaults([Fault(str(folder), 0, "", found, "a data set or run of footfall is needed", hint)])
    faults = [Fault(str(folder), 0, "", f"has no table {name}", "", hint) for name in missing]
    for name in TABLES:
        if name in tables:
            faults += _column_faults(tables[name], NEEDED[name])
    listed = [entry.file for entries in manifest.tables.values() for entry in entries] if manifest else []
    faults += [
        Fault(str(folder / file), 0, "", "is missing", f"{FILE} lists it", "copy the folder whole")
        for file in listed
        if not (folder / file).is_file()
    ]
    if faults:
        raise FileFaults(faults)


def _column_faults(table: TableFiles, needed: tuple[str, ...]) -> list[Fault]:
    names = column_names(table)
    if not names and table.kind == "jsonl":
        return []  # a file without rows says nothing of columns
    lacking = [name for name in needed if name not in names]
    if not lacking:
        return []
    found = f"{table.name} has no column {', '.join(lacking)}"
    return [Fault(str(table.files[0]), 0, "", found, "", "is this a table of footfall, of this version?")]


def _check_rows(
    folder: Path, tables: Mapping[str, TableFiles], rows: Mapping[str, int], manifest: Manifest | None
) -> None:
    """Raise a fault for each table that has other rows than the manifest says."""
    listed = {
        name: sum(entry.rows for entry in entries) for name, entries in (manifest.tables if manifest else {}).items()
    }
    faults = [
        Fault(str(folder), 0, "", f"{name} has {rows[name]:,} rows", f"{FILE} says {listed[name]:,}",
              "files were added, cut or changed since")
        for name in tables
        if name in listed and listed[name] != rows[name]
    ]  # fmt: skip
    if faults:
        raise FileFaults(faults)


def _arms(table: TableFiles, manifest: Manifest | None) -> dict[str, int]:
    """Return the arms, with no visit each yet; without a manifest they are looked for."""
    if manifest is not None:
        return dict.fromkeys(manifest.arms, 0)
    book = Book()
    for batch in batches(table, ("arm",), SCHEMAS["visits"], lambda _read: None):
        book.codes(Rows(batch).column("arm"))
    return dict.fromkeys(book.names, 0)


def _stream(
    table: TableFiles,
    columns: tuple[str, ...],
    arm: str | None,
    arms: dict[str, int],
    add: Callable[[pa.RecordBatch], None],
    read: Callable[[int], None],
) -> int:
    """Give each batch of one arm (or of all) to `add`; count rows, and in `arms` the rows of each. Return the rows."""
    total = 0
    for batch in batches(table, columns, SCHEMAS[table.name], read):  # type: ignore[index] # one of TABLES
        total += batch.num_rows
        labels = Rows(batch).column("arm").cast(pa.string())
        if arms:
            for pair_ in pc.value_counts(labels).to_pylist():
                name = str(pair_["values"])
                arms[name] = arms.get(name, 0) + pair_["counts"]
        add(batch if arm is None else batch.filter(pc.equal(labels, arm)))
    return total


def _described(
    folder: Path,
    manifest: Manifest | None,
    tables: Mapping[str, TableFiles],
    rows: Mapping[str, int],
    arms: dict[str, int],
    arm: str | None,
    visits: VisitTally,
    events: EventTally,
) -> Description:
    spacing, begun = sessions(visits)
    known = theories(visits.persona.names, manifest.scenario.get("population") if manifest else None)
    notes = list(_notes(manifest, arms, arm, visits, events, known))
    return Description(
        folder=folder.name or str(folder),
        name=manifest.name if manifest else None,
        world=manifest.world if manifest else None,
        seed=manifest.seed if manifest else None,
        reference=manifest.reference if manifest else None,
        footfall=manifest.footfall if manifest else None,
        notes=notes,
        arms=arms,
        arm=arm,
        counts={name: rows[name] for name in TABLES},
        tables=[_table(tables[name], rows[name]) for name in (*TABLES, *sorted(set(tables) - set(TABLES)))],
        funnel=funnel(events),
        spacing=spacing,
        sessions=begun,
        week=local_week(manifest.reference, events.city.names, events.started.values) if manifest else None,
        causes=causes_of(visits, range(len(visits.persona.names))),
        devices=list(devices(visits)),
        models=list(models(events)),
        personas=list(personas(visits, events, known)),
    )


def _notes(
    manifest: Manifest | None,
    arms: Mapping[str, int],
    arm: str | None,
    visits: VisitTally,
    events: EventTally,
    known: Mapping[str, Theory],
) -> Iterator[str]:
    """Yield what a reader must know before reading the figures."""
    if manifest is None:
        yield f"There is no {FILE}: days are counted from the run's reference instant, local hours unknown."
    elif manifest.interrupted:
        yield "The run was interrupted; this is what was there by then."
    if arm is not None:
        yield f"The same visits were dealt to {len(arms)} arms; the figures are of {arm} alone."
    elif len(arms) > 1:
        yield f"The data has {len(arms)} arms and none is {CONTROL}; the figures mix them."
    if events.visits != visits.rows:
        yield (
            f"The events are of {events.visits:,} visits where the visits are {visits.rows:,}: rows are missing or do "
            "not stand together, and the funnel is off by as much."
        )
    if strangers := [name for name in visits.persona.names if name not in known]:
        yield f"No persona file was found for {', '.join(strangers)}: no theory to compare with."


def _table(table: TableFiles, rows: int) -> TableCount:
    return TableCount(
        table.name, table.kind, rows, table.size, len(table.files), len(column_names(table)), table.name not in TABLES
    )
