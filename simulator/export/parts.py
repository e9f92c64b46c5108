"""The parts a data set may have besides its three tables, by name; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.export.source import Part

MODULES: dict[str, str] = {
    "cloudevents": "simulator.export.vendors.cloudevents",
    "delivered": "simulator.export.delivery",
    "ga4": "simulator.export.vendors.ga4",
    "ga4_mp": "simulator.export.vendors.ga4_mp",
    "google_retail": "simulator.export.vendors.google_retail",
    "history": "simulator.export.history",
    "otel": "simulator.export.vendors.otel",
    "people": "simulator.export.people",
    "personalize": "simulator.export.vendors.personalize",
    "positions": "simulator.export.positions",
    "relational": "simulator.export.relational",
    "segment": "simulator.export.vendors.segment",
    "snowplow": "simulator.export.vendors.snowplow",
    "truth": "simulator.export.truth",
}
"""Name of a part → the module whose `PART` it is."""


WITH = {"relational": "people"}
"""Parts that bring another, which holds personal data."""


def chosen(also: Iterable[str], *, no_pii: bool) -> tuple[str, ...]:
    """Return the parts meant by a list of names: with those that they bring, or without any personal data."""
    brought = [name for named in also for name in (named, WITH.get(named, named))]
    return tuple(name for name in dict.fromkeys(brought) if not (no_pii and name in WITH.values()))


def part(name: str) -> Part:
    """Return the part of that name. Raises `KeyError` when there is none."""
    return cast("Part", import_module(MODULES[name]).PART)
