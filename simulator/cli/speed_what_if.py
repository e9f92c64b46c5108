"""`footfall speed what-if`: what a recorded run would have been with other latencies."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simulator.analysis.estimates import Estimate
    from simulator.study.what_if import WhatIf

SHOWN = {
    "pages": ("pages a visit", "{:.2f}", 1),
    "engaged_time": ("engaged time", "{:.1f} s", 1),
    "wall_time": ("wall time", "{:.1f} s", 1),
    "ga_time": ("GA-compatible time", "{:.1f} s", 1),
    "waited_time": ("time waited", "{:.2f} s", 1),
    "bounce": ("bounce", "{:.1f} %", 100),
    "conversion": ("conversion", "{:.2f} %", 100),
    "revenue_per_1000": ("revenue of 1,000 visits", "{:,.0f}", 1),
}
"""How each metric is called, printed and scaled."""
MOST_ROWS = 5


@click.command("what-if", short_help="Play a recorded run again with other latencies.")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--change",
    "changes",
    multiple=True,
    required=True,
    metavar="CHANGE",
    help='"search -300ms", "search p95 -300ms" (all of search by one factor), "all x0.5"; may be repeated.',
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def command(run: Path, changes: tuple[str, ...], as_json: bool) -> None:
    """Play the visits of a live RUN again, each request as long as it was but for the changes.

    The same shoppers make the same choices; only what they wait for changes. Latencies are measured, reactions to them
    assumed.
    """
    from simulator.model.faults import all_or_faults
    from simulator.study.what_if import what_if
    from simulator.study.what_if_latency import parse_latency

    wanted = all_or_faults(*(lambda text=text: parse_latency(text) for text in changes))
    found = what_if(run, wanted)
    if as_json:
        from simulator.cli.persona import print_json

        print_json(facts(found))
    else:
        _show(found)


def facts(found: WhatIf) -> dict[str, Any]:
    """Return everything as plain values."""
    told = {name: getattr(found, name) for name in ("visits", "cut", "measured", "drawn", "recorded", "changed")}
    told["pages"] = {"measured": told.pop("measured"), "drawn": told.pop("drawn")}
    told["changes"] = [asdict(change) for change in found.changes]
    told["moved"] = [asdict(moved) for moved in found.moved]
    for name in ("difference", "relative"):
        told[name] = {metric: asdict(one) for metric, one in getattr(found, name).items()}
    rows = found.lost.by("page", "cause")
    told["lost"] = [{"page": page, "cause": cause, **amounts} for (page, cause), amounts in rows.items()]
    return told


def _show(found: WhatIf) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    for one in found.moved:
        (p50, new_p50), (p95, new_p95) = one.p50_s, one.p95_s
        console.print(
            f"{one.operation}: {one.requests:,} × p50 {_ms(p50)} → {_ms(new_p50)}, p95 {_ms(p95)} → {_ms(new_p95)}"
        )
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", "recorded", "what if", "change", "95 % interval"):
        table.add_column(name, justify="left" if not name else "right")
    for metric, (name, form, scale) in SHOWN.items():
        values = (form.format(scale * side[metric]) for side in (found.recorded, found.changed))
        table.add_row(name, *values, *_change(found.relative[metric]))
    console.print(table)
    _show_lost(found)
    pages = found.measured + found.drawn
    console.print(
        f"[dim]{found.visits:,} visits, the same on both sides; {found.cut:,} were cut by the run's end. "
        f"Of {pages:,} pages {found.measured:,} are measured, {found.drawn:,} drawn from the run's others. "
        "Latencies are measured, reactions to them assumed.[/dim]"
    )


def _show_lost(found: WhatIf) -> None:
    """Print where pages were won or lost."""
    from rich.console import Console

    rows = [(key, row["pages"]) for key, row in found.lost.by("page", "cause").items() if row["pages"]]
    rows.sort(key=lambda row: -abs(row[1]))
    for (page, cause), pages in rows[:MOST_ROWS]:
        many = f"{abs(pages):,} page{'s' if abs(pages) != 1 else ''}"
        what = f"{many} {'lost' if pages > 0 else 'won'}"
        Console(highlight=False, soft_wrap=True).print(
            f"  {what} at {page}, where visits ended {cause.replace('_', ' ')}"
        )


def _change(one: Estimate) -> tuple[str, str]:
    if one.value is None:
        return "–", ""
    if one.low is None or one.high is None:
        return f"{100 * one.value:+.1f} %", ""
    return f"{100 * one.value:+.1f} %", f"{100 * one.low:+.1f} % to {100 * one.high:+.1f} %"


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:,.0f} ms"
