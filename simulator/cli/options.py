"""Options that several commands share, and the console for messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from simulator.model.behaviour import Behaviour

Command = Any

seed = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Root of all randomness; overrides the scenario's."
)


def behaviour(command: Command) -> Command:
    """Add --behaviour and --observational to a command that plays a scenario."""
    named = click.option(
        "--behaviour",
        metavar="PRESET",
        help="How shoppers react to waiting: a preset or a file; overrides the scenario's.",
    )
    meant = click.option(
        "--observational",
        is_flag=True,
        default=None,
        help="Let --behaviour take an observed curve for what waiting does.",
    )
    return named(meant(command))


overwrite = click.option("--overwrite", is_flag=True, help="Replace an earlier run in --out.")
host = click.option("--host", metavar="URL", help="Where the shop is, as http://127.0.0.1:8080.")
rate = click.option("--rate", metavar="RATE", help="Constant arrivals, as 10/s; overrides the scenario's.")
duration = click.option("--duration", metavar="TIME", help="How long, as 60s; overrides the scenario's.")
transport = click.option(
    "--transport", type=click.Choice(("fast", "httpx")), help="HTTP/1.1, or HTTP/2; overrides the scenario's."
)
network = click.option(
    "--network",
    type=click.Choice(("modelled", "shaped")),
    help="Add each phone's network to load times, or play it on its connection; overrides the scenario's.",
)
closed = click.option(
    "--closed",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="N shoppers at once, each next visit begins when one ends; instead of arrivals. Hides waiting.",
)
warmup = click.option("--warmup", metavar="TIME", help="First part of the run, which no figure counts, as 10s.")
max_open_visits = click.option(
    "--max-open-visits", type=click.IntRange(1), metavar="N", help="Visits beyond so many at once wait; reported."
)
baselines = click.option(
    "--baselines",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("baselines"),
    show_default=True,
    envvar="FOOTFALL_BASELINES",
    help="Folder of baselines.",
)
html = click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw it as one offline HTML page instead.",
)


def baselines_folder() -> Path:
    """Return the folder of baselines of whoever does not ask for another."""
    return Path(os.environ.get("FOOTFALL_BASELINES") or "baselines")


def scenario(default: str) -> Callable[[Command], Command]:
    """Return the SCENARIO argument: a shipped name or a file."""
    return click.argument("scenario", default=default)


def out(default: str) -> Callable[[Command], Command]:
    """Return --out, with the default shown."""
    return click.option(
        "--out", type=click.Path(path_type=Path), default=Path(default), show_default=True, help="Folder of the run."
    )


def overrides(**values: object) -> dict[str, Any]:
    """Return the scenario fields that the command line gave; `rate` becomes constant arrivals, `closed` closed ones."""
    given = {key: value for key, value in values.items() if value is not None}
    if "rate" in given and "closed" in given:
        raise click.UsageError("--rate and --closed both say when visits start. Hint: give one of them")
    if "closed" in given:
        given["arrivals"] = {"kind": "closed", "shoppers": given.pop("closed")}
    if "rate" in given:
        given["arrivals"] = {"kind": "constant", "rate": given.pop("rate")}
    return given


def console() -> Console:
    """Return the console for messages, on stderr: data alone goes to stdout. Long lines are the terminal's to wrap."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def warn_of(behaviour: Behaviour) -> None:
    """Say it before anything is played if a preset takes an observed curve for an effect."""
    from simulator.model.behaviour import BANNER

    if behaviour.observational:
        console().print(f"[bold yellow]{BANNER.format(name=behaviour.name)}[/]")


def write_page(path: Path, text: str) -> None:
    """Write an HTML page and say where it is. Raises `CannotWrite`."""
    from rich.markup import escape

    from simulator.runfolder.files import whole_file

    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    console().print(f"page: [bold]{escape(str(path))}[/bold]")
