"""What a data set or a run folder holds, read once from front to end in flat memory, whatever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.analysis.datafiles import TableFiles, batches, column_names, count_rows, find_tables
from simulator.analysis.localtime import local_week
from simulator.analysis.manifest import FILE, Manifest, read_manifest
from simulator.analysis.tallies import (
    EVENT_COLUMNS,
    FUNNEL,
    SHOPPER_COLUMNS,
    VISIT_COLUMNS,
    Book,
    EventTally,
    Rows,
    VisitTally,
    pair,
)
from simulator.analysis.theory import Theory, theories
from simulator.journey.arms import CONTROL
from simulator.journey.records import CAUSES
from simulator.journey.tables import SCHEMAS, TABLES
from simulator.model.faults import Fault, FileFaults
from simulator.model.schema import TECHNOLOGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.journey.tables import TableName

NEEDED: dict[TableName, tuple[str, ...]] = {
    "shoppers": SHOPPER_COLUMNS,
    "visits": VISIT_COLUMNS,
    "events": EVENT_COLUMNS,
}
STEPS = ("visits", "saw a product", "put something into the cart", "reached checkout", "reached payment", "ordered")
SHARES = (0.1, 0.5, 0.9, 0.99)
NAMES = ("p10", "p50", "p90", "p99")
US = 1e6
SPACING = ((3 * 60, 1, "minute"), (3 * 1_440, 60, "hour"))
"""(longest span in minutes, minutes of a stretch, its name); what is longer is counted by the day."""


@dataclass(frozen=True, slots=True)
class TableCount:
    """One table: its rows, bytes, files and columns; `also` where it is none of the three that every world writes."""

    name: str
    kind: str
    rows: int
    bytes: int
    files: int
    columns: int
    also: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel, as a share of all visits and of the step before."""

    name: str
    visits: int
    of_all: float
    of_previous: float


@dataclass(frozen=True, slots=True)
class Cell:
    """Visits that landed with a device on a network; medians are seconds, None where no page was seen."""

    device: str
    network: str
    visits: int
    load_p50_s: float | None


@dataclass(frozen=True, slots=True)
class Thinking:
    """Think times of a persona on one page, in seconds; `theory` are the quantiles of the persona's file."""

    page: str
    n: int
    seen: dict[str, float | None]
    theory: dict[str, float] | None


@dataclass(frozen=True, slots=True)
class PersonaData:
    """One persona's visits beside the closed form of undisturbed ones; `disturbed` left for another cause than done."""

    name: str
    visits: int
    causes: dict[str, float]
    disturbed: float
    figures: dict[str, float | None]
    pages: dict[str, int | None]
    engaged: dict[str, float | None]
    theory: Theory | None
    thinking: list[Thinking]


@dataclass(frozen=True, slots=True)
class Description:
    """Everything `footfall describe` says. Times are seconds; `arm` is the arm that all but `counts` are of."""

    folder: str
    name: str | None
    world: str | None
    seed: int | None
    reference: str | None
    footfall: str | None
    notes: list[str]
    arms: dict[str, int]
    arm: str | None
    counts: dict[str, int]
    tables: list[TableCount]
    funnel: list[Step]
    spacing: str
    sessions: list[int]
    week: list[list[int]] | None
    causes: dict[str, float]
    devices: list[Cell]
    models: list[Cell]
    personas: list[PersonaData]


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
    spacing, sessions = _sessions(visits.minutes.row(0))
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
        funnel=_funnel(events),
        spacing=spacing,
        sessions=sessions,
        week=local_week(manifest.reference, events.city.names, events.started.values) if manifest else None,
        causes=_causes(visits, range(len(visits.persona.names))),
        devices=list(_devices(visits)),
        models=list(_models(events)),
        personas=list(_personas(visits, events, known)),
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


def _funnel(events: EventTally) -> list[Step]:
    counts = [events.visits, *(int(count) for count in events.reached)]
    assert len(counts) == len(FUNNEL) + 1
    steps, previous = [], events.visits
    for name, count in zip(STEPS, counts, strict=True):
        steps.append(Step(name, count, _ratio(count, events.visits), _ratio(count, previous)))
        previous = count
    return steps


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _sessions(minutes: NDArray[np.float64]) -> tuple[str, list[int]]:
    """Return the name of a stretch, and the visits that began in each, from the reference instant to the last."""
    used = np.flatnonzero(minutes)
    span = int(used[-1]) + 1 if len(used) else 0
    width, name = next(((width, name) for most, width, name in SPACING if span <= most), (1_440, "day"))
    whole = np.zeros(-(-span // width) * width)
    whole[:span] = minutes[:span]
    return name, [int(count) for count in whole.reshape(-1, width).sum(axis=1)]


def _causes(visits: VisitTally, personas: Any) -> dict[str, float]:  # noqa: ANN401 - numbers of personas
    """Return the share of each cause of leaving, over visits that some personas ended."""
    counts = {cause: sum(visits.causes.at(p, c) for p in personas) for c, cause in enumerate(CAUSES)}
    over = sum(counts.values())
    return {cause: _ratio(count, over) for cause, count in counts.items() if count or cause != CAUSES[0]}


def _devices(visits: VisitTally) -> Iterator[Cell]:
    """Yield visits and median landing load by operating system and tier."""
    for device in _by_size(visits.device.names, visits.by_device.values.sum(axis=1)):
        for network in _networks(visits.network.names):
            one, other = visits.device.number(device), visits.network.number(network)
            [p50] = visits.landing.quantiles(pair(one, other), (0.5,))
            yield Cell(device, network, int(visits.by_device.at(one, other)), _s(p50))


def _models(events: EventTally) -> Iterator[Cell]:
    """Yield visits and median load of all pages by device model."""
    for device in _by_size(events.device.names, events.landings.values.sum(axis=1)):
        for network in _networks(events.network.names):
            one, other = events.device.number(device), events.network.number(network)
            [p50] = events.loading.quantiles(pair(one, other), (0.5,))
            yield Cell(device, network, int(events.landings.at(one, other)), _s(p50))


def _by_size(names: list[str], sizes: NDArray[np.float64]) -> list[str]:
    size = dict(zip(names, sizes.tolist(), strict=False))
    return sorted(names, key=lambda name: (-size.get(name, 0.0), name))


def _networks(names: list[str]) -> list[str]:
    return [name for name in TECHNOLOGIES if name in names] + sorted(set(names) - set(TECHNOLOGIES))


def _s(value_us: float | None) -> float | None:
    return None if value_us is None else value_us / US


def _personas(visits: VisitTally, events: EventTally, known: Mapping[str, Theory]) -> Iterator[PersonaData]:
    for name in _by_size(visits.persona.names, visits.causes.values.sum(axis=1)):
        number = visits.persona.number(name)
        causes = _causes(visits, (number,))
        ended = {cause: share for cause, share in causes.items() if cause != CAUSES[0]}
        engaged = visits.engaged.quantiles(number, SHARES)
        yield PersonaData(
            name,
            int(visits.causes.row(number).sum()),
            causes,
            1.0 - _ratio(ended.get("done", 0.0), sum(ended.values())),
            _figures({key: grid.at(number, 0) for key, grid in visits.sums.items()}),
            dict(zip(NAMES, (_count_quantile(visits.lengths.row(number), share) for share in SHARES), strict=True)),
            dict(zip(NAMES, map(_s, engaged), strict=True)),
            known.get(name),
            list(_thinking(events, name, known.get(name))),
        )


def _figures(sums: Mapping[str, float]) -> dict[str, float | None]:
    """Return the figures that the closed form has too, of visits that came to their end."""
    n = sums["visits"]
    if not n:
        return dict.fromkeys(("pages", "pages_sd", "bounce", "conversion", "cart_reached", "abandonment", "engaged_s"))
    pages = sums["pages"] / n
    return {
        "pages": pages,
        "pages_sd": max(sums["pages2"] / n - pages**2, 0.0) ** 0.5,
        "bounce": sums["bounced"] / n,
        "conversion": sums["bought"] / n,
        "cart_reached": sums["carted"] / n,
        "abandonment": 1.0 - sums["bought"] / sums["carted"] if sums["carted"] else None,
        "engaged_s": sums["engaged_us"] / US / n,
    }


def _count_quantile(counts: NDArray[np.float64], share: float) -> int | None:
    """Return the smallest number that a share of visits is not above."""
    total = counts.sum()
    return int(np.searchsorted(np.cumsum(counts), share * total - 1e-9)) if total else None


def _thinking(events: EventTally, persona: str, theory: Theory | None) -> Iterator[Thinking]:
    if persona not in events.persona.names:
        return
    number = events.persona.number(persona)
    for page in _by_size(events.page.names, events.pages.values.sum(axis=0)):
        group = pair(number, events.page.number(page))
        if n := events.thinking.count(group):
            seen = dict(zip(NAMES, map(_s, events.thinking.quantiles(group, SHARES)), strict=True))
            yield Thinking(page, n, seen, theory.thinking.get(page) if theory else None)
