"""`footfall worker`: plays a share of a run that `footfall load --master` leads, here or on another machine."""

from __future__ import annotations

import click

from simulator.cli.exits import Exit

WAIT_S = 60.0
ASK_S = 0.5


@click.command("worker", short_help="Play a share of a run that load --master leads.")
@click.option("--master-host", required=True, metavar="HOST", help="Where `footfall load --master` runs.")
@click.option(
    "--master-port",
    type=click.IntRange(1, 65_535),
    default=5557,
    show_default=True,
    metavar="PORT",
    help="Its --bind-port.",
)
def command(master_host: str, master_port: int) -> int:
    """Play a share of the run that `footfall load --master` leads; scenario, target and personas come from there.

    Waits a minute for the master, and ends with the run. A worker does what its master says: connect only to your own.
    """
    import os
    import sys

    if not _answers(master_host, master_port):
        click.echo(
            f"error: no master at {master_host}:{master_port}. Hint: start `footfall load --master` there first",
            err=True,
        )
        return Exit.UNREACHABLE
    sys.stderr.flush()
    # In place of this process, so that signals reach the worker itself.
    command = [sys.executable, "-m", "simulator.worlds.live.worker", master_host, str(master_port)]
    return os.execv(sys.executable, command)  # noqa: S606 - our own interpreter and module


def _answers(host: str, port: int) -> bool:
    """Return whether somebody listens there within a minute."""
    import socket
    from time import monotonic, sleep

    deadline_s, told = monotonic() + WAIT_S, False
    while True:
        try:
            with socket.create_connection((host, port), timeout=5.0):
                return True
        except OSError:
            if monotonic() > deadline_s:
                return False
        if not told:
            click.echo(f"waiting for a master at {host}:{port} …", err=True)
            told = True
        sleep(ASK_S)
