"""`footfall target`: whether a target file fits its target."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from simulator.cli import options, safety
from simulator.cli.exits import Exit

if TYPE_CHECKING:
    from rich.table import Table

    from simulator.target.check import CheckLine


UNBROKEN = 10_000
"""Columns where nobody looks: one line for each operation, however long."""


@click.group("target", short_help="Check a target file against a running shop.")
def command() -> None:
    """Work with target files: the map from operations to requests."""


@command.command("check", short_help="Walk one shopper through every mapped operation.")
@click.argument("target", default="storefront")
@options.host
@safety.own
@safety.insecure
def check(target: str, host: str | None, owned: bool, insecure: bool) -> int:
    """Walk one shopper through every operation that TARGET maps and print each request and what was extracted.

    Exits with 1 when an operation's answer is not what the file expects, with 4 when nobody answers.
    """
    from simulator.target.check import walk
    from simulator.target.login import split_login
    from simulator.target.permission import permission_for
    from simulator.target.request import load_target
    from simulator.target.schema import parse_host

    loaded = load_target(target)
    given = safety.base_url_of(host or loaded.host, "target file")
    try:
        base_url = parse_host(given)
        permission_for(split_login(base_url)[0], owned=owned)
        lines = list(walk(loaded, base_url, verify=not insecure))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    from rich.console import Console

    Console(highlight=False, width=None if sys.stdout.isatty() else UNBROKEN).print(_table(lines))
    bad = [line for line in lines if line.problem and not line.skipped]
    options.console().print(
        f"{len(lines)} operations mapped, {sum(line.ok for line in lines)} answered well, {len(bad)} did not, "
        f"{sum(line.skipped for line in lines)} could not be tried"
    )
    return Exit.FAILED if bad else Exit.PASSED


def _table(lines: list[CheckLine]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("operation", no_wrap=True)
    table.add_column("request", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("extracted", overflow="fold")
    table.add_column("evidence", justify="right", no_wrap=True)
    for line in lines:
        status = str(line.status or "–")
        told = line.problem or ", ".join(f"{name}={_short(value)}" for name, value in line.extracted.items())
        colour = "yellow" if line.skipped else "red" if line.problem else "green"
        elapsed = "" if line.elapsed_ms is None else f"{line.elapsed_ms:.1f}"
        request = f"{line.method} {line.url}" if line.method else ""
        seen = f"{len(line.observable)}/{len(line.observable) + len(line.absent)}" if line.method else ""
        cells = (Text(line.operation), Text(request), Text(status, colour), Text(elapsed), Text(told), Text(seen))
        table.add_row(*cells)
    return table


def _short(value: object) -> str:
    text = f"{value[0]} (+{len(value) - 1})" if isinstance(value, tuple) and value else str(value)
    return text if len(text) <= 28 else f"{text[:27]}…"
