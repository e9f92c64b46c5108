"""Our own events table, or any table of one row a hit: which column means what, and the rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from simulator.fit.hits import FACTS
from simulator.fit.reading import Fields, files_of, read_columns
from simulator.model.faults import Fault, FileFaults, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulator.fit.hits import Findings

FIELDS: Fields = {
    "user": ("user", "user_id", "shopper"),
    "time": ("time", "timestamp"),
    "at_us": ("at_us",),
    "action": ("action", "event", "page"),
    "path": ("path",),
    "session": ("session", "session_id", "visit"),
    "load_us": ("load_us",),
    "load_ms": ("load_ms",),
    "arm": ("arm",),
    "timezone": ("timezone",),
    "city": ("city",),
    **{name: (name,) for name in ("country", "os", "tier", "network", "situation", "category", "channel")},
    "model": ("device", "model"),
    **{name: (name,) for name in FACTS},
}
"""What a column means → the names it may have, unless an option names another."""
OF_SHOPPERS = ("os", "tier", "channel", "timezone", *FACTS)
NEEDED = ("user", "time", "action")


@dataclass(frozen=True, slots=True)
class Raw:
    """A log as text columns, what numbers in its time count, and from when (µs since 1970)."""

    table: pa.Table
    unit: str | None
    begin_us: int


def read_csv(path: Path, named: Mapping[str, str], unit: str | None, findings: Findings) -> Raw:
    """Return the rows of a table, or of a data set that `footfall generate` wrote with its shoppers beside.

    `named` says which column means what where it is not called so. Raises `FileFaults`.
    """
    fields = _fields(named)
    events = path / "events" if (path / "events").is_dir() else path
    table = read_columns(files_of(events), fields, findings)
    _demand(table, fields, path, findings)
    if (path / "shoppers").is_dir():
        table = _with_shoppers(table, path / "shoppers", findings)
    table, told, own = _own_time(table, named)
    begin_us = _reference_us(path, findings) if own else 0
    return Raw(_of_control(table, findings), unit or told, begin_us)


def _fields(named: Mapping[str, str]) -> Fields:
    strange = [
        Fault("--column", 0, "", f"{role} means nothing", f"allowed are {', '.join(FIELDS)}", suggestion(role, FIELDS))
        for role in named
        if role not in FIELDS
    ]
    if strange:
        raise FileFaults(strange)
    return FIELDS | {role: (name,) for role, name in named.items()}


def _demand(table: pa.Table, fields: Fields, path: Path, findings: Findings) -> None:
    """Raise for each column without which nothing can be fitted."""
    faults = [
        Fault(
            str(path), 0, "", f"has no column for the {role}", f"looked for {', '.join(fields[role])}{_has(findings)}",
            suggestion(fields[role][0], findings.unknown_columns) or f"name it with --{role} COLUMN",
        )
        for role in NEEDED
        if role not in table.column_names and not (role == "time" and "at_us" in table.column_names)
    ]  # fmt: skip
    if faults and findings.rows:
        raise FileFaults(faults)


def _has(findings: Findings) -> str:
    return f"; it has {', '.join(findings.unknown_columns)}" if findings.unknown_columns else ""


def _own_time(table: pa.Table, named: Mapping[str, str]) -> tuple[pa.Table, str | None, bool]:
    """Return the table with its time, the unit that the column's name says, and whether it is our own `at_us`."""
    name = named.get("time", "")
    unit = name.rpartition("_")[2] if name.endswith(("_us", "_ms", "_s")) else None
    if "at_us" not in table.column_names:
        return table, unit, False
    if "time" in table.column_names:
        return table.drop_columns(["at_us"]), unit, name == "at_us"
    return table.rename_columns(["time" if name == "at_us" else name for name in table.column_names]), "us", True


def _with_shoppers(table: pa.Table, folder: Path, findings: Findings) -> pa.Table:
    rows = findings.rows
    fields: Fields = {"user": ("shopper",), **{name: (name,) for name in OF_SHOPPERS}}
    shoppers = read_columns(files_of(folder), fields, findings)
    findings.rows = rows
    at = pc.index_in(table["user"].combine_chunks(), shoppers["user"].combine_chunks())
    for name in OF_SHOPPERS:
        if name in shoppers.column_names and name not in table.column_names:
            table = table.append_column(name, shoppers[name].combine_chunks().take(at))
    return table


def _of_control(table: pa.Table, findings: Findings) -> pa.Table:
    """Return the rows of one arm: the same visit in two arms would count twice."""
    if "arm" not in table.column_names:
        return table
    arms = sorted(filter(None, pc.unique(table["arm"]).to_pylist()))
    if len(arms) < 2:
        return table
    kept = "control" if "control" in arms else arms[0]
    findings.note(f"The log has the arms {', '.join(arms)}: only {kept} is fitted, the same visits are in the others.")
    mine = pc.equal(table["arm"], kept)
    findings.drop("visit of another arm", table.num_rows - int(pc.sum(mine).as_py() or 0))
    return table.filter(mine)


def _reference_us(path: Path, findings: Findings) -> int:
    """Return the instant our own times count from, which the data set's manifest says; without one it is 1970."""
    near = (path, path.parent, path.parent.parent)
    manifest = next((folder / "manifest.json" for folder in near if (folder / "manifest.json").is_file()), None)
    try:
        if manifest is not None:
            text = json.loads(manifest.read_text(encoding="utf-8"))["scenario"]["reference"]
            return round(datetime.fromisoformat(text).timestamp() * 1e6)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    findings.note(
        "No manifest.json of a data set says when at_us begins: it counts from 1970, so weekdays may be wrong."
    )
    return 0
