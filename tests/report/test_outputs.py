"""What a report leaves beside a run: the same bytes every time, whole files, and figures for programs."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from junitparser import Failure, JUnitXml, Skipped

import simulator.report.write as write_module
from simulator.analysis.runs import read_run
from simulator.model.faults import FileFaults
from simulator.report import FILES, write_reports

SCHEMA = json.loads((Path(write_module.__file__).with_name("summary.schema.json")).read_text(encoding="utf-8"))


@pytest.fixture
def judged(playing, tmp_path):
    """Return a live run with a threshold that holds, one that breaks, one with too few values."""
    thresholds = ("bounce < 99%", "pages > 100", "bounce{persona:tourist} < 99%")
    return playing.write_run(tmp_path / "run", world="live", thresholds=thresholds)


def cases(folder):
    """Return the JUnit cases by name, read back from the file."""
    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))
    return {case.name: case for case in suite}


def test_the_same_run_gives_the_same_bytes(judged, tmp_path):
    """Rendering twice, and rendering a copy elsewhere, gives the same four files byte for byte."""
    copy = shutil.copytree(judged, tmp_path / "elsewhere" / "run")
    write_reports(judged)
    first = {name: (judged / name).read_bytes() for name in FILES}
    write_reports(judged)
    write_reports(copy)
    for name in FILES:
        assert (judged / name).read_bytes() == first[name], name
        assert (copy / name).read_bytes() == first[name], name


def test_rendering_changes_nothing_else(judged):
    """A report adds its four files, leaves no temporary ones and touches no table."""
    before = {path.name: path.read_bytes() for path in judged.iterdir()}
    write_reports(judged)
    after = {path.name for path in judged.iterdir()}
    assert after == set(before) | set(FILES)
    assert all((judged / name).read_bytes() == content for name, content in before.items())


def test_verdict_is_returned_and_written(judged):
    """The verdict that decides the exit code is the one the summary holds."""
    verdict = write_reports(judged)
    summary = json.loads((judged / "summary.json").read_text(encoding="utf-8"))
    assert (verdict.state, verdict.exit_code) == ("failed", 1)
    assert (summary["verdict"]["state"], summary["verdict"]["exit_code"]) == ("failed", 1)


def test_junit_has_a_case_a_threshold_with_its_value(judged):
    """A broken threshold's message holds value, size and limit; too few values fail as well."""
    write_reports(judged)
    found = cases(judged)
    assert not found["bounce < 99%"].result
    (broken,) = found["pages > 100"].result
    assert isinstance(broken, Failure)
    assert broken.message.startswith("mean of pages is 3.")
    assert "n = " in broken.message
    assert broken.message.endswith("breaks > 100")
    (few,) = found["bounce{persona:tourist} < 99%"].result
    assert few.type == "too_few"


def test_junit_says_whether_the_generator_kept_up(playing, judged, crowd_folder, tmp_path):
    """A healthy generator passes, a saturated one fails with its reasons, other worlds skip the case."""
    write_reports(judged)
    assert not cases(judged)["the load generator kept up"].result
    tables = playing.live_tables(playing.played(rate=(8.0, 30.0))[0])
    generator = playing.generator(tables, saturated=["CPU was at 97 %", "p99 of start lag was 480 ms"])
    sick = playing.write_run(tmp_path / "sick", world="live", generator=generator)
    assert write_reports(sick).exit_code == 3
    (failure,) = cases(sick)["the load generator kept up"].result
    assert failure.message == "CPU was at 97 %; p99 of start lag was 480 ms"
    crowd = shutil.copytree(crowd_folder, tmp_path / "crowd")
    write_reports(crowd)
    assert isinstance(cases(crowd)["the load generator kept up"].result[0], Skipped)


def test_junit_counts_and_not_measured(playing, tmp_path):
    """What a world cannot measure is skipped in JUnit, and the suite's counts say so."""
    folder = playing.write_run(tmp_path / "run", thresholds=("errors < 1%", "bounce < 1%"))
    write_reports(folder)
    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))
    assert (suite.tests - len(read_run(folder).event_labels("page").counts()), suite.skipped) == (4, 2)
    assert (suite.errors, suite.failures) == (0, 1)
    (skipped,) = cases(folder)["errors < 1%"].result
    assert isinstance(skipped, Skipped)
    assert "the crowd world has no such thing" in skipped.message


def test_junit_survives_characters_that_xml_cannot_hold(playing, tmp_path):
    """Control characters in a reason do not make the file unreadable."""
    tables = playing.live_tables(playing.played(rate=(8.0, 30.0))[0])
    generator = playing.generator(tables, saturated=["lag \x00\x1b[31m of 2 s"])
    folder = playing.write_run(tmp_path / "run", world="live", generator=generator)
    write_reports(folder)
    ET.fromstring((folder / "junit.xml").read_text(encoding="utf-8"))


def test_interrupted_runs_are_reported_with_130(playing, tmp_path):
    """What was measured until the interrupt is reported, and no case pretends that the run ended well."""
    folder = playing.write_run(tmp_path / "run", world="live", thresholds=("bounce < 99%",), interrupted=True)
    assert write_reports(folder).exit_code == 130
    assert isinstance(cases(folder)["the run ran to its end"].result[0], Failure)
    assert "interrupted" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_schema_is_one():
    """The published schema is itself a valid JSON Schema, and names the version that summaries carry."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA["properties"]["$schema"]["const"]


@pytest.mark.parametrize("kind", ["live", "crowd", "arms", "capacity", "empty"])
def test_summaries_of_every_world_keep_the_schema(playing, arms_folder, tmp_path, kind):
    """Whichever world wrote the run, and however little is in it, summary.json is as published."""
    tables, names = playing.played()
    empty = {name: table.slice(0, 0) for name, table in tables.items()}
    folder = tmp_path / "run"
    if kind == "arms":
        shutil.copytree(arms_folder, folder)
    elif kind == "empty":
        playing.write_run(folder, tables=empty, names=names, interrupted=True)
    elif kind == "capacity":
        playing.write_run(folder, world="capacity", backend={"stations": [{"name": "db", "utilisation": 0.5}]})
    else:
        playing.write_run(folder, world=kind, thresholds=("bounce < 99%", "p95 of load_time < 1h"))
    write_reports(folder)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(summary)
    assert summary["run"]["seed"] == 7


def test_a_summary_that_strays_is_refused(judged):
    """The schema has no loose ends: a misspelt or missing figure does not validate."""
    write_reports(judged)
    summary = json.loads((judged / "summary.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for spoil in (
        lambda s: s["visits"]["all"].update(visit=3),
        lambda s: s["thresholds"][0].pop("n"),
        lambda s: s["verdict"].update(state="fine"),
        lambda s: s.update(extra=1),
    ):
        copy = json.loads(json.dumps(summary))
        spoil(copy)
        assert not validator.is_valid(copy)


def test_markdown_is_short_and_has_what_a_reviewer_asks(judged):
    """The verdict, each threshold with its value and the key figures with their basis fit into a comment."""
    write_reports(judged)
    text = (judged / "report.md").read_text(encoding="utf-8")
    assert text.startswith("### ❌ Footfall: failed\n")
    assert "2 of 3 thresholds did not hold." in text
    assert "<code>pages &gt; 100</code>" in text
    for line in ("| Engaged time |", "| Bounce |", "| Latency p50 · p95 · p99 |"):
        assert line in text
    assert "| measured |" in text
    assert "| modelled |" in text
    assert len(text) < 4_000


def test_markdown_escapes_what_names_could_do(playing, tmp_path):
    """A scenario's name cannot end a table's cell, mention people, link or hide text."""
    folder = playing.write_run(tmp_path / "run", name="a|b @everyone [x](y) <!-- **c**\n# d")
    write_reports(folder)
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "a\\|b @\u200beveryone \\[x\\]\\(y\\) &lt;\\!-- \\*\\*c\\*\\* \\# d" in text


def test_faulty_thresholds_of_a_manifest_are_named(playing, tmp_path):
    """A run whose thresholds no longer parse is refused with their places, and nothing is written."""
    folder = playing.write_run(tmp_path / "run", thresholds=("bounce < 50%", "bonce < 50%"))
    with pytest.raises(FileFaults, match=r"scenario\.thresholds\.1 bonce is not a metric") as error:
        write_reports(folder)
    assert "did you mean bounce?" in str(error.value)
    assert not (folder / "report.html").exists()


def test_a_full_disk_leaves_no_half_file(judged, monkeypatch):
    """When a file cannot be written the error says so, the earlier report stays whole, and nothing is left behind."""
    write_reports(judged)
    before = {path.name: path.read_bytes() for path in judged.iterdir()}

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write_module.os, "fsync", full)
    with pytest.raises(FileFaults, match=r"report\.html: cannot be written \(No space left on device\)"):
        write_reports(judged)
    assert {path.name: path.read_bytes() for path in judged.iterdir()} == before


def test_a_folder_that_takes_no_files_is_named(judged, monkeypatch):
    """A read-only run folder is an error that says so."""

    def refuse(**_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(write_module.tempfile, "mkstemp", refuse)
    with pytest.raises(FileFaults, match=r"report\.html: cannot be written \(Permission denied\)"):
        write_reports(judged)
