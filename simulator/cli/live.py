"""What `load` and `demo` share: the run under its live view, and its report."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from simulator.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.analysis.verdict import Verdict
    from simulator.scenario.load import Scenario
    from simulator.worlds.live.launch import Workers


def run_live(scenario: Scenario, base_url: str, out: Path, workers: Workers | None = None) -> int:
    """Play a scenario against `base_url` into `out`, which is ready to be written; return the exit code."""
    from rich.markup import escape

    from simulator.cli.outcome import show_outcome

    spec = scenario.spec
    about = escape(f"{spec.describe} Seed {spec.seed}, {spec.duration:g} s, {base_url}")
    options.console().print(f"[bold]{spec.scenario}[/bold]: {about}")
    return show_outcome(out, play_live(scenario, base_url, out, workers))


def play_live(scenario: Scenario, base_url: str, out: Path, workers: Workers | None = None) -> Verdict:
    """Play a scenario into `out` under the live view, write its reports, and return the verdict."""
    from simulator.cli.live_view import live_view
    from simulator.cli.outcome import judged
    from simulator.worlds.live.launch import launch

    run_id = f"{scenario.spec.scenario}-{scenario.spec.seed}-{secrets.token_hex(4)}"
    with live_view(options.console(), scenario) as show:
        launch(out, scenario, base_url, run_id, show, workers)
    return judged(out)
