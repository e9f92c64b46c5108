"""`footfall demo`: the embedded shop, shoppers, and a report, in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli import options

if TYPE_CHECKING:
    from pathlib import Path


@click.command("demo", short_help="Start a shop, send shoppers, write a report.")
@options.rate
@options.duration
@options.behaviour
@options.seed
@options.out("reports/demo")
@click.option("--keep/--overwrite", default=False, help="Refuse to replace an earlier demo; by default it is replaced.")
def command(
    rate: str | None,
    duration: str | None,
    behaviour: str | None,
    observational: bool | None,
    seed: int | None,
    out: Path,
    keep: bool,
) -> int:
    """Start the embedded shop, send eight kinds of shoppers at it for 30 s, stop it, and write a report.

    The exit code is the verdict's.
    """
    from simulator.cli.live import run_live
    from simulator.runfolder.files import prepare_folder
    from simulator.scenario.load import load_scenario
    from simulator.storefront import running_storefront

    given = options.overrides(rate=rate, duration=duration, behaviour=behaviour, observational=observational, seed=seed)
    scenario = load_scenario("demo", given)
    options.warn_of(scenario.behaviour)
    with running_storefront(seed=scenario.spec.seed) as shop:
        prepare_folder(out, overwrite=not keep)
        return run_live(scenario, shop.url, out)
