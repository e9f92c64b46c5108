"""What pydantic cannot see in a persona: names that must exist, rows that must sum to 1, states that can be left."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from simulator.model.faults import suggestion
from simulator.model.homes import home_problems
from simulator.model.schema import CATEGORIES, CHANNELS, SITUATIONS, TECHNOLOGIES, TIERS
from simulator.model.states import EXIT, GUARDS, STAGES, STATE_NAMES
from simulator.model.tempo import tempo_problems
from simulator.model.ways import contradictions, way_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulator.model.distributions import Distribution
    from simulator.model.faults import KeyPath, Problem
    from simulator.model.schema import Acquisition, Affinity, Device, History, Journey, Mix, Network, Place

SUM_TOLERANCE = 1e-9
Systems = Mapping[str, Collection[str]]
"""Operating systems, and the tiers of which there are devices of each."""


def section_problems(sections: Mapping[str, Any], countries: tuple[str, ...], systems: Systems) -> list[Problem]:
    """Return what is wrong with those sections of a persona that are valid in themselves, by their names."""
    checks: dict[str, Callable[[Any], list[Problem]]] = {
        "place": lambda place: _place_problems(place, countries),
        "device": lambda device: _device_problems(device, systems),
        "network": _network_problems,
        "arrivals": lambda arrivals: _weights(("arrivals", "hours"), arrivals.hours),
        "tempo": lambda tempo: tempo_problems(tempo, sections.get("journey")),
        "patience": lambda patience: _names(("patience", "by_stage"), patience.by_stage, STAGES, "a stage"),
        "put_off": lambda put_off: _names(("put_off", "by_stage"), put_off.by_stage, STAGES, "a stage"),
        "affinity": _affinity_problems,
        "acquisition": _acquisition_problems,
        "history": _history_problems,
        "journey": _journey_problems,
    }
    problems = [problem for name, check in checks.items() if name in sections for problem in check(sections[name])]
    if "journey" in sections and not _unknown_states(sections["journey"]):
        problems += way_problems(sections["journey"], *(sections.get(n) for n in ("loyalty", "consent", "features")))
    return problems


def _place_problems(place: Place, countries: tuple[str, ...]) -> list[Problem]:
    named = _mix(("place", "countries"), place.countries, countries, "a country of the place table")
    return [*named, *home_problems(place)]


def _affinity_problems(affinity: Affinity) -> list[Problem]:
    return [
        *_mix(("affinity", "categories"), affinity.categories, CATEGORIES, "a category"),
        *_within(("affinity", "price_sensitivity"), affinity.price_sensitivity, 0.0, 1.0),
    ]


def _names(path: KeyPath, named: Mapping[str, object], allowed: tuple[str, ...], what: str) -> list[Problem]:
    return [
        ((*path, name), f"is not {what}", f"allowed are {', '.join(allowed)}", suggestion(name, allowed))
        for name in named
        if name not in allowed
    ]


def _weights(path: KeyPath, weights: Iterable[float]) -> list[Problem]:
    return [] if any(weight > 0 for weight in weights) else [(path, "has no weight above zero", "one is needed", "")]


def _mix(path: KeyPath, mix: Mix, allowed: tuple[str, ...], what: str) -> list[Problem]:
    return [*_names(path, mix, allowed, what), *_weights(path, mix.values())]


def _device_problems(device: Device, systems: Systems) -> list[Problem]:
    problems = _mix(("device", "tier"), device.tier, TIERS, "a tier")
    if isinstance(device.os, dict):
        problems += _mix(("device", "os"), device.os, tuple(systems), "an operating system")
    return problems or _without_device(device, systems)


def _without_device(device: Device, systems: Systems) -> list[Problem]:
    """Return a problem for each operating system that some have, and of whose devices no tier has a weight."""
    chosen = systems if isinstance(device.os, str) else [os for os, weight in device.os.items() if weight > 0]
    tiers = {tier for tier, weight in device.tier.items() if weight > 0}
    return [
        (
            ("device", "tier"),
            f"leaves no device of {os}",
            f"the device table has {', '.join(tier for tier in TIERS if tier in systems[os])} of it",
            f"give one of these a weight, or leave {os} out of device.os",
        )
        for os in chosen
        if not tiers & set(systems[os])
    ]


def _network_problems(network: Network) -> list[Problem]:
    problems = [
        *_mix(("network", "situations"), network.situations, SITUATIONS, "a situation"),
        *_names(("network", "mix"), network.mix, SITUATIONS, "a situation"),
    ]
    for situation, mix in network.mix.items():
        problems += _mix(("network", "mix", situation), mix, TECHNOLOGIES, "a technology")
    return problems + [
        (("network", "mix", situation), "is missing", "every situation with a weight needs its mix", "")
        for situation, weight in network.situations.items()
        if weight > 0 and situation in SITUATIONS and situation not in network.mix
    ]


def _acquisition_problems(acquisition: Acquisition) -> list[Problem]:
    return [
        *_mix(("acquisition", "channels"), acquisition.channels, CHANNELS, "a channel"),
        *_mix(("acquisition", "returning"), acquisition.returning, CHANNELS, "a channel"),
        *_within(("acquisition", "campaign_response"), acquisition.campaign_response, 0.0, 1.0),
    ]


def _history_problems(history: History) -> list[Problem]:
    return [
        *_within(("history", "tenure"), history.tenure, 0.0, math.inf),
        *_within(("history", "basket"), history.basket, 0.0, math.inf),
    ]


def _within(path: KeyPath, distribution: Distribution, low: float, high: float) -> list[Problem]:
    """Return a problem where a distribution has values below `low` or above `high`."""
    least, most = distribution.least(), distribution.quantile(1.0)
    if least >= low and most <= high:
        return []
    allowed = "no value may be below 0" if math.isinf(high) else f"all values must lie from {low:g} to {high:g}"
    return [(path, f"has values from {least:g} to {most:g}", allowed, "give it a clip")]


def _journey_problems(journey: Journey) -> list[Problem]:
    problems: list[Problem] = [
        *_names(("journey", "entry"), journey.entry, STATE_NAMES, "a state"),
        *_names(("journey", "rows"), journey.rows, STATE_NAMES, "a state"),
        *_names(("journey", "guards"), journey.guards, STATE_NAMES, "a state"),
        *(_guard_problems(journey.guards) or contradictions(journey)),
        *_sum(("journey", "entry"), journey.entry),
    ]
    for state, row in journey.rows.items():
        problems += _names(("journey", "rows", state), row, (*STATE_NAMES, EXIT), "a state or exit")
        problems += _sum(("journey", "rows", state), row)
    problems += [
        (("journey", "rows"), f"has no row for {state}", "every state that can be entered needs a row", "")
        for state in sorted((_used(journey) & set(STATE_NAMES)) - set(journey.rows))
    ]
    return problems + _stuck(journey)


def _used(journey: Journey) -> set[str]:
    """Return what has a weight in any row."""
    return {name for row in (journey.entry, *journey.rows.values()) for name, share in row.items() if share > 0}


def _unknown_states(journey: Journey) -> bool:
    """Return whether a name or a row is missing, so that where visits come to is not known either."""
    named = {*_used(journey), *journey.rows, *journey.guards} - {EXIT}
    return bool(
        named - set(STATE_NAMES) or _used(journey) - {EXIT} - set(journey.rows) or _guard_problems(journey.guards)
    )


def _guard_problems(guards: Mapping[str, list[str]]) -> list[Problem]:
    allowed = f"allowed are {', '.join(GUARDS)}"
    return [
        (("journey", "guards", state, place), f"is {name}", allowed, suggestion(name, GUARDS))
        for state, names in guards.items()
        for place, name in enumerate(names)
        if name not in GUARDS
    ]


def _sum(path: KeyPath, row: Mix) -> list[Problem]:
    """Return what is wrong with probabilities that must sum to 1: those that are none, or else their sum."""
    beyond = {name: share for name, share in row.items() if not 0 <= share <= 1}
    if beyond:
        return [
            ((*path, name), f"is {share:g}", "must be a probability from 0 to 1", "") for name, share in beyond.items()
        ]
    total = sum(row.values())
    if abs(total - 1) <= SUM_TOLERANCE:
        return []
    hint = "did you forget exit?" if total < 1 and EXIT not in row and path[-1] != "entry" else ""
    return [(path, f"sums to {total:.12g}", "must be 1", hint)]


def _stuck(journey: Journey) -> list[Problem]:
    """Return the states from which no path leads to exit."""
    leaving = {EXIT}
    while grown := {s for s, row in journey.rows.items() if s not in leaving and any(row.get(t) for t in leaving)}:
        leaving |= grown
    return [
        (("journey", "rows", state), "never reaches exit", "every state needs a path to exit", "give some row an exit")
        for state in journey.rows
        if state not in leaving and state in STATE_NAMES
    ]
