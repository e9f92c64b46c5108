"""`footfall generate`: the crowd world as test data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli import options
from simulator.cli.exits import fail
from simulator.export.parts import MODULES

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.runfolder.tables import Format


@click.command("generate", short_help="Write synthetic journeys as test data.")
@options.scenario("demo")
@click.option("--shoppers", type=click.IntRange(1, 2**40), help="How many; overrides the scenario's.")
@options.out("data")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv", "jsonl"]),
    default="parquet",
    show_default=True,
    help="Format of the tables.",
)
@options.seed
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes; the data is the same."
)
@click.option("--also", multiple=True, type=click.Choice(sorted(MODULES)), help="A further part; may be repeated.")
@click.option("--no-pii", is_flag=True, help="Leave out names, addresses, phones and cards: no part `people`.")
@click.option(
    "--dirty", metavar="NAME", help="Deliver badly: typical, nasty or a file; writes delivered and its truth."
)
@click.option("--no-truth", "blind", is_flag=True, help="Leave the answers out; each shopper is in one arm only.")
@options.overwrite
def command(
    scenario: str,
    shoppers: int | None,
    out: Path,
    kind: Format,
    seed: int | None,
    workers: int,
    also: tuple[str, ...],
    no_pii: bool,
    dirty: str | None,
    blind: bool,
    overwrite: bool,
) -> None:
    """Play SCENARIO in the crowd world and write shoppers, visits and events to --out.

    SCENARIO is a shipped name (demo, smoke, black_friday) or a file. The same seed gives the same bytes, whatever the
    number of workers.
    """
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from simulator.export.dataset import write_dataset
    from simulator.export.dirt import load_dirt
    from simulator.export.parts import chosen
    from simulator.model.faults import all_or_faults
    from simulator.runfolder.files import prepare_folder
    from simulator.runfolder.manifest import write_manifest
    from simulator.scenario.load import load_scenario

    if no_pii and "people" in also:
        fail("--no-pii leaves out what --also people asks for")
    if blind and "truth" in also:
        fail("--no-truth leaves out what --also truth asks for", "generate twice with one --seed, into two folders")
    given = options.overrides(seed=seed, shoppers=shoppers)
    loaded, dirt = all_or_faults(lambda: load_scenario(scenario, given), lambda: load_dirt(dirty) if dirty else None)
    total = loaded.spec.shoppers
    prepare_folder(out, overwrite=overwrite)
    console = options.console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    events = 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("shoppers", total=total)

        def on_shard(shoppers: int, written: int) -> None:
            nonlocal events
            events += written
            bar.advance(task, shoppers)

        manifest = write_dataset(
            loaded,
            out,
            kind,
            also=chosen(also, no_pii=no_pii),
            dirt=dirt,
            blind=blind,
            workers=workers,
            progress=on_shard,
        )
    write_manifest(manifest, out)
    visits = sum(part["rows"] for part in manifest["tables"]["visits"])
    console.print(f"{total:,} shoppers, {visits:,} visits, {events:,} events in [bold]{escape(str(out))}[/bold]")
