"""`footfall speed sample-size`: how many shoppers it takes to see a change."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import options
from simulator.cli.exits import fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group

    from simulator.analysis.runs import Run
    from simulator.analysis.sample_size import Need


class PartOfOne(click.ParamType[float]):
    """A share as `1%` or 0.01, above 0."""

    name = "SHARE"

    def __init__(self, most: float) -> None:
        self.most = most

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share in parts of 1."""
        from simulator.model.units import parse_share

        try:
            found = parse_share(float(value) if str(value).replace(".", "", 1).isdigit() else value)
        except ValueError as error:
            self.fail(f"{value}: {error}", param, ctx)
        if not 0 < found < self.most:
            self.fail(f"{value} is not between 0 and {100 * self.most:g}%", param, ctx)
        return found


@click.command("sample-size", short_help="How many shoppers it takes to see a change.")
@click.argument("pilot", metavar="RUN|SCENARIO")
@click.option(
    "--change", type=PartOfOne(1.0), default="1%", show_default=True, help="To see, in parts of what it is now."
)
@click.option("--power", type=PartOfOne(1.0), default="80%", show_default=True, help="How often it is to be seen.")
@click.option(
    "--shoppers",
    type=click.IntRange(100, 10_000_000),
    help="Of the pilot, where a scenario is played; 20,000 by default.",
)
@options.seed
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def command(pilot: str, change: float, power: float, shoppers: int | None, seed: int | None, as_json: bool) -> None:
    """Print how many shoppers and visits each metric takes to show a --change with a --power, tested at 5 %.

    The pilot is a run's folder, or a scenario, which is played in the crowd world in control and under small delays.
    Three designs: shoppers in two arms, the same with what is known of each visit beforehand (CUPED), and every shopper
    in both arms, which only a simulator can do.
    """
    from simulator.analysis.sample_size import needed

    found = needed(_pilot(pilot, shoppers, seed), change, power=power)
    if as_json:
        from simulator.cli.persona import print_json

        print_json({"change": change, "power": power, "needs": [asdict(one) for one in found]})
        return
    from simulator.cli.persona_view import show_on

    show_on(view(found, change, power))


def _pilot(name: str, shoppers: int | None, seed: int | None) -> Run:
    if Path(name).is_dir():
        if shoppers is not None or seed is not None:
            fail("--shoppers and --seed are for a scenario: a run has its own")
        from simulator.analysis.runs import read_run

        return read_run(Path(name))
    from simulator.study import pilot

    with options.console().status("playing the pilot"):
        return pilot.pilot(name, options.overrides(seed=seed), shoppers or pilot.SHOPPERS)


def view(needs: Sequence[Need], change: float, power: float) -> Group:
    """Return the sizes for a terminal."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for column in range(5):
        table.add_column(justify="right" if column else "left", no_wrap=True)
    table.add_row(*(Text(head, "bold") for head in ("metric", "now", "two arms", "with CUPED", "same visits")))
    for one in needs:
        sizes = (one.unpaired, one.cuped, one.paired)
        table.add_row(
            Text(one.metric, "cyan"),
            f"{one.mean:.4g}",
            *(_count(None if size is None else size.shoppers) for size in sizes),
        )
        table.add_row(
            "", Text("visits", "dim"), *(Text(_count(None if size is None else size.visits), "dim") for size in sizes)
        )
    heading = f"Shoppers to see a change of {100 * change:g} % with a power of {100 * power:g} %"
    notes = "Over both arms. Same visits: each shopper is played in both; – where the pilot shows no difference."
    return Group(Text(heading, "bold"), Padding(table, (1, 0)), Text(notes, "dim"))


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
