"""`footfall describe`: what a data set or run folder holds."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@click.command("describe", short_help="Print and draw what a data set holds.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@options.html
def command(data: Path, as_json: bool, html: Path | None) -> None:
    """Print what DATA holds: the folder of a data set (`footfall generate`) or of a run, in any format.

    Tables with rows and bytes, the funnel, sessions a day, causes of leaving, devices and networks, and each persona's
    figures and think times beside what theory expects of its undisturbed visits. With --html it is drawn instead.
    """
    from simulator.analysis.describe import describe

    with _progress() as read:
        found = describe(data, read)
    if html is not None:
        from simulator.report.describe_page import describe_html

        options.write_page(html, describe_html(found))
    if as_json:
        from simulator.cli.persona import print_json

        print_json(asdict(found))
    elif html is None:
        from simulator.cli.describe_view import portrait
        from simulator.cli.persona_view import show_on

        show_on(portrait(found))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Yield a function to be told (bytes read, bytes in all); nothing is drawn where there is no terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = options.console()
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
