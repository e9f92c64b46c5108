"""Beacons → page views of sessions: what cannot be used is left out and counted, by reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.fit.covariates import codes_of, words_of
from simulator.fit.times import MISSING, parse_times
from simulator.model.faults import Fault, FileFaults

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.fit.hits import Findings
    from simulator.fit.rum_read import Beacons

BOTS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|headless|lighthouse|pagespeed|gtmetrix|pingdom|webpagetest|ptst|catchpoint"
    r"|dynatrace|datadog|statuscake|uptime|phantomjs|selenium|puppeteer|playwright|python-requests|curl/|wget|axios"
    r"|okhttp|java/|go-http-client|facebookexternalhit|preview",
    re.IGNORECASE,
)
"""Words of user agents of programs: those that name themselves, tools that measure pages, and HTTP libraries.

Cubot makes phones."""
LONGEST_S = 1_800.0
"""A wait beyond the 30 minutes after which a session is over is a mistake of a clock."""
SHORTEST_MS = 10.0
"""No page loads within so few milliseconds: below, the number is of seconds."""
LONGEST_PLAIN_S = 600.0
"""No page is waited for so many seconds: beyond, the number is of milliseconds."""
MOST_VIEWS = 500
"""Views of one session beyond which it is no person's."""
METRICS = {"LCP": "load", "FCP": "fcp"}
XHR = "xhr"
INSTANT = ("back-forward-cache", "prerender")
"""Navigations whose pages may be there in a few milliseconds."""


class Views(NamedTuple):
    """Page views in the order of sessions and their times; every array has one element a view, NaN is not known."""

    session: NDArray[np.int64]
    user: NDArray[np.int64]
    """The session where no user is logged."""
    at_s: NDArray[np.float64]
    load_s: NDArray[np.float64]
    fcp_s: NDArray[np.float64]
    left_s: NDArray[np.float64]
    """After how long who did not wait for it left."""
    delay_s: NDArray[np.float64]
    has_users: bool

    def first(self) -> NDArray[np.bool_]:
        """Return which views begin a session."""
        return np.append(True, np.diff(self.session) != 0)

    def last(self) -> NDArray[np.bool_]:
        """Return which views end one."""
        return np.append(np.diff(self.session) != 0, True)

    def at(self, rows: NDArray[np.bool_]) -> Views:
        """Return some of the views."""
        s = self
        return Views(
            s.session[rows], s.user[rows], s.at_s[rows], s.load_s[rows], s.fcp_s[rows], s.left_s[rows], s.delay_s[rows],
            s.has_users,
        )  # fmt: skip


def views_of(beacons: Beacons, timezone: str | None, findings: Findings) -> Views | None:
    """Return the page views, or nothing where no row can be used; `findings` says why."""
    table = beacons.table
    if "session" not in table.column_names:
        findings.drop("no row has a session", table.num_rows)
        return None
    table = _of_people(_of_pages(table, findings), findings)
    session = codes_of(table, "session")
    findings.drop("session is missing", int((session < 0).sum()))
    table = table.filter(pa.array(session >= 0)).combine_chunks()
    table, numbers = _numbers(table, beacons, findings)
    if not table.num_rows:
        return None
    at_s, known = _times(table, beacons.time_unit, timezone, findings)
    table, numbers = table.filter(pa.array(known)), {name: values[known] for name, values in numbers.items()}
    return _in_order(table, numbers, at_s[known], findings) if table.num_rows else None


def _of_pages(table: pa.Table, findings: Findings) -> pa.Table:
    """Leave out what is no page view: XHR beacons, and of boomerang the beacon of leaving a page that had loaded."""
    rows = np.ones(table.num_rows, np.bool_)
    if "initiator" in table.column_names:
        xhr = _is(table, "initiator", XHR)
        findings.drop("beacon of an XHR, no page", int(xhr.sum()))
        rows &= ~xhr
    if "quit" in table.column_names:
        left = _there(table, "quit") & ~_there(table, "abandoned") & rows
        findings.drop("beacon of leaving a page that had loaded", int(left.sum()))
        rows &= ~left
    return table.filter(pa.array(rows)).combine_chunks()


def _of_people(table: pa.Table, findings: Findings) -> pa.Table:
    if "agent" not in table.column_names:
        findings.note("No user agent: programs that name themselves cannot be left out.")
        return table
    words = words_of(table, "agent")
    bots = np.array([*(bool(BOTS.search(word)) for word in words), False], np.bool_)[codes_of(table, "agent")]
    findings.drop("user agent is a program's", int(bots.sum()), [word for word in words if BOTS.search(word)])
    return table.filter(pa.array(~bots)).combine_chunks()


def _numbers(table: pa.Table, beacons: Beacons, findings: Findings) -> tuple[pa.Table, dict[str, NDArray[np.float64]]]:
    """Return the rows whose durations can be used, and the durations in seconds."""
    if "metric" in table.column_names:
        table = _by_metric(table, findings)
    numbers, bad = {}, np.zeros(table.num_rows, np.bool_)
    for name, unit_s in beacons.units_s.items():
        values, wrong = _duration(table, name, unit_s, findings)
        numbers[name], bad = values, bad | wrong
    if "abandoned" in table.column_names:
        gone = _there(table, "abandoned")
        numbers["left"] = np.where(gone, numbers["load"], np.nan)
        numbers["load"] = np.where(gone, np.nan, numbers["load"])
    empty = ~bad & np.isnan(numbers["load"]) & np.isnan(numbers["left"])
    findings.drop("neither a load time nor when they left", int(empty.sum()))
    both = ~bad & ~np.isnan(numbers["load"]) & ~np.isnan(numbers["left"])
    findings.drop("both a load time and leaving before it", int(both.sum()))
    keep = ~bad & ~empty & ~both
    return table.filter(pa.array(keep)).combine_chunks(), {name: values[keep] for name, values in numbers.items()}


def _by_metric(table: pa.Table, findings: Findings) -> pa.Table:
    """Return one row a page view from one row a metric; of one metric of a view, the last report counts."""
    if "view" not in table.column_names:
        findings.drop("metric without a view: several metrics cannot be put together", table.num_rows)
        return table.slice(0, 0)
    nameless = ~_there(table, "view")
    findings.drop("view is missing", int(nameless.sum()))
    table = table.filter(pa.array(~nameless))
    names, values = table["metric"].to_pylist(), table["value"].to_pylist() if "value" in table.column_names else []
    others = [name for name in table.column_names if name not in ("metric", "value")]
    columns = {name: table[name].to_pylist() for name in others}
    made: dict[tuple[str | None, str | None], dict[str, str | None]] = {}
    twice = ignored = 0
    for row, metric in enumerate(names):
        key = columns["session"][row], columns["view"][row]
        view = made.setdefault(key, {})
        for name in others:
            view[name] = view.get(name) or columns[name][row]
        meaning = METRICS.get(metric or "")
        ignored += meaning is None and metric not in (None, "TTFB", "CLS", "INP", "FID")
        if meaning is not None:
            twice += view.get(meaning) is not None
            view[meaning] = values[row] if values else None
    findings.drop("metric was reported again (the last report counts)", twice)
    findings.drop("metric is none of web-vitals'", ignored)
    fields = list(dict.fromkeys([*others, *METRICS.values()]))
    return pa.table({name: pa.array([view.get(name) for view in made.values()], pa.string()) for name in fields})


def _duration(
    table: pa.Table, name: str, unit_s: float, findings: Findings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return seconds, NaN where there are none, and which rows are wrong."""
    rows = table.num_rows
    if name not in table.column_names:
        return np.full(rows, np.nan), np.zeros(rows, np.bool_)
    text = pc.utf8_trim_whitespace(table[name].combine_chunks())
    number = pc.fill_null(pc.match_substring_regex(text, r"^-?\d+([.]\d+)?([eE][+-]?\d+)?$"), False)
    raw = pc.cast(pc.if_else(number, text, None), pa.float64()).to_numpy(zero_copy_only=False)
    there = pc.is_valid(text).to_numpy(zero_copy_only=False)
    no_number = there & ~number.to_numpy(zero_copy_only=False)
    seconds, strange = raw * unit_s, _other_unit(raw, unit_s, name)
    if "navigation" in table.column_names:
        strange &= ~np.isin(table["navigation"].to_pylist(), INSTANT)
    reasons = {
        f"{name} is no number": no_number,
        f"{name} is negative": raw < 0,
        f"{name} is in another unit than the others": strange,
        f"{name} is longer than 30 minutes": (seconds > LONGEST_S) & ~strange,
    }
    if 2 * int(strange.sum()) > int(there.sum()):
        findings.note(f"Most values of {name} are in another unit than was taken: give --unit.")
    for reason, wrong in reasons.items():
        findings.drop(reason, int(wrong.sum()), [str(text[int(row)].as_py()) for row in np.flatnonzero(wrong)[:3]])
    return seconds, np.logical_or.reduce(list(reasons.values()))


def _other_unit(raw: NDArray[np.float64], unit_s: float, name: str) -> NDArray[np.bool_]:
    """Return which numbers are seconds among milliseconds, or the other way round; delays may be small."""
    if name in ("delay", "left"):
        return np.asarray((raw > LONGEST_PLAIN_S) & (unit_s == 1.0))
    if unit_s == 1.0:
        return np.asarray(raw > LONGEST_PLAIN_S)
    return np.asarray((raw > 0) & (raw * unit_s * 1e3 < SHORTEST_MS) & (raw != np.rint(raw)))


def _times(
    table: pa.Table, unit: str | None, timezone: str | None, findings: Findings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if "time" not in table.column_names:
        findings.note("No time: views stand in the order of the file, and how long pages were looked at is not known.")
        return np.full(table.num_rows, np.nan), np.ones(table.num_rows, np.bool_)
    column = table["time"].combine_chunks()
    missing = pc.is_null(column).to_numpy(zero_copy_only=False)
    findings.drop("time is missing", int(missing.sum()))
    at_us = np.full(table.num_rows, MISSING, np.int64)
    at_us[~missing] = parse_times(column.filter(pa.array(~missing)), unit, timezone, 0, findings)
    return at_us / 1e6, at_us != MISSING


def _in_order(
    table: pa.Table, numbers: dict[str, NDArray[np.float64]], at_s: NDArray[np.float64], findings: Findings
) -> Views:
    session = codes_of(table, "session")
    user = codes_of(table, "user")
    keys = session if np.isnan(at_s).all() else np.rint(at_s * 1e6)
    order = np.lexsort((np.arange(len(session)), keys, session))
    fresh = _fresh(table, session, at_s, order)
    findings.drop("view is there twice", int((~fresh).sum()))
    rows = order[fresh]
    crowd = np.bincount(session[rows], minlength=int(session.max()) + 1)[session[rows]] > MOST_VIEWS
    findings.drop(f"session has more than {MOST_VIEWS} views", int(crowd.sum()))
    rows = rows[~crowd]
    alone = int(user.max(initial=0)) + 1
    return Views(
        session[rows],
        np.where(user[rows] >= 0, user[rows], alone + session[rows]),
        at_s[rows],
        numbers["load"][rows],
        numbers["fcp"][rows],
        numbers["left"][rows],
        numbers["delay"][rows],
        bool((user >= 0).any()),
    )


def _fresh(
    table: pa.Table, session: NDArray[np.int64], at_s: NDArray[np.float64], order: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which views, in order, are not told of before: by their own id, else by session, time and page."""
    view = codes_of(table, "view")
    if np.isnan(at_s).all() and (view < 0).all():
        return np.ones(len(order), np.bool_)
    page = codes_of(table, "page")
    moment = np.nan_to_num(np.rint(at_s * 1e6), nan=-1.0)
    keys = np.stack([session, view, np.where(view < 0, page, -1), np.where(view < 0, moment, -1)], axis=1)[order]
    _, first = np.unique(keys, axis=0, return_index=True)
    fresh = np.zeros(len(order), np.bool_)
    fresh[first] = True
    return fresh


def _is(table: pa.Table, name: str, word: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.fill_null(pc.equal(table[name], word), False).to_numpy()
    return found


def _there(table: pa.Table, name: str) -> NDArray[np.bool_]:
    if name not in table.column_names:
        return np.zeros(table.num_rows, np.bool_)
    found: NDArray[np.bool_] = pc.is_valid(table[name]).to_numpy()
    return found


def nothing_usable(path: Path, findings: Findings) -> FileFaults:
    """Return the faults of a file in which no row can be used: every reason, with its count and an example."""
    name = str(path)
    strange = ", ".join(findings.unknown_columns)
    hint = f"it has {strange}; --column session=… says what a column is" if strange else ""
    faults = [Fault(name, 0, "", f"has no usable page view in {findings.rows:,} rows", "", hint)]
    for reason, count in findings.dropped.items():
        example = findings.examples.get(reason)
        faults.append(Fault(name, 0, "", f"{count:,} rows: {reason}" + (f" (as {example[0]})" if example else ""), ""))
    return FileFaults(faults)
