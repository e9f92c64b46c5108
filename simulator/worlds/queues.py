"""What the ledgers of stations say: waits, service, utilisation and queue lengths, over a run and along it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.worlds.station import OUTCOMES, REJECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.worlds.station import Station

MOST_INTERVALS = 240
STEPS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400)

STATION = np.dtype(
    [
        ("station", "i8"),
        ("servers", "i8"),
        ("arrivals", "i8"),
        *((outcome, "i8") for outcome in OUTCOMES),
        ("busy", "f8"),
        ("utilisation", "f8"),
        ("wait_mean_us", "f8"),
        ("wait_p95_us", "f8"),
        ("service_mean_us", "f8"),
        ("service_p95_us", "f8"),
        ("queue", "f8"),
        ("queue_peak", "i8"),
    ]
)
"""One station over the whole run, first visit to last answer; codes are positions in the backend's file.

`arrivals` is the sum of the outcomes. `servers` is 0 and `utilisation` nan where servers are unlimited. `busy` and
`queue` are means over time. Waits are those of every call that was not rejected, whether it reached a server or not;
service is the server's time, of calls that reached one.
"""
SERIES = np.dtype(
    [("station", "i8"), ("at_us", "i8"), ("arrivals", "i8"), ("queue", "f8"), ("busy", "f8"), ("utilisation", "f8")]
)
"""One station during one interval, which begins at `at_us`; `queue` and `busy` are means over it."""


def station_rows(stations: Sequence[Station], first_us: int, until_us: int) -> NDArray[Any]:
    """Return a STATION row for each station, of what happened from `first_us` to `until_us`."""
    rows = np.zeros(len(stations), STATION)
    for index, (row, station) in enumerate(zip(rows, stations, strict=True)):
        calls = station.ledger()
        row["station"], row["servers"], row["arrivals"] = index, _server_count(station), len(calls)
        for outcome, count in zip(OUTCOMES, np.bincount(calls["outcome"], minlength=len(OUTCOMES)), strict=True):
            row[outcome] = count
        edges = np.array([first_us, max(until_us, first_us + 1)])
        row["queue"] = mean_count(calls["asked_us"], calls["left_queue_us"], edges)[0]
        row["busy"] = mean_count(calls["left_queue_us"], calls["free_us"], edges)[0]
        row["utilisation"] = row["busy"] / station.servers if row["servers"] else np.nan
        row["queue_peak"] = _peak(calls)
        _fill_times(row, calls)
    return rows


def _fill_times(row: np.void, calls: NDArray[Any]) -> None:
    stayed = calls[calls["outcome"] != REJECTED]
    served = calls[calls["free_us"] > calls["left_queue_us"]]
    for name, values in (
        ("wait", stayed["left_queue_us"] - stayed["asked_us"]),
        ("service", served["free_us"] - served["left_queue_us"]),
    ):
        if len(values):
            row[f"{name}_mean_us"], row[f"{name}_p95_us"] = values.mean(), np.quantile(values, 0.95)


def series_rows(stations: Sequence[Station], first_us: int, until_us: int) -> NDArray[Any]:
    """Return SERIES rows, station by station, at equal intervals from `first_us` on."""
    edges = interval_edges(first_us, until_us)
    parts = []
    for index, station in enumerate(stations):
        calls, rows = station.ledger(), np.zeros(len(edges) - 1, SERIES)
        rows["station"], rows["at_us"] = index, edges[:-1]
        rows["arrivals"] = np.histogram(calls["asked_us"], edges)[0]
        rows["queue"] = mean_count(calls["asked_us"], calls["left_queue_us"], edges)
        rows["busy"] = mean_count(calls["left_queue_us"], calls["free_us"], edges)
        rows["utilisation"] = rows["busy"] / station.servers if _server_count(station) else np.nan
        parts.append(rows)
    return np.concatenate(parts)


def interval_edges(first_us: int, until_us: int) -> NDArray[np.int64]:
    """Return edges of the shortest round interval that needs at most `MOST_INTERVALS` of them."""
    span_us = max(until_us - first_us, 1)
    fitting = [step for step in STEPS_S if span_us <= step * 1_000_000 * MOST_INTERVALS]
    step_us = (fitting[0] if fitting else STEPS_S[-1]) * 1_000_000
    return first_us + step_us * np.arange(-(-span_us // step_us) + 1)


def mean_count(begins: NDArray[np.int64], ends: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many of the intervals [begin, end) hold at a time, on average between neighbouring edges."""
    first = edges[0]
    area = _area(begins - first, edges - first) - _area(ends - first, edges - first)
    means: NDArray[np.float64] = np.diff(area) / np.diff(edges)
    return means


def _area(times: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return Σ max(0, at - time) at each `at`."""
    ordered = np.sort(times)
    sums = np.concatenate([[0], np.cumsum(ordered)])
    passed = np.searchsorted(ordered, at)
    area: NDArray[np.int64] = passed * at - sums[passed]
    return area


def _peak(calls: NDArray[Any]) -> int:
    """Return the longest queue there was; whoever leaves it in the same microsecond makes room first."""
    queued = calls[calls["left_queue_us"] > calls["asked_us"]]
    if not len(queued):
        return 0
    times = np.concatenate([queued["asked_us"], queued["left_queue_us"]])
    change = np.repeat([1, -1], len(queued))
    return int(np.cumsum(change[np.lexsort((change, times))]).max())


def _server_count(station: Station) -> int:
    """Return the number of servers, 0 for unlimited."""
    return 0 if np.isinf(station.servers) else int(station.servers)
