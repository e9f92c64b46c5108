"""`footfall load`: the live world against any HTTP target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli import options
from simulator.cli.exits import fail

if TYPE_CHECKING:
    from pathlib import Path


@click.command("load", short_help="Send shoppers at a running shop.")
@options.scenario("smoke")
@options.host
@click.option("--target", metavar="TARGET", help="Target file or shipped name; overrides the scenario's.")
@options.rate
@options.duration
@options.transport
@options.network
@options.seed
@options.out("reports/load")
@options.overwrite
def command(
    scenario: str,
    host: str | None,
    target: str | None,
    rate: str | None,
    duration: str | None,
    transport: str | None,
    network: str | None,
    seed: int | None,
    out: Path,
    overwrite: bool,
) -> int:
    """Play SCENARIO in the live world: shoppers call the target at --host, in the open model.

    The target file says which request each operation makes. The exit code is the verdict's.
    """
    from simulator.cli.live import run_live
    from simulator.runfolder.files import prepare_folder
    from simulator.scenario.load import load_scenario
    from simulator.target.check import reach

    given = options.overrides(
        host=host, target=target, rate=rate, duration=duration, transport=transport, network=network, seed=seed
    )
    loaded = load_scenario(scenario, given)
    base_url = loaded.spec.host or loaded.target.host
    if base_url is None:
        fail("no host to call", "give --host http://127.0.0.1:8080, or `host` in the scenario or target file")
    assert base_url is not None
    reach(base_url)
    prepare_folder(out, overwrite=overwrite)
    return run_live(loaded, base_url, out)
