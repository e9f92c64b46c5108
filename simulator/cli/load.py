"""`footfall load`: the live world against any HTTP target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options
from simulator.cli.exits import fail
from simulator.cli.find_capacity import search_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command("load", short_help="Send shoppers at a running shop.")
@options.scenario("smoke")
@options.host
@click.option("--target", metavar="TARGET", help="Target file or shipped name; overrides the scenario's.")
@options.rate
@options.closed
@options.duration
@options.warmup
@options.max_open_visits
@options.seed
@options.out("reports/load")
@options.overwrite
@search_options
def command(
    scenario: str,
    host: str | None,
    target: str | None,
    rate: str | None,
    closed: int | None,
    duration: str | None,
    warmup: str | None,
    max_open_visits: int | None,
    seed: int | None,
    out: Path,
    overwrite: bool,
    find_capacity: bool,
    settle: str,
    **bounds: Any,  # noqa: ANN401 - the options of a search, passed on
) -> int:
    """Play SCENARIO in the live world: shoppers call the target at --host.

    Visits arrive as the scenario plans them, whatever the target does (open model), or with --closed one after another.
    The target file says which request each operation makes. The exit code is the verdict's. With --find-capacity the
    run is repeated at other rates until the highest at which all thresholds hold is known.
    """
    from simulator.cli.find_capacity import search
    from simulator.cli.live import play_live, run_live
    from simulator.runfolder.files import prepare_folder
    from simulator.scenario.load import load_scenario
    from simulator.target.check import reach

    given = options.overrides(
        host=host,
        target=target,
        rate=rate,
        closed=closed,
        duration=duration,
        warmup=warmup,
        max_open_visits=max_open_visits,
        seed=seed,
    )
    loaded = load_scenario(scenario, given)
    base_url = loaded.spec.host or loaded.target.host
    if base_url is None:
        fail("no host to call", "give --host http://127.0.0.1:8080, or `host` in the scenario or target file")
    assert base_url is not None
    if find_capacity:
        return search(loaded, base_url, out, play_live, overwrite=overwrite, settle=settle, **bounds)
    reach(base_url)
    prepare_folder(out, overwrite=overwrite)
    return run_live(loaded, base_url, out)
