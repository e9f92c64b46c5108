"""`make bench`: every figure a ratio against a reference in the same run, printed with the bar it has to clear."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import bench_capacity
import bench_estimators
import bench_fleet
import bench_generate
import bench_live
import bench_page
import bench_report
import bench_speed
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from figures import Figure

TOPICS = {
    "generate": bench_generate.run,
    "live": bench_live.run,
    "fleet": bench_fleet.run,
    "capacity": bench_capacity.run,
    "page": bench_page.run,
    "speed": bench_speed.run,
    "report": bench_report.run,
    "estimators": bench_estimators.run,
}


def main() -> int:
    """Run the topics named on the command line, or all; return 1 when a figure misses its bar."""
    console, figures = Console(), []
    for topic in sys.argv[1:] or TOPICS:
        console.print(f"[dim]{topic} …[/]")
        figures += TOPICS[topic]()
    console.print(_table(figures))
    return 0 if all(figure.ok for figure in figures) else 1


def _table(figures: list[Figure]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("figure", "value", "bar", ""):
        table.add_column(name, justify="right" if name == "value" else "left")
    for figure in figures:
        table.add_row(figure.name, figure.shown, figure.bar, "[green]✓[/]" if figure.ok else "[red]✗[/]")
    return table


if __name__ == "__main__":
    sys.exit(main())
