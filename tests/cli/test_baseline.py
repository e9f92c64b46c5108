"""`footfall baseline`: runs are kept, compared with their like, and what is worse fails the job."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simulator.report.comparison as comparison_module
from simulator.scenario.load import load_scenario
from simulator.worlds.backend import load_backend
from simulator.worlds.capacity_run import capacity_plan, run_capacity

SCHEMA = json.loads(Path(comparison_module.__file__).with_name("comparison.schema.json").read_text(encoding="utf-8"))
SCENARIO = """\
scenario: mine
describe: A comparison.
arrivals: {kind: constant, rate: 25/s}
duration: 12s
thresholds: [bounce < 99%]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with runs of seeds 1 to 4 and one of another duration."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    for seed in (1, 2, 3, 4):
        play(folder, f"run{seed}", seed=seed)
    play(folder, "longer", duration="14s")
    return folder


def play(folder, out, **overrides):
    """Play the scenario before a backend."""
    loaded = load_scenario(str(folder / "mine.yaml"), overrides)
    run_capacity(loaded, load_backend("uncontended"), capacity_plan(loaded, 1.0), 1.0, folder / out, lambda _: None)


@pytest.fixture
def baseline(footfall, made, tmp_path, monkeypatch):
    """Return a function that runs `footfall baseline` beside the runs, with a store of its own."""
    monkeypatch.chdir(made)
    monkeypatch.setenv("FOOTFALL_BASELINES", str(tmp_path / "kept"))
    return lambda *arguments: footfall("baseline", *arguments)


def test_a_like_run_passes(baseline):
    """Another seed of the same shop is compared figure by figure, nothing is worse, and the exit code is 0."""
    said = baseline("save", "run1")
    assert said.code == 0
    assert "0001 (runs: 1, settings " in said.err
    said = baseline("compare", "run2")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].split() == ["figure", "baseline", "run", "change", "(95", "%)", "noise", "floor", "q", "n"]
    assert [line.split("  ")[0] for line in lines[1:4]] == ["mean of engaged_time", "mean of pages", "bounce"]
    assert "no difference shown" in said.out
    assert said.err == "None of 7 figures is shown to be worse than baseline mine (1 run).\n"


def test_a_worse_run_fails(baseline, made, tmp_path):
    """A run whose pages take three times as long ends with 1, and the table says which figures are worse."""
    slower = slowed(made / "run1", tmp_path / "slower", 3)
    baseline("save", "run1", "--name", "main")
    said = baseline("compare", slower, "--against", "main", "--figure", "p75 of load_time", "--figure", "bounce")
    assert said.code == 1
    assert next(line.split()[-1] for line in said.out.splitlines()[1:]) == "worse"
    assert "1 of 2 figures is worse than baseline main (1 run)." in said.err


def slowed(run, folder, times):
    """Return a copy of a run whose load times are multiplied; its manifest no longer vouches for the table."""
    shutil.copytree(run, folder)
    events = pq.read_table(folder / "events.parquet")
    place = events.schema.get_field_index("load_us")
    loads = [None if one is None else one * times for one in events["load_us"].to_pylist()]
    pq.write_table(
        events.set_column(place, events.schema.field(place), pa.array(loads, pa.int32())), folder / "events.parquet"
    )
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["events"][0]["sha256"] = ""
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_the_same_run_is_shown_to_be_no_different(baseline):
    """A run against itself changes nothing, which is shown, not merely not disproved."""
    baseline("save", "run1")
    said = baseline("compare", "run1", "--figure", "engaged_time")
    assert (said.code, "shown to be no different" in said.out) == (0, True)


def test_json_keeps_its_schema(baseline):
    """`--json` prints what the published schema describes, with a noise floor from three runs on."""
    for run in ("run1", "run2", "run3"):
        assert baseline("save", run).code == 0
    said = baseline("compare", "run4", "--json")
    found = json.loads(said.out)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert len(found["baseline"]["runs"]) == 3
    assert all(figure["noise_floor"] is not None for figure in found["figures"] if figure["before"])
    assert said.code == found["exit_code"]
    assert baseline("compare", "run4", "--json").out == said.out


def test_other_settings_are_refused(baseline):
    """A run of another duration ends with 2 and the setting that differs."""
    baseline("save", "run1")
    said = baseline("compare", "longer")
    assert (said.code, said.out) == (2, "")
    assert "error: longer: scenario.duration is 14s, was 12s, baseline mine has other settings" in said.err
    assert "--replace" in said.err
    assert baseline("save", "longer").code == 2
    assert baseline("save", "longer", "--replace").code == 0


def test_a_run_that_was_interrupted_is_refused(baseline, made, tmp_path):
    """Figures that cannot be trusted are no baseline and no evidence: exit code 3, with the reason."""
    copy = shutil.copytree(made / "run1", tmp_path / "cut")
    manifest = json.loads((copy / "manifest.json").read_text()) | {"interrupted": True}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    for command in ("save", "compare"):
        said = baseline(command, copy)
        assert said.code == 3
        assert said.err == "error: mine is no run to compare: it was interrupted\n"


def test_what_is_asked_wrongly_is_told(baseline):
    """A misspelt figure, margin or baseline, and a folder that is no run, are usage errors with what is allowed."""
    baseline("save", "run1", "--name", "main")
    for arguments, text in (
        (("run2", "--against", "mian"), "has no baseline mian, there are main. Hint: did you mean main?"),
        (("run2", "--against", "main", "--figure", "bonce"), "--figure: bonce is not a metric"),
        (("run2", "--against", "main", "--margin", "much"), "much is no share, as 2% or 0.02"),
        (("nowhere", "--against", "main"), "nowhere: does not exist, a run folder is needed"),
    ):
        said = baseline("compare", *arguments)
        assert said.code == 2, said
        assert text in " ".join(said.err.split())


def test_list_and_drop(baseline, tmp_path):
    """What is kept is listed with its runs; dropping leaves nothing."""
    assert baseline("list").err == f"no baselines in {tmp_path / 'kept'}\n"
    baseline("save", "run1", "--name", "main")
    baseline("save", "run2", "--name", "main")
    assert baseline("list").out.splitlines()[1].split()[:3] == ["main", "2", "capacity"]
    assert baseline("drop", "main").err == "dropped main (runs: 2)\n"
    assert baseline("list").out == ""


def test_a_github_job_gets_summary_and_annotations(baseline, made, tmp_path, monkeypatch):
    """In a job, the comparison is appended to the step summary, and each worse figure is an error on the run."""
    slower = slowed(made / "run1", tmp_path / "slower", 3)
    baseline("save", "run1", "--name", "main")
    (tmp_path / "summary.md").write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = baseline("compare", slower, "--against", "main", "--figure", "p75 of load_time")
    written = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert written.startswith("before\n### ❌ Footfall against main\n")
    assert "| ❌ | p75 of load\\_time |" in written
    (line,) = (line for line in said.err.splitlines() if line.startswith("::"))
    assert line.startswith("::error title=Footfall%3A worse than main::p75 of load_time: ")
    assert "%25" in line


def test_thresholds_find_their_baseline(footfall, baseline, made, tmp_path):
    """`vs baseline` in a scenario is judged with the baselines at hand, and fails the run when there is none."""
    copy = shutil.copytree(made / "run2", tmp_path / "again")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["scenario"]["thresholds"] = ["engaged_time vs baseline > -90%"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    said = footfall("report", copy)
    assert said.code == 1
    assert "there is no baseline mine" in said.err
    baseline("save", "run1")
    said = footfall("report", copy)
    assert said.code == 0, said.err
    assert "in baseline mine (1 run)" in said.err
