"""A real traffic curve from a CSV file: a column of times, and one of rates or counts; all faults at once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from simulator.model.faults import Fault, FileFaults, one_fault
from simulator.model.units import SECONDS
from simulator.model.yamlfile import shown_name
from simulator.scenario.columns import MOST_FAULTS, find_column, first_faults, read_rows
from simulator.scenario.moments import OF_CLOCK, TIME_COLUMNS, Moment, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["MOST_FAULTS", "UNITS", "Traffic", "Unit", "read_traffic"]

Unit = Literal["per_s", "per_min", "per_h", "per_d", "count"]
UNITS: tuple[Unit, ...] = get_args(Unit)
VALUE_COLUMNS = {
    "rate": "per_s", "rps": "per_s", "qps": "per_s", "rate_per_s": "per_s", "per_s": "per_s",
    "rpm": "per_min", "rate_per_min": "per_min", "per_min": "per_min",
    "rate_per_h": "per_h", "per_h": "per_h", "rate_per_d": "per_d", "per_d": "per_d",
    "count": "count", "visits": "count", "sessions": "count", "requests": "count", "arrivals": "count", "hits": "count",
}  # fmt: skip
_MOST = 1e9
"""A value above this is a slip, not a shop: nine digits of visits in one row."""


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
    header, rows = read_rows(path, name)
    faults: list[Fault] = []
    time = find_column(header, name, time_column, TIME_COLUMNS, "time", faults)
    value = find_column(header, name, value_column, tuple(VALUE_COLUMNS), "rate or count", faults)
    if time is None or value is None:
        raise FileFaults(faults)
    found_unit = unit or VALUE_COLUMNS.get(header[value].lower())
    if found_unit is None:
        raise one_fault(name, f"{header[value]} has no known unit", f"allowed are {', '.join(UNITS)}", "give `unit`")
    reader = _Rows(name, header, time, value, found_unit)
    reader.read(rows)
    if reader.faults:
        raise FileFaults(first_faults(name, reader.faults))
    return Traffic(tuple(_as_points(reader.seconds, reader.values, found_unit)))


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
            moment = self._cell(line, self.time, cells, lambda text: parse_moment(text, self.header[self.time]))
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
            hint = "after midnight write 24:00, 25:00 …" if moment.kind == OF_CLOCK else "sort the rows by time"
            self._fault(line, path, "is not after the row before", "times must grow", hint)
            return False
        self._last = moment.seconds
        return True

    def _fault(self, line: int, path: str, found: str, allowed: str, hint: str = "") -> None:
        self.faults.append(Fault(self.name, line, path, found, allowed, hint))


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
