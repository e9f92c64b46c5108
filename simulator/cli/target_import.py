"""`footfall target import`."""

import click


@click.group("import")
def importing() -> None:
    """Import."""
