"""`footfall persona`: who there is, what one is made of and what theory expects of it, and whether files are valid."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from simulator.cli import options, persona_fit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.journey.closed_form import Expectations
    from simulator.model.distributions import Distribution
    from simulator.model.persona import Persona

BASE = "base_mobile"
"""What a mixin is laid on to be checked."""
SHARES = ("p10", "p50", "p90", "p99")
WAITS_S = (1, 2, 5, 10, 20)


class Published(NamedTuple):
    """What is published of mobile shops for one figure: a range, and where it comes from (A, B, C grade the source)."""

    low: float
    high: float
    source: str


PUBLISHED = {
    "pages": Published(2, 6, "2-4 in a typical shop (getsleek.io, C), non-buyers 5 (Contentsquare 2018, B)"),
    "bounce": Published(0.40, 0.58, "49 % of 20 bn visits (netimperative, 2020, B), fashion 58 % (peasy.nu, C)"),
    "conversion": Published(0.01, 0.03, "1.8 % in the US in 2019 (Monetate, B), 2.85 % in 2024 (opensend.com, C)"),
    "abandonment": Published(0.70, 0.86, "70 % on all devices (Baymard, 49 studies, C), mobile 82-86 % (C)"),
}
"""Ranges to compare the closed form with; no persona must lie within, but one that does not should say why."""
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")


@click.group("persona", short_help="List, show and check personas.")
def command() -> None:
    """Work with personas: the files that describe kinds of shoppers."""


command.add_command(persona_fit.command)


@command.command("list", short_help="All shipped personas with what theory expects of them.")
@as_json
def list_(as_json: bool) -> None:
    """Print every shipped persona with the closed form of its undisturbed visit."""
    from simulator.model.persona import complete_personas, load_persona

    personas = [load_persona(path) for path in complete_personas().values()]
    found = [(persona, expected_of(persona)) for persona in personas]
    if as_json:
        print_json([{"persona": p.name, "describe": p.spec.describe, "expectations": asdict(e)} for p, e in found])
        return
    from simulator.cli.persona_view import overview, show_on

    show_on(overview(found))


@command.command("show", short_help="One persona, where each field comes from, and what theory expects.")
@click.argument("name")
@as_json
@options.html
def show(name: str, as_json: bool, html: Path | None) -> None:
    """Print the persona NAME (shipped, or a file) with everything it inherits.

    Each field has the file and line that gave it. Below stand the closed form of an undisturbed visit beside published
    ranges, the quantiles of every distribution, and how many shoppers still wait after some seconds.

    With --html it is drawn instead: the journey as a graph, the week, networks, patience, and everything above.
    """
    from simulator.model.persona import find_persona, load_persona

    path = find_persona(name)
    _refuse_mixin(path)
    persona = load_persona(path)
    facts = facts_of(persona)
    if html is not None:
        from simulator.report.persona_page import persona_html

        options.write_page(html, persona_html(persona, facts))
    if as_json:
        print_json(facts)
    if as_json or html is not None:
        return
    from simulator.cli.persona_view import portrait, show_on

    show_on(portrait(facts))


@command.command("check", short_help="Whether persona files are valid.")
@click.argument("files", nargs=-1)
def check(files: tuple[str, ...]) -> None:
    """Validate FILES (personas, mixins or populations; default: all shipped) and print every fault of every file.

    Exits with 2 when there is any.
    """
    from simulator.model.faults import FileFaults

    faults = []
    for name in files or _all_shipped():
        try:
            _load_any(name)
        except FileFaults as error:
            faults += error.faults
    if faults:
        raise FileFaults(dict.fromkeys(faults))
    count = len(files) or len(_all_shipped())
    options.console().print("1 file is fine" if count == 1 else f"{count} files are fine")


def _all_shipped() -> list[str]:
    from simulator.model.library import shipped
    from simulator.model.merge import FOLDER
    from simulator.model.persona import POPULATIONS

    return [str(path) for kind in (FOLDER, POPULATIONS) for path in shipped(kind).values()]


def _load_any(name: str) -> None:
    """Read a persona, a mixin or a population, told apart by their keys. Raises `FileFaults`."""
    from simulator.model.merge import is_mixin
    from simulator.model.persona import find_persona, load_persona, load_population
    from simulator.model.yamlfile import read_yaml

    path = Path(name) if Path(name).is_file() else find_persona(name)
    file = read_yaml(path)
    if "population" in file.data:
        load_population(str(path))
    else:
        load_persona(path, onto=find_persona(BASE) if is_mixin(file) else None)


def _refuse_mixin(path: Path) -> None:
    from simulator.model.faults import FileFaults
    from simulator.model.merge import is_mixin
    from simulator.model.yamlfile import read_yaml

    file = read_yaml(path)
    if is_mixin(file):
        fault = file.fault((), "is a mixin, a part of personas", "a persona has a name or extends another")
        raise FileFaults([fault])


def expected_of(persona: Persona) -> Expectations:
    """Return the closed form of a persona."""
    from simulator.journey.closed_form import expectations
    from simulator.model.persona import PopulationSpec
    from simulator.model.population import compile_population

    population, _ = compile_population(PopulationSpec(persona.name, (persona,), (1.0,)))
    return expectations(population, 0)


def facts_of(persona: Persona) -> dict[str, Any]:
    """Return everything that is shown of a persona, in plain values."""
    spec, merged = persona.spec, persona.merged
    fields = dict.fromkeys(["persona", "describe", *type(spec).model_fields])
    origins = {".".join(map(str, path)): persona.origin(path) for path in merged.origins if _holds(merged.data, path)}
    return {
        "persona": persona.name,
        "describe": spec.describe,
        "file": merged.file.name,
        "resolved": {name: merged.data[name] for name in fields if name in merged.data},
        "origins": origins,
        "expectations": asdict(expected_of(persona)),
        "published": {name: published._asdict() for name, published in PUBLISHED.items()},
        "distributions": list(_quantiles(persona)),
        "still_waiting": _patience(persona),
    }


def _holds(data: Any, path: tuple[str | int, ...]) -> bool:  # noqa: ANN401 - any value of a file
    """Return whether a path of the merge is still in the result; what a later file deleted is not."""
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def _quantiles(persona: Persona) -> Iterator[dict[str, Any]]:
    """Yield each distribution with its unit, quantiles and mean, as the kernel draws from it."""
    import numpy as np

    from simulator.journey.closed_form import mean_of, values_at
    from simulator.model.distributions import DIST, TableBook

    shares = np.array([int(share[1:]) / 100 for share in SHARES])
    for name, unit, distribution in _distributions(persona):
        book = TableBook()
        row = np.array([book.row(distribution)], DIST)[0]
        tables = book.tables()
        values = dict(zip(SHARES, values_at(row, tables, shares).tolist(), strict=True))
        yield {"name": name, "unit": unit} | values | {"mean": mean_of(row, tables)}


def _distributions(persona: Persona) -> Iterator[tuple[str, str, Distribution]]:
    """Yield (name, unit, distribution) of everything random that is the persona's own."""
    spec = persona.spec
    for state, think in spec.tempo.items():
        yield f"think time: {state}", "s", think
    if spec.budget.time is not None:
        yield "time budget", "s", spec.budget.time
    yield "visits", "per week", spec.arrivals.visits_per_week
    yield "price sensitivity", "0 to 1", spec.affinity.price_sensitivity
    if spec.patience.frailty_variance > 0:
        from simulator.model.population import frailty

        yield "impatience", "× usual", frailty(spec.patience.frailty_variance)


def _patience(persona: Persona) -> dict[str, Any]:
    """Return by stage the share of shoppers who still wait after each of `WAITS_S`, nothing being visible."""
    from simulator.journey.closed_form import still_waiting
    from simulator.model.states import STAGES

    patience = persona.spec.patience
    return {stage: {f"{wait}s": still_waiting(patience, stage, wait) for wait in WAITS_S} for stage in STAGES}


def print_json(value: object) -> None:
    """Print plain values as JSON, with null for what is no number."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def _finite(value: Any) -> Any:  # noqa: ANN401 - plain values
    """Return plain values with null where a number is none: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
