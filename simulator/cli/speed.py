"""`footfall speed`: what a second of waiting costs in session length; each command in a file of its own."""

from __future__ import annotations

import importlib

import click

COMMANDS: dict[str, str] = {
    "scorecard": "speed_scorecard",
    "fit": "speed_fit",
    "estimators": "speed_estimators",
    "what-if": "speed_what_if",
    "sweep": "speed_sweep",
    "sample-size": "speed_sample_size",
}
"""Names of commands, each with the file of `simulator.cli` that holds it."""
REPORT = "speed_report"
"""The file of the command that reports on whatever is no command's name."""


class SpeedGroup(click.Group):
    """Loads a command's file when it is needed; what is no command's name is a scenario or a run to report on."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people meet them."""
        del ctx
        return [*COMMANDS, "report"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its exact name."""
        del ctx
        file = REPORT if cmd_name == "report" else COMMANDS.get(cmd_name)
        return _of(file) if file is not None else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named first, or else the report, which takes all arguments."""
        if args and args[0] in self.list_commands(ctx):
            return super().resolve_command(ctx, args)
        return "report", _of(REPORT), args


def _of(file: str) -> click.Command:
    command = importlib.import_module(f"simulator.cli.{file}").command
    assert isinstance(command, click.Command)
    return command


@click.group(
    "speed",
    cls=SpeedGroup,
    short_help="What a second of waiting costs in session length.",
    subcommand_metavar="[SCENARIO|RUN|COMMAND] [ARGS]...",
    context_settings={"ignore_unknown_options": True},
)
def command() -> None:
    """Measure and predict what page speed does to session length.

    `footfall speed SCENARIO` (a shipped name or a file) or `footfall speed RUN` (a folder) writes the speed report;
    `footfall speed SCENARIO --help` shows its options.
    """
