"""What persona files lead one to expect of data: the closed form of undisturbed visits, and their think times."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.journey.closed_form import expectations, pages_at_most, think_quantiles
from simulator.model.faults import FileFaults
from simulator.model.persona import PopulationSpec, complete_personas, load_persona, load_population
from simulator.model.population import compile_population

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.model.persona import Persona

SHARES = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "p99": 0.99}
MOST_PAGES = 400
"""No shipped persona has a 99 % quantile of pages near this."""
_KNOWN: dict[str, Theory] = {}


@dataclass(frozen=True, slots=True)
class Theory:
    """Figures as in `closed_form.Expectations`, quantiles of pages, and of think times by page, in seconds."""

    figures: dict[str, float]
    pages: dict[str, int]
    thinking: dict[str, dict[str, float]]


def theories(names: Sequence[str], population: object) -> dict[str, Theory]:
    """Return the theory of those personas that a file is found for: in the run's population, else among the shipped.

    The files are taken as they are now, which need not be as they were when the data was made.
    """
    personas = {persona.name: persona for persona in _of_population(population)}
    shipped = complete_personas()
    for name in names:
        if name not in personas and name in shipped:
            personas[name] = load_persona(shipped[name])
    return {name: theory_of(personas[name]) for name in names if name in personas}


def _of_population(name: object) -> tuple[Persona, ...]:
    """Return the personas of a population; none where its file is not here any more, or is broken by now."""
    if isinstance(name, str):
        with suppress(FileFaults):
            return load_population(name).personas
    return ()


def theory_of(persona: Persona) -> Theory:
    """Return the theory of one persona; it takes a quarter of a second, so it is kept."""
    key = json.dumps(persona.merged.data, sort_keys=True)
    if key not in _KNOWN:
        _KNOWN[key] = _theory_of(persona)
    return _KNOWN[key]


def _theory_of(persona: Persona) -> Theory:
    population, _ = compile_population(PopulationSpec(persona.name, (persona,), (1.0,)))
    expected = expectations(population, 0)
    at_most = pages_at_most(population, 0, MOST_PAGES)
    shares = np.array(list(SHARES.values()))
    return Theory(
        figures={
            name: float(getattr(expected, name))
            for name in ("pages", "pages_sd", "bounce", "conversion", "cart_reached", "abandonment", "engaged_s")
        },
        pages={name: int(np.searchsorted(at_most, share - 1e-12)) for name, share in SHARES.items()},
        thinking={
            state: dict(zip(SHARES, quantiles.tolist(), strict=True))
            for state, quantiles in think_quantiles(population, 0, shares).items()
        },
    )
