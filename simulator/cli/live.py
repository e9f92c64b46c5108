"""What `load` and `demo` share: the live view, the run, its report."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from simulator.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import RenderableType

    from simulator.scenario.load import Scenario
    from simulator.target.permission import Permission
    from simulator.worlds.live.views.wanted import Wanted


def run_live(
    scenario: Scenario,
    base_url: str,
    out: Path,
    permission: Permission | None = None,
    wanted: Wanted | None = None,
) -> int:
    """Play a scenario against `base_url` into `out`, which is ready to be written; return the exit code."""
    from rich.live import Live
    from rich.markup import escape

    from simulator.cli.outcome import show_outcome
    from simulator.report import write_reports
    from simulator.target.login import split_login
    from simulator.worlds.live.launch import launch

    spec = scenario.spec
    console = options.console()
    about = escape(f"{spec.describe} Seed {spec.seed}, {spec.duration:g} s, {split_login(base_url)[0]}")
    console.print(f"[bold]{spec.scenario}[/bold]: {about}")
    if permission and not permission.verify:
        console.print("[yellow]TLS certificates are not verified[/]")
    run_id = f"{spec.scenario}-{spec.seed}-{secrets.token_hex(4)}"
    with Live(_waiting(), console=console, transient=True, refresh_per_second=8) as live:
        launch(
            out,
            scenario,
            base_url,
            run_id,
            lambda now: live.update(_view(now, spec.duration)),
            permission=permission,
            wanted=wanted,
        )
    return show_outcome(out, write_reports(out))


def _waiting() -> RenderableType:
    from rich.text import Text

    return Text("warming up …", style="dim")


def _view(now: Mapping[str, Any], duration_s: float) -> RenderableType:
    """Return the live view: how far, and what the shoppers are doing."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    elapsed_s = min(now["elapsed_s"], duration_s)
    grid.add_row(
        f"{elapsed_s:4.0f} / {duration_s:.0f} s",
        f"visits {now['started']:,} of {now['planned']:,} started, {now['open']:,} open, {now['ended']:,} ended",
    )
    rate = now["requests"] / now["elapsed_s"] if now["elapsed_s"] else 0.0
    grid.add_row(
        "",
        f"pages {now['pages']:,} · requests {now['requests']:,} ({rate:,.0f}/s) · errors {now['errors']:,}"
        f" · start lag p99 {now['lag_p99_ms']:.1f} ms",
    )
    return Group(ProgressBar(total=duration_s, completed=elapsed_s, width=60), grid)
