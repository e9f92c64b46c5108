"""The scoreboard of the estimators, as the docs publish it, for a page that says how far its figures can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.model.library import PACKAGE
from simulator.report.speed_tables import Table
from simulator.study.scoreboard_text import HEADS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILES = (PACKAGE / "_library/docs/estimators.md", PACKAGE.parent / "docs/estimators.md")
"""Where `footfall speed estimators --markdown` leaves its page: in a wheel, and in a checkout."""


def scoreboard_table(files: Sequence[Path] = FILES) -> Table | None:
    """Return the first table of the published page whose columns are `HEADS`; None where no page is at hand."""
    path = next((path for path in files if path.is_file()), None)
    if path is None:
        return None
    rows = [cells_of(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if tuple(HEADS) not in rows:
        return None
    begin = rows.index(tuple(HEADS)) + 2
    end = next((place for place in range(begin, len(rows)) if not rows[place]), len(rows))
    return Table("estimators", "How wrong the estimators are", tuple(HEADS), tuple(rows[begin:end]))


def cells_of(line: str) -> tuple[str, ...]:
    """Return the cells of a row of a Markdown table; none for any other line."""
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|")) if line.startswith("|") else ()
