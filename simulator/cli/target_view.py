"""Tables of `footfall target`: what a file maps, what a walk told, which hazards can be judged, what is shipped."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.target.check import CheckLine
    from simulator.target.request import Target
    from simulator.target.schema import Rest

UNBROKEN = 10_000
"""Columns where nobody looks: one line for each operation, however long."""
_MOST_NAMED = 4


def print_table(table: Table) -> None:
    """Print a table to stdout; what is no terminal gets each row on one line."""
    Console(highlight=False, width=None if sys.stdout.isatty() else UNBROKEN).print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        right = column in {"ms", "evidence"}
        short = column in {"operation", "status", "ms", "evidence", "hazard", "name"}
        table.add_column(column, justify="right" if right else "left", no_wrap=short, overflow="fold")
    return table


def walk_table(lines: list[CheckLine]) -> Table:
    """Return what a walk told, a row an operation."""
    table = _table("operation", "request", "status", "ms", "extracted", "evidence")
    for line in lines:
        status = str(line.status or "–")
        told = line.problem or ", ".join(f"{name}={_short(value)}" for name, value in line.extracted.items())
        broken = "; ".join(f"{one.evidence} {one.kind} {one.sample}".strip() for one in line.violations)
        told = f"{told}; {broken}" if told and broken else told or broken
        colour = "yellow" if line.skipped else "green" if line.ok else "red"
        elapsed = "" if line.elapsed_ms is None else f"{line.elapsed_ms:.1f}"
        request = f"{line.method} {line.url}" if line.method else ""
        request += f" (×{line.requests})" if line.requests > 1 else ""
        seen = f"{len(line.observable)}/{len(line.observable) + len(line.absent)}" if line.method else ""
        cells = (Text(line.operation), Text(request), Text(status, colour), Text(elapsed), Text(told), Text(seen))
        table.add_row(*cells)
    return table


def map_table(target: Target) -> Table:
    """Return what a file maps, a row a request: method and path, what later requests take from it, what it shows."""
    from simulator.target.call import method_of

    table = _table("operation", "request", "extracts", "observable")
    file = target.file
    rests: dict[str, Rest] = {f"setup.{name}": rest for name, rest in file.setup.items()}
    rests |= file.operations
    rests |= {f"readings.{name}": rest for name, rest in file.readings.items()}
    for name, rest in rests.items():
        shown = ", ".join(piece for piece, place in rest.evidence if place is not None)
        request = f"{method_of(rest)} {rest.path}"
        table.add_row(Text(name), Text(request), Text(", ".join(rest.extract)), Text(shown or "nothing"))
    return table


def hazard_table(target: Target) -> Table:
    """Return which hazards a file lets be judged: by which operations, or what is missing."""
    from simulator.target.hazards import judgeable

    table = _table("hazard", "name", "says", "judged")
    for row in judgeable(target):
        more = f" (+{len(row.operations) - _MOST_NAMED})" if len(row.operations) > _MOST_NAMED else ""
        by = f"by {', '.join(row.operations[:_MOST_NAMED])}{more}"
        told = Text(by, "green") if row.ok else Text(f"not observable: needs {'; '.join(row.missing)}", "yellow")
        table.add_row(Text(row.hazard.code), Text(row.hazard.name), Text(row.hazard.says), told)
    return table


def shipped_table() -> Table:
    """Return the shipped targets and presets: name, host, what each is, and the variables that it takes."""
    from simulator.model.library import shipped
    from simulator.target.reading import PRESETS, TARGETS, read_target
    from simulator.target.secrets import names_in

    table = _table("name", "describes", "takes")
    for folder in (TARGETS, PRESETS):
        for name, path in shipped(folder).items():
            spec = read_target(str(path), secrets=False)
            variables = dict.fromkeys(names_in(_without_comments(path.read_text(encoding="utf-8"))))
            table.add_row(Text(name), Text(spec.describe or ""), Text(", ".join(variables)))
    return table


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _short(value: object) -> str:
    text = f"{value[0]} (+{len(value) - 1})" if isinstance(value, tuple) and value else str(value)
    return text if len(text) <= 28 else f"{text[:27]}…"


def simple_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    """Return rows of text under these columns."""
    table = _table(*columns)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
