"""`footfall target`: what there is, whether a target file fits its target, and a first file from what a shop has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli import options, safety
from simulator.cli.exits import Exit
from simulator.cli.target_import import importing

if TYPE_CHECKING:
    from simulator.target.request import Target


@click.group("target", short_help="Map operations to a shop's requests: list, import, check.")
def command() -> None:
    """Work with target files: the map from operations to requests."""


command.add_command(importing)


@command.command("list", short_help="Targets and presets that come with Footfall.")
def list_targets() -> None:
    """Print the shipped targets and the presets for vendors, and which variables each takes from the environment."""
    from simulator.cli.target_view import print_table, shipped_table

    print_table(shipped_table())


@command.command("check", short_help="Walk one shopper through every mapped operation.")
@click.argument("target", default="storefront")
@options.host
@safety.own
@safety.insecure
@click.option("--no-send", is_flag=True, help="Only read the file: say what is mapped, observable and judgeable.")
def check(target: str, host: str | None, owned: bool, insecure: bool, no_send: bool) -> int:
    """Walk one shopper through every operation that TARGET maps and print each request and what was extracted.

    Then say for each hazard whether the file makes enough observable to judge it, and what is missing if not. What
    cannot be observed is never counted as held.

    Exits with 1 when an operation's answer is not what the file expects, with 4 when nobody answers.
    """
    from simulator.cli.target_view import hazard_table, map_table, print_table, walk_table
    from simulator.target.login import address_of
    from simulator.target.permission import permission_for
    from simulator.target.request import load_target
    from simulator.target.schema import parse_host

    loaded = load_target(target, secrets=not no_send)
    if no_send:
        print_table(map_table(loaded))
        print_table(hazard_table(loaded))
        options.console().print(f"{len(loaded.operations)} operations mapped, nothing sent; {_judged(loaded)}")
        return Exit.PASSED
    from simulator.target.check import walk

    given = safety.base_url_of(host or loaded.host, "target file")
    try:
        base_url = parse_host(given)
        permission_for(address_of(base_url), owned=owned)
        lines = list(walk(loaded, base_url, verify=not insecure))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    print_table(walk_table(lines))
    print_table(hazard_table(loaded))
    bad = [line for line in lines if not line.ok and not line.skipped]
    options.console().print(
        f"{len(lines)} operations mapped, {sum(line.ok for line in lines)} answered well, {len(bad)} did not, "
        f"{sum(line.skipped for line in lines)} could not be tried; {_judged(loaded)}"
    )
    return Exit.FAILED if bad else Exit.PASSED


def _judged(target: Target) -> str:
    from simulator.target.hazards import judgeable

    rows = judgeable(target)
    return f"{sum(row.ok for row in rows)} of {len(rows)} hazards could be judged"
