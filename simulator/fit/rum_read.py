"""A team's own beacons as rows of text: web-vitals as JSON Lines, boomerang as query strings or CSV, or any CSV."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa

from simulator.fit.reading import Fields, read_columns
from simulator.model.faults import COMMAND_LINE, Fault, FileFaults, one_fault, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulator.fit.hits import Findings

Format = Literal["web-vitals", "boomerang", "csv"]
FIELDS: Fields = {
    "session": ("session", "session_id", "sessionId"),
    "user": ("user", "user_id", "visitor", "shopper"),
    "view": ("view", "view_id", "pageview_id", "navigationId"),
    "time": ("time", "timestamp", "ts", "start"),
    "page": ("page", "url", "path"),
    "load": ("load", "lcp", "load_time"),
    "fcp": ("fcp",),
    "left": ("left", "abandoned_after"),
    "delay": ("delay", "added_delay"),
    "agent": ("agent", "user_agent", "ua"),
    "navigation": ("navigationType", "navigation_type"),
}
"""What a column means → the names that it may have; a duration's name may end in its unit, as `load_ms`."""
DURATIONS = ("load", "fcp", "left", "delay")
UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
WEB_VITALS: Fields = FIELDS | {"metric": ("name",), "value": ("value",)}
"""The library's own names (`name`, `value`), beside what a team sends with them."""
BOOMERANG: Fields = {
    "session": ("rt.si",),
    "user": FIELDS["user"],
    "time": ("rt.tstart",),
    "page": ("u", "pgu"),
    "load": ("t_done",),
    "fcp": ("pt.fcp",),
    "abandoned": ("rt.abld",),
    "quit": ("rt.quit",),
    "initiator": ("http.initiator",),
    "delay": FIELDS["delay"],
    "agent": FIELDS["agent"],
}
"""boomerang's parameters: plugins RT and PaintTiming."""
PRESENT = ("rt.abld", "rt.quit")
"""Parameters that say something by being there, without a value."""
TEXTS = (".txt", ".log", ".qs", ".txt.gz", ".log.gz", ".qs.gz")


@dataclass(frozen=True, slots=True)
class Beacons:
    """Rows of text by meaning, the unit of each duration in seconds, and what the times are written in."""

    table: pa.Table
    units_s: dict[str, float]
    time_unit: str | None


def read_beacons(
    path: Path, kind: Format, named: Mapping[str, str], unit: str | None, time_unit: str | None, findings: Findings
) -> Beacons:
    """Return the rows of a file. `named` says which column means what; `unit` what durations without one count.

    Raises `FileFaults` for a file that cannot be read and for columns that are not there.
    """
    if not path.is_file():
        raise one_fault(str(path), "does not exist", "a file of beacons is needed")
    fields = {"web-vitals": WEB_VITALS, "boomerang": BOOMERANG, "csv": FIELDS}[kind]
    if kind == "boomerang":
        fields = _as_named(fields, named)
        table = (
            _queries(path, fields, findings) if path.name.endswith(TEXTS) else read_columns([path], fields, findings)
        )
        return Beacons(table, dict.fromkeys(DURATIONS, UNITS_S[unit or "ms"]), time_unit or "ms")
    units = dict.fromkeys(DURATIONS, UNITS_S[unit or "ms"])
    if kind == "csv":
        fields, units = _with_units(fields, named, unit)
    fields = _as_named(fields, named)
    table = read_columns([path], fields, findings)
    if kind == "csv":
        _check_units(table, units, path)
    units_s = {name: units.get(name) or UNITS_S[unit or "ms"] for name in DURATIONS}
    return Beacons(table, units_s, time_unit or ("ms" if kind == "web-vitals" else None))


def _as_named(fields: Fields, named: Mapping[str, str]) -> Fields:
    """Return the fields with the columns that options name. Raises `FileFaults` for a meaning that there is not."""
    faults = [
        Fault(COMMAND_LINE, 0, f"--column {meaning}={column}", f"{meaning} means nothing here",
              f"allowed are {', '.join(fields)}", suggestion(meaning, fields))
        for meaning, column in named.items() if meaning not in fields
    ]  # fmt: skip
    if faults:
        raise FileFaults(faults)
    return fields | {meaning: (column,) for meaning, column in named.items()}


def _with_units(fields: Fields, named: Mapping[str, str], unit: str | None) -> tuple[Fields, dict[str, float]]:
    """Return the fields with durations under names with units too, and the units of those that options name."""
    wide = {
        name: (*places, *(f"{place}_{suffix}" for place in places for suffix in UNITS_S))
        if name in DURATIONS
        else places
        for name, places in fields.items()
    }
    units: dict[str, float] = {}
    for name in DURATIONS:
        column = named.get(name, "")
        units[name] = UNITS_S.get(column.rpartition("_")[2], UNITS_S.get(unit or "", 0.0))
    return wide, units


def _check_units(table: pa.Table, units: dict[str, float], path: Path) -> None:
    """Find the unit of each duration that is there by its column's name. Raises `FileFaults` where it has none."""
    header = _header(path)
    faults = []
    for name in DURATIONS:
        if name not in table.column_names or units[name]:
            continue
        found = [s for s in UNITS_S for place in FIELDS[name] if f"{place}_{s}" in header]
        plain = [place for place in FIELDS[name] if place in header]
        if plain or len(set(found)) != 1:
            column = plain[0] if plain else name
            faults.append(
                Fault(
                    str(path), 1, column, "has no unit that can be told", "give --unit ms or s, or call it as load_ms"
                )
            )
        else:
            units[name] = UNITS_S[found[0]]
    if faults:
        raise FileFaults(faults)


def _header(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.name.endswith(".gz") else path.open(encoding="utf-8") as lines:
        first = lines.readline().strip().lstrip("\ufeff")
    separator = max(",;\t", key=first.count)
    return [name.strip().strip('"') for name in first.split(separator)]


def _queries(path: Path, fields: Fields, findings: Findings) -> pa.Table:
    """Return a line's parameters as a row; a line may be a query string or an address that has one."""
    columns: dict[str, list[str | None]] = {name: [] for name in fields}
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                _query(line, f"{path.name}:{number}", fields, columns, findings)
    except (OSError, EOFError) as error:
        raise one_fault(str(path), f"cannot be read ({error})") from None
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items() if any(values)})


def _query(line: bytes, where: str, fields: Fields, columns: dict[str, list[str | None]], findings: Findings) -> None:
    if not line.strip():
        return
    findings.rows += 1
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        findings.drop("row is not UTF-8 text", 1, [where])
        return
    query = urlsplit(text).query if "?" in text else text
    found = parse_qs(query, keep_blank_values=True)
    if not found:
        findings.drop("line has no parameters", 1, [where])
        return
    for name, places in fields.items():
        values = [("1" if place in PRESENT else found[place][0]) for place in places if place in found]
        columns[name].append(next((value for value in values if value), None))
