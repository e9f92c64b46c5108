"""`footfall grade`: how near an analysis of generated data came to the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.exits import Exit, fail

if TYPE_CHECKING:
    from simulator.analysis.grading import Grade

MOST_ROWS = 40
"""Rows of details that are shown on a terminal; `--json` has all."""
HIDDEN = ("error", "relative_error", "sign_right")
"""Details that a terminal has no room for."""


def _bounds(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for text in given:
        metric, _, value = text.partition("=")
        try:
            found[metric.strip()] = float(value)
        except ValueError:
            raise click.BadParameter(f"{text} is no METRIC=VALUE, as ari=0.8") from None
    return found


@click.command("grade", short_help="Score an analysis against the truth of generated data.")
@click.option(
    "--truth", required=True, type=click.Path(path_type=Path), help="A data set made with --also truth, or its file."
)
@click.option("--answer", required=True, type=click.Path(path_type=Path), help="CSV or Parquet, with columns as above.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option(
    "--at-least", multiple=True, callback=_bounds, metavar="METRIC=VALUE", help="Else exit with 1; repeatable."
)
@click.option(
    "--at-most", multiple=True, callback=_bounds, metavar="METRIC=VALUE", help="Else exit with 1; repeatable."
)
@click.option(
    "--threshold", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Churn: called so from here on."
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Lifts: confidence of the intervals.",
)
def command(
    truth: Path,
    answer: Path,
    as_json: bool,
    at_least: dict[str, float],
    at_most: dict[str, float],
    threshold: float,
    level: float,
) -> int:
    """Score somebody's analysis of a data set that Footfall generated.

    The answer's columns say what it is about: segments (shopper,segment), lifts of arms over control
    (arm,metric,estimate and, if known, low,high and persona) or churn (shopper,probability or shopper,label).
    Exits with 1 when a score misses its bound.
    """
    from simulator.analysis.answers import read_answer
    from simulator.analysis.grading import grade

    graded = grade(read_answer(answer), truth, threshold=threshold, level=level)
    for name in {**at_least, **at_most}:
        if name not in graded.scores:
            fail(f"{name} is no score of {graded.kind}", f"its scores are {', '.join(graded.scores)}")
    missed = _missed(graded, at_least, at_most)
    if as_json:
        click.echo(json.dumps(_facts(graded, missed), indent=2, ensure_ascii=False))
    else:
        _show(graded, level)
    for text in missed:
        click.echo(text, err=True)
    return Exit.FAILED if missed else Exit.PASSED


def _missed(graded: Grade, at_least: dict[str, float], at_most: dict[str, float]) -> list[str]:
    """Return a line for each bound that a score misses; a score that could not be told misses every bound."""
    told = []
    for words, bounds, sign in (("at least", at_least, 1.0), ("at most", at_most, -1.0)):
        for name, bound in bounds.items():
            score = graded.scores[name]
            if score is None or sign * score < sign * bound:
                told.append(f"{name} is {_figure(score)}, wanted {words} {bound:g}")
    return told


def _facts(graded: Grade, missed: list[str]) -> dict[str, Any]:
    return {
        "kind": graded.kind,
        "rows": graded.rows,
        "scores": graded.scores,
        "reference": graded.reference,
        "details": graded.details,
        "missed": missed,
    }


def _show(graded: Grade, level: float) -> None:
    from rich.console import Console

    from simulator.analysis.grading import SCORES, SUSPICIOUS

    console = Console(highlight=False)
    width = min(console.width, 120)
    rows = [[name, _figure(value), SCORES[name]] for name, value in graded.scores.items()]
    if graded.reference:
        rows = [[row[0], row[1], _figure(graded.reference[row[0]]), row[2]] for row in rows]
    head = ["score", "answer", *(["model’s own chances"] if graded.reference else []), "how to read it"]
    console.print(_table(f"{graded.kind}: {graded.rows:,} rows", head, rows), width=width)
    if graded.details:
        names = [
            name
            for name in graded.details[0]
            if name not in HIDDEN and any(row[name] is not None for row in graded.details)
        ]
        shown = [[_figure(row[name]) for name in names] for row in graded.details[:MOST_ROWS]]
        console.print(_table("", [name.replace("_", " ") for name in names], shown), width=width)
    if len(graded.details) > MOST_ROWS:
        console.print(f"and {len(graded.details) - MOST_ROWS:,} more; --json has them all")
    chance = graded.scores.get("coverage_p")
    if chance is not None:
        verdict = "speaks against" if chance < SUSPICIOUS else "agrees with"
        console.print(f"This coverage {verdict} intervals of {100 * level:g} % (p = {chance:.3g}).")


def _table(title: str, head: list[str], rows: list[list[str]]) -> Any:  # noqa: ANN401 - rich is imported late
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for place, name in enumerate(head):
        numeric = all(
            row[place].lstrip("−+").replace(".", "").replace(",", "").isdigit() or row[place] == "–" for row in rows
        )
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _figure(value: object) -> str:
    """Return a value as people read it: four significant digits; nothing is a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−") if abs(value) < 1e5 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
