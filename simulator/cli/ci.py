"""What a run tells the CI system it runs in, beside its exit code: GitHub's step summary and annotations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

SUMMARY, ACTIONS = "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"


def tell(markdown: str, annotations: Iterable[str]) -> None:
    """Append Markdown to the step summary and print annotations, where there is a GitHub job to read them.

    Annotations go to stderr, which its runner reads as well, so that stdout keeps to data. A summary that cannot be
    written is said, and changes no exit code: the verdict stands.
    """
    if path := os.environ.get(SUMMARY):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(markdown + "\n")
        except OSError as error:
            click.echo(f"warning: cannot write the step summary {path}: {error.strerror or error}", err=True)
    if os.environ.get(ACTIONS) == "true":
        for line in annotations:
            click.echo(line, err=True)
