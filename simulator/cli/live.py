"""What `load` and `demo` share: the run under its live view, and its report."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from simulator.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.analysis.verdict import Verdict
    from simulator.scenario.load import Scenario
    from simulator.target.permission import Permission
    from simulator.worlds.live.launch import Workers
    from simulator.worlds.live.views.wanted import Wanted


def run_live(
    scenario: Scenario,
    base_url: str,
    out: Path,
    workers: Workers | None = None,
    permission: Permission | None = None,
    wanted: Wanted | None = None,
) -> int:
    """Play a scenario against `base_url` into `out`, which is ready to be written; return the exit code."""
    from rich.markup import escape

    from simulator.cli.outcome import show_outcome
    from simulator.target.login import split_login

    spec, console = scenario.spec, options.console()
    about = escape(f"{spec.describe} Seed {spec.seed}, {spec.duration:g} s, {split_login(base_url)[0]}")
    console.print(f"[bold]{spec.scenario}[/bold]: {about}")
    if permission and not permission.verify:
        console.print("[yellow]TLS certificates are not verified[/]")
    return show_outcome(out, play_live(scenario, base_url, out, workers, permission, wanted))


def play_live(
    scenario: Scenario,
    base_url: str,
    out: Path,
    workers: Workers | None = None,
    permission: Permission | None = None,
    wanted: Wanted | None = None,
) -> Verdict:
    """Play a scenario into `out` under the live view, write its reports, and return the verdict."""
    from simulator.cli.live_view import live_view
    from simulator.cli.outcome import judged
    from simulator.worlds.live.launch import launch

    run_id = f"{scenario.spec.scenario}-{scenario.spec.seed}-{secrets.token_hex(4)}"
    with live_view(options.console(), scenario) as show:
        launch(out, scenario, base_url, run_id, show, workers, permission=permission, wanted=wanted)
    return judged(out)
