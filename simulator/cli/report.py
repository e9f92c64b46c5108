"""`footfall report`: render a run again from its tables."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report", short_help="Render a run's report again.")
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> int:
    """Render report.html, report.md, junit.xml and summary.json of RUN from its tables alone.

    Whichever world wrote them. Exits with the verdict's code.
    """
    from simulator.cli.outcome import report_on

    return report_on(run)
