"""The live view of a run: how far it is, what was planned and what started, and what the shoppers do; 80 columns."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simulator.worlds.live.limits import LAG_LIMIT_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console, RenderableType
    from rich.text import Text

    from simulator.scenario.load import Scenario

WINDOW_S = 5.0
"""Rates in the view are those of the latest so many seconds."""
COLUMNS = 78
CAUSE_COLOURS = {"done": "green", "impatient": "red", "put_off": "yellow", "error": "magenta", "budget": "blue"}
CAUSE_WORDS = {"put_off": "put off", "budget": "out of time"}


@contextmanager
def live_view(console: Console, scenario: Scenario) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield a function to be told the progress; nothing is drawn where there is no terminal."""
    if not console.is_terminal:
        yield lambda _: None
        return
    from rich.live import Live
    from rich.text import Text

    view = View(scenario)
    with Live(Text("warming up …", style="dim"), console=console, transient=True, refresh_per_second=8) as live:
        yield lambda now: live.update(view.render(now))


class View:
    """Renders progress; remembers the latest seconds of it, for rates."""

    def __init__(self, scenario: Scenario) -> None:
        spec = scenario.spec
        self.duration_s, self.warmup_s = spec.duration, spec.warmup
        self.closed, self.cap = scenario.closed, spec.max_open_visits
        self._past: deque[Mapping[str, Any]] = deque()

    def render(self, now: Mapping[str, Any]) -> RenderableType:
        """Return the view of this progress."""
        from rich.console import Group
        from rich.text import Text

        if now.get("workers", 0) < now.get("expected", 0):
            return Text(f"waiting for workers: {now['workers']} of {now['expected']} …", style="dim")
        self._past.append(now)
        while self._past[0]["elapsed_s"] < now["elapsed_s"] - WINDOW_S:
            self._past.popleft()
        return Group(self._bar(now), *(self._line(*line) for line in self._lines(now)), self._causes(now))

    def _bar(self, now: Mapping[str, Any]) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        elapsed_s = min(now["elapsed_s"], self.duration_s)
        row = Table.grid(padding=(0, 1))
        warming = elapsed_s < self.warmup_s
        text = f"{elapsed_s:.0f} of {self.duration_s:.0f} s{' · warm-up' if warming else ''}"
        style = "yellow" if warming else "green"
        row.add_row(ProgressBar(self.duration_s, elapsed_s, width=44, complete_style=style), text)
        return row

    def _lines(self, now: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
        """Return (what, figures, whether it is a warning) of each line."""
        from simulator.worlds.live.figures import percentile_s

        open_visits = f"{now['open']:,}" + (f" of at most {self.cap:,}" if self.cap else "")
        waiting = f" · {now['waiting']:,} wait for room" if now["waiting"] else ""
        load_s = percentile_s(now["loads"], 0.95, self._past[0]["loads"] if len(self._past) > 1 else ())
        load = "–" if load_s is None else f"{load_s:.2f} s"
        errors = now["errors"]
        share = f" ({errors / now['requests']:.1%})" if errors and now["requests"] else ""
        silent = now.get("silent", 0)
        workers = [("workers", f"{silent} of {now['expected']} workers are silent", True)] if silent else []
        return [
            *workers,
            ("visits", f"{open_visits} open{waiting} · {now['ended']:,} ended", bool(waiting)),
            ("visits/s", self._started(now), False),
            ("session", self._session(now), False),
            (
                "requests",
                f"{now['requests']:,} · {self._rate('requests'):,.0f}/s · errors {errors:,}{share}",
                errors > 0,
            ),
            ("load p95", f"{load} · start lag p99 {now['lag_p99_ms']:.1f} ms", now["lag_p99_ms"] > LAG_LIMIT_MS),
        ]

    def _started(self, now: Mapping[str, Any]) -> str:
        started = f"{self._rate('started'):.1f} started"
        if self.closed:
            return f"{started} · closed model: a slow target is asked less"
        behind = now["due"] - now["started"]
        late = f" · {behind:,} due and not started" if behind > 0 else ""
        return f"{self._rate('due'):.1f} planned · {started}{late} · {now['started']:,} of {now['planned']:,}"

    def _session(self, now: Mapping[str, Any]) -> str:
        ended = now["ended"]
        if not ended:
            return "no visit has ended yet"
        return f"{now['ended_pages'] / ended:.1f} pages a visit · bounce {now['bounced'] / ended:.0%}"

    def _rate(self, key: str) -> float:
        """Return the growth of a number a second over the latest seconds."""
        first, last = self._past[0], self._past[-1]
        if first is last:
            return float(last[key] / last["elapsed_s"]) if last["elapsed_s"] else 0.0
        return float((last[key] - first[key]) / max(last["elapsed_s"] - first["elapsed_s"], 1e-9))

    @staticmethod
    def _line(what: str, figures: str, warns: bool) -> Text:
        from rich.text import Text

        text = Text(f"{what:<9} ", style="dim", no_wrap=True, overflow="ellipsis")
        return text.append(figures, style="bold red" if warns else "not dim")

    @staticmethod
    def _causes(now: Mapping[str, Any]) -> Text:
        from rich.text import Text

        text = Text(f"{'left':<9} ", style="dim", no_wrap=True, overflow="ellipsis")
        causes = {cause: count for cause, count in now["causes"].items() if count}
        whole = sum(causes.values())
        if not whole:
            return text.append("–", style="not dim")
        for place, (cause, count) in enumerate(causes.items()):
            word = CAUSE_WORDS.get(cause, cause)
            text.append(f"{' · ' if place else ''}{word} {count / whole:.0%}", style=f"not dim {CAUSE_COLOURS[cause]}")
        return text
