"""`footfall speed scorecard`: what published studies found, beside what their designs give when simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from simulator.analysis.estimates import Estimate
    from simulator.study.scorecard import Row

HEADINGS = {
    "fitted": "Fitted: what causal-consensus was made from",
    "predicted": "Predicted: not used by the fit",
    "excluded": "Left out, for the reason in the note",
}
INSIDE = {True: "[green]yes[/]", False: "[red]no[/]", None: "[dim]–[/]"}


@click.command("scorecard", short_help="Published studies beside their simulation.")
@options.behaviour
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=7, show_default=True, help="Root of all randomness.")
@click.option(
    "--visits",
    type=click.IntRange(1_000, 10_000_000),
    default=50_000,
    show_default=True,
    help="In each arm; a chart is drawn from five times as many.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def command(behaviour: str | None, observational: bool | None, seed: int, visits: int, as_json: bool) -> None:
    """Simulate the design of each published study of load time and print published, simulated, and whether inside.

    Randomised slow-downs are arms of the same shoppers; observed charts are drawn as their makers drew them, through an
    assumed layer of confounding. Changes are in per cent. An interval holds chance and the preset's own uncertainty.
    """
    from simulator.model.behaviour import CONSENSUS, load_behaviour, refuse_unmeant
    from simulator.study.scorecard import scorecard

    name = behaviour or CONSENSUS
    preset = load_behaviour(name)
    refuse_unmeant(preset, meant=bool(observational))
    options.warn_of(preset)
    console = options.console()
    with console.status("simulating the designs of the studies"):
        rows = scorecard(seed, visits, name)
    if as_json:
        _print_json(rows, preset.name, seed, visits)
        return
    from rich.console import Console

    out = Console(highlight=False)
    for role, heading in HEADINGS.items():
        out.print(_table(heading, [row for row in rows if row.role == role]))
    out.print(f"Behaviour {preset.name}, seed {seed}, {visits:,} visits in each arm. {_count(rows)}")
    out.print("Simulated shoppers: how they react is assumed. See docs/behaviour.md for designs and contradictions.")


def _print_json(rows: list[Row], behaviour: str, seed: int, visits: int) -> None:
    import json
    from dataclasses import asdict

    click.echo(json.dumps({"behaviour": behaviour, "seed": seed, "visits": visits, "rows": list(map(asdict, rows))}))


def _count(rows: list[Row]) -> str:
    predicted = [row for row in rows if row.role == "predicted"]
    return f"{sum(bool(row.inside) for row in predicted)} of {len(predicted)} predictions are inside."


def _table(heading: str, rows: list[Row]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, padding=(0, 0, 0, 1), title=heading, title_justify="left")
    excluded = all(row.role == "excluded" for row in rows)
    table.add_column("study", overflow="fold", min_width=14)
    table.add_column("what", no_wrap=True)
    table.add_column("when", justify="right", no_wrap=True)
    table.add_column("published", justify="right", no_wrap=True)
    if excluded:
        table.add_column("why")
    else:
        table.add_column("simulated", justify="right", no_wrap=True)
        table.add_column("inside", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, excluded=excluded))
    return table


def _cells(row: Row, *, excluded: bool) -> list[RenderableType]:
    from rich.markup import escape

    first: list[Any] = [
        f"{escape(row.study)} [dim]{row.grade}[/]",
        row.measure.replace("_", " "),
        row.conditions,
        _shown(row.published, row.unit),
    ]
    return [*first, row.note] if excluded else [*first, _estimate(row.simulated, row.unit), INSIDE[row.inside]]


def _estimate(estimate: Estimate, unit: str) -> str:
    if estimate.value is None:
        return "too rare"
    if estimate.low is None or estimate.high is None:
        return _shown(estimate.value, unit)
    low, high = (_shown(number, unit).rstrip("% s/") for number in (estimate.low, estimate.high))
    value = _shown(estimate.value, unit)
    return f"{value} [dim]\\[{low}, {high}][/]"


def _shown(value: float, unit: str) -> str:
    return f"{100 * value:+.1f}%" if unit == "relative" else f"{value:.2f} s/s"
