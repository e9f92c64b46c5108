"""An answer: what somebody's analysis found out, read from a CSV or Parquet file; all of its faults at once."""

from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from simulator.model.faults import Fault, FileFaults, one_fault, suggestion
from simulator.model.yamlfile import shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

SHAPES = {
    "segments": "shopper,segment",
    "lifts": "arm,metric,estimate[,low,high][,persona]",
    "churn": "shopper,probability or shopper,label",
}
"""The kinds of answers and their columns; brackets mark what may be left out."""
COLUMNS = {
    "segments": ("shopper", "segment"),
    "lifts": ("arm", "metric", "estimate", "low", "high", "persona"),
    "churn": ("shopper", "probability", "label"),
}
_TOLD_BY = {"segment": "segments", "estimate": "lifts", "metric": "lifts", "probability": "churn", "label": "churn"}
_LABELS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_ENDS = ("low", "high")
MOST_TOLD = 20
"""Faults of one sort that are printed one by one; of the rest, how many there are."""
PARQUET = ".parquet"


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of one kind: `columns` hold values, None where faulty; `lines` (from 1; rows of Parquet) are their places.

    `wrong` has what is wrong so far; whoever knows the truth adds to it, then stops.
    """

    kind: str
    file: str
    lines: tuple[int, ...]
    columns: dict[str, list[Any]]
    wrong: Complaints


class Complaints:
    """Faults of one file, no more than `MOST_TOLD` of a sort."""

    def __init__(self, file: str) -> None:
        self._file, self._faults, self._count = file, list[Fault](), Counter[str]()

    def add(self, line: int, column: str, found: str, allowed: str, hint: str = "", sort: str = "") -> None:
        """Note a fault; `sort` tells which are alike (default: of this column)."""
        sort = sort or column
        self._count[sort] += 1
        if self._count[sort] <= MOST_TOLD:
            self._faults.append(Fault(self._file, line, column, found, allowed, hint))

    def stop(self) -> None:
        """Raise `FileFaults` when there are any."""
        rest = {sort: count - MOST_TOLD for sort, count in self._count.items() if count > MOST_TOLD}
        more = [
            Fault(self._file, 0, sort, f"has {count:,} more faults of this kind", "") for sort, count in rest.items()
        ]
        if self._faults:
            raise FileFaults([*self._faults, *more])


def read_answer(path: Path) -> Answer:
    """Read an answer; its kind is told by its columns.

    Raises `FileFaults` for what cannot be read or graded at all; single values that are wrong stand in `Answer.wrong`.
    """
    name = shown_name(path)
    header, lines, rows = _parquet(path, name) if path.suffix == PARQUET else _csv(path, name)
    kind = _kind(header, name)
    wrong = Complaints(name)
    _check_header(kind, header, wrong)
    missing = [column for column in _needed(kind, header) if column not in header]
    columns: dict[str, list[Any]] = {}
    for column in dict.fromkeys(header):
        if column in COLUMNS[kind]:
            columns[column] = _parsed(column, lines, [row[header.index(column)] for row in rows], wrong)
    if kind == "lifts":
        _check_intervals(columns, lines, wrong)
    if missing:
        wrong.stop()
    if not rows:
        raise one_fault(name, "has no rows", "an answer has at least one")
    _check_once(kind, columns, lines, wrong)
    return Answer(kind, name, tuple(lines), columns, wrong)


def _csv(path: Path, name: str) -> tuple[list[str], list[int], list[list[str]]]:
    lines, rows = [], []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            for row in reader:
                if row:
                    lines.append(reader.line_num)
                    rows.append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(name, error) from None
    ragged = Complaints(name)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            ragged.add(line, "", f"has {len(row)} cells", f"the first line has {len(header)}", sort="cells")
    ragged.stop()
    return header, lines, rows


def _parquet(path: Path, name: str) -> tuple[list[str], list[int], list[list[Any]]]:
    try:
        table = pa.parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(name, error) from None
    rows = [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
    return list(table.column_names), list(range(1, table.num_rows + 1)), rows


def _unreadable(name: str, error: Exception) -> FileFaults:
    if isinstance(error, FileNotFoundError):
        return one_fault(name, "does not exist", "a CSV or Parquet file is needed", "check the name and the folder")
    told = (getattr(error, "strerror", None) or str(error)).splitlines()[0]
    return one_fault(name, f"cannot be read ({told})", "a CSV file in UTF-8 or a Parquet file is needed")


def _kind(header: Sequence[str], name: str) -> str:
    kinds = {_TOLD_BY[column] for column in header if column in _TOLD_BY}
    if len(kinds) == 1:
        return kinds.pop()
    shapes = "; ".join(f"{kind}: {shape}" for kind, shape in SHAPES.items())
    found = f"mixes {' and '.join(sorted(kinds))}" if kinds else f"has the columns {', '.join(header) or 'of nothing'}"
    near = next((hint for column in header if (hint := suggestion(column, _TOLD_BY))), "")
    raise one_fault(name, found, f"an answer is one of {shapes}", near)


def _check_header(kind: str, header: Sequence[str], wrong: Complaints) -> None:
    allowed = COLUMNS[kind]
    for column, count in Counter(header).items():
        if column not in allowed:
            wrong.add(1, column, "is no column of this kind of answer", f"its columns are {SHAPES[kind]}",
                      suggestion(column, allowed), "columns")  # fmt: skip
        elif count > 1:
            wrong.add(1, column, f"stands {count} times", "each column may stand once", sort="columns")
    for column in _needed(kind, header):
        if column not in header:
            told = "an interval has both ends" if column in _ENDS else f"its columns are {SHAPES[kind]}"
            wrong.add(1, column, "is missing", told, sort="columns")
    if "probability" in header and "label" in header:
        wrong.add(1, "label", "stands beside probability", "an answer has one of them", sort="columns")


def _needed(kind: str, header: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that an answer of this kind must have, both ends of an interval where there is one."""
    if kind == "lifts":
        return (*COLUMNS[kind][:3], *(_ENDS if set(_ENDS) & set(header) else ()))
    return COLUMNS[kind][:1]


def _parsed(column: str, lines: Iterable[int], cells: Iterable[Any], wrong: Complaints) -> list[Any]:
    parse, values = _PARSERS[column], []
    for line, cell in zip(lines, cells, strict=True):
        text = "" if cell is None else str(cell).strip()
        try:
            values.append(parse(text))
        except ValueError as error:
            wrong.add(line, column, f"is {text}" if text else "is empty", str(error))
            values.append(None)
    return values


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be the number of a shopper") from None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _probability(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        raise ValueError("must be a probability from 0 to 1")
    return value


def _label(text: str) -> bool:
    if text.lower() not in _LABELS:
        raise ValueError(f"must be one of {', '.join(_LABELS)}")
    return _LABELS[text.lower()]


def _word(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


_PARSERS: dict[str, Callable[[str], Any]] = {
    "shopper": _whole,
    "segment": _word,
    "arm": _word,
    "metric": _word,
    "persona": str,
    "estimate": _number,
    "low": _number,
    "high": _number,
    "probability": _probability,
    "label": _label,
}


def _check_intervals(columns: dict[str, list[Any]], lines: Sequence[int], wrong: Complaints) -> None:
    if not set(_ENDS) <= set(columns):
        return
    for line, low, high in zip(lines, columns["low"], columns["high"], strict=True):
        if low is not None and high is not None and low > high:
            wrong.add(line, "low", f"is {low:g}", f"must not be above high, which is {high:g}", "swap the two")


def _check_once(kind: str, columns: dict[str, list[Any]], lines: Sequence[int], wrong: Complaints) -> None:
    names = [name for name in (("arm", "metric", "persona") if kind == "lifts" else ("shopper",)) if name in columns]
    first: dict[tuple[Any, ...], int] = {}
    for line, *key in zip(lines, *(columns[name] for name in names), strict=True):
        before = first.setdefault(tuple(key), line)
        if before != line and None not in key:
            told = ", ".join(str(part) for part in key if part != "")
            wrong.add(line, names[0], f"{told} stands again", f"line {before} has it", "keep one row each", "again")
