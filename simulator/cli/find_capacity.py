"""`footfall load --find-capacity`: runs at rising rates until a threshold fails, then between the two bounds."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options
from simulator.cli.exits import fail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from simulator.analysis.search import Limits, Outcome, Probe, Stopped
    from simulator.analysis.verdict import Verdict
    from simulator.scenario.load import Scenario
    from simulator.target.permission import Permission

PERCENT = 100
COLOURS = {"held": "green", "failed": "red", "invalid": "yellow", "unjudged": "yellow"}
INTERRUPTED = 130

Play = Any
"""A function from (scenario, base URL, folder) to a verdict: how one probe is played."""


def search_options(command: options.Command) -> options.Command:
    """Add the options of a search to a command; they come as one dictionary, `search`."""
    added = (
        click.option("--find-capacity", is_flag=True, help="Find the highest rate at which all thresholds hold."),
        click.option(
            "--probes",
            type=click.IntRange(1, 200),
            default=16,
            show_default=True,
            help="With --find-capacity: most runs; each is --duration long, the first at --rate.",
        ),
        click.option(
            "--within", metavar="TIME", default="30min", show_default=True, help="With --find-capacity: most time."
        ),
        click.option(
            "--precision",
            type=click.FloatRange(0.1, PERCENT),
            default=5.0,
            show_default=True,
            help="With --find-capacity: per cent between the rate that holds and the one that does not.",
        ),
        click.option("--up-to", metavar="RATE", help="With --find-capacity: no rate above this is tried."),
        click.option(
            "--settle",
            metavar="TIME",
            default="2s",
            show_default=True,
            help="With --find-capacity: pause between runs, in which the target recovers.",
        ),
    )
    for option in reversed(added):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search is to try: which scenario, where, and how far."""

    scenario: Scenario
    base_url: str
    limits: Limits
    settle_s: float


def search(
    scenario: Scenario,
    base_url: str,
    out: Path,
    play: Play,
    permission: Permission,
    *,
    overwrite: bool,
    probes: int,
    within: str,
    precision: float,
    up_to: str | None,
    settle: str,
) -> int:
    """Search with the options of a command line; return the exit code. What makes no sense is a usage error."""
    import math

    from simulator.analysis.search import Limits
    from simulator.model.units import parse_duration_s, parse_rate_per_s
    from simulator.runfolder.files import prepare_folder
    from simulator.target.check import reach
    from simulator.target.login import address_of

    if not scenario.thresholds:
        fail("the scenario has no thresholds", "say what must hold, as `thresholds: [p95 of latency < 500ms]`")
    if not scenario.profile:
        fail("the highest rate is searched with arrivals that have one", "give --rate 5/s to begin with")
    highest = math.inf if up_to is None else _parsed(up_to, "--up-to", parse_rate_per_s)
    limits = Limits(
        max(rate for _, rate in scenario.profile),
        precision=precision / PERCENT,
        most_probes=probes,
        longest_s=_parsed(within, "--within", parse_duration_s),
        ceiling_per_s=min(highest, permission.max_rate_per_s or math.inf),
    )
    asked = Asked(scenario, base_url, limits, _parsed(settle, "--settle", parse_duration_s))
    reach(address_of(base_url))
    prepare_folder(out, overwrite=overwrite)
    return find_capacity(asked, out, play)


def _parsed(text: str, option: str, parse: Callable[[str], float]) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise click.UsageError(f"{option} {text}: {error}") from None


def find_capacity(asked: Asked, out: Path, play: Play) -> int:
    """Search, write what was found to `out` after every probe, print it, and return the exit code."""
    from simulator.analysis.search import conclude
    from simulator.report.search import Searched, write_search

    console = options.console()
    probes: list[Probe] = []
    scenario, spec = asked.scenario, asked.scenario.spec
    from rich.markup import escape

    about = f"{spec.describe} Probes of {spec.duration:g} s, {asked.base_url}"
    console.print(f"[bold]{spec.scenario}[/bold], the highest rate that holds: {escape(about)}")

    def write(stopped: Stopped) -> int:
        found = conclude(probes, stopped)
        searched = Searched(
            spec.scenario, spec.describe, asked.base_url, scenario.digest(), spec.duration, asked.limits, probes, found
        )
        write_search(out, searched)
        return found.exit_code

    stopped = _search(asked, out, play, probes, lambda: write("interrupted"), console)
    code = write(stopped)
    found = conclude(probes, stopped)
    colour = {0: "green", 1: "red"}.get(code, "yellow")
    console.print(f"[bold {colour}]{found.sentence}[/]")
    console.print(f"report: [bold]{out / 'report.html'}[/]")
    return code


def _search(
    asked: Asked,
    out: Path,
    play: Play,
    probes: list[Probe],
    after_each: Callable[[], Any],
    console: Console,
) -> Stopped:
    """Make probes until there is no next one; each stands in `probes` as soon as it is judged."""
    from simulator.analysis.search import next_rate

    begun_s = monotonic()
    while not isinstance(rate := next_rate(probes, asked.limits), str):
        if probes and monotonic() - begun_s + asked.settle_s + asked.scenario.spec.duration > asked.limits.longest_s:
            return "time"
        try:
            if probes:
                sleep(asked.settle_s)
            verdict = _probe(asked, out, play, probes, rate)
        except KeyboardInterrupt:
            return "interrupted"
        after_each()
        _say(probes, console)
        if verdict.exit_code == INTERRUPTED:
            probes.pop()
            return "interrupted"
    return rate


def _probe(asked: Asked, out: Path, play: Play, probes: list[Probe], rate: float) -> Verdict:
    """Play one rate and add what it came to; a rate that is played again gets other arrivals."""
    from simulator.analysis.runs import read_run
    from simulator.scenario.load import load_scenario

    scenario = asked.scenario
    again = sum(probe.rate_per_s == rate for probe in probes)
    seed = scenario.spec.seed + again
    arrivals = {"kind": "constant", "rate": f"{rate:.12g}/s", "spacing": scenario.spec.arrivals.spacing}
    loaded = load_scenario(scenario.name, {**scenario.overrides, "arrivals": arrivals, "seed": seed})
    folder = out / f"probe-{len(probes) + 1:02d}"
    folder.mkdir(parents=True)
    verdict: Verdict = play(loaded, asked.base_url, folder)
    probes.append(_evidence(read_run(folder), verdict, rate, folder.name))
    return verdict


def _evidence(run: Any, verdict: Verdict, rate: float, folder: str) -> Probe:  # noqa: ANN401 - a Run; not imported for help's sake
    """Return what is kept of a run: its verdict with figures and sample sizes, and how the generator fared."""
    from simulator.analysis.search import Judged, Probe

    generator, latency = run.manifest.generator, run.histograms.merged("due") if run.histograms else None
    p50, p95, p99 = (latency.estimate(q).value if latency else None for q in (0.5, 0.95, 0.99))
    judged = tuple(
        Judged(
            result.threshold.text,
            result.state,
            result.text,
            result.threshold.metric.kind,
            result.threshold.limit,
            result.estimate.value,
            result.estimate.n,
            result.estimate.low,
            result.estimate.high,
        )
        for result in verdict.results
    )
    return Probe(
        rate,
        outcome_of(verdict),
        folder,
        run.manifest.seed,
        verdict.headline,
        verdict.reasons,
        judged,
        (p50, p95, p99),
        generator.planned,
        generator.started,
        generator.requests,
        generator.errors,
        generator.start_lag_ms.get("p99", 0.0),
        generator.cpu_share,
    )


def outcome_of(verdict: Verdict) -> Outcome:
    """Return what a probe's verdict says of its rate; too few values say nothing."""
    if verdict.state == "passed":
        return "held"
    if verdict.state == "invalid":
        return "invalid"
    return "failed" if any(result.state == "failed" for result in verdict.results) else "unjudged"


def _say(probes: list[Probe], console: Console) -> None:
    from rich.markup import escape

    from simulator.report.search import OUTCOMES, threshold_line

    probe = probes[-1]
    what = f"[{COLOURS[probe.outcome]}]{OUTCOMES[probe.outcome]}[/]"
    console.print(f" {len(probes):2} {probe.rate_per_s:>7g}/s {what}  [dim]{escape(threshold_line(probe))}[/]")
