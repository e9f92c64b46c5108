"""`footfall load`: the live world against any HTTP target."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options, safety
from simulator.cli.exits import fail
from simulator.cli.find_capacity import search_options

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.worlds.live.launch import Workers


@click.command("load", short_help="Send shoppers at a running shop.")
@options.scenario("smoke")
@options.host
@click.option("--target", metavar="TARGET", help="Target file or shipped name; overrides the scenario's.")
@options.rate
@options.closed
@options.duration
@options.transport
@options.network
@options.warmup
@options.max_open_visits
@options.behaviour
@safety.probe_share
@options.seed
@safety.own
@safety.max_rate
@safety.insecure
@safety.views
@options.out("reports/load")
@options.overwrite
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Play it with N processes of this machine.")
@click.option("--master", is_flag=True, help="Wait for `footfall worker` on other machines, and lead them.")
@click.option("--expect-workers", type=click.IntRange(1), metavar="N", help="With --master: how many; 1 unless told.")
@click.option(
    "--bind-host",
    default="127.0.0.1",
    show_default=True,
    metavar="HOST",
    help="With --master: the address to listen on. Workers on other machines need one of theirs, or * for every one.",
)
@click.option(
    "--bind-port",
    type=click.IntRange(1, 65_535),
    default=5557,
    show_default=True,
    metavar="PORT",
    help="With --master: the port to listen on.",
)
@click.option("--allow-lost", is_flag=True, help="A worker lost on the way does not make the run invalid.")
@search_options
def command(
    scenario: str,
    host: str | None,
    target: str | None,
    rate: str | None,
    closed: int | None,
    duration: str | None,
    transport: str | None,
    network: str | None,
    warmup: str | None,
    max_open_visits: int | None,
    behaviour: str | None,
    observational: bool | None,
    probe_share: float | None,
    seed: int | None,
    owned: bool,
    max_rate: str | None,
    insecure: bool,
    out: Path,
    overwrite: bool,
    workers: int | None,
    master: bool,
    expect_workers: int | None,
    bind_host: str,
    bind_port: int,
    allow_lost: bool,
    find_capacity: bool,
    settle: str,
    **more: Any,  # noqa: ANN401 - the options of views and of a search, passed on
) -> int:
    """Play SCENARIO in the live world: shoppers call the target at --host.

    Visits arrive as the scenario plans them, whatever the target does (open model), or with --closed one after another.
    The target file says which request each operation makes. The exit code is the verdict's. With --find-capacity the
    run is repeated at other rates until the highest at which all thresholds hold is known. However many workers
    play it, the same visits are made: each shopper is one worker's. A host that is not this machine is called only if
    it is yours to load: say so, or list it under `allowed_hosts` in the scenario.
    """
    from simulator.cli.find_capacity import search
    from simulator.cli.live import play_live, run_live
    from simulator.runfolder.files import prepare_folder
    from simulator.scenario.load import load_scenario
    from simulator.target.check import reach
    from simulator.target.login import address_of
    from simulator.worlds.live.ceiling import permitted

    fleet = _fleet(workers, master, expect_workers, bind_host, bind_port, allow_lost)
    given = options.overrides(
        host=host,
        target=target,
        rate=rate,
        closed=closed,
        duration=duration,
        warmup=warmup,
        max_open_visits=max_open_visits,
        probe_share=probe_share,
        transport=transport,
        network=network,
        behaviour=behaviour,
        observational=observational,
        seed=seed,
        max_rate=max_rate,
    )
    loaded = load_scenario(scenario, given)
    options.warn_of(loaded.behaviour)
    base_url = safety.base_url_of(loaded.spec.host or loaded.target.host, "scenario or target file")
    permission = permitted(loaded, base_url, owned=owned, verify=not insecure)
    wanted, bounds = safety.wanted_of(more)
    if master and wanted.sampled:
        fail("--requests and --har write where visits are played, and --master plays none", "give --workers N")
    if find_capacity:
        if master:
            fail("--find-capacity makes many runs, and --master leads one", "give --workers N")
        if wanted.anything:
            fail("--find-capacity makes many runs, and views show one", "load at the rate that it finds, with views")
        play = partial(play_live, workers=fleet, permission=permission)
        return search(loaded, base_url, out, play, permission, overwrite=overwrite, settle=settle, **bounds)
    reach(address_of(base_url))
    prepare_folder(out, overwrite=overwrite)
    return run_live(loaded, base_url, out, fleet, permission, wanted)


def _fleet(
    workers: int | None, master: bool, expect: int | None, bind_host: str, bind_port: int, allow_lost: bool
) -> Workers | None:
    """Return the processes that play the run; none where this one's own child plays it alone."""
    from simulator.worlds.live.launch import Workers

    if master and workers is not None:
        fail("--workers and --master exclude each other", "--master leads the workers of other machines")
    if expect is not None and not master:
        fail("--expect-workers needs --master", "--workers starts as many on this machine")
    if master:
        return Workers(0, expect or 1, bind_host, bind_port, allow_lost)
    return Workers(workers, workers, allow_lost=allow_lost) if workers is not None else None
