"""Times as logs write them: ISO 8601 texts with or without an offset, or numbers with a unit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.hits import Findings

_DATE = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d{1,9})?)?"
NAIVE, AWARE = rf"{_DATE}$", rf"{_DATE} ?(Z|UTC|[+-]([01]\d|2[0-3]):?[0-5]\d)$"
NUMBER = r"^-?\d{1,18}([.]\d+)?$"
UNITS_US = {"s": 1e6, "ms": 1e3, "us": 1.0}
EARLIEST_US, LATEST_US = 0, 4_102_444_800_000_000
"""From 1970 to 2100: other times are mistakes."""
MISSING = np.iinfo(np.int64).min
DAY_US = 86_400_000_000
NO_DAY = "time is on a day that does not exist"


def parse_times(
    texts: pa.Array, unit: str | None, timezone: str | None, begin_us: int, findings: Findings
) -> NDArray[np.int64]:
    """Return microseconds since 1970 UTC, `MISSING` where a text is no usable time (counted in `findings`).

    Numbers count `unit` (s, ms or us) from `begin_us`. Texts without an offset are of `timezone`; without one they are
    left out where other rows have offsets, and taken as they stand where none has.
    """
    at_us = np.full(len(texts), MISSING, np.int64)
    text = pc.utf8_trim_whitespace(texts)
    number, naive, aware = (_matches(text, pattern) for pattern in (NUMBER, NAIVE, AWARE))
    if number.any() and unit is None:
        findings.drop(
            "time is a number without a unit (give --time-unit s, ms or us)", int(number.sum()), _some(text, number)
        )
    elif number.any():
        values = pc.cast(text.filter(pa.array(number)), pa.float64()).to_numpy(zero_copy_only=False)
        exact = _integers(text.filter(pa.array(number)), unit or "us")
        at_us[number] = begin_us + (
            exact if exact is not None else np.rint(values * UNITS_US[unit or "us"]).astype(np.int64)
        )
    at_us[aware] = _aware(text.filter(pa.array(aware)))
    _place_naive(at_us, text, naive, bool(aware.any()), timezone, findings)
    no_day = aware & (at_us == MISSING)
    findings.drop(NO_DAY, int(no_day.sum()), _some(text, no_day))
    bad = ~(number | naive | aware)
    findings.drop("time is no ISO 8601 text and no number", int(bad.sum()), _some(text, bad))
    absurd = (at_us != MISSING) & ((at_us < EARLIEST_US) | (at_us >= LATEST_US))
    findings.drop("time is before 1970 or after 2100", int(absurd.sum()), _some(text, absurd))
    at_us[absurd] = MISSING
    return at_us


def offsets_s(zones: pa.Array, at_us: NDArray[np.int64], findings: Findings) -> NDArray[np.int32]:
    """Return how far each row's IANA time zone is ahead of UTC that day; 0 and a count where there is no such zone."""
    encoded = zones.dictionary_encode() if not pa.types.is_dictionary(zones.type) else zones
    code = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    names = encoded.dictionary.to_pylist()
    key = code * 100_000 + at_us // DAY_US
    unique, back = np.unique(key, return_inverse=True)
    found = np.zeros(len(unique), np.int32)
    known: dict[int, ZoneInfo | None] = {}
    for place, both in enumerate(unique.tolist()):
        which, day = both // 100_000, both % 100_000
        if which < 0:
            continue
        if which not in known:
            known[which] = zone(names[which])
        place_zone = known[which]
        if place_zone is not None:
            offset = datetime.fromtimestamp(day * 86_400 + 43_200, UTC).astimezone(place_zone).utcoffset()
            found[place] = 0 if offset is None else int(offset.total_seconds())
    unknown = [names[which] for which, place_zone in known.items() if place_zone is None]
    if unknown:
        findings.unknown_values["timezone"] = dict.fromkeys(unknown, 0)
    return found[back]


def zone(name: str) -> ZoneInfo | None:
    """Return the IANA time zone of that name, or nothing."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _place_naive(
    at_us: NDArray[np.int64],
    text: pa.Array,
    naive: NDArray[np.bool_],
    mixed: bool,
    timezone: str | None,
    findings: Findings,
) -> None:
    count = int(naive.sum())
    if not count:
        return
    if timezone is None and mixed:
        findings.drop("time has no offset while others have one (give --timezone)", count, _some(text, naive))
        return
    if timezone is None:
        findings.note("No time has an offset: they are taken as the shoppers' local clock.")
    elif mixed:
        findings.note(f"{count} times without an offset are taken as {timezone}.")
    local = _naive(text.filter(pa.array(naive)))
    if timezone is not None:
        day = np.unique(local // DAY_US, return_inverse=True)
        ahead = [_ahead_s(timezone, int(d)) for d in day[0]]
        local = np.where(local == MISSING, local, local - np.array(ahead, np.int64)[day[1]] * 1_000_000)
    at_us[naive] = local
    no_day = naive & (at_us == MISSING)
    findings.drop(NO_DAY, int(no_day.sum()), _some(text, no_day))


def _ahead_s(timezone: str, day: int) -> int:
    offset = datetime.fromtimestamp(max(day, 0) * 86_400 + 43_200, UTC).astimezone(ZoneInfo(timezone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _matches(text: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.fill_null(pc.match_substring_regex(text, pattern), False).to_numpy(
        zero_copy_only=False
    )
    return found


def _integers(text: pa.Array, unit: str) -> NDArray[np.int64] | None:
    """Return whole numbers exactly: a float has too few digits for microseconds since 1970."""
    try:
        values: NDArray[np.int64] = pc.cast(text, pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    times = int(UNITS_US[unit])
    most = np.iinfo(np.int64).max // times
    return np.clip(values, -most, most) * times


def _naive(text: pa.Array) -> NDArray[np.int64]:
    tidy = pc.replace_substring(text, ",", ".")
    return _cast(tidy, pa.timestamp("ns"))


def _aware(text: pa.Array) -> NDArray[np.int64]:
    tidy = pc.replace_substring_regex(pc.replace_substring(text, ",", "."), " ?(Z|UTC)$", "Z")
    return _cast(pc.replace_substring_regex(tidy, r" ([+-]\d\d:?\d\d)$", r"\1"), pa.timestamp("ns", "UTC"))


def _cast(text: pa.Array, kind: pa.DataType) -> NDArray[np.int64]:
    """Return microseconds; days that no month has are `MISSING`."""
    try:
        found: NDArray[np.int64] = pc.cast(text, kind).cast(pa.int64()).to_numpy(zero_copy_only=False) // 1_000
    except pa.ArrowInvalid:
        return np.array([_one(value, aware=kind.tz is not None) for value in text.to_pylist()], np.int64)
    return found


def _one(value: str, *, aware: bool) -> int:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return int(MISSING)
    since = (at if aware else at.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _some(text: pa.Array, where: NDArray[np.bool_]) -> list[str]:
    return [str(text[int(place)].as_py())[:60] for place in np.flatnonzero(where)[:3]]
