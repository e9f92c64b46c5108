"""Pieces of drawings: scales with round ticks, escaped names, and nothing outside the frame."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from simulator.analysis.estimates import Estimate
from simulator.report.backend import stations
from simulator.report.curves import Station, arrivals, curve, gauge, spark
from simulator.report.rows import Pair, Point, Stack, Strip, pairs, points, stacks, strips
from simulator.report.svg import Scale, around_zero, bar, chart, linear, logarithmic, nice_step, num, tag, text


def write(value):
    """Write an axis plainly."""
    return "none" if value is None else f"{value:g}"


@pytest.mark.parametrize(
    ("rough", "step"), [(0.9, 1), (1.0, 1), (1.1, 2), (2.2, 2.5), (3, 5), (7, 10), (0.013, 0.02), (260, 500)]
)
def test_steps_are_round(rough, step):
    """A step is 1, 2, 2.5 or 5 times a power of ten, never below what is needed."""
    assert nice_step(rough) == pytest.approx(step)


def test_linear_scales_begin_at_zero_and_hold_all():
    """A linear axis starts at zero, ends at a tick and holds every value that is known."""
    scale, ticks = linear([3.0, None, 17.2], 0, 100)
    assert ticks[0] == 0
    assert ticks[-1] == scale.high >= 17.2
    assert (scale(0), scale(scale.high)) == (0, 100)


def test_scales_without_values_still_scale():
    """An axis for nothing is an axis all the same."""
    for make in (linear, logarithmic, around_zero):
        scale, ticks = make([None], 0, 100)
        assert len(ticks) >= 2
        assert scale.high > scale.low


def test_logarithmic_scales_have_ticks_of_one_two_five():
    """A logarithmic axis holds all values between ticks of 1, 2 and 5."""
    scale, ticks = logarithmic([0.3, 11.0, None], 0, 100)
    assert ticks == pytest.approx([0.2, 0.5, 1, 2, 5, 10, 20])
    assert scale(2.0) - scale(1.0) == pytest.approx(scale(20.0) - scale(10.0))


def test_differences_have_zero_in_the_middle():
    """Differences are drawn round a zero in the middle."""
    scale, ticks = around_zero([-3.7, 1.0], 0, 100)
    assert scale(0) == 50
    assert ticks == [-tick for tick in reversed(ticks)]


def test_values_outside_land_on_the_edge():
    """Nothing is drawn outside its axis."""
    scale = Scale(0, 10, 5, 95)
    assert (scale(-3), scale(12)) == (5, 95)


def test_numbers_are_short_and_stable():
    """Coordinates have at most two decimals and no negative zero."""
    assert [num(value) for value in (1.0, 1.005, -0.001, 12.3456, 100)] == ["1", "1", "0", "12.35", "100"]


def test_names_are_escaped():
    """Text and attributes cannot hold markup."""
    assert text(0, 0, "<b>&") == '<text x="0" y="0">&lt;b&gt;&amp;</text>'
    assert 'aria-label="&#34;&gt;"' in tag("g", aria_label='">')
    assert "<i>" not in bar(0, 0, 1, 1, "c1", tip="<i>")


ROWS = [f"row {i}" for i in range(4)]
ESTIMATE = Estimate(0.4, 100, 0.3, 0.5)
QUANTILES = {"p5": 0.1, "p25": 0.2, "p50": 0.5, "p75": 1.0, "p95": 3.0, "p99": None}
STATIONS = [Station(str(i), Estimate(10.0 + i, n, 8.0, 14.0), n >= 30) for i, n in enumerate((12, 90, 40, 3, 55))]
DRAWN = {
    "strips": lambda width: strips("x", "t", [Strip(r, 9, QUANTILES) for r in ROWS], width, write),
    "points": lambda width: points("x", "t", [Point(r, ESTIMATE) for r in ROWS], width, write),
    "differences": lambda width: points("x", "t", [Point(r, ESTIMATE) for r in ROWS], width, write, centred=True),
    "stacks": lambda width: stacks(
        "x", "t", [Stack(r, 9, [("a", "A", 0.7), ("b", "B", 0.3)]) for r in ROWS], width, write
    ),
    "pairs": lambda width: pairs("x", "t", [Pair(r, 1.0, 2.0) for r in ROWS], width, write, of=("a", "b")),
    "curve": lambda width: curve("x", "t", STATIONS, size=(width, 200), write=write),
    "arrivals": lambda width: arrivals("x", "t", [3.0, 5.0], [3.0, 4.0], width_s=1, size=(width, 190)),
}


@pytest.mark.parametrize("width", [326.0, 490.0, 1000.0])
@pytest.mark.parametrize("drawn", DRAWN)
def test_drawings_stay_inside_their_frame(drawn, width):
    """Every shape and the anchor of every text lies within the drawing, on a phone and on a desktop."""
    root = ET.fromstring(DRAWN[drawn](width))
    _, _, wide, high = (float(part) for part in root.get("viewBox").split())
    assert wide == width
    for shape in root.iter():
        for key, limit in (("x", wide), ("cx", wide), ("x1", wide), ("x2", wide), ("y", high), ("cy", high)):
            if key in shape.attrib:
                assert -0.01 <= float(shape.get(key)) <= limit + 0.01, (shape.tag, shape.attrib)
        if shape.tag == "rect":
            assert float(shape.get("x")) + float(shape.get("width")) <= wide + 0.01


@pytest.mark.parametrize("drawn", DRAWN)
def test_drawings_say_what_they_show(drawn):
    """Each drawing has a title and a description with its figures."""
    root = ET.fromstring(DRAWN[drawn](326.0))
    assert root.find("title").text == "t"
    assert re.search(r"\d", root.find("desc").text)


def test_small_samples_have_no_line():
    """The line and the ribbon run only through places with enough visits; the others are hollow."""
    root = ET.fromstring(DRAWN["curve"](490.0))
    curves = [path for path in root.iter("path") if path.get("class") == "curve c1"]
    assert [path.get("d").count("L") for path in curves] == [1, 0]
    assert sum(dot.get("class") == "hollow-faint" for dot in root.iter("circle")) == 2


def test_gauges_show_an_open_interval_to_the_edge():
    """An interval without an upper end is drawn to the end of the track."""
    root = ET.fromstring(gauge("g", "t", Estimate(5.0, 50, 4.0, None), 10.0, below=True, tone="good"))
    whisker = next(line for line in root.iter("line") if "whisker" in line.get("class"))
    assert float(whisker.get("x2")) == 176


def test_empty_drawings_are_drawings():
    """No rows, no bins, no visits: a frame, not a crash."""
    for drawing in (
        strips("x", "t", [], 326, write),
        points("x", "t", [], 326, write),
        stacks("x", "t", [], 326, write),
        curve("x", "t", [], size=(326, 200), write=write),
        spark("x", "t", [], "none", []),
        chart("x", "t", "d", (10, 10), []),
    ):
        assert ET.fromstring(drawing).tag == "svg"


def test_stations_may_be_a_list_or_a_mapping():
    """The backend's stations are read either way; no stations, no table."""
    as_list = stations({"stations": [{"name": "db", "utilisation": 0.5, "wait_mean_us": 1500.0}]})
    assert as_list == stations({"stations": {"db": {"utilisation": 0.5, "wait_mean_us": 1500.0}}})
    assert as_list.columns == ("utilisation", "wait mean")
    assert [cell.replace("\u202f", " ") for cell in as_list.rows[0]] == ["db", "50.0 %", "1.5 ms"]
    assert stations(None) is stations({}) is stations({"stations": []}) is None
