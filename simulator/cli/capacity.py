"""`footfall capacity`: the same shoppers before a modelled backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli import options

if TYPE_CHECKING:
    from pathlib import Path


@click.command("capacity", short_help="Play the same shoppers against a modelled backend.")
@options.scenario("demo")
@click.option("--backend", required=True, metavar="FILE", help="Backend file, or shipped: small_shop, uncontended.")
@click.option(
    "--times",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Factor on every arrival rate.",
)
@options.rate
@options.duration
@options.behaviour
@options.seed
@options.out("reports/capacity")
@options.overwrite
def command(
    scenario: str,
    backend: str,
    times: float,
    rate: str | None,
    duration: str | None,
    behaviour: str | None,
    observational: bool | None,
    seed: int | None,
    out: Path,
    overwrite: bool,
) -> int:
    """Play SCENARIO in the capacity world: shoppers share the stations of --backend, in virtual time.

    What would five times the visits do to waiting, leaving and orders? The exit code is the verdict's.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from simulator.cli.outcome import report_on
    from simulator.model.faults import all_or_faults
    from simulator.runfolder.files import prepare_folder
    from simulator.scenario.load import load_scenario
    from simulator.worlds.backend import load_backend
    from simulator.worlds.capacity_run import capacity_plan, run_capacity

    given = options.overrides(rate=rate, duration=duration, behaviour=behaviour, observational=observational, seed=seed)
    loaded, shop = all_or_faults(lambda: load_scenario(scenario, given), lambda: load_backend(backend))
    options.warn_of(loaded.behaviour)
    prepare_folder(out, overwrite=overwrite)
    plan = capacity_plan(loaded, times)
    console = options.console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("visits", total=len(plan.shopper))
        run_capacity(loaded, shop, plan, times, out, lambda ended: bar.update(task, completed=ended))
    return report_on(out)
