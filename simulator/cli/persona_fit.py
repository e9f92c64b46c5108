"""`footfall persona fit`: personas from the log of a real shop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.fit.hits import Findings, Hits

FORMATS = ("csv", "ga4", "segment")


@click.command("fit", short_help="Personas from your own logs, with a report of how well they fit.")
@click.argument("logs", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(FORMATS), default="csv", show_default=True, help="What LOGS are.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("my_personas"),
    show_default=True,
    help="Folder of the files.",
)
@click.option("--personas", "kinds", type=click.IntRange(1, 64), help="How many; the log decides where not given.")
@click.option("--map", "maps", multiple=True, metavar="EVENT=STATE", help="What an event is, as view_item=product.")
@click.option("--user", metavar="COLUMN", help="csv: who (default: user, user_id or shopper).")
@click.option("--time", metavar="COLUMN", help="csv: when (default: time, timestamp or at_us).")
@click.option("--action", metavar="COLUMN", help="csv: what (default: action, event or page).")
@click.option(
    "--column", "columns", multiple=True, metavar="MEANING=COLUMN", help="csv: another column, as os=platform."
)
@click.option("--time-unit", "unit", type=click.Choice(["s", "ms", "us"]), help="What numbers in the time count.")
@click.option("--timezone", metavar="ZONE", help="Clock of times without an offset, as Europe/Berlin.")
@click.option("--name", "prefix", default="fitted", show_default=True, help="What the personas are called, numbered.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Where the search begins.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier fit in --out.")
def command(
    logs: Path,
    kind: str,
    out: Path,
    kinds: int | None,
    maps: tuple[str, ...],
    user: str | None,
    time: str | None,
    action: str | None,
    columns: tuple[str, ...],
    unit: str | None,
    timezone: str | None,
    prefix: str,
    seed: int,
    overwrite: bool,
) -> None:
    """Find kinds of shoppers in LOGS, and write each as a persona file to --out.

    LOGS is a file or a folder: CSV, JSON Lines (also gzipped) or Parquet with one row a hit; a data set of `footfall
    generate` (csv); GA4's export to BigQuery (ga4); Segment's calls (segment). Visits end after 30 minutes without a
    hit. What cannot be used is counted and reported; nothing is guessed. Besides the personas come a population with
    their weights, a scenario that plays it, and a report as fit.md and fit.json.

    EVENT may name a page too (`page_view:/deals*=offers`); `EVENT=ignore` leaves one out.
    """
    from simulator.cli.exits import fail
    from simulator.fit.estimate import fit
    from simulator.fit.folder import begin, finish
    from simulator.fit.hits import Findings
    from simulator.fit.report import summary
    from simulator.fit.times import zone

    if not re.fullmatch(r"[a-z][a-z0-9_]*", prefix):
        fail(f"--name {prefix} has letters that a name may not have", "small letters, digits and _, a letter first")
    if timezone is not None and zone(timezone) is None:
        fail(f"--timezone {timezone} does not exist", "an IANA name, as Europe/Berlin")
    named = _pairs(columns) | {k: v for k, v in (("user", user), ("time", time), ("action", action)) if v}
    if kind != "csv" and named:
        fail("--user, --time, --action and --column are for csv", f"{kind} names its own fields")
    begin(out, overwrite=overwrite)
    findings = Findings()
    hits = _read(logs, kind, named, maps, unit, timezone, findings)
    fitted = fit(hits, kinds, seed)
    report = finish(out, fitted, findings, prefix)
    for line in summary(report):
        click.echo(line)
    options.console().print(
        f"{len(fitted.kinds)} personas in {out}; play them with: footfall generate {out}/scenarios/{prefix}.yaml",
        markup=False,
    )


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    from simulator.cli.exits import fail

    pairs = {}
    for text in columns:
        meaning, found, column = text.partition("=")
        if not found or not column:
            fail(f"--column {text} has no meaning and column", "as os=platform")
        pairs[meaning] = column
    return pairs


def _read(
    logs: Path,
    kind: str,
    named: dict[str, str],
    maps: tuple[str, ...],
    unit: str | None,
    timezone: str | None,
    findings: Findings,
) -> Hits:
    """Return the hits of the logs. Raises `FileFaults` when none can be used, with every reason."""
    from simulator.fit import names
    from simulator.fit.clean import hits_of
    from simulator.fit.folder import nothing_usable
    from simulator.fit.logs_csv import read_csv
    from simulator.fit.logs_ga4 import read_ga4
    from simulator.fit.logs_segment import read_segment

    events = names.with_options({"csv": names.OWN, "ga4": names.GA4, "segment": names.SEGMENT}[kind], maps)
    if kind == "csv":
        raw = read_csv(logs, named, unit, findings)
    else:
        raw = read_ga4(logs, findings) if kind == "ga4" else read_segment(logs, findings)
    hits = hits_of(raw, events, timezone, findings)
    if hits is None or not len(hits):
        raise nothing_usable(logs, findings)
    return hits
