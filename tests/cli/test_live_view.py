"""The live view: what it says fits 80 columns, is right, and is not there where nobody could see it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from simulator.cli.live_view import View, live_view
from simulator.scenario.load import load_scenario
from simulator.worlds.live.figures import SessionFigures

BEFORE = {
    "elapsed_s": 10.0, "planned": 1_234_567, "due": 100_000, "started": 100_000, "open": 20_000, "waiting": 0,
    "ended": 80_000, "ended_pages": 200_000, "bounced": 30_000, "pages": 250_000, "requests": 900_000, "errors": 0,
    "lag_p99_ms": 1.25, "loads": [[300, 1_000]],
    "causes": {"done": 60_000, "impatient": 15_000, "put_off": 3_000, "error": 1_000, "budget": 900},
}  # fmt: skip


def now(**changes):
    """Return a progress of two seconds later."""
    figures = SessionFigures()
    for _ in range(100):
        figures.page(2_000_000)
    loads = [[300, 1_000], *figures.progress()["loads"]]
    return {**BEFORE, "elapsed_s": 12.0, "loads": loads, **changes}


@pytest.fixture
def shown():
    """Return a function that renders progresses one after another, and gives the last one's lines at 80 columns."""

    def render(*progresses, **overrides):
        view = View(load_scenario("smoke", {"duration": "60s", **overrides}))
        for progress in progresses:
            found = view.render(progress)
        console = Console(width=80, file=io.StringIO(), force_terminal=True, color_system=None, legacy_windows=False)
        console.print(found)
        return console.file.getvalue().splitlines()

    return render


def test_figures_are_those_of_the_latest_seconds(shown):
    """Rates and the p95 of load time are of the last seconds, counts of the whole run."""
    later = now(due=100_040, started=100_036, requests=900_100, errors=9)
    text = "\n".join(shown(BEFORE, later))
    assert "12 of 60 s" in text
    assert "20.0 planned · 18.0 started · 4 due and not started" in text
    assert "2.5 pages a visit · bounce 38%" in text
    assert "900,100 · 50/s · errors 9 (0.0%)" in text
    assert "done 75% · impatient 19% · put off 4% · error 1% · out of time 1%" in text
    assert abs(float(text.split("load p95")[1].split()[0]) - 2.0) < 0.07
    assert "start lag p99 1.2 ms" in text


def test_it_fits_eighty_columns(shown):
    """Even with a million visits, a cap and everything late, no line is longer than 80 columns, nor wrapped."""
    crowded = now(due=1_234_567, started=1_100_000, waiting=134_567, errors=899_999, lag_p99_ms=123_456.7)
    lines = shown(BEFORE, crowded, max_open_visits=20_000)
    assert max(map(len, lines)) <= 80
    assert len(lines) == 7
    assert any("20,000 of at most 20,000 open · 134,567 wait for room" in line for line in lines)


def test_warm_up_and_closed_model_are_said(shown):
    """A closed run says that a slow target is asked less; a warm-up is named while it lasts."""
    closed = {"kind": "closed", "shoppers": 200}
    lines = shown(BEFORE, now(), arrivals=closed, warmup="20s")
    assert any("12 of 60 s · warm-up" in line for line in lines)
    assert any("closed model: a slow target is asked less" in line for line in lines)
    assert not any("warm-up" in line for line in shown(BEFORE, now(), warmup="5s"))


def test_before_anything_happened(shown):
    """At the very beginning nothing is divided by nothing."""
    nothing = dict.fromkeys(BEFORE, 0) | {"causes": {}, "loads": [], "elapsed_s": 0.0, "lag_p99_ms": 0.0}
    lines = shown(nothing)
    assert any("no visit has ended yet" in line for line in lines)


def test_workers_are_waited_for_and_missed(shown):
    """Until all workers are there that is what is shown; one that is silent is named."""
    assert shown(now(workers=1, expected=3)) == ["waiting for workers: 1 of 3 …"]
    assert any("1 of 3 workers are silent" in line for line in shown(BEFORE, now(workers=3, expected=3, silent=1)))


def test_it_is_quiet_without_a_terminal():
    """Into a pipe or a log nothing is written, whatever is told."""
    console = Console(file=io.StringIO(), force_terminal=False)
    with live_view(console, load_scenario("smoke")) as show:
        show(BEFORE)
    assert console.file.getvalue() == ""
