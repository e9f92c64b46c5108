"""`footfall page`: how long a page takes on a phone, and recordings to know it from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options

if TYPE_CHECKING:
    from rich.table import Table

    from simulator.page.forecast import Forecast
    from simulator.page.predict import Conditions
    from simulator.page.read import PageSource
    from simulator.page.where import Phone, Place

NAMES = {
    "ttfb": "first byte",
    "fcp": "first paint (FCP)",
    "lcp": "main content (LCP)",
    "load": "load event",
    "idle": "last byte",
}
page_file = click.argument("page", type=click.Path(path_type=Path))


@click.group("page", short_help="Record pages; predict how long they take.")
def command() -> None:
    """Work with pages: record one, predict its load on a network and a device, cut a page card from it."""


@command.command("predict", short_help="Predict a page's load times.")
@page_file
@click.option(
    "--device", default="mid", show_default=True, help="low, mid, high, desktop, a model, or a slowdown as 4x."
)
@click.option(
    "--network", default="slow 4g", show_default=True, help="A profile, wifi, 5g, lte, hspa, or 150ms/1600kbps/750kbps."
)
@click.option("--loss", type=click.FloatRange(0, 0.3), default=0.0, help="Share of packets lost.")
@click.option("--warm", is_flag=True, help="The shop's connection is open and the radio awake: no set-up.")
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="PART=TIME",
    help="The server's time for URLs that hold PART, as /api=300ms.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@options.html
def predict(
    page: Path,
    device: str,
    network: str,
    loss: float,
    warm: bool,
    servers: tuple[str, ...],
    as_json: bool,
    html: Path | None,
) -> None:
    """Predict how long PAGE takes: a recording of `footfall page record`, or a HAR.

    Each time comes with an interval that is to hold 80 % of loads; docs/accuracy.md says how often it does. With --html
    the load is drawn as a waterfall instead.
    """
    from simulator.page.forecast import forecast
    from simulator.page.read import read_page
    from simulator.page.where import device as device_named
    from simulator.page.where import network as network_named

    place, phone = network_named(network), device_named(device)
    source = read_page(page)
    for part, wait_s in _waits(servers):
        source = _with_server(source, part, wait_s)
    found = forecast(source, _conditions(place, phone, loss, warm))
    if html is not None:
        from simulator.report.page_load import page_load_html

        options.write_page(html, page_load_html(source, found, place, phone))
    if as_json:
        from simulator.cli.persona import print_json

        print_json(_facts(source, found, place, phone))
    elif html is None:
        _show(source, found, place, phone)


@command.command("card", short_help="Cut a page card from a page.")
@page_file
@click.option(
    "--call",
    "calls",
    multiple=True,
    metavar="OP=PART",
    help="The operation that calls whose URL holds PART are, as search=/api/s.",
)
def card(page: Path, calls: tuple[str, ...]) -> None:
    """Print the page card of PAGE as YAML, to go under a state in personas/pages.yaml.

    What the page calls, and what each call holds (found by slowing it down), is told on stderr.
    """
    from simulator.page.card import OPERATIONS
    from simulator.page.card_of import calls_of, card_of
    from simulator.page.read import read_page

    wanted = dict(_pairs(calls, "--call", "search=/api/search"))
    if unknown := sorted(set(wanted) - set(OPERATIONS)):
        raise click.UsageError(
            f"--call: no operation is called {', '.join(unknown)}. Hint: one of {', '.join(OPERATIONS)}"
        )
    source = read_page(page)
    if source.graphs[0].document:
        source.warnings.append(f"a card has no redirects: the way to {source.loads[0].address} is left out")
    _warn(source)
    for one in calls_of(source):
        options.console().print(f"{one.placement:9} {one.url}", markup=False)
    try:
        made = card_of(source, wanted)
    except ValueError as error:
        raise click.UsageError(f"--call: {error}") from None
    click.echo(_yaml(made.model_dump()), nl=False)


@command.command("record", short_help="Record a page in headless Chromium.")
@click.argument("url")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("page.json"), show_default=True)
@click.option("--loads", type=click.IntRange(1, 20), default=4, show_default=True, help="Cold loads to record.")
@click.option("--timeout", default="60s", show_default=True, metavar="TIME", help="How long one load may take.")
@click.option("--overwrite", is_flag=True, help="Replace --out.")
def record(url: str, out: Path, loads: int, timeout: str, overwrite: bool) -> None:
    """Load URL in headless Chromium, cold and without throttling, and write what it asked for and computed.

    Do it on a quiet machine, near the shop: work of others and long round trips make recordings worse.
    """
    from simulator.cli.exits import fail
    from simulator.model.units import parse_duration_s
    from simulator.page.record import record as record_page
    from simulator.page.recording import recording_text
    from simulator.runfolder.files import whole_file

    if not url.startswith(("http://", "https://")):
        fail(f"{url!r} is no address", "begin it with http:// or https://")
    if out.exists() and not overwrite:
        fail(f"{out} exists", "--overwrite replaces it")
    console = options.console()
    try:
        timeout_s = parse_duration_s(timeout)
    except ValueError as error:
        raise click.UsageError(f"--timeout: {error}") from None
    made = record_page(url, loads=loads, timeout_s=timeout_s, told=lambda n: console.print(f"load {n + 1} of {loads}"))
    with whole_file(out) as partial:
        partial.write_bytes(recording_text(made))
    first = made.loads[0]
    console.print(f"{len(first.requests)} requests, benchmark index {made.benchmark:.0f}: {out}", markup=False)


def _conditions(place: Place, phone: Phone, loss: float, warm: bool) -> Conditions:
    from simulator.page.predict import Conditions

    return Conditions(
        place.rtt_ms,
        place.down_kbps,
        place.up_kbps,
        loss=loss,
        cpu=phone.cpu_slowdown,
        promotion_s=0.0 if warm else place.promotion_s,
        resolve=not warm,
        warm=warm,
    )


def _pairs(given: tuple[str, ...], option: str, example: str) -> list[tuple[str, str]]:
    pairs = []
    for one in given:
        name, equals, value = one.rpartition("=") if option == "--server" else one.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{option}: {one!r} must be as {example}")
        pairs.append((name, value))
    return pairs


def _waits(given: tuple[str, ...]) -> list[tuple[str, float]]:
    from simulator.model.units import parse_duration_s

    waits = []
    for part, value in _pairs(given, "--server", "/api=300ms"):
        try:
            waits.append((part, parse_duration_s(value)))
        except ValueError as error:
            raise click.UsageError(f"--server: {error}") from None
    return waits


def _with_server(source: PageSource, part: str, wait_s: float) -> PageSource:
    """Return the page with the server's time for matching URLs set. Raises `click.UsageError` when none matches."""
    from dataclasses import replace

    graphs, matched = [], 0
    for load, graph in zip(source.loads, source.graphs, strict=True):
        requests = graph.requests.copy()
        for number, one in enumerate(load.requests):
            if part in one.url:
                requests["wait_s"][number] = wait_s
                matched += 1
        graphs.append(graph._replace(requests=requests))
    if not matched:
        raise click.UsageError(f"--server: no request of the page has {part!r} in its URL")
    return replace(source, graphs=tuple(graphs))


def _warn(source: PageSource) -> None:
    for warning in source.warnings:
        options.console().print(f"warning: {warning}", style="yellow", markup=False)


def _show(source: PageSource, found: Forecast, place: Place, phone: Phone) -> None:
    from rich.console import Console

    _warn(source)
    Console(highlight=False).print(_table(found))
    options.console().print(
        f"{source.url} ({source.tier}) on {place.name}: {place.rtt_ms:g} ms, {place.down_kbps:g} kbit/s down, "
        f"{place.up_kbps:g} up; {phone.name}: {phone.cpu_slowdown:g} times slower than a fast desktop",
        markup=False,
    )


def _table(found: Forecast) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for name in ("predicted", "80 % of loads"):
        table.add_column(name, justify="right", no_wrap=True)
    for key, name in NAMES.items():
        one = found.metrics[key]
        table.add_row(name, f"{one.value:.2f} s", f"{one.low:.2f} to {one.high:.2f} s")
    return table


def _facts(source: PageSource, found: Forecast, place: Place, phone: Phone) -> dict[str, Any]:
    requests = source.loads[found.load].requests
    return {
        "url": source.url,
        "tier": source.tier,
        "warnings": source.warnings,
        "network": place._asdict(),
        "device": phone._asdict(),
        "seconds": {name: one._asdict() for name, one in found.metrics.items()},
        "requests": [
            {"url": one.url, "kind": one.kind, "bytes": one.wire_bytes}
            | {name: _number(state[name]) for name in ("found", "asked", "first", "end")}
            for one, state in zip(requests, found.typical.requests, strict=True)
        ],
    }


def _number(value: float) -> float | None:
    return None if value != value else round(float(value), 4)  # noqa: PLR0124 - NaN


def _yaml(data: dict[str, Any]) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    text, writer = StringIO(), YAML()
    writer.width = 110
    writer.dump(data, text)
    return text.getvalue()
