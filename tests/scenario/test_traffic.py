"""Traffic curves from CSV files: several spellings, one meaning; and every fault of a file at once."""

import numpy as np
import pytest

from simulator.model.faults import FileFaults
from simulator.scenario.load import load_scenario
from simulator.scenario.traffic import MOST_FAULTS, read_traffic

EDGE = 1e-6


@pytest.fixture
def curve(tmp_path):
    """Return a function that reads a curve from a text."""

    def read(text, **options):
        path = tmp_path / "traffic.csv"
        path.write_text(text)
        return read_traffic(path, **options)

    return read


SAME = {
    "seconds": "offset,rate\n0,2\n60,5\n120,1\n",
    "from another beginning": "offset_s,rate\n30,2\n90,5\n150,1\n",
    "minutes in the column's name": "offset_min,rps\n0,2\n1,5\n2,1\n",
    "milliseconds": "offset_ms,rate\n0,2\n60000,5\n120000,1\n",
    "durations": "time,rate\n0s,2\n1min,5\n2min,1\n",
    "the clock": "time,rate\n08:00,2\n08:01,5\n08:02:00,1\n",
    "time stamps of a zone": "timestamp,rate\n2026-01-05T08:00:00+01:00,2\n2026-01-05T08:01:00+01:00,5\n"
    "2026-01-05 08:02:00+01:00,1\n",
    "time stamps in UTC": "timestamp,rate\n2026-01-05T08:00:00Z,2\n2026-01-05T08:01Z,5\n2026-01-05T08:02:00Z,1\n",
    "time stamps of no zone": "date,rate\n2026-01-05T08:00,2\n2026-01-05T08:01,5\n2026-01-05T08:02,1\n",
    "seconds since 1970": "timestamp,rate\n1767600000,2\n1767600060,5\n1767600120,1\n",
    "milliseconds since 1970": "timestamp,rate\n1767600000000,2\n1767600060000,5\n1767600120000,1\n",
    "a rate a minute": "offset,rpm\n0,120\n60,300\n120,60\n",
    "a rate an hour": "offset,per_h\n0,7200\n60,18000\n120,3600\n",
    "other columns, capitals and a byte order mark": "\ufeffhost,Time,Rate,note\na,0,2,\na,60,5,x\na,120,1,\n",
    "semicolons": "time;rate\n0;2\n60;5\n120;1\n",
    "tabs, comments and empty lines": "# from the monitor\n\ntime\trate\n0\t2\n\n60\t5\n# noon\n120\t1\n",
    "quoted cells": '"time","rate"\n"0","2"\n"60","5"\n"120","1"\n',
}


@pytest.mark.parametrize("what", SAME)
def test_the_same_curve_in_many_spellings(what, curve):
    """Whatever the unit and the kind of time, a curve counts its seconds from its first row, in visits a second."""
    assert np.array(curve(SAME[what]).points) == pytest.approx(np.array([(0, 2), (60, 5), (120, 1)]))


def test_counts_are_even_until_the_next_row(curve):
    """A count is of the time from its row to the next, the last of as long as the one before: no visit is lost."""
    found = curve("time,visits\n08:00,600\n08:05,3000\n08:15,0\n08:16,60\n")
    expected = [(0, 2), (300, 2), (300 + EDGE, 5), (900, 5), (900 + EDGE, 0), (960, 0), (960 + EDGE, 1), (1020, 1)]
    assert np.array(found.points) == pytest.approx(np.array(expected), abs=1e-9)


def test_columns_and_unit_may_be_given(curve):
    """Columns of any name can be read when they are named, with their unit."""
    options = {"time_column": "when", "value_column": "load", "unit": "per_min"}
    assert curve("load,when\n120,0\n60,30\n", **options).points == ((0, 2), (30, 1))


def test_a_run_takes_its_part_of_the_curve(curve):
    """A shorter run is cut on the line between rows, a longer one keeps the last rate, a faster one is compressed."""
    found = curve(SAME["seconds"])
    assert found.profile(90.0) == [(0, 2), (60, 5), (90, 3)]
    assert found.profile(200.0) == [(0, 2), (60, 5), (120, 1), (200, 1)]
    assert found.profile(2.0, speed=60.0) == [(0, 2), (1, 5), (2, 1)]


FAULTS = {
    "negative rates": ("time,rate\n0,1\n10,-2\n20,3\n", [(3, "rate is -2", "must not be negative")]),
    "unsorted times": ("time,rate\n0,1\n20,2\n10,3\n", [(4, "time is not after the row before", "times must grow")]),
    "a time twice": ("time,rate\n0,1\n0,2\n", [(3, "time is not after the row before", "times must grow")]),
    "no column of time": ("when,rate\n0,1\n", [(1, "has no column of time among when, rate", "allowed are time")]),
    "neither column": (
        "a,b\n0,1\n1,2\n",
        [(1, "has no column of time", "allowed"), (1, "has no column of rate or count", "allowed")],
    ),
    "zones and none": (
        "time,rate\n2026-01-05T08:00:00Z,1\n2026-01-05T09:00:00,2\n",
        [(3, "time is a time stamp without UTC offset", "the rows before are a time stamp of UTC+0 h")],
    ),
    "two zones": (
        "time,rate\n2026-01-05T08:00:00+01:00,1\n2026-01-05T09:00:00+02:00,2\n",
        [(3, "time is a time stamp of UTC+2 h", "the rows before are a time stamp of UTC+1 h")],
    ),
    "numbers and clocks": (
        "time,rate\n0,1\n08:00,2\n",
        [(3, "time is a time of the clock", "rows before are a number")],
    ),
    "one row": ("time,rate\n0,1\n", [(0, "has 1 rows", "at least two are needed")]),
    "no rows": ("time,rate\n", [(0, "has 0 rows", "at least two are needed")]),
    "nothing at all": ("", [(0, "is empty", "a header and at least two rows are needed")]),
    "nobody": ("time,rate\n0,0\n9,0\n", [(0, "has no value above zero", "one is needed")]),
    "words": (
        "time,rate\n0,1\nsoon,2\n9,many\n",
        [(3, "time is soon", "must be a time"), (4, "rate is many", "number")],
    ),
    "no number": (
        "time,rate\n0,nan\n1,inf\n2,\n",
        [(2, "nan", "number"), (3, "inf", "number"), (4, "empty", "number")],
    ),
    "numbers with separators": (
        'time,rate\n0,"1,5"\n1,"1,500"\n',
        [(2, "rate is 1,5", "decimal point"), (3, "rate is 1,500", "decimal point, without separators")],
    ),
    "a slip of the keyboard": ("time,rate\n0,1\n1,1e300\n", [(3, "rate is 1e300", "must be at most 1e+09")]),
    "two columns that could be meant": (
        "time,rate,count\n0,1,2\n1,1,2\n",
        [(1, "has several columns of rate or count: rate and count", "one must be meant")],
    ),
    "a column twice": ("time,rate,rate\n0,1,2\n1,1,2\n", [(1, "has several columns", "one must be meant")]),
    "past midnight": ("time,rate\n23:00,1\n00:00,2\n", [(3, "time is not after the row before", "times must grow")]),
    "unsorted times after a bad value": (
        "time,rate\n0,1\n9,-1\n5,2\n",
        [(3, "rate is -1", "must not be negative"), (4, "time is not after the row before", "times must grow")],
    ),
    "a torn row": ("time,rate\n0,1\n9\n10,2\n", [(3, "has 1 cells", "the header has 2")]),
    "everything": (
        "time,rate\n0,1\n9,-1\nx,y\n3,1\n",
        [(3, "-1", "negative"), (4, "y", "number"), (4, "x", "must be a time"), (5, "not after", "must grow")],
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_curve_that_makes_no_sense(what, curve):
    """Each thing wrong is said with its line, what was found and what is allowed, all of a file at once."""
    text, expected = FAULTS[what]
    with pytest.raises(FileFaults) as refused:
        curve(text)
    found = refused.value.faults
    assert [fault.line for fault in found] == sorted(line for line, _, _ in expected)
    for line, what_found, allowed in expected:
        assert any(f.line == line and what_found in f"{f.path} {f.found}" and allowed in f.allowed for f in found)


def test_of_many_faults_the_first_are_told(curve):
    """A file of nothing but faults says the first of them, and how many there are besides."""
    with pytest.raises(FileFaults) as refused:
        curve("time,rate\n" + "".join(f"{n},-1\n" for n in range(100)))
    assert len(refused.value.faults) == MOST_FAULTS + 1
    assert "80 more faults" in refused.value.faults[-1].found


def test_an_unknown_unit_is_asked_for(curve):
    """A value column that is named but says no unit is refused, not guessed."""
    with pytest.raises(FileFaults, match="load has no known unit, allowed are per_s, per_min"):
        curve("time,load\n0,1\n1,2\n", value_column="load")


def test_a_named_column_there_is_not(curve):
    """A misspelt column is refused with the nearest that there is."""
    with pytest.raises(FileFaults, match="did you mean visits"):
        curve("time,visits\n0,1\n1,2\n", value_column="visit")


SCENARIO = "scenario: mine\ndescribe: x\nduration: 2min\narrivals: {kind: csv, file: traffic.csv}\n"


def test_a_scenario_takes_its_curve_from_beside_it(tmp_path):
    """A scenario's file stands beside it; the plan has the curve's visits, and the digest changes with them."""
    (tmp_path / "mine.yaml").write_text(SCENARIO)
    (tmp_path / "traffic.csv").write_text("time,count\n0,600\n60,1200\n")
    scenario = load_scenario(str(tmp_path / "mine.yaml"))
    starts = scenario.plan().start_us / 1e6
    assert abs((starts < 60).sum() - 600) < 4 * 600**0.5
    assert abs((starts >= 60).sum() - 1200) < 4 * 1200**0.5
    (tmp_path / "traffic.csv").write_text("time,count\n0,600\n60,1201\n")
    assert load_scenario(str(tmp_path / "mine.yaml")).digest() != scenario.digest()


def test_faults_of_scenario_and_curve_come_together(tmp_path):
    """What is wrong with the scenario and what is wrong with its curve is said at once, each with its own file."""
    (tmp_path / "mine.yaml").write_text(SCENARIO.replace("2min", "2"))
    (tmp_path / "traffic.csv").write_text("time,count\n0,1\n1,-1\n")
    with pytest.raises(FileFaults) as refused:
        load_scenario(str(tmp_path / "mine.yaml"))
    assert [(f.file.rpartition("/")[2], f.line, f.path) for f in refused.value.faults] == [
        ("mine.yaml", 3, "duration"),
        ("traffic.csv", 3, "count"),
    ]


def test_a_file_there_is_not_is_the_scenarios_fault(tmp_path):
    """A missing curve is a fault of the line that names it."""
    (tmp_path / "mine.yaml").write_text(SCENARIO)
    with pytest.raises(FileFaults) as refused:
        load_scenario(str(tmp_path / "mine.yaml"))
    assert [(f.line, f.path, f.found) for f in refused.value.faults] == [
        (4, "arrivals.file", "traffic.csv does not exist")
    ]


def test_a_stretch_without_anybody_has_no_peak(tmp_path):
    """A curve whose stretch is empty cannot be scaled to a peak; the scenario is refused, not the run."""
    (tmp_path / "mine.yaml").write_text(SCENARIO.replace("traffic.csv}", "traffic.csv, peak: 9/s}"))
    (tmp_path / "traffic.csv").write_text("time,rate\n0,0\n300,0\n600,5\n")
    with pytest.raises(FileFaults, match="has no arrivals in the stretch"):
        load_scenario(str(tmp_path / "mine.yaml"))


def test_a_campaigns_personas_are_the_populations(tmp_path):
    """A campaign for a persona that does not come is refused with its line and the nearest name."""
    burst = "campaigns:\n  - {name: a, start: 1h, length: 1h, lift: 2, personas: {turist: 1}}\n"
    (tmp_path / "mine.yaml").write_text("scenario: mine\ndescribe: x\n" + burst)
    with pytest.raises(FileFaults, match=r"turist is not a persona of the population.*did you mean tourist"):
        load_scenario(str(tmp_path / "mine.yaml"))
