"""`footfall speed`: what a second of waiting costs in session length; each command in a file of its own."""

from __future__ import annotations

import importlib

import click

COMMANDS: dict[str, str] = {"what-if": "speed_what_if"}
"""Names of commands, each with the file of `simulator.cli` that holds it."""


class SpeedGroup(click.Group):
    """Loads a command's file when it is needed; what is no command's name is a scenario or a run to report on."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its exact name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"simulator.cli.{COMMANDS[cmd_name]}").command
        assert isinstance(command, click.Command)
        return command


@click.group("speed", cls=SpeedGroup, short_help="What a second of waiting costs in session length.")
def command() -> None:
    """Measure and predict what page speed does to session length."""
