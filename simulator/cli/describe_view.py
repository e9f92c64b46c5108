"""How `footfall describe` looks on a terminal: readable at 80 columns, without colour too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from simulator.analysis.words import NONE, counted, figure, seconds
from simulator.report.describe_page import FIGURES, heat, labels, size
from simulator.report.glossary import CAUSE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from simulator.analysis.description import Cell, Description

BAR = 18
"""Characters of the longest bar."""
MOST_ROWS = 14
"""Stretches of time that are shown one by one; `--html` and `--json` have all."""


def portrait(found: Description) -> Group:
    """Return what `describe` prints."""
    return Group(*_parts(found))


def _parts(found: Description) -> Iterator[RenderableType]:
    counts = ", ".join(counted(found.counts[name], name.removesuffix("s")) for name in ("shoppers", "visits", "events"))
    yield Text.assemble((found.name or found.folder, "bold"), f": {counts}")
    if found.world:
        yield Text(f"{found.world} world, seed {found.seed}, from {found.reference} on", "dim")
    for note in found.notes:
        yield Text(note, "yellow")
    yield _heading("Tables", size(sum(table.bytes for table in found.tables)))
    yield _tables(found)
    if len(found.arms) > 1:
        yield _heading("Arms", "visits of each")
        yield _rows(("arm", "visits"), [(name, f"{visits:,}") for name, visits in found.arms.items()])
    yield _heading("Funnel", "share of visits, and of the step before")
    yield _funnel(found)
    each = -(-len(found.sessions) // MOST_ROWS) or 1
    yield _heading("Sessions", f"visits every {f'{each} {found.spacing}s' if each > 1 else found.spacing}")
    yield _sessions(found, each)
    yield _heading("Why visits ended", "share of visits")
    yield _causes(found)
    yield _heading("Device × network", "visits, and median load of the landing page")
    yield _devices(found.devices)
    yield _heading("Personas", "data, and below it the closed form of undisturbed visits")
    yield _personas(found)
    yield Text("Disturbed: ended by slowness, an error or the time budget. Think times: --html or --json.", "dim")


def _heading(title: str, told: str) -> Text:
    return Text.assemble("\n", (title, "bold"), (f" · {told}", "dim"))


def _rows(names: Sequence[str], rows: Sequence[Sequence[str | Text]], *, bars: bool = False) -> Table:
    """Return a plain table; the last column holds bars where `bars` says so."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    table.add_column(names[0], no_wrap=True)
    for place, name in enumerate(names[1:], 1):
        left = bars and place == len(names) - 1
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _bar(share: float) -> str:
    """Return a bar in eighths of a character."""
    whole, eighths = divmod(round(share * BAR * 8), 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[eighths] if eighths else "")


def _tables(found: Description) -> Table:
    rows = [(t.name, f"{t.rows:,}", size(t.bytes), f"{t.files:,}", f"{t.columns}", t.kind) for t in found.tables]
    return _rows(("table", "rows", "size", "files", "columns", "format"), rows)


def _funnel(found: Description) -> Table:
    rows = [
        (
            step.name,
            f"{step.visits:,}",
            figure(step.of_all, "share"),
            figure(step.of_previous, "share") if place else "",
            _bar(step.of_all),
        )
        for place, step in enumerate(found.funnel)
    ]
    return _rows(("step", "visits", "of all", "of previous", ""), rows, bars=True)


def _sessions(found: Description, each: int) -> Table:
    """Return visits by stretches, `each` of them together."""
    names = labels(found)[::each]
    counts = [sum(found.sessions[first : first + each]) for first in range(0, len(found.sessions), each)]
    most = max(counts, default=0) or 1
    rows = [(name, f"{count:,}", _bar(count / most)) for name, count in zip(names, counts, strict=True)]
    return _rows(("from", "visits", ""), rows, bars=True)


def _causes(found: Description) -> Table:
    rows = [(CAUSE_NAMES.get(c, c), figure(share, "share"), _bar(share)) for c, share in found.causes.items()]
    return _rows(("cause", "share", ""), rows, bars=True)


def _devices(cells: Sequence[Cell]) -> Table:
    table = heat(cells)
    rows = [
        (name, *(f"{cell.visits:,} {seconds(cell.load_p50_s)}" if cell and cell.visits else NONE for cell, _ in row))
        for name, row in table["rows"].items()
    ]
    return _rows(("device", *table["networks"]), rows)


def _personas(found: Description) -> Table:
    names = ("pages", "engaged_s", "bounce", "conversion")
    rows: list[tuple[str | Text, ...]] = []
    for persona in found.personas:
        seen = [figure(persona.figures[name], FIGURES[name][1]) for name in names]
        rows.append((persona.name, f"{persona.visits:,}", figure(persona.disturbed, "share"), *seen))
        if persona.theory:
            expected = [figure(persona.theory.figures[name], FIGURES[name][1]) for name in names]
            rows.append((Text("  in theory", "dim"), "", "", *(Text(words, "dim") for words in expected)))
    return _rows(("persona", "visits", "disturbed", "pages", "engaged", "bounce", "conversion"), rows)
