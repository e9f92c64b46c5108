"""What a run says on the console when it is over: a short summary, the verdict, where the report is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.analysis.verdict import Verdict

COLOURS = {"passed": "green", "failed": "red", "invalid": "yellow"}


def show_outcome(run: Path, verdict: Verdict) -> int:
    """Print a run's summary and verdict; return the exit code."""
    from rich.markup import escape

    from simulator.analysis.caveats import caveats
    from simulator.analysis.manifest import read_manifest

    console = options.console()
    colour = COLOURS[verdict.state]
    for result in verdict.results:
        mark = "[red]✗[/]" if result.broken else "[green]✓[/]" if result.ok else "[dim]–[/]"
        console.print(f" {mark} {escape(result.threshold.text)}  [dim]{escape(result.text)}[/]")
    console.print(f"[bold {colour}]{verdict.state}[/] {escape(verdict.headline)}")
    held = {f"{result.threshold.text}: {result.text}" for result in verdict.results}
    for reason in verdict.reasons:
        if reason not in held:
            console.print(f"  {escape(reason)}")
    for caveat in caveats(read_manifest(run)):
        console.print(f"[yellow]note[/] {escape(caveat)}")
    console.print(f"report: [bold]{escape(str(run / 'report.html'))}[/]")
    return verdict.exit_code
