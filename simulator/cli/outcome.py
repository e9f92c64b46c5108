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
    shown = {result.text for result in verdict.results}
    for reason in verdict.reasons:
        if reason not in shown:
            console.print(f"  {escape(reason)}")
    for caveat in caveats(read_manifest(run)):
        console.print(f"[yellow]note[/] {escape(caveat)}")
    _tell_ci(run, verdict)
    console.print(f"report: [bold]{escape(str(run / 'report.html'))}[/]")
    return verdict.exit_code


def report_on(run: Path) -> int:
    """Write a run's report, judged with the baselines at hand, print the outcome and return the exit code."""
    return show_outcome(run, judged(run))


def judged(run: Path) -> Verdict:
    """Write a run's report, judged with the baselines at hand, and return the verdict."""
    from simulator.analysis.baselines import Store
    from simulator.report import write_reports

    return write_reports(run, Store(options.baselines_folder()))


def _tell_ci(run: Path, verdict: Verdict) -> None:
    from simulator.cli import ci
    from simulator.report.annotations import of_verdict

    ci.tell((run / "report.md").read_text(encoding="utf-8"), of_verdict(verdict))
