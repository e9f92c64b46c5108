"""`footfall speed SCENARIO|RUN`: the speed report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options
from simulator.cli.exits import fail

if TYPE_CHECKING:
    from simulator.study.speed_findings import Judged
    from simulator.study.speed_report import Asked


@click.command("report", hidden=True, short_help="Report on a scenario or a run.")
@click.argument("what", metavar="SCENARIO|RUN")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the report; by default reports/speed-SCENARIO, or the run's own folder.",
)
@click.option(
    "--shoppers",
    type=click.IntRange(100, 10_000_000),
    metavar="N",
    help="Shoppers of the experiment; by default the scenario's, 20,000 at most.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes; the figures are the same."
)
@click.option(
    "--sweep",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A live rate sweep, for the chain from load to length.",
)
@options.seed
@options.behaviour
@options.baselines
def command(
    what: str,
    out: Path | None,
    shoppers: int | None,
    workers: int,
    sweep: Path | None,
    seed: int | None,
    behaviour: str | None,
    observational: bool | None,
    baselines: Path,
) -> int:
    """Say what one more second costs in session length, for whom, and how sure that is.

    A SCENARIO is played here: every visit without and with each delay, under its behaviour and under others. Of a RUN,
    what it measured is shown; its arms are compared as they were dealt. Writes speed.html, speed.md, speed.json and
    CSV files. Exits with 1 when a threshold of the scenario does not hold.
    """
    from simulator.analysis.baselines import Store
    from simulator.study.speed_report import Asked

    asked = Asked(shoppers, workers, Store(baselines), _swept(sweep))
    console = options.console()
    with console.status("reading") as status:
        asked = _telling(asked, status.update)
        if Path(what).is_dir():
            judged = _of_run(Path(what), asked, seed=seed, behaviour=behaviour)
            folder = out or Path(what)
        else:
            given = options.overrides(seed=seed, behaviour=behaviour, observational=observational)
            judged = _of_scenario(what, given, asked)
            folder = out or Path("reports") / f"speed-{judged.findings.title}"
    return _show(judged, folder)


def _telling(asked: Asked, tell: Any) -> Asked:  # noqa: ANN401 - takes a text
    from dataclasses import replace

    return replace(asked, tell=tell)


def _of_run(run: Path, asked: Asked, **given: object) -> Judged:
    from simulator.study.speed_report import of_run

    wrong = [f"--{name}" for name, value in given.items() if value is not None]
    if wrong:
        fail(f"{' and '.join(wrong)} cannot change a run that is over", "give the scenario instead")
    return of_run(run, asked)


def _of_scenario(name: str, given: dict[str, Any], asked: Asked) -> Judged:
    from simulator.scenario.load import load_scenario
    from simulator.study.speed_report import of_scenario

    scenario = load_scenario(name, given)
    options.warn_of(scenario.behaviour)
    return of_scenario(scenario, asked)


def _swept(folder: Path | None) -> tuple[Any, ...]:
    if folder is None:
        return ()
    from simulator.study.speed_sweep import read_sweep

    return read_sweep(folder)


def _show(judged: Judged, folder: Path) -> int:
    """Write the report, print the answer to stdout and the rest to stderr, and return the exit code."""
    from rich.markup import escape

    from simulator.cli import ci
    from simulator.report import speed_words as words
    from simulator.report.annotations import of_verdict
    from simulator.report.speed_write import write_speed

    written = write_speed(folder, judged)
    f, verdict, console = judged.findings, judged.verdict, options.console()
    click.echo("".join(words.headline(f)))
    console.print(f"{escape(words.sure(f))} {escape(words.basis_sentence(f))}")
    for line in words.flips(f):
        console.print(f"  [dim]{escape(line)}[/]")
    if verdict.state == "invalid":
        console.print(f"[bold yellow]{escape(verdict.headline)}[/]")
    for line in f.missing:
        console.print(f"[yellow]not in it[/] {escape(line)}")
    for result in verdict.results:
        mark = "[red]✗[/]" if result.broken else "[green]✓[/]" if result.ok else "[dim]–[/]"
        console.print(f" {mark} {escape(result.threshold.text)}  [dim]{escape(result.text)}[/]")
    ci.tell((folder / "speed.md").read_text(encoding="utf-8"), of_verdict(verdict))
    console.print(f"report: [bold]{escape(str(written[0]))}[/bold]")
    return verdict.exit_code
