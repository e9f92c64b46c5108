"""A real traffic curve from a CSV file: a column of times, and one of rates or counts; all faults at once."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from simulator.model.faults import Fault, FileFaults, one_fault, suggestion
from simulator.model.units import SECONDS, parse_duration_s
from simulator.model.yamlfile import shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Unit = Literal["per_s", "per_min", "per_h", "per_d", "count"]
UNITS: tuple[Unit, ...] = get_args(Unit)
TIME_COLUMNS = (
    "time",
    "timestamp",
    "datetime",
    "date",
    "at",
    "offset",
    "offset_s",
    "offset_ms",
    "offset_min",
    "elapsed",
)
VALUE_COLUMNS = {
    "rate": "per_s", "rps": "per_s", "qps": "per_s", "rate_per_s": "per_s", "per_s": "per_s",
    "rpm": "per_min", "rate_per_min": "per_min", "per_min": "per_min",
    "rate_per_h": "per_h", "per_h": "per_h", "rate_per_d": "per_d", "per_d": "per_d",
    "count": "count", "visits": "count", "sessions": "count", "requests": "count", "arrivals": "count", "hits": "count",
}  # fmt: skip
MOST_FAULTS = 20
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")
_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))
"""(from which number on, seconds in one): nanoseconds, microseconds, milliseconds and seconds since 1970."""


_OF_CLOCK = "a time of the clock"
_MOST = 1e9
"""A value above this is a slip, not a shop: nine digits of visits in one row."""


class Moment(NamedTuple):
    """A cell of the time column: seconds from something, and how it was written; rows must agree in that."""

    seconds: float
    kind: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """A curve from its first row on: (second, visits a second).

    Rates are linear between rows. Counts are of the time from their row to the next (the last as long as the one
    before), over which the rate is even.
    """

    points: tuple[tuple[float, float], ...]

    def profile(self, duration_s: float, speed: float = 1.0) -> list[tuple[float, float]]:
        """Return the points over a run in which `speed` seconds of the curve pass in one; rates stay what they are.

        After the curve's end the last rate is kept.
        """
        kept = [(second / speed, rate) for second, rate in self.points if second / speed < duration_s]
        later = [(second / speed, rate) for second, rate in self.points if second / speed >= duration_s]
        if not later:
            return [*kept, (duration_s, kept[-1][1])]
        (a, low), (b, high) = kept[-1], later[0]
        return [*kept, (duration_s, low + (high - low) * (duration_s - a) / (b - a))]


def read_traffic(
    path: Path, *, time_column: str | None = None, value_column: str | None = None, unit: str | None = None
) -> Traffic:
    """Read a curve; columns and unit are found by the columns' names where they are not given.

    Raises `FileFaults` with every fault of the file, the first `MOST_FAULTS` of its rows.
    """
    name = shown_name(path)
    header, rows = _table(path, name)
    faults: list[Fault] = []
    time = _column(header, name, time_column, TIME_COLUMNS, "time", faults)
    value = _column(header, name, value_column, tuple(VALUE_COLUMNS), "rate or count", faults)
    if time is None or value is None:
        raise FileFaults(faults)
    found_unit = unit or VALUE_COLUMNS.get(header[value].lower())
    if found_unit is None:
        raise one_fault(name, f"{header[value]} has no known unit", f"allowed are {', '.join(UNITS)}", "give `unit`")
    reader = _Rows(name, header, time, value, found_unit)
    reader.read(rows)
    if reader.faults:
        raise FileFaults(reader.some_faults())
    return Traffic(tuple(_as_points(reader.seconds, reader.values, found_unit)))


def _table(path: Path, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and (line, cells) of each row; empty lines and those that begin with # are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise one_fault(name, "does not exist", "a CSV file is needed", "check the name and the folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise one_fault(name, f"cannot be read ({error})", "a UTF-8 text file is needed") from None
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise one_fault(name, "is empty", "a header and at least two rows are needed")
    delimiter = max(",;\t", key=lines[0][1].count)
    cells = [(n, [c.strip() for c in next(csv.reader(io.StringIO(line), delimiter=delimiter))]) for n, line in lines]
    return cells[0][1], cells[1:]


def _column(
    header: list[str], name: str, wanted: str | None, known: tuple[str, ...], what: str, faults: list[Fault]
) -> int | None:
    """Return where a column stands: the one that is `wanted`, else the first with a known name."""
    allowed = f"allowed are {', '.join([wanted] if wanted else known)}"
    found = [
        place for place, column in enumerate(header) if column == wanted or (not wanted and column.lower() in known)
    ]
    if len(found) > 1:
        names = " and ".join(header[place] for place in found)
        key = "time" if what == "time" else "value"
        hint = f"{wanted} must stand once" if wanted else f"name it with `{key}_column`"
        faults.append(Fault(name, 1, "", f"has several columns of {what}: {names}", "one must be meant", hint))
        return None
    if found:
        return found[0]
    near = suggestion(wanted, header) if wanted else f"name it with `{'time' if what == 'time' else 'value'}_column`"
    faults.append(Fault(name, 1, "", f"has no column of {what} among {', '.join(header)}", allowed, near))
    return None


class _Rows:
    """Collects the rows of a curve and what is wrong with them."""

    def __init__(self, name: str, header: list[str], time: int, value: int, unit: str) -> None:
        self.name, self.header, self.time, self.value, self.unit = name, header, time, value, unit
        self.seconds: list[float] = []
        self.values: list[float] = []
        self.faults: list[Fault] = []
        self._kind = ""
        self._last = -math.inf

    def read(self, rows: list[tuple[int, list[str]]]) -> None:
        """Read every row; a row with a fault is left out of the curve."""
        for line, cells in rows:
            if len(cells) != len(self.header):
                self._fault(line, "", f"has {len(cells)} cells", f"the header has {len(self.header)}")
                continue
            moment = self._cell(line, self.time, cells, lambda text: _moment(text, self.header[self.time]))
            value = self._cell(line, self.value, cells, _value)
            if moment is not None and self._in_order(line, moment) and value is not None:
                self.seconds.append(moment.seconds)
                self.values.append(value)
        if not self.faults and len(rows) < 2:
            self._fault(0, "", f"has {len(rows)} rows", "at least two are needed, a curve has a length")
        if not self.faults and not any(self.values):
            self._fault(0, "", "has no value above zero", "one is needed")

    def _cell(self, line: int, place: int, cells: list[str], parse: Callable[[str], Moment | float]) -> Any:  # noqa: ANN401 - what `parse` returns
        try:
            return parse(cells[place])
        except ValueError as error:
            self._fault(line, self.header[place], f"is {cells[place] or 'empty'}", str(error))
        return None

    def _in_order(self, line: int, moment: Moment) -> bool:
        """Return whether a moment is written like the others and comes after them."""
        path = self.header[self.time]
        self._kind = self._kind or moment.kind
        if moment.kind != self._kind:
            hint = "write all times in UTC, as 2026-11-27T08:00:00Z" if "UTC" in moment.kind + self._kind else ""
            self._fault(line, path, f"is {moment.kind}", f"the rows before are {self._kind}", hint)
            return False
        if moment.seconds <= self._last:
            hint = "after midnight write 24:00, 25:00 …" if moment.kind == _OF_CLOCK else "sort the rows by time"
            self._fault(line, path, "is not after the row before", "times must grow", hint)
            return False
        self._last = moment.seconds
        return True

    def _fault(self, line: int, path: str, found: str, allowed: str, hint: str = "") -> None:
        self.faults.append(Fault(self.name, line, path, found, allowed, hint))

    def some_faults(self) -> Iterator[Fault]:
        """Yield the first faults, and how many there are besides."""
        yield from self.faults[:MOST_FAULTS]
        if len(self.faults) > MOST_FAULTS:
            more = len(self.faults) - MOST_FAULTS
            yield Fault(self.name, self.faults[MOST_FAULTS].line, "", f"and later rows have {more} more faults", "")


def _moment(text: str, column: str) -> Moment:
    """Return a cell of time: a time stamp, seconds since 1970, a duration, a time of the clock or a number."""
    try:
        number = float(text)
    except ValueError:
        return _written_moment(text)
    if not math.isfinite(number):
        raise ValueError("must be a time")
    for least, seconds in _EPOCHS:
        if number >= least:
            return Moment(number * seconds, f"a number of {seconds:g} s since 1970")
    unit = column.rpartition("_")[2]
    return Moment(number * (SECONDS[unit] if "_" in column and unit in SECONDS else 1.0), "a number")


def _written_moment(text: str) -> Moment:
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        return Moment(int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3] or 0), _OF_CLOCK)
    try:
        return Moment(parse_duration_s(text), "a duration")
    except ValueError:
        pass
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a time, as 2026-11-27T08:00:00Z, 08:00, 90s or a number of seconds") from None
    offset = stamp.utcoffset()
    if offset is None:
        # The difference of two counts; which zone it is does not matter as long as it is the same.
        return Moment((stamp - datetime(1970, 1, 1)).total_seconds(), "a time stamp without UTC offset")  # noqa: DTZ001
    return Moment(stamp.timestamp(), f"a time stamp of UTC{offset.total_seconds() / 3600:+g} h")


def _value(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        separated = re.fullmatch(r"[\d.,' ]+", text) is not None
        raise ValueError(
            "must be a number" + (" with a decimal point, without separators" if separated else "")
        ) from None
    if not math.isfinite(number):
        raise ValueError("must be a number")
    if number < 0:
        raise ValueError("must not be negative")
    if number > _MOST:
        raise ValueError(f"must be at most {_MOST:g}")
    return number


def _as_points(seconds: list[float], values: list[float], unit: str) -> Iterator[tuple[float, float]]:
    begin = seconds[0]
    if unit != "count":
        yield from (
            (at - begin, value / SECONDS[unit.removeprefix("per_")]) for at, value in zip(seconds, values, strict=True)
        )
        return
    ends = [*seconds[1:], 2 * seconds[-1] - seconds[-2]]
    for at, end, count in zip(seconds, ends, values, strict=True):
        rate = count / (end - at)
        # A microsecond after the edge: the rate jumps there.
        yield (at - begin + (1e-6 if at > begin else 0.0), rate)
        yield (end - begin, rate)
