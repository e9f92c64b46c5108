"""The parts a data set may have besides its three tables, by name; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from simulator.export.source import Part

MODULES: dict[str, str] = {
    "cloudevents": "simulator.export.vendors.cloudevents",
    "otel": "simulator.export.vendors.otel",
    "segment": "simulator.export.vendors.segment",
    "snowplow": "simulator.export.vendors.snowplow",
}
"""Name of a part → the module whose `PART` it is."""


def part(name: str) -> Part:
    """Return the part of that name. Raises `KeyError` when there is none."""
    return cast("Part", import_module(MODULES[name]).PART)
