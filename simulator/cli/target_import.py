"""`footfall target import`: a first target file from an OpenAPI description or a recorded session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import options
from simulator.cli.exits import Exit, fail

if TYPE_CHECKING:
    from simulator.target.imports.draft import Draft

_out = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="File to write; default: NAME.yaml."
)
_overwrite = click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")


@click.group("import", short_help="Write a first target file from what a shop has.")
def importing() -> None:
    """Write a first target file: operations guessed from names, and a list of what needs a human."""


@importing.command("openapi", short_help="From an OpenAPI 3 description.")
@click.argument("spec")
@_out
@_overwrite
def openapi(spec: str, out: Path | None, overwrite: bool) -> int:
    """Map the operations of SPEC, an OpenAPI 3.0 or 3.1 file or URL, in JSON or YAML.

    References to other documents are not followed.
    """
    from simulator.target.imports.openapi import draft_openapi
    from simulator.target.imports.reading import read_document

    name, data = read_document(spec)
    return _write(draft_openapi(data, name), name, out, overwrite=overwrite)


@importing.command("har", short_help="From a recorded browser session.")
@click.argument("session")
@_out
@_overwrite
def har(session: str, out: Path | None, overwrite: bool) -> int:
    """Map the requests of SESSION, a HAR file saved from a browser's network panel.

    A value that an answer told and a later request sends becomes a capture. Passwords, tokens and cookies of the
    recording are not written down.
    """
    from simulator.target.imports.har import draft_har
    from simulator.target.imports.reading import read_document

    name, data = read_document(session)
    return _write(draft_har(data, name), name, out, overwrite=overwrite)


def _write(draft: Draft, source: str, out: Path | None, *, overwrite: bool) -> int:
    from rich.text import Text

    from simulator.cli.target_view import print_table, simple_table
    from simulator.runfolder.files import whole_file
    from simulator.target.imports.draft import checked, written

    console = options.console()
    print_table(simple_table(("left out", "why"), draft.left_out))
    if not draft.data.get("operations"):
        fail(f"{source} has no operation that we know", "write a target file by hand; docs/files.md shows one")
    print_table(simple_table(("operation", "request"), draft.mapped))
    path = out or Path(f"{draft.data['target']}.yaml")
    if path.exists() and not overwrite:
        fail(f"{path} exists", "give --overwrite, or another --out")
    with whole_file(path) as partial:
        partial.write_text(written(draft, Path(source).name), encoding="utf-8")
    for line in draft.human:
        console.print(Text(f"needs a human: {line}"))
    for fault in checked(path):
        console.print(Text(f"wrong: {fault}"))
    console.print(
        Text(
            f"{path}: {len(draft.data['operations'])} operations mapped, {len(draft.left_out)} left out; "
            f"next: footfall target check --no-send {path}"
        )
    )
    return Exit.PASSED
