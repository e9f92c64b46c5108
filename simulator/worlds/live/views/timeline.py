"""`timeline.csv`: one row a second of what happened in it, for spreadsheets."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from simulator.runfolder.files import whole_file
from simulator.worlds.live.listening import Listener
from simulator.worlds.live.views.tally import DUE, OK

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.worlds.live.views.spread import Spread
    from simulator.worlds.live.views.tally import Tally

NAME = "timeline.csv"
ADDED = ("started", "ended", "bounced", "pages", "given_up", "requests", "failed", "bytes")
"""Columns that count what was added since the row before."""
TIMES = {"load": ("p50", "p95"), "latency": ("p50", "p99"), "lag": ("p99",)}
"""Columns of times, of what was added since the row before; latency from when a request was due."""
COLUMNS = ("second", "open", *ADDED, *(f"{name}_{q}_ms" for name, quantiles in TIMES.items() for q in quantiles))
_ABANDONED = "abandoned"


class Timeline(Listener):
    """Writes a row every second; the file has its name when the run is over."""

    def __init__(self, tally: Tally, folder: Path) -> None:
        self._tally, self._files = tally, ExitStack()
        partial = self._files.enter_context(whole_file(folder / NAME))
        self._file = self._files.enter_context(partial.open("w", newline="", encoding="utf-8"))
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)
        self._before = self._counts()
        self._spreads = {name: self._spread(name) for name in TIMES}

    def each_second(self, second: int) -> None:
        """Write a row of what was added since the last."""
        now = self._counts()
        added = [now[name] - self._before[name] for name in ADDED]
        self._writer.writerow([second, self._tally.open, *added, *self._times()])
        self._file.flush()
        self._before = now

    def close(self) -> None:
        """Give the file its name."""
        self._files.close()

    def _counts(self) -> dict[str, int]:
        counted = {name: self._tally.count(name) for name in ADDED if name != "failed"}
        requests = self._tally.counts["requests"]
        good = sum(count for (_, outcome), count in requests.items() if outcome in {OK, _ABANDONED})
        return counted | {"failed": counted["requests"] - good}

    def _spread(self, name: str) -> Spread:
        return self._tally.spread(name, DUE if name == "latency" else None)

    def _times(self) -> list[Any]:
        found: list[Any] = []
        for name, quantiles in TIMES.items():
            now = self._spread(name)
            added = now.since(self._spreads[name])
            self._spreads[name] = now
            for quantile in quantiles:
                value_s = added.quantile_s(int(quantile[1:]) / 100)
                found.append("" if value_s is None else f"{value_s * 1e3:.4g}")
        return found
