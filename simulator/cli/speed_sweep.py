"""`footfall speed sweep`: the same scenario at several live rates, for the chain from load to session length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli import options, safety
from simulator.cli.exits import fail

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.scenario.load import Scenario

LEAST = 2


@click.command("sweep", short_help="Play a scenario live at several rates.")
@options.scenario("demo")
@options.host
@click.option("--target", metavar="TARGET", help="Target file or shipped name; overrides the scenario's.")
@click.option("--rates", default="2/s,5/s,10/s,20/s", show_default=True, metavar="RATES", help="Visits, comma between.")
@options.duration
@options.seed
@safety.own
@safety.max_rate
@safety.insecure
@options.out("reports/sweep")
@options.overwrite
def command(
    scenario: str,
    host: str | None,
    target: str | None,
    rates: str,
    duration: str | None,
    seed: int | None,
    owned: bool,
    max_rate: str | None,
    insecure: bool,
    out: Path,
    overwrite: bool,
) -> int:
    """Play SCENARIO in the live world at each of some rates, and write what each came to as sweep.json.

    `footfall speed SCENARIO --sweep DIR` draws it: arrival rate, server time, load time, session length. Every rate is
    a run with a report of its own. The exit code is that of the worst run; a rate at which thresholds break is no
    failure of the sweep, one that the generator could not keep up with is left out.
    """
    from simulator.cli.live import play_live
    from simulator.runfolder.files import prepare_folder
    from simulator.target.check import reach
    from simulator.target.login import address_of
    from simulator.worlds.live.ceiling import permitted

    asked = _rates(rates)
    given = options.overrides(host=host, target=target, duration=duration, seed=seed, max_rate=max_rate)
    loaded = [_at(scenario, given, rate) for rate in asked]
    base_url = safety.base_url_of(loaded[0].spec.host or loaded[0].target.host, "scenario or target file")
    permissions = [permitted(one, base_url, owned=owned, verify=not insecure) for one in loaded]
    reach(address_of(base_url))
    prepare_folder(out, overwrite=overwrite)
    for one, permission, rate in zip(loaded, permissions, asked, strict=True):
        folder = out / f"rate-{rate:g}"
        folder.mkdir(parents=True)
        options.console().print(f"[bold]{rate:g} visits/s[/bold]")
        play_live(one, base_url, folder, None, permission)
    return _write(out, asked)


def _rates(text: str) -> list[float]:
    from simulator.model.units import parse_rate_per_s

    try:
        found = sorted({parse_rate_per_s(part.strip()) for part in text.split(",")})
    except ValueError as error:
        raise click.UsageError(f"--rates {text}: {error}") from None
    if len(found) < LEAST or found[0] <= 0:
        fail(f"--rates {text} makes no curve", "give two rates or more, as 2/s,10/s")
    return found


def _at(scenario: str, given: dict[str, object], rate: float) -> Scenario:
    from simulator.scenario.load import load_scenario

    return load_scenario(scenario, {**given, "arrivals": {"kind": "constant", "rate": f"{rate:.12g}/s"}})


def _write(out: Path, rates: list[float]) -> int:
    """Write sweep.json of the runs that can be trusted, say so, and return the exit code."""
    from simulator.analysis.runs import read_run
    from simulator.analysis.verdict import unfit_for_comparison
    from simulator.cli.exits import Exit
    from simulator.study.speed_sweep import FILE, sweep_text, swept

    console, rows = options.console(), []
    for rate in rates:
        run = read_run(out / f"rate-{rate:g}")
        unfit = unfit_for_comparison(run.manifest)
        if unfit:
            console.print(f"[yellow]left out[/] {rate:g}/s: {'; '.join(unfit)}")
            continue
        rows.append(swept(run, rate))
    if len(rows) < LEAST:
        console.print("[yellow]invalid[/] fewer than two rates can be trusted, which makes no curve")
        return Exit.INVALID
    (out / FILE).write_text(sweep_text(tuple(rows)), encoding="utf-8")
    console.print(f"sweep: [bold]{out / FILE}[/]; footfall speed SCENARIO --sweep {out} draws it")
    return Exit.PASSED
