"""`footfall storefront`: the embedded shop on its own."""

from __future__ import annotations

import click

from simulator.cli import options


@click.command("storefront", short_help="Run the embedded shop on its own.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@options.seed
def command(port: int, seed: int | None) -> None:
    """Serve the embedded shop on loopback until Ctrl-C; its data is gone afterwards."""
    from simulator.storefront import StorefrontError, running_storefront

    with running_storefront(seed=7 if seed is None else seed, port=port) as shop:
        try:
            click.echo(shop.url)
            options.console().print("The shop is open; look at it in a browser. Ctrl-C closes it.")
            code = shop.process.wait()
        except KeyboardInterrupt:
            options.console().print("closed")
        else:
            raise StorefrontError(f"the shop closed by itself with exit code {code}")
