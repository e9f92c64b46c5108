"""Figures as text: one way of writing each kind, everywhere."""

from __future__ import annotations

import pytest

from simulator.analysis.words import counted, difference, figure, interval, listed, tick

FIGURES = [
    (0.478, "share", "47.8 %"),
    (0.0057, "share", "0.57 %"),
    (0.0, "share", "0.0 %"),
    (1.0, "share", "100.0 %"),
    (0.0, "time", "0 s"),
    (0.00042, "time", "0.4 ms"),
    (0.087, "time", "87 ms"),
    (0.9999, "time", "1.00 s"),
    (2.3456, "time", "2.35 s"),
    (54.2, "time", "54.2 s"),
    (127.4, "time", "127 s"),
    (1500.0, "time", "25.0 min"),
    (9000.0, "time", "2.5 h"),
    (2.8816, "count", "2.88"),
    (1204.0, "total", "1,204"),
    (None, "time", "\u2013"),
    (float("nan"), "share", "\u2013"),
]


@pytest.mark.parametrize(("value", "kind", "text"), FIGURES)
def test_figures_are_written_in_the_unit_that_suits_them(value, kind, text):
    """A figure has three digits or so, its unit after a narrow space, and a dash where nothing is known."""
    assert figure(value, kind).replace("\u202f", " ") == text


def test_open_intervals_are_written_out():
    """An interval without an end says so."""
    assert interval(None, None, "time") == ""
    assert interval(0.1, None, "count") == "0.10 or more"
    assert interval(None, 0.2, "count") == "up to 0.20"
    assert interval(0.1, 0.2, "count") == "0.10 to 0.20"


def test_differences_of_shares_are_points():
    """A difference has its sign; that of shares is in percentage points, so that nobody reads it as relative."""
    assert difference(0.0074, "share").replace("\u202f", " ") == "+0.74 pp"
    assert difference(-3.7277, "time").replace("\u202f", " ") == "\u22123.73 s"
    assert difference(None, "time") == "\u2013"


def test_ticks_are_short():
    """An axis writes what it must and no more."""
    ticks = [tick(0.0, "time"), tick(0.2, "time"), tick(50.0, "time"), tick(0.25, "share"), tick(1500.0, "count")]
    assert [text.replace("\u202f", " ") for text in ticks] == ["0", "200 ms", "50 s", "25 %", "1,500"]


def test_counts_and_lists_read_as_english():
    """One visit, two visits; a, b and c."""
    assert (counted(1, "visit"), counted(1200, "visit")) == ("1 visit", "1,200 visits")
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("", "a", "a, b and c")
