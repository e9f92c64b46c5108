"""Arrivals as they were: a file of the times at which visits began, and of whose they were; all faults at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulator.journey.returners import numbered
from simulator.model.faults import Fault, FileFaults, one_fault
from simulator.model.yamlfile import shown_name
from simulator.scenario.columns import find_column, first_faults, read_rows
from simulator.scenario.moments import TIME_COLUMNS, parse_moment

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.scenario.moments import Moment

FROM_ZERO = ("a number", "a duration")
"""Kinds of times that count from the run's start; all others from the first arrival."""
_ZONED = "a time stamp of UTC"
_ANY_ZONE = "a time stamp with its UTC offset"
_LONGEST_S = 1e9
"""Thirty years: what lies further apart was not written in one unit."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Arrivals in order: `starts_us` from the run's start, `shopper` by number of first arrival, or None."""

    starts_us: NDArray[np.int64]
    shopper: NDArray[np.int64] | None

    def within(self, duration_s: float, speed: float = 1.0) -> Replay:
        """Return the arrivals of a run in which `speed` seconds of the file pass in one; later ones are left out."""
        starts_us = np.round(self.starts_us / speed).astype(np.int64)
        kept = int(np.searchsorted(starts_us, round(duration_s * 1e6), side="left"))
        return Replay(starts_us[:kept], None if self.shopper is None else self.shopper[:kept])


def read_replay(path: Path, *, time_column: str | None = None, shopper_column: str | None = None) -> Replay:
    """Read a CSV or Parquet file with a row for each visit, in any order.

    The column of times is found by its name where it is not given. Rows with the same value of `shopper_column` are
    visits of one shopper. Raises `FileFaults` with every fault of the file, the first `MOST_FAULTS` of its rows.
    """
    read = _parquet if path.suffix == ".parquet" else _csv
    seconds, kind, names = read(path, shown_name(path), time_column, shopper_column)
    return _replay(seconds, kind, names, shown_name(path))


def _replay(seconds: NDArray[np.float64], kind: str, names: NDArray[np.int64] | None, name: str) -> Replay:
    if not len(seconds):
        raise one_fault(name, "has no rows", "an arrival is needed")
    order = np.argsort(seconds, kind="stable")
    seconds = seconds[order]
    if kind in FROM_ZERO and seconds[0] < 0:
        raise one_fault(name, f"has a time of {seconds[0]:g} s", "times count from the run's start, from 0 on")
    begin = 0.0 if kind in FROM_ZERO else seconds[0]
    if seconds[-1] - begin > _LONGEST_S:
        raise one_fault(name, "has times more than thirty years apart", "all must be of one unit")
    who = None if names is None else numbered(_apart(names)[order])
    return Replay(np.round((seconds - begin) * 1e6).astype(np.int64), who)


def _apart(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return codes of shoppers in which each visit of nobody known (−1) is of somebody else."""
    return np.where(codes < 0, -1 - np.arange(len(codes)), codes)


def _csv(
    path: Path, name: str, time_column: str | None, shopper_column: str | None
) -> tuple[NDArray[np.float64], str, NDArray[np.int64] | None]:
    header, rows = read_rows(path, name)
    time, who = _places(header, name, time_column, shopper_column)
    reader = _Times(name, header[time])
    kept, faults = [], []
    for line, cells in rows:
        if len(cells) != len(header):
            faults.append(Fault(name, line, "", f"has {len(cells)} cells", f"the header has {len(header)}"))
        elif reader.read(line, cells[time]):
            kept.append(None if who is None else cells[who] or None)
    faults = sorted([*faults, *reader.faults], key=lambda fault: fault.line)
    if faults:
        raise FileFaults(first_faults(name, faults))
    names = None if who is None else _codes(pa.array(kept, pa.string()))
    return np.array(reader.seconds), reader.kind, names


def _places(
    header: list[str], name: str, time_column: str | None, shopper_column: str | None
) -> tuple[int, int | None]:
    """Return where the columns of times and shoppers stand; there is none of shoppers where none is named."""
    faults: list[Fault] = []
    time = find_column(header, name, time_column, TIME_COLUMNS, "time", faults)
    who = None
    if shopper_column is not None:
        who = find_column(header, name, shopper_column, (), "shopper", faults)
    if faults:
        raise FileFaults(faults)
    assert time is not None
    return time, who


class _Times:
    """Collects written times, which must all be written alike, and what is wrong with them."""

    def __init__(self, name: str, column: str) -> None:
        self.name, self.column = name, column
        self.seconds: list[float] = []
        self.kind = ""
        self.faults: list[Fault] = []

    def read(self, line: int, text: str) -> bool:
        """Read a cell; return whether it is one of the times."""
        try:
            moment = parse_moment(text, self.column)
        except ValueError as error:
            self._fault(line, f"is {text or 'empty'}", str(error))
            return False
        # Instants, whatever the zone: here no row must follow the one before it.
        kind = _ANY_ZONE if moment.kind.startswith(_ZONED) else moment.kind
        self.kind = self.kind or kind
        if kind != self.kind:
            self._fault(line, f"is {kind}", f"the rows before are {self.kind}")
            return False
        self.seconds.append(moment.seconds)
        return True

    def _fault(self, line: int, found: str, allowed: str) -> None:
        self.faults.append(Fault(self.name, line, self.column, found, allowed))


def _parquet(
    path: Path, name: str, time_column: str | None, shopper_column: str | None
) -> tuple[NDArray[np.float64], str, NDArray[np.int64] | None]:
    try:
        header = pq.read_schema(path).names
        time, who = _places(header, name, time_column, shopper_column)
        wanted = [header[time], *([] if who is None else [header[who]])]
        table = pq.read_table(path, columns=wanted).combine_chunks()
    except FileNotFoundError:
        raise one_fault(name, "does not exist", "a file is needed", "check the name and the folder") from None
    except (OSError, pa.ArrowException) as error:
        raise one_fault(name, f"cannot be read as Parquet ({str(error).splitlines()[0]})") from None
    times = table.column(wanted[0])
    if times.null_count:
        raise one_fault(name, f"has {times.null_count:,} rows without {wanted[0]}", "every visit needs its time")
    seconds, kind = _seconds_of(times, wanted[0], name)
    return seconds, kind, None if who is None else _codes(table.column(wanted[1]))


def _codes(names: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return a number for each name, −1 where there is none."""
    whole = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    codes: NDArray[np.int64] = pc.fill_null(whole.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return codes


def _seconds_of(times: pa.ChunkedArray, column: str, name: str) -> tuple[NDArray[np.float64], str]:
    """Return seconds, and how they were written, of a column of any type that can be a time."""
    kind = times.type
    if pa.types.is_timestamp(kind):
        return _in_seconds(times, pa.timestamp("us", kind.tz)), _ANY_ZONE
    if pa.types.is_duration(kind):
        return _in_seconds(times, pa.duration("us")), "a duration"
    if pa.types.is_time(kind):
        return _in_seconds(times, pa.time64("us")), "a time of the clock"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _numbers(pc.cast(times, pa.float64(), safe=False).to_numpy(), column, name)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        reader = _Times(name, column)
        for row, text in enumerate(times.to_pylist(), 1):
            reader.read(row, str(text))
        if reader.faults:
            raise FileFaults(first_faults(name, reader.faults))
        return np.array(reader.seconds), reader.kind
    raise one_fault(name, f"has {column} of type {kind}", "a time stamp, a number, a duration or text is needed")


def _in_seconds(times: pa.ChunkedArray, unit: pa.DataType) -> NDArray[np.float64]:
    seconds: NDArray[np.float64] = pc.cast(pc.cast(times, unit, safe=False), pa.int64()).to_numpy() / 1e6
    return seconds


def _numbers(values: NDArray[np.float64], column: str, name: str) -> tuple[NDArray[np.float64], str]:
    """Return numbers in the unit that the column's name or their size says, as a cell of text would have."""
    if not len(values):
        return values, "a number"
    if not np.isfinite(values).all():
        raise one_fault(name, f"has {int((~np.isfinite(values)).sum()):,} rows whose {column} is no number", "")
    low, high = (parse_moment(repr(float(value)), column) for value in (values.min(), values.max()))
    if low.kind != high.kind:
        raise one_fault(name, f"has {column} that is {low.kind}, and such that is {high.kind}", "one must be meant")
    return values * _unit_s(high, float(values.max())), high.kind


def _unit_s(moment: Moment, value: float) -> float:
    return moment.seconds / value if value else 1.0
