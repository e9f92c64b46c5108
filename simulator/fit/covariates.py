"""What a log says beside a hit, in our words: country, phone, network, consents, load time, local clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.fit.hits import Coded, Findings
from simulator.fit.times import offsets_s
from simulator.model.devices import device_table
from simulator.model.places import city_table, country_table
from simulator.model.schema import CATEGORIES, SITUATIONS, TECHNOLOGIES, TIERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

YES, NO = {"true", "1", "yes", "granted"}, {"false", "0", "no", "denied"}
LONGEST_LOAD_US = 2**31 - 1


def codes_of(table: pa.Table, name: str) -> NDArray[np.int64]:
    """Return a number for each distinct text of a column, −1 where it is missing."""
    if name not in table.column_names:
        return np.full(table.num_rows, -1, np.int64)
    column = table[name].combine_chunks().dictionary_encode()
    found: NDArray[np.int64] = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def words_of(table: pa.Table, name: str) -> list[str]:
    """Return the distinct texts of a column, in the order of `codes_of`."""
    if name not in table.column_names:
        return []
    words: list[str] = table[name].combine_chunks().dictionary_encode().dictionary.to_pylist()
    return words


def _named(
    table: pa.Table, name: str, words: tuple[str, ...], translate: Callable[[str], str | None], findings: Findings
) -> Coded | None:
    """Return a column in our words; others are counted as unknown values."""
    codes, found = codes_of(table, name), words_of(table, name)
    index = {word: place for place, word in enumerate(words)}
    mine = [index.get(translate(word) or "", -1) for word in found]
    counts = np.bincount(codes[codes >= 0], minlength=len(found))
    unknown = {w: int(c) for w, c, m in zip(found, counts, mine, strict=True) if m < 0 and c}
    if unknown:
        findings.unknown_values[name] = unknown
    translated = np.array([*mine, -1], np.int32)[codes]
    return Coded(translated, words) if (translated >= 0).any() else None


def _country(table: pa.Table, has: set[str], findings: Findings) -> Coded | None:
    if "country" not in has:
        return None
    codes = {country.name.lower(): code for code, country in country_table().items()}
    return _named(
        table, "country", tuple(country_table()),
        lambda word: word.upper() if word.upper() in country_table() else codes.get(word.lower()), findings,
    )  # fmt: skip


def _system(table: pa.Table, has: set[str], findings: Findings) -> Coded | None:
    systems = tuple(sorted({device.os for device in device_table().devices}))
    if "os" in has:
        return _named(table, "os", systems, lambda word: "ios" if word.lower() == "ipados" else word.lower(), findings)
    if "model" not in has:
        return None
    of_model = {device.model: device.os for device in device_table().devices}
    return _named(table, "model", systems, of_model.get, Findings())


def _tier(table: pa.Table, has: set[str], findings: Findings) -> Coded | None:
    if "tier" in has:
        return _named(table, "tier", TIERS, str.lower, findings)
    of_model = {device.model: device.tier for device in device_table().devices}
    return _named(table, "model", TIERS, of_model.get, findings) if "model" in has else None


def _network(table: pa.Table, has: set[str], findings: Findings) -> Coded | None:
    if "network" not in has:
        return None
    other = {"wi-fi": "wifi", "4g": "lte", "3g": "hspa", "nr": "5g"}
    words = (*TECHNOLOGIES, "cellular")
    return _named(table, "network", words, lambda word: other.get(word.lower(), word.lower()), findings)


def _plain(name: str, words: tuple[str, ...]) -> Callable[[pa.Table, set[str], Findings], Coded | None]:
    return lambda table, has, findings: (
        _named(table, name, words, lambda word: word.lower().replace(" ", "-"), findings) if name in has else None
    )


def _channel(table: pa.Table, has: set[str], findings: Findings) -> Coded | None:
    del findings
    words = sorted(words_of(table, "channel")) if "channel" in has else []
    return _named(table, "channel", tuple(words), str, Findings()) if 1 < len(words) <= 50 else None


KINDS: Mapping[str, Callable[[pa.Table, set[str], Findings], Coded | None]] = {
    "country": _country,
    "os": _system,
    "tier": _tier,
    "network": _network,
    "situation": _plain("situation", SITUATIONS),
    "category": _plain("category", CATEGORIES),
    "channel": _channel,
}


def fact_of(table: pa.Table, name: str, findings: Findings) -> NDArray[np.int8] | None:
    """Return 1 for yes, 0 for no, −1 where nothing (sensible) is said; nothing where no row says."""
    made = _named(
        table, name, ("no", "yes"), lambda w: "yes" if w.lower() in YES else "no" if w.lower() in NO else None, findings
    )
    return None if made is None else made.codes.astype(np.int8)


def loads_of(table: pa.Table, has: set[str], findings: Findings) -> NDArray[np.int64]:
    """Return load times in microseconds, −1 where there is none or it is no sensible number."""
    for name, times in (("load_us", 1.0), ("load_ms", 1e3)):
        if name not in has:
            continue
        text = table[name].combine_chunks()
        number = pc.match_substring_regex(text, r"^-?\d{1,15}([.]\d*)?([eE][-+]?\d+)?$")
        values = pc.if_else(number, text, pa.scalar(None, pa.string())).cast(pa.float64())
        load = pc.fill_null(values, -1.0).to_numpy(zero_copy_only=False) * times
        strange = ~np.isnan(load) & (
            (load > LONGEST_LOAD_US) | ((load < 0) & pc.is_valid(text).to_numpy(zero_copy_only=False))
        )
        if strange.any():
            findings.note(
                f"{int(strange.sum())} load times are negative, absurd or no numbers: they count as not logged."
            )
        return np.where(strange | (load < 0), -1, load).astype(np.int64)
    return np.full(table.num_rows, -1, np.int64)


def offsets_of(
    table: pa.Table, has: set[str], at_us: NDArray[np.int64], timezone: str | None, findings: Findings
) -> NDArray[np.int32] | None:
    """Return how far each hit's local clock is ahead of UTC, from what the log says: offset, time zone, city."""
    if "offset_s" in has:
        text = table["offset_s"].combine_chunks()
        sensible = pc.match_substring_regex(text, r"^-?\d{1,5}([.]0*)?$")
        seconds = pc.if_else(sensible, text, pa.scalar(None, pa.string())).cast(pa.float64())
        ahead: NDArray[np.int32] = pc.fill_null(seconds, 0.0).to_numpy(zero_copy_only=False).astype(np.int32)
        return ahead
    if "timezone" in has:
        return offsets_s(table["timezone"].combine_chunks(), at_us, findings)
    if "city" in has:
        zones = {city.name: city.timezone for city in city_table()}
        encoded = table["city"].combine_chunks().dictionary_encode()
        named = pa.array([zones.get(name) for name in encoded.dictionary.to_pylist()], pa.string())
        findings.note("Local hours are those of the cities' time zones.")
        return offsets_s(named.take(encoded.indices), at_us, findings)
    if timezone is not None:
        findings.note(f"Local hours are those of {timezone}.")
        return offsets_s(pa.array([timezone] * len(at_us)), at_us, findings)
    if not any(note.startswith("No time has an offset") for note in findings.notes):
        findings.note("The log names no time zone: local hours are hours of UTC (--timezone sets another clock).")
    return None
