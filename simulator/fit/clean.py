"""A log's text columns → hits: what cannot be used is counted by reason, what is not known stays not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.fit.hits import FACTS, Coded, Findings, Hits
from simulator.fit.names import IGNORED, Events, near_state, state_of
from simulator.fit.times import MISSING, offsets_s, parse_times
from simulator.model.devices import device_table
from simulator.model.places import city_table, country_table
from simulator.model.schema import CATEGORIES, SITUATIONS, TECHNOLOGIES, TIERS
from simulator.model.states import STATE_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from simulator.fit.logs_csv import Raw

YES, NO = {"true", "1", "yes", "granted"}, {"false", "0", "no", "denied"}
SAME_PAGE_US = 10_000_000
"""Two views that open the same path within ten seconds are one page."""
LISTING = STATE_INDEX["category"]
LISTS = [STATE_INDEX[name] for name in ("search", "recommend", "offers")]
LONGEST_LOAD_US = 2**31 - 1


def hits_of(raw: Raw, events: Events, timezone: str | None, findings: Findings) -> Hits | None:
    """Return the hits of a log, or nothing when no row can be used; `findings` says why."""
    table = raw.table
    if not {"user", "time", "action"} <= set(table.column_names) or not table.num_rows:
        for name in ("user", "time", "action"):
            if name not in table.column_names and table.num_rows:
                findings.drop(f"no row has a value for the {name}", table.num_rows)
        return None
    state = _states(table, events, findings)
    table, state = _kept(table, state, findings)
    at_us = parse_times(table["time"].combine_chunks(), raw.unit, timezone, raw.begin_us, findings)
    usable = at_us != MISSING
    table, state, at_us = table.filter(pa.array(usable)), state[usable], at_us[usable]
    if not table.num_rows:
        return None
    users = table["user"].combine_chunks().dictionary_encode()
    order = np.lexsort((at_us, users.indices.to_numpy()))
    keep = order[
        _once(users.indices.to_numpy()[order], at_us[order], state[order], _codes(table, "path")[order], findings)
    ]
    return _hits(table.take(pa.array(keep)), at_us[keep], state[keep], timezone, findings)


def _states(table: pa.Table, events: Events, findings: Findings) -> NDArray[np.int8]:
    """Return each row's state, −1 for an ignored event and −2 for one that leads nowhere."""
    action, path = _codes(table, "action"), _codes(table, "path")
    actions, paths = _words(table, "action"), _words(table, "path")
    pairs, back, counts = np.unique((action + 1) * (len(paths) + 1) + path + 1, return_inverse=True, return_counts=True)
    states = np.empty(len(pairs), np.int8)
    for place, (pair, count) in enumerate(zip(pairs.tolist(), counts.tolist(), strict=True)):
        event = None if pair // (len(paths) + 1) == 0 else actions[pair // (len(paths) + 1) - 1]
        where = None if pair % (len(paths) + 1) == 0 else path_of(paths[pair % (len(paths) + 1) - 1])
        states[place] = _noted(event, where, count, events, findings)
    found: NDArray[np.int8] = states[back]
    return found


def _noted(event: str | None, path: str | None, count: int, events: Events, findings: Findings) -> int:
    if event is None:
        return -3
    state = state_of(event, path, events)
    if state is None:
        before = findings.unmapped.get(event, {"rows": 0})
        total = int(str(before["rows"])) + count
        findings.unmapped[event] = {"rows": total, "suggestion": near_state(event, events)}
        return -2
    if state == IGNORED:
        findings.ignored[event] = findings.ignored.get(event, 0) + count
        return -1
    known = findings.mapped.setdefault(event, {})
    known[state] = int(str(known.get(state, 0))) + count
    return STATE_INDEX[state]


def path_of(address: str) -> str:
    """Return the path of an address or of a path, without its query."""
    rest = address.split("://", 1)[-1]
    path = "/" + rest.partition("/")[2] if "://" in address else address
    return path.split("?", 1)[0].split("#", 1)[0] or "/"


def _kept(table: pa.Table, state: NDArray[np.int8], findings: Findings) -> tuple[pa.Table, NDArray[np.int8]]:
    findings.drop("event is missing", int((state == -3).sum()))
    nobody = (_codes(table, "user") < 0) & (state >= 0)
    findings.drop("user is missing", int(nobody.sum()))
    late = (_codes(table, "time") < 0) & (state >= 0) & ~nobody
    findings.drop("time is missing", int(late.sum()))
    used = (state >= 0) & ~nobody & ~late
    return table.filter(pa.array(used)).combine_chunks(), state[used]


def _once(
    user: NDArray[np.int32],
    at_us: NDArray[np.int64],
    state: NDArray[np.int8],
    path: NDArray[np.int64],
    findings: Findings,
) -> NDArray[np.bool_]:
    """Return which hits stay, of hits in order: no delivery twice, and one for a page that two events tell of."""
    same_user = np.append(False, np.diff(user) == 0)
    twice = same_user & np.append(False, (np.diff(at_us) == 0) & (np.diff(state) == 0))
    findings.drop("hit is there twice (same user, time and event)", int(twice.sum()))
    near = same_user & np.append(False, (np.diff(path) == 0) & (np.diff(at_us) <= SAME_PAGE_US)) & (path >= 0)
    is_list = np.isin(state, LISTS)
    listing = state == LISTING
    beside = listing & ((near & np.append(False, is_list[:-1])) | np.append(near[1:] & is_list[1:], False))
    if beside.any():
        findings.note(
            f"{int(beside.sum())} list views tell of the same page as a search, recommendation or offer beside them."
        )
    keep: NDArray[np.bool_] = ~twice & ~beside
    return keep


def _hits(
    table: pa.Table, at_us: NDArray[np.int64], state: NDArray[np.int8], timezone: str | None, findings: Findings
) -> Hits:
    users = table["user"].combine_chunks()
    users = pc.unique(users)
    code = pc.index_in(table["user"].combine_chunks(), users).to_numpy(zero_copy_only=False).astype(np.int32)
    has = set(table.column_names)
    kinds = {name: made for name, make in KINDS.items() if (made := make(table, has, findings)) is not None}
    facts = {name: values for name in FACTS if name in has and (values := _fact(table, name, findings)) is not None}
    session = _codes(table, "session") if "session" in has else None
    return Hits(
        code, at_us, state, tuple(map(str, users.to_pylist())), _loads(table, has, findings),
        _offsets(table, has, at_us, timezone, findings), session, kinds, facts,
    )  # fmt: skip


def _codes(table: pa.Table, name: str) -> NDArray[np.int64]:
    """Return a number for each distinct text of a column, −1 where it is missing."""
    if name not in table.column_names:
        return np.full(table.num_rows, -1, np.int64)
    column = table[name].combine_chunks().dictionary_encode()
    found: NDArray[np.int64] = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _words(table: pa.Table, name: str) -> list[str]:
    if name not in table.column_names:
        return []
    words: list[str] = table[name].combine_chunks().dictionary_encode().dictionary.to_pylist()
    return words


def _named(
    table: pa.Table, name: str, words: tuple[str, ...], translate: Callable[[str], str | None], findings: Findings
) -> Coded | None:
    """Return a column in our words; others are counted as unknown values."""
    codes, found = _codes(table, name), _words(table, name)
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
    words = sorted(_words(table, "channel")) if "channel" in has else []
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


def _fact(table: pa.Table, name: str, findings: Findings) -> NDArray[np.int8] | None:
    made = _named(
        table, name, ("no", "yes"), lambda w: "yes" if w.lower() in YES else "no" if w.lower() in NO else None, findings
    )
    return None if made is None else made.codes.astype(np.int8)


def _loads(table: pa.Table, has: set[str], findings: Findings) -> NDArray[np.int64]:
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


def _offsets(
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
