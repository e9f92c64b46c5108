"""The stations of a capacity run as a table, whatever the manifest says about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.analysis.words import NONE, figure, number, seconds

UNITS = {"_us": 1e-6, "_ms": 1e-3, "_s": 1.0}
SHARES = ("utilisation", "share")
NAME = ("station", "name")


@dataclass(frozen=True, slots=True)
class Stations:
    """Columns and rows of text; each row begins with the station's name. `busiest` holds each one's utilisation."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    busiest: tuple[float | None, ...]


def stations(backend: dict[str, Any] | None) -> Stations | None:
    """Return the manifest's stations, a list of mappings or a mapping by name; None where there are none."""
    found = (backend or {}).get("stations")
    if isinstance(found, dict):
        found = [{"name": name, **(spec if isinstance(spec, dict) else {})} for name, spec in found.items()]
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        return None
    keys = dict.fromkeys(key for one in found for key, value in one.items() if key not in NAME and _is_plain(value))
    rows = [(_name(one), *(_write(key, one.get(key)) for key in keys)) for one in found]
    busiest = [one.get("utilisation") for one in found]
    known = [float(share) if isinstance(share, int | float) else None for share in busiest]
    return Stations(tuple(map(_title, keys)), tuple(rows), tuple(known))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _name(one: dict[str, Any]) -> str:
    return str(next((one[key] for key in NAME if key in one), NONE))


def _title(key: str) -> str:
    """Return a column's title: the key without its unit, in words."""
    for unit in UNITS:
        key = key.removesuffix(unit)
    return key.replace("_", " ")


def _write(key: str, value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return NONE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    for unit, factor in UNITS.items():
        if key.endswith(unit):
            return seconds(value * factor)
    if key.endswith(SHARES):
        return figure(value, "share")
    return number(value, 0 if float(value).is_integer() else 2)
