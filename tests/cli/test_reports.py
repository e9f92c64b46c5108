"""`footfall report` and `footfall capacity`: run once, report as often as you like."""

from __future__ import annotations

import json
import shutil
from xml.etree import ElementTree as ET

import pytest

REPORTS = ("report.html", "report.md", "junit.xml", "summary.json")
HOLDS, BREAKS = "bounce < 99%", "pages > 50"


def scenario(*thresholds):
    """Return a scenario of a few seconds with these thresholds."""
    listed = "".join(f"  - {text}\n" for text in thresholds)
    head = "scenario: mine\ndescribe: See [/docs] for more.\narrivals: {kind: constant, rate: 20/s}\nduration: 10s\n"
    return head + "shoppers: 200\n" + (f"thresholds:\n{listed}" if listed else "")


@pytest.fixture
def capacity(footfall, file, tmp_path):
    """Return a function that plays a scenario with these thresholds against a backend."""

    def played(*thresholds, backend="small_shop", options=(), folder="run"):
        file("mine.yaml", scenario(*thresholds))
        return footfall("capacity", "mine.yaml", "--backend", backend, "--out", tmp_path / folder, *options)

    return played


def reports(folder):
    """Return the four files of a report."""
    return {name: (folder / name).read_bytes() for name in REPORTS}


@pytest.mark.parametrize(
    ("thresholds", "code", "word"),
    [((HOLDS,), 0, "passed"), ((HOLDS, BREAKS), 1, "failed"), ((), 0, "passed")],
    ids=["all hold", "one breaks", "none"],
)
def test_the_exit_code_is_the_verdict(capacity, tmp_path, thresholds, code, word):
    """A capacity run ends with 0 when its thresholds hold and with 1 when one does not, and says which."""
    said = capacity(*thresholds)
    assert (said.code, said.out) == (code, ""), said.err
    lines = said.err.splitlines()
    assert [line.split()[0] for line in lines[: len(thresholds)]] == [
        "✗" if text == BREAKS else "✓" for text in thresholds
    ]
    assert lines[len(thresholds)].startswith(f"{word} ")
    assert lines[-1] == f"report: {tmp_path / 'run' / 'report.html'}"
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["verdict"]["state"] == word


def test_times_multiplies_the_arrivals(capacity, tmp_path):
    """`--times 3` brings three times the visits, and the manifest says so."""
    for times in ("1", "3"):
        assert capacity(options=("--times", times), folder=times).code == 0
    rows = {t: json.loads((tmp_path / t / "manifest.json").read_text())["tables"]["visits"][0]["rows"] for t in "13"}
    assert rows["3"] == pytest.approx(3 * rows["1"], rel=0.25)
    assert json.loads((tmp_path / "3" / "manifest.json").read_text())["backend"]["times"] == 3.0


def test_the_same_seed_is_the_same_capacity_run(capacity, tmp_path):
    """A capacity run is in virtual time: two of one seed are equal, byte for byte."""
    for folder in ("a", "b"):
        assert capacity(HOLDS, folder=folder).code == 0
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {path.name for path in (tmp_path / "b").iterdir()}
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)


def test_a_capacity_run_is_reported_again_byte_for_byte(footfall, capacity, tmp_path):
    """`report` renders the same four files of the same tables, and exits with the verdict again."""
    assert capacity(HOLDS, BREAKS).code == 1
    before = reports(tmp_path / "run")
    said = footfall("report", tmp_path / "run")
    assert said.code == 1
    assert reports(tmp_path / "run") == before


def test_generated_data_is_reported_twice_the_same(footfall, file, tmp_path):
    """A crowd run, which brings no report of its own, is reported from its tables; a second time the same."""
    file("mine.yaml", scenario(HOLDS))
    assert footfall("generate", "mine.yaml", "--out", "data").code == 0
    assert not any((tmp_path / "data" / name).exists() for name in REPORTS)
    assert footfall("report", "data").code == 0
    before = reports(tmp_path / "data")
    assert footfall("report", "data").code == 0
    assert reports(tmp_path / "data") == before
    ET.fromstring(before["junit.xml"])


def test_a_run_can_move(footfall, capacity, tmp_path):
    """A run folder holds all that its report needs: moved elsewhere, it is rendered to the same bytes."""
    capacity(HOLDS)
    shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    before = reports(tmp_path / "elsewhere")
    for name in REPORTS:
        (tmp_path / "elsewhere" / name).unlink()
    assert footfall("report", tmp_path / "elsewhere").code == 0
    assert reports(tmp_path / "elsewhere") == before


def cut(path):
    """Cut a file in half."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


BROKEN = {
    "the manifest is missing": (
        lambda run: (run / "manifest.json").unlink(),
        (
            "run: has no manifest.json, a run folder is needed. "
            "Hint: footfall generate, capacity, load and demo write run folders"
        ),
    ),
    "the manifest is cut short": (lambda run: cut(run / "manifest.json"), "run/manifest.json:"),
    "the manifest is of something else": (lambda run: (run / "manifest.json").write_text("{}"), "run/manifest.json: "),
    "a table is missing": (
        lambda run: (run / "visits.parquet").unlink(),
        "run/visits.parquet: is named in the manifest but does not exist",
    ),
    "a table is cut short": (
        lambda run: cut(run / "events.parquet"),
        "run/events.parquet: cannot be read as Parquet (",
    ),
    "a table was replaced": (
        lambda run: shutil.copy(run / "visits.parquet", run / "events.parquet"),
        "run/events.parquet: has no column page, fcp_us, load_us, measured_us, ok. Hint: was it written by another",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_run_that_is_not_whole(footfall, capacity, tmp_path, what):
    """A run that is missing something, or was changed, is told by file; exit code 2 and no new report."""
    capacity(HOLDS)
    damage, text = BROKEN[what]
    damage(tmp_path / "run")
    for name in REPORTS:
        (tmp_path / "run" / name).unlink()
    said = footfall("report", "run")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {text}")
    assert "Traceback" not in said.err
    assert not any((tmp_path / "run" / name).exists() for name in REPORTS)


def test_several_broken_tables_are_told_at_once(footfall, capacity, tmp_path):
    """Every table that cannot be read is named, not the first alone."""
    capacity(HOLDS)
    cut(tmp_path / "run" / "events.parquet")
    (tmp_path / "run" / "visits.parquet").unlink()
    lines = footfall("report", "run").err.splitlines()
    assert [line.split()[1] for line in lines] == ["run/events.parquet:", "run/visits.parquet:"]


def test_a_folder_that_is_not_there(footfall, tmp_path, monkeypatch):
    """A run that does not exist, or is a file, is told as that."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert footfall("report", "nosuch") == (2, "", "error: nosuch: does not exist, a run folder is needed\n")
    assert footfall("report", "file") == (2, "", "error: file: is not a folder, a run folder is needed\n")


def test_data_in_another_format_says_which_is_needed(footfall, tmp_path, monkeypatch):
    """A report needs Parquet: data that was generated as CSV is told how to become reportable."""
    monkeypatch.chdir(tmp_path)
    assert footfall("generate", "--shoppers", "20", "--format", "csv", "--out", "data").code == 0
    said = footfall("report", "data")
    assert said.code == 2
    assert (
        "has its events table as csv only, Parquet tables are needed. Hint: generate with --format parquet" in said.err
    )


def test_a_description_may_look_like_markup(capacity):
    """What a scenario or a threshold says is text, whatever the console makes of brackets."""
    assert capacity(HOLDS).code == 0
