"""`footfall speed fit`: how shoppers react to waiting, from a team's own beacons or from the published slow-downs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.fit.hits import Findings
    from simulator.fit.rum import Fit
    from simulator.fit.rum_read import Format

FORMATS = ("web-vitals", "boomerang", "csv")
COLOURS = {"fitted": "green", "confounded": "yellow", "assumed": "dim"}


@click.command("fit", short_help="A behaviour preset from your own beacons.")
@click.option(
    "--rum",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Beacons of real users: JSON Lines, CSV, Parquet, or query strings as .txt; also gzipped.",
)
@click.option("--studies", is_flag=True, help="Fit the published slow-downs instead: how causal-consensus was made.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="What FILE is; by default JSON Lines are web-vitals, .txt is boomerang, others are csv.",
)
@click.option(
    "--column", "columns", multiple=True, metavar="MEANING=COLUMN", help="What a column is, as load=lcp_ms; repeat it."
)
@click.option("--unit", type=click.Choice(["s", "ms", "us"]), help="What durations count whose name has no unit.")
@click.option("--time-unit", type=click.Choice(["s", "ms", "us"]), help="What numbers in the time count.")
@click.option("--timezone", metavar="ZONE", help="Clock of times without an offset, as Europe/Berlin.")
@click.option("--name", default="my-behaviour", show_default=True, help="What the preset is called.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File of the preset [default: NAME.yaml].")
@click.option("--overwrite", is_flag=True, help="Replace --out.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=7, show_default=True, help="With --studies.")
@click.option(
    "--visits", type=click.IntRange(1_000), default=100_000, show_default=True, help="With --studies: an arm."
)
def command(
    rum: Path | None,
    studies: bool,
    kind: Format | None,
    columns: tuple[str, ...],
    unit: str | None,
    time_unit: str | None,
    timezone: str | None,
    name: str,
    out: Path | None,
    overwrite: bool,
    seed: int,
    visits: int,
) -> None:
    """Fit a behaviour preset to what real users did, say what the data can tell and what not, and write it to --out.

    One row is one page view with a session and a load time or when who did not wait left; of web-vitals one metric,
    with `session` and `view` beside the library's own fields. A column `delay` holds what was added at random: without
    it, the level of patience is confounded, and the preset says so. MEANING is session, user, view, time, page, load,
    fcp, left, delay or agent.

    Bots, duplicates, negative times and other units are left out and counted.
    """
    from simulator.cli.exits import fail

    if bool(rum) == studies:
        fail("either --rum FILE or --studies is needed", "footfall speed fit --rum beacons.jsonl")
    if studies:
        _studies(seed, visits)
        return
    assert rum is not None
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        fail(f"--name {name} has letters that a name may not have", "small letters, digits, dots and dashes")
    out = out or Path(f"{name}.yaml")
    if out.exists() and not overwrite:
        fail(f"{out} exists", "give --overwrite, or another --out")
    _rum(rum, kind or _kind_of(rum), _pairs(columns), unit, time_unit, timezone, name, out)


def _kind_of(path: Path) -> Format:
    ending = path.name.removesuffix(".gz").rpartition(".")[2]
    if ending in ("jsonl", "ndjson", "json"):
        return "web-vitals"
    return "boomerang" if ending in ("txt", "log", "qs") else "csv"


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    from simulator.cli.exits import fail

    pairs = dict(text.split("=", 1) for text in columns if "=" in text)
    wrong = [text for text in columns if "=" not in text or not all(text.split("=", 1))]
    if wrong:
        fail(f"--column {wrong[0]} has no meaning and column", "as load=lcp_ms")
    return pairs


def _rum(
    path: Path,
    kind: Format,
    named: dict[str, str],
    unit: str | None,
    time_unit: str | None,
    timezone: str | None,
    name: str,
    out: Path,
) -> None:
    from simulator.cli.exits import fail
    from simulator.fit.hits import Findings
    from simulator.fit.rum import fit_rum
    from simulator.fit.rum_preset import preset_of, yaml_of
    from simulator.fit.rum_read import read_beacons
    from simulator.fit.rum_views import nothing_usable, views_of
    from simulator.fit.times import zone
    from simulator.runfolder.files import whole_file

    if timezone is not None and zone(timezone) is None:
        fail(f"--timezone {timezone} does not exist", "an IANA name, as Europe/Berlin")
    findings = Findings()
    views = views_of(read_beacons(path, kind, named, unit, time_unit, findings), timezone, findings)
    if views is None or not len(views.session):
        raise nothing_usable(path, findings)
    fit = fit_rum(views)
    preset = preset_of(fit, name, path.name, findings)
    with whole_file(out) as partial:
        partial.write_text(yaml_of(preset), encoding="utf-8")
    _show(fit, findings, out)


def _show(fit: Fit, findings: Findings, out: Path) -> None:
    from rich.console import Console
    from rich.markup import escape

    told = Console(highlight=False)
    design = fit.design
    told.print(f"{findings.rows:,} rows, {design.views:,} page views used, {design.sessions:,} sessions.")
    _show_left_out(told, findings)
    _show_parameters(told, fit)
    for note in findings.notes:
        told.print(f"[yellow]note[/] {escape(note)}")
    if design.uneven:
        told.print(f"[yellow]note[/] Delays are not dealt evenly (p = {design.unequal:.1g}); were they meant to be?")
    flag = " --observational" if fit.kind == "observational" else ""
    options.console().print(f"{escape(str(out))}; play it with: footfall generate --behaviour {escape(str(out))}{flag}")


def _show_left_out(told: Console, findings: Findings) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    if not findings.dropped:
        told.print("Nothing was left out.")
        return
    table = Table(box=box.SIMPLE, title="Left out", title_justify="left")
    table.add_column("rows", justify="right")
    table.add_column("why")
    table.add_column("as")
    for reason, count in sorted(findings.dropped.items(), key=lambda item: -item[1]):
        examples = ", ".join(text[:40] for text in findings.examples.get(reason, []))
        table.add_row(f"{count:,}", escape(reason), escape(examples))
    told.print(table)


def _show_parameters(told: Console, fit: Fit) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from simulator.fit.rum_preset import interval_of

    table = Table(box=box.SIMPLE, title="Behaviour", title_justify="left")
    for column in ("number", "value", "95 %"):
        table.add_column(column, justify="left" if column == "number" else "right", no_wrap=True)
    table.add_column("from what, or why not")
    for one in fit.parameters:
        state = f"[{COLOURS[one.state]}]{one.state}[/]: {escape(one.why)}"
        table.add_row(one.name, f"{one.value:.3g}", escape(interval_of(one)), state)
    told.print(table)


def _studies(seed: int, visits: int) -> None:
    from rich.console import Console

    from simulator.study.consensus import fit_consensus

    with options.console().status("simulating the slow-downs at twelve levels"):
        fitted = fit_consensus(seed, visits)
    told = Console(highlight=False)
    for name in fitted.levels:
        value, low, high = fitted.value(name)
        told.print(f"{name}: {value:.2g} \\[{low:.2g}, {high:.2g}]; the preset says {fitted.levels[name]:g}")
    now = fitted.levels["patience.hazard_per_s"]
    alone = ", ".join(f"{name} {now * factor:.2g}" for name, factor in fitted.by_study.items())
    without = ", ".join(f"{name} {now * factor:.2g}" for name, factor in fitted.without.items())
    told.print(f"patience.hazard_per_s by study alone: {alone}; without it: {without}")
