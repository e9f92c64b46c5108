"""`footfall load`: the live world against any HTTP target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options, safety

if TYPE_CHECKING:
    from pathlib import Path


@click.command("load", short_help="Send shoppers at a running shop.")
@options.scenario("smoke")
@options.host
@click.option("--target", metavar="TARGET", help="Target file or shipped name; overrides the scenario's.")
@options.rate
@options.duration
@options.seed
@safety.own
@safety.max_rate
@safety.insecure
@safety.views
@options.out("reports/load")
@options.overwrite
def command(
    scenario: str,
    host: str | None,
    target: str | None,
    rate: str | None,
    duration: str | None,
    seed: int | None,
    owned: bool,
    max_rate: str | None,
    insecure: bool,
    out: Path,
    overwrite: bool,
    **views: Any,  # noqa: ANN401 - the options of views
) -> int:
    """Play SCENARIO in the live world: shoppers call the target at --host, in the open model.

    The target file says which request each operation makes. The exit code is the verdict's. A host that is not this
    machine is called only if it is yours to load: say so, or list it under `allowed_hosts` in the scenario.
    """
    from simulator.cli.live import run_live
    from simulator.runfolder.files import prepare_folder
    from simulator.scenario.load import load_scenario
    from simulator.target.check import reach
    from simulator.target.login import split_login
    from simulator.worlds.live.ceiling import permitted

    given = options.overrides(host=host, target=target, rate=rate, duration=duration, seed=seed, max_rate=max_rate)
    loaded = load_scenario(scenario, given)
    base_url = safety.base_url_of(loaded.spec.host or loaded.target.host, "scenario or target file")
    permission = permitted(loaded, base_url, owned=owned, verify=not insecure)
    wanted = safety.wanted_of(views)
    reach(split_login(base_url)[0])
    prepare_folder(out, overwrite=overwrite)
    return run_live(loaded, base_url, out, permission, wanted)
