"""`footfall storefront`: the embedded shop on its own, with whatever is to be wrong in it."""

from __future__ import annotations

import click

from simulator.cli import options


@click.command("storefront", short_help="Run the embedded shop on its own.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@options.seed
@click.option(
    "--hazard", "names", multiple=True, metavar="NAME", help="Do this wrong: a name, or a family as H12. Repeatable."
)
@click.option("--hazards", "listed", is_flag=True, help="List all hazards, and exit.")
@click.option("--answer-key", is_flag=True, help="Print what --hazard switches on as JSON, and exit.")
def command(port: int, seed: int | None, names: tuple[str, ...], *, listed: bool, answer_key: bool) -> None:
    """Serve the embedded shop on loopback until Ctrl-C; its data is gone afterwards.

    It does everything right, unless told to do something wrong: then a tester has something to find.
    """
    if listed:
        return _list()
    hazards = _named(names)
    if answer_key:
        return _print_key(hazards)
    return _serve(port, 7 if seed is None else seed, hazards)


def _serve(port: int, seed: int, hazards: list[str]) -> None:
    from simulator.storefront import StorefrontError, running_storefront

    with running_storefront(seed=seed, port=port, hazards=hazards) as shop:
        try:
            click.echo(shop.url)
            options.console().print("The shop is open; look at it in a browser. Ctrl-C closes it.")
            if hazards:
                options.console().print(f"hazards on: {', '.join(hazards)}")
            code = shop.process.wait()
        except KeyboardInterrupt:
            options.console().print("closed")
        else:
            raise StorefrontError(f"the shop closed by itself with exit code {code}")


def _named(names: tuple[str, ...]) -> list[str]:
    """Return the names of the hazards that were asked for, families spelled out."""
    from simulator.storefront.hazards import all_hazards

    known, on, wrong = all_hazards(), list[str](), list[str]()
    for name in names:
        meant = [hazard.name for hazard in known if name == hazard.name or name.upper() == hazard.code]
        on += [one for one in meant if one not in on]
        wrong += [] if meant else [f"there is no hazard {name}{_hint(name, [hazard.name for hazard in known])}"]
    if wrong:
        raise click.BadParameter("; ".join(wrong), param_hint="'--hazard'")
    return on


def _hint(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f", did you mean {near[0]}?" if near else "; --hazards lists them"


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from simulator.storefront.hazards import all_hazards

    table = Table(box=None, pad_edge=False)
    for title in ("family", "hazard", "what it does wrong"):
        table.add_column(title, no_wrap=title != "what it does wrong")
    for hazard in all_hazards():
        table.add_row(hazard.code, hazard.name, hazard.does)
    console = Console(highlight=False)
    # Where nobody looks, a line a hazard is easier to read.
    Console(highlight=False, width=console.width if console.is_terminal else 160, markup=False).print(table)


def _print_key(hazards: list[str]) -> None:
    import json

    from simulator.storefront.hazards import answer_key

    click.echo(json.dumps(answer_key(hazards), indent=2))
