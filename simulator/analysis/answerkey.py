"""The answer key: what a data set's truth says of its shoppers and its arms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.analysis.tablefiles import kind_of, read_columns, table_files
from simulator.model.faults import one_fault
from simulator.model.yamlfile import shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FILE, TABLE = "truth.json", "truth_shoppers"
HINT = "footfall generate --also truth writes it"


class Lift(NamedTuple):
    """The true difference of an arm from control, and the standard error of it as a figure of endless shoppers."""

    value: float
    se: float | None


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of each shopper, by number; the columns are in the order of `shopper`."""

    shopper: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]


def read_shoppers(path: Path, columns: Sequence[str]) -> Key:
    """Return columns of `truth_shoppers`; `path` is a data set, its truth.json or the table's file.

    Raises `FileFaults` when there is no such table.
    """
    name = shown_name(path)
    if not path.exists():
        raise one_fault(name, "does not exist", "a data set with its truth is needed", HINT)
    folder = path.parent if path.name == FILE else path
    files = table_files(folder, TABLE) if folder.is_dir() else [path]
    if not files or not all(map(kind_of, files)):
        raise one_fault(name, f"holds no table {TABLE}", "segments and churn are graded by it", HINT)
    try:
        table = pa.concat_tables(
            [_plain(read_columns(file, ("shopper", *columns))) for file in files], promote_options="permissive"
        ).sort_by("shopper")
    except KeyError as error:
        raise one_fault(
            name, f"has no column {error.args[0]} in {TABLE}", "segments and churn are graded by it"
        ) from None
    except (OSError, pa.ArrowException) as error:
        raise one_fault(name, f"cannot be read ({str(error).splitlines()[0]})") from None
    return Key(table["shopper"].to_numpy(), {one: np.array(table[one].to_pylist()) for one in columns})


def _plain(table: pa.Table) -> pa.Table:
    fields = [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(fields))


def read_lifts(path: Path) -> dict[tuple[str, str, str], Lift]:
    """Return lifts by (arm, metric, persona; all shoppers: ""); `path` is a data set or its truth.json.

    Raises `FileFaults` when there is none, or when the data set has no other arm than control.
    """
    file = path / FILE if path.is_dir() else path
    name = shown_name(file)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        lifts = {(r["arm"], r["metric"], r["persona"] or ""): Lift(r["lift"], r["se"]) for r in data["lifts"]}
    except FileNotFoundError:
        raise one_fault(name, "does not exist", "lifts are graded by it", HINT) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise one_fault(name, "is not a truth.json", "lifts are graded by it", HINT) from None
    if not lifts:
        raise one_fault(name, "knows no lifts", "its scenario has no arm but control", "give the scenario another arm")
    return lifts
