"""The command line: one file a command, nothing heavy imported before a command runs."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from simulator import __version__
from simulator.cli.exits import Exit, failing
from simulator.target.guard import guarded_streams

if TYPE_CHECKING:
    from types import FrameType

COMMANDS = (
    "demo",
    "generate",
    "describe",
    "grade",
    "load",
    "worker",
    "capacity",
    "report",
    "baseline",
    "persona",
    "target",
    "page",
    "speed",
    "storefront",
)


class LazyGroup(click.Group):
    """Loads a command's file only when that command, or help, needs it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its exact name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"simulator.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


EXIT_CODES = (
    "Exit codes: 0 passed · 1 thresholds failed · 2 usage or invalid file · 3 run invalid (the generator could not "
    "keep up) · 4 target unreachable · 130 interrupted"
)


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="footfall")
def cli() -> None:
    """Send persona-driven mobile shoppers into a shop, and see what happens.

    Begin with `footfall demo`: it starts a small shop of its own, sends shoppers, and writes a report.
    """


def _terminate(signum: int, frame: FrameType | None) -> None:
    """Treat SIGTERM as Ctrl-C: stop what was started and report what was measured."""
    del signum, frame
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line and exit with one of the codes of `simulator.cli.exits`."""
    # One thread of the matrix library: our matrices are small, its threads wait for each other ten times longer than
    # they calculate, and the last digits of a figure would tell how many processors there are.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, _terminate)
    with guarded_streams():
        code = _run()
    sys.exit(code)


def _run() -> int:
    try:
        code = failing(lambda: cli.main(prog_name="footfall", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        code = Exit.USAGE
    except click.Abort:  # how click passes Ctrl-C on
        click.echo("interrupted", err=True)
        code = Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader of our output is gone, for which click and rich would exit with 1; say nothing more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.PASSED
    return code
