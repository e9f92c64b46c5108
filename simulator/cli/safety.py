"""Options and checks of commands that call a target: whose it is, how fast, which certificates, who looks on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simulator.cli.exits import fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.worlds.live.views.wanted import Wanted

Command = Any

own = click.option(
    "--i-own-this-host", "owned", is_flag=True, help="The host is not this machine, and it is mine to load."
)
insecure = click.option("--insecure", is_flag=True, help="Do not look at TLS certificates; the report says so.")
max_rate = click.option("--max-rate", metavar="RATE", help="Never more visits than this, as 200/s.")
probe_share = click.option(
    "--probe-share",
    type=click.FloatRange(0, 0.5),
    metavar="SHARE",
    help="Requests of probes, as a share of the load's (0.05 unless told); 0: they only look on.",
)
_SHARE = click.FloatRange(0, 1)
_VIEWS = (
    click.option("--web-ui", metavar="[HOST:]PORT", help="Locust's web UI and a Footfall tab; loopback unless HOST."),
    click.option("--prometheus", metavar="[HOST:]PORT", help="Answer /metrics, on loopback unless HOST."),
    click.option("--otel", metavar="URL", help="Push OpenTelemetry metrics to this collector (OTLP over HTTP)."),
    click.option("--csv", is_flag=True, help="Write timeline.csv: a row a second."),
    click.option(
        "--requests", type=_SHARE, metavar="SHARE", help="Write this share of visits' requests as JSON Lines."
    ),
    click.option("--har", type=_SHARE, metavar="SHARE", help="Write this share of visits as HAR files."),
)


def views(command: Command) -> Command:
    """Add the options of everything that can be seen of a run beside its report."""
    for option in reversed(_VIEWS):
        command = option(command)
    return command


def base_url_of(given: str | None, hint: str) -> str:
    """Return the base URL, whose login can be read. Raises a usage error where there is none, or no such secret."""
    from simulator.target.login import basic, split_login

    if given is None:
        fail("no host to call", f"give --host http://127.0.0.1:8080, or `host` in the {hint}")
    assert given is not None
    try:
        basic(split_login(given)[1])
    except ValueError as error:
        fail(f"the host {error}")
    return given


def wanted_of(given: dict[str, Any]) -> tuple[Wanted, dict[str, Any]]:
    """Return the views that somebody wants, and the options that are about something else.

    Raises a usage error for an address that cannot be listened at.
    """
    from dataclasses import fields

    from simulator.worlds.live.views.wanted import Wanted, refuse_taken

    names = {field.name for field in fields(Wanted)}
    wanted = Wanted(**{name: value for name, value in given.items() if name in names and value})
    _each(refuse_taken, **{"--web-ui": wanted.web_ui, "--prometheus": wanted.prometheus})
    if wanted.otel:
        from simulator.worlds.live.views.otel import is_installed

        if not wanted.otel.startswith(("http://", "https://")):
            fail("--otel must be a collector's URL, as http://127.0.0.1:4318")
        if not is_installed():
            fail("--otel needs OpenTelemetry", "pip install 'footfall[otel]'")
    return wanted, {name: value for name, value in given.items() if name not in names}


def _each(check: Callable[[str], None], **addresses: str) -> None:
    for option, address in addresses.items():
        try:
            if address:
                check(address)
        except ValueError as error:
            fail(f"{option}: {error}")
