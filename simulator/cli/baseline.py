"""`footfall baseline`: keep runs to compare with, and compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options
from simulator.cli.exits import Exit, fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.figures import Figure
    from simulator.analysis.manifest import Manifest
    from simulator.analysis.runs import Run
    from simulator.report.comparison import Comparison

_UNBROKEN = 10_000


@click.group("baseline", short_help="Keep runs to compare with, and compare.")
def command() -> None:
    """Keep runs as baselines and compare later runs with them.

    A baseline holds one run or several of the same settings; three or more tell how much figures differ from run to run
    anyway.
    """


_run = click.argument("run", type=click.Path(path_type=Path))


def _share(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    from simulator.model.units import parse_share

    try:
        return parse_share(text if text.endswith("%") else float(text))
    except ValueError:
        raise click.BadParameter(f"{text} is no share, as 2% or 0.02") from None


@command.command("save", short_help="Save a run as a baseline.")
@_run
@click.option("--name", metavar="NAME", help="Of the baseline; default: the scenario's.")
@options.baselines
@click.option("--keep", type=click.IntRange(1), default=10, show_default=True, help="Drop the oldest runs beyond.")
@click.option("--replace", is_flag=True, help="Drop the baseline's earlier runs, as after a change of settings.")
def save(run: Path, name: str | None, baselines: Path, keep: int, replace: bool) -> int:
    """Save RUN as the newest run of a baseline, with the columns that figures need and nothing else.

    Thresholds that broke do not matter; a run whose figures cannot be trusted is refused with exit code 3.
    """
    from rich.markup import escape

    from simulator.analysis.baselines import Store
    from simulator.analysis.runs import read_run
    from simulator.analysis.settings import settings_digest
    from simulator.runfolder.baselines import save_run

    found = read_run(run)
    if _untrusted(found.manifest):
        return Exit.INVALID
    store, called = Store(baselines), name or found.manifest.name
    folder = save_run(store, called, found, keep=keep, replace=replace)
    count, digest = len(store.saved(called)), settings_digest(found.manifest)[:12]
    options.console().print(f"saved as [bold]{escape(str(folder))}[/] (runs: {count}, settings {digest})")
    return Exit.PASSED


@command.command("list", short_help="List the baselines.")
@options.baselines
def list_(baselines: Path) -> None:
    """Print each baseline with its runs, world, version and settings."""
    from rich.console import Console
    from rich.table import Table

    from simulator.analysis.baselines import Store
    from simulator.analysis.manifest import read_manifest
    from simulator.analysis.settings import settings_digest

    store = Store(baselines)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("baseline", "runs", "world", "footfall", "settings"):
        table.add_column(head, justify="right" if head == "runs" else "left")
    for name in store.names():
        paths = store.saved(name)
        last = read_manifest(paths[-1])
        table.add_row(name, str(len(paths)), last.world, last.footfall, settings_digest(last)[:12])
    if table.row_count:
        Console(highlight=False, width=None if sys.stdout.isatty() else _UNBROKEN).print(table)
    else:
        options.console().print(f"no baselines in {baselines}")


@command.command("drop", short_help="Remove a baseline.")
@click.argument("name")
@options.baselines
def drop(name: str, baselines: Path) -> None:
    """Remove the baseline NAME with all its runs."""
    from simulator.analysis.baselines import Store
    from simulator.runfolder.baselines import drop_baseline

    count = drop_baseline(Store(baselines), name)
    options.console().print(f"dropped {name} (runs: {count})")


@command.command("compare", short_help="Compare a run with a baseline.")
@_run
@click.option("--against", metavar="NAME", help="The baseline; default: the scenario's name.")
@options.baselines
@click.option(
    "--figure", "figures", multiple=True, metavar="FIGURE", help="As `p95 of load_time{page:home}`; repeatable."
)
@click.option("--margin", default="2%", show_default=True, callback=_share, help="Within it a figure is no different.")
@click.option("--error-rate", default="5%", show_default=True, callback=_share, help="False among what is told.")
@click.option("--min-samples", type=click.IntRange(2), default=30, show_default=True, help="Fewer are not compared.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def compare(
    run: Path,
    against: str | None,
    baselines: Path,
    figures: tuple[str, ...],
    margin: float,
    error_rate: float,
    min_samples: int,
    as_json: bool,
) -> int:
    """Compare RUN with a baseline of the same settings, figure by figure.

    A change is told with its interval, corrected for the number of figures. "No difference shown" is not "shown to be
    no different": the latter needs an interval within the margin. Exits with 1 when a figure is worse, with 2 when the
    settings differ, with 3 when the run's own figures cannot be trusted.
    """
    from simulator.analysis.baselines import Store
    from simulator.analysis.comparison import Rules
    from simulator.analysis.runs import read_run
    from simulator.cli import ci
    from simulator.report.annotations import of_changes
    from simulator.report.comparison import comparison_markdown, comparison_text, sentence

    wanted = _figures(figures)
    found = read_run(run)
    if _untrusted(found.manifest):
        return Exit.INVALID
    name = against or found.manifest.name
    live = found.manifest.world == "live"
    rules = Rules(error_rate=error_rate, margin=margin, min_samples=min_samples, needs_floor=live)
    told = _compared(found, Store(baselines), name, wanted, rules)
    if as_json:
        click.echo(comparison_text(told), nl=False)
    else:
        _show(told)
    sentences = [(change, sentence(change)) for change in told.changes]
    ci.tell(comparison_markdown(told), of_changes(sentences, name))
    return Exit.FAILED if told.worse else Exit.PASSED


def _figures(texts: Sequence[str]) -> list[Figure]:
    from simulator.analysis.grammar import ThresholdError, parse_figures

    try:
        return parse_figures(texts)
    except ThresholdError as error:
        _, found, allowed, hint = error.problems[0]
        fail(f"--figure: {found}, {allowed}", hint)
        raise AssertionError from None  # fail() has raised


def _untrusted(manifest: Manifest) -> bool:
    """Say why a run's figures cannot be trusted, if so."""
    from simulator.analysis.verdict import unfit_for_comparison

    reasons = unfit_for_comparison(manifest)
    for reason in reasons:
        click.echo(f"error: {manifest.name} is no run to compare: {reason}", err=True)
    return bool(reasons)


def _compared(run: Run, store: Any, name: str, wanted: Sequence[Figure], rules: Any) -> Comparison:  # noqa: ANN401 - imported late
    """Return the comparison. Raises `FileFaults` with every setting that differs."""
    from simulator.analysis.against import against_runs, untold, usual_figures
    from simulator.analysis.settings import differences
    from simulator.model.faults import Fault, FileFaults
    from simulator.report.comparison import Comparison

    others = store.runs(name)
    told = dict.fromkeys(line for other in others for line in differences(run.manifest, other.manifest))
    if told:
        file, hint = str(run.folder), f"footfall baseline save {run.folder} --name {name} --replace"
        last = len(told) - 1
        raise FileFaults(
            Fault(
                file,
                0,
                "",
                line,
                f"baseline {name} has other settings" if not place else "",
                hint if place == last else "",
            )
            for place, line in enumerate(told)
        )
    figures = wanted or usual_figures(run)
    reasons = {figure: untold([run, *others], figure) for figure in figures}
    fit = [figure for figure in figures if not reasons[figure]]
    changes = against_runs(run, others, fit, rules)
    skipped = tuple((str(figure), reason) for figure, reason in reasons.items() if reason)
    manifests = tuple(other.manifest for other in others)
    return Comparison(run.manifest, name, manifests, rules, tuple(changes), skipped)


_COLOURS = {
    "worse": "red",
    "better": "green",
    "same": "green",
    "too_few": "yellow",
    "changed": "yellow",
    "unproven": "yellow",
}


def _show(told: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from simulator.report.comparison import HEAD, cells

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in HEAD:
        table.add_column(head, justify="right" if head in ("baseline", "run", "q", "n") else "left", no_wrap=True)
    for change in told.changes:
        *figures, outcome = cells(change)
        table.add_row(*map(Text, figures), Text(outcome, _COLOURS.get(change.outcome, "")))
    Console(highlight=False, width=None if sys.stdout.isatty() else _UNBROKEN).print(table)
    console = options.console()
    for figure, reason in told.skipped:
        console.print(Text(f"{figure} {reason}"))
    console.print(told.headline)
