"""`footfall speed estimators`: how good the estimators are, on simulated truth."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import options
from simulator.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Group
    from rich.text import Text

    from simulator.study.scoreboard import Line, Scoreboard


@click.command("estimators", short_help="How good the estimators are, on simulated truth.")
@click.option(
    "--runs",
    type=click.IntRange(2, 1_000_000),
    default=1_000,
    show_default=True,
    help="Simulated experiments.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Another seed than that of the published table.")
@click.option(
    "--truth-shoppers",
    type=click.IntRange(10_000, 100_000_000),
    default=600_000,
    show_default=True,
    help="Shoppers that the truth is known from.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes; the table is the same."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it as a Markdown page instead.",
)
def command(
    runs: int, seed: int | None, truth_shoppers: int, workers: int, as_json: bool, markdown: Path | None
) -> int:
    """Print each estimator's bias, RMSE, coverage and false alarms over many simulated experiments of known truth.

    Ends with 1 when one of them, other than those marked naive, does not hold what its intervals promise.
    """
    from simulator.study.scoreboard import SEED, scoreboard

    with _progress() as tell:
        board = scoreboard(
            runs, SEED if seed is None else seed, workers=workers, truth_shoppers=truth_shoppers, tell=tell
        )
    if markdown is not None:
        from simulator.study.scoreboard_text import page

        options.write_page(markdown, page(board))
    if as_json:
        from simulator.cli.persona import print_json

        print_json(asdict(board) | {"wrong": [f"{line.name}: {line.how}" for line in board.wrong]})
    elif markdown is None:
        from simulator.cli.persona_view import show_on

        show_on(view(board))
    return Exit.FAILED if board.wrong else Exit.PASSED


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Yield a function to be told (tasks done, tasks in all); nothing is drawn where there is no terminal."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = options.console()
    columns = (TextColumn("experimenting"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("experimenting", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


WIDTHS = (18, 10, 22, 21, 7)
"""Of the columns, so that a line fits into 80."""


def view(board: Scoreboard) -> Group:
    """Return the scoreboard for a terminal: two lines an estimator, readable at 80 columns."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from simulator.study.scoreboard_text import power_cells

    sizes = Table.grid(padding=(0, 2))
    for power in board.powers:
        sizes.add_row(*power_cells(power))
    heading = f"{board.runs:,} experiments on {board.shoppers:,} shoppers each, and as many where waiting does nothing"
    return Group(
        Text(heading, "dim"),
        Text(),
        Text("  " + _row(("bias", "RMSE", "95 % intervals cover", "false alarms", "")), "bold"),
        *(part for line in board.lines for part in _two_lines(line)),
        Text(),
        Text("Sample sizes: shoppers asked for to see it with a power of 80 %, how often they did", "bold"),
        sizes,
    )


def _row(cells: Sequence[str]) -> str:
    return "".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _two_lines(line: Line) -> tuple[Text, Text]:
    from rich.text import Text

    from simulator.study.scoreboard_text import cells

    name, how, truth, *numbers, verdict = cells(line)
    colour = {"holds": "green", "fails": "red", "naive": "yellow"}[verdict]
    head = Text.assemble((name, "cyan"), f": {how}", (f" (truth {truth})" if truth else "", "dim"))
    figures = Text("  " + _row([*numbers, verdict]))
    figures.stylize(colour, len(figures) - len(verdict))
    return head, figures
