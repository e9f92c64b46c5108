"""A log's text columns → hits: what cannot be used is counted by reason, what is not known stays not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.fit.covariates import KINDS, codes_of, fact_of, loads_of, offsets_of, words_of
from simulator.fit.hits import FACTS, Findings, Hits
from simulator.fit.names import IGNORED, Events, near_state, state_of
from simulator.fit.times import MISSING, parse_times
from simulator.model.states import STATE_INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.fit.logs_csv import Raw

SAME_PAGE_US = 10_000_000
"""Two views that open the same path within ten seconds are one page."""
LISTING = STATE_INDEX["category"]
LISTS = [STATE_INDEX[name] for name in ("search", "recommend", "offers")]


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
        _once(users.indices.to_numpy()[order], at_us[order], state[order], codes_of(table, "path")[order], findings)
    ]
    return _hits(table.take(pa.array(keep)), at_us[keep], state[keep], timezone, findings)


def _states(table: pa.Table, events: Events, findings: Findings) -> NDArray[np.int8]:
    """Return each row's state, −1 for an ignored event and −2 for one that leads nowhere."""
    action, path = codes_of(table, "action"), codes_of(table, "path")
    actions, paths = words_of(table, "action"), words_of(table, "path")
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
    nobody = (codes_of(table, "user") < 0) & (state >= 0)
    findings.drop("user is missing", int(nobody.sum()))
    late = (codes_of(table, "time") < 0) & (state >= 0) & ~nobody
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
    facts = {name: values for name in FACTS if name in has and (values := fact_of(table, name, findings)) is not None}
    session = codes_of(table, "session") if "session" in has else None
    return Hits(
        code, at_us, state, tuple(map(str, users.to_pylist())), loads_of(table, has, findings),
        offsets_of(table, has, at_us, timezone, findings), session, kinds, facts,
    )  # fmt: skip
