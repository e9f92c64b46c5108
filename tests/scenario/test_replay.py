"""Arrivals as they were: one meaning in many spellings, CSV and Parquet; and every fault of a file at once."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.journey.plan import share_of
from simulator.model.faults import FileFaults
from simulator.scenario.load import load_scenario
from simulator.scenario.replay import read_replay
from simulator.worlds.capacity_run import capacity_plan

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
OFFSETS_S = (0.0, 0.25, 0.25, 3.5)


@pytest.fixture
def written(tmp_path):
    """Return a function that writes text or a column of times and reads it as arrivals."""

    def write(content, **options):
        path = tmp_path / ("visits.csv" if isinstance(content, str) else "visits.parquet")
        if isinstance(content, str):
            path.write_text(content)
        else:
            pq.write_table(content if isinstance(content, pa.Table) else pa.table({"time": content}), path)
        return read_replay(path, **options)

    return write


def stamps(zone, unit="us"):
    """Return the times as an arrow column of time stamps."""
    return pa.array([BEGIN + timedelta(seconds=s) for s in OFFSETS_S], pa.timestamp(unit, zone))


SAME = {
    "numbers": "time\n0\n0.25\n0.25\n3.5\n",
    "milliseconds in any order": "offset_ms\n3500\n0\n250\n250\n",
    "durations": "at\n0s\n250ms\n250ms\n3500ms\n",
    "time stamps of several zones": "when,timestamp\nx,2026-01-05T09:00:00+01:00\nx,2026-01-05T08:00:00.250Z\n"
    "x,2026-01-05T08:00:00.250Z\nx,2026-01-05T08:00:03.5Z\n",
    "seconds since 1970": "time\n1767600000\n1767600000.25\n1767600000.25\n1767600003.5\n",
    "Parquet: time stamps in UTC": stamps("UTC"),
    "Parquet: time stamps of a zone in nanoseconds": stamps("Asia/Tokyo", "ns"),
    "Parquet: time stamps of no zone": stamps(None, "ms"),
    "Parquet: durations": pa.array([timedelta(seconds=s) for s in OFFSETS_S], pa.duration("us")),
    "Parquet: seconds": pa.array(OFFSETS_S),
    "Parquet: milliseconds since 1970": pa.array([1_767_600_000_000 + int(s * 1e3) for s in OFFSETS_S]),
    "Parquet: texts": pa.array(["0s", "250ms", "3500ms", "250ms"]),
}


@pytest.mark.parametrize("what", SAME)
def test_the_same_arrivals_in_many_spellings(what, written):
    """Instants count from the first arrival, in order, to the microsecond; two at once stay two."""
    assert written(SAME[what]).starts_us.tolist() == [0, 250_000, 250_000, 3_500_000]


def test_offsets_count_from_the_runs_start(written):
    """Numbers and durations are of the run's own clock: the first arrival may come late."""
    assert written("offset_s\n7\n5\n").starts_us.tolist() == [5_000_000, 7_000_000]


def test_whose_visits_they_were(written):
    """Rows of one name are visits of one shopper, numbered as they come first; a row of no name is another's."""
    text = "time,member\n0,zoe\n5,\n1,adam\n2,zoe\n3,\n"
    assert written(text, shopper_column="member").shopper.tolist() == [0, 1, 0, 2, 3]
    table = pa.table({"at": [0, 5, 1, 2, 3], "member": [9, None, 7, 9, None]})
    assert written(table, shopper_column="member").shopper.tolist() == [0, 1, 0, 2, 3]


FAULTS = {
    "no such column": ("when\n1\n", {}, "has no column of time among when"),
    "no column of shoppers": ("time\n1\n", {"shopper_column": "who"}, "has no column of shopper among time"),
    "no rows": ("time\n", {}, "has no rows"),
    "negative offsets": ("time\n-3\n1\n", {}, "times count from the run's start"),
    "words": ("time\nsoon\n1\n", {}, r"visits.csv:2: time is soon, must be a time"),
    "two kinds": ("time\n1\n09:00\n", {}, r"visits.csv:3: time is a time of the clock, the rows before are a number"),
    "a torn row": ("time,x\n1,2\n3\n", {}, r"visits.csv:3: has 1 cells"),
    "Parquet without times": (pa.array([True]), {}, "has time of type bool"),
    "Parquet with holes": (pa.array([1.0, None]), {}, "has 1 rows without time"),
    "Parquet of two units": (pa.array([1.0, 1_767_600_000.0]), {}, "one must be meant"),
    "Parquet that is no number": (pa.array([1.0, float("nan")]), {}, "1 rows whose time is no number"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_arrivals_that_make_no_sense(what, written):
    """Each thing wrong is said with its place."""
    content, options, text = FAULTS[what]
    with pytest.raises(FileFaults, match=text):
        written(content, **options)


def test_a_parquet_file_that_is_none(tmp_path):
    """A file that is not Parquet, or not there, is said so."""
    (tmp_path / "x.parquet").write_text("time\n1\n")
    for name, text in (("x.parquet", "cannot be read as Parquet"), ("y.parquet", "does not exist")):
        with pytest.raises(FileFaults, match=text):
            read_replay(tmp_path / name)


SCENARIO = "scenario: mine\ndescribe: x\nduration: 4s\narrivals: {kind: replay, file: visits.csv, ROWS}\n"


@pytest.fixture
def scenario(tmp_path):
    """Return a function that loads a scenario with these arrivals beside it."""

    def load(more, text, **overrides):
        (tmp_path / "mine.yaml").write_text(SCENARIO.replace("ROWS", more))
        (tmp_path / "visits.csv").write_text(text)
        return load_scenario(str(tmp_path / "mine.yaml"), overrides)

    return load


def test_a_scenario_replays_its_file(scenario):
    """The plan holds the file's arrivals as far as the run goes, a shopper's visits side by side and in one arm."""
    arms = [{"name": "slower", "share": 0.5, "delay": {"all": "1s"}}]
    found = scenario("shopper_column: who", "time,who\n0,a\n1,b\n3.9,a\n4,c\n", arms=arms)
    plan = found.plan()
    assert [column.tolist() for column in plan[:2]] == [[0, 0, 1], [0, 1, 0]]
    assert plan.start_us.tolist() == [0, 3_900_000, 1_000_000]
    assert plan.arm[0] == plan.arm[1]
    assert found.digest() != scenario("shopper_column: who", "time,who\n0,a\n1,b\n3.8,a\n4,c\n", arms=arms).digest()


def test_a_faster_replay(scenario):
    """With speed more of the file passes in the run; what comes after its end is left out."""
    plan = scenario("speed: 10", "time\n0\n10\n39.9\n40\n").plan()
    assert plan.start_us.tolist() == [0, 1_000_000, 3_990_000]


def test_a_replay_after_the_runs_end(scenario):
    """Times of which none falls into the run are a fault of the scenario, with what to do."""
    with pytest.raises(FileFaults, match=r"arrivals.file has its first arrival 9 s after .* Hint: a longer `duration`"):
        scenario("speed: 1", "time\n9\n")


def test_what_has_no_rate_cannot_be_multiplied(scenario):
    """The capacity world refuses more of a replay than there was, and arrivals that wait for each other."""
    replay = scenario("speed: 1", "time\n0\n1\n")
    assert len(capacity_plan(replay, 1).shopper) == 2
    with pytest.raises(FileFaults, match="no rate to multiply"):
        capacity_plan(replay, 2)
    closed = scenario("speed: 1", "time\n0\n", arrivals={"kind": "closed", "shoppers": 3})
    with pytest.raises(FileFaults, match="each visit waits for the one before it"):
        capacity_plan(closed, 1)


def test_closed_arrivals_begin_with_everybodys_first_visit(scenario):
    """So many shoppers begin, evenly over the rise, or all at once."""
    closed = scenario("speed: 1", "time\n0\n", arrivals={"kind": "closed", "shoppers": 4, "rise": "2s"})
    plan = closed.plan()
    assert closed.closed
    assert plan.start_us.tolist() == [0, 500_000, 1_000_000, 1_500_000]
    assert plan.shopper.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_workers_share_a_plan(scenario, workers):
    """The parts of several workers are the whole plan, and all visits of a shopper are one worker's."""
    rows = "".join(f"{n / 100},{n % 11}\n" for n in range(300))
    plan = scenario("shopper_column: who", "time,who\n" + rows).plan()
    parts = [share_of(plan, worker, workers) for worker in range(workers)]
    assert sorted(row for part in parts for row in zip(*part, strict=True)) == sorted(zip(*plan, strict=True))
    owners = [set(part.shopper.tolist()) for part in parts]
    assert sum(map(len, owners)) == len(set(plan.shopper.tolist())) == 11
    assert max(len(part.shopper) for part in parts) <= np.ceil(11 / workers) * 28
