"""Baselines: what is saved can be compared, only like with like, and thresholds may name them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.analysis.baselines import Store
from simulator.analysis.grammar import parse_figures
from simulator.analysis.manifest import read_manifest
from simulator.analysis.measuring import measure
from simulator.analysis.runs import read_run
from simulator.analysis.settings import differences, settings_digest
from simulator.analysis.thresholds import judge, parse_thresholds
from simulator.model.faults import FileFaults
from simulator.runfolder.baselines import drop_baseline, save_run
from simulator.scenario.load import load_scenario


@pytest.fixture
def store(tmp_path):
    """Return an empty store."""
    return Store(tmp_path / "baselines")


@pytest.fixture(scope="session")
def seeds(playing, tmp_path_factory):
    """Return three runs of different seeds."""
    made = {}
    for seed in (7, 8, 9):
        tables, names = playing.played(seed=seed)
        folder = tmp_path_factory.mktemp("seeds") / str(seed)
        made[seed] = playing.write_run(folder, tables=tables, names=names, seed=seed)
    return made


def test_a_saved_run_has_the_figures_of_the_run(live_folder, store):
    """Whatever a threshold may ask, the saved run answers as the run did, from less."""
    run = read_run(live_folder)
    folder = save_run(store, "main", run, keep=10)
    (saved,) = store.runs("main")
    for figure in parse_figures(["bounce", "engaged_time", "p95 of load_time{page:product, network:lte}", "errors"]):
        assert measure(saved, figure) == measure(run, figure)
    assert sum(path.stat().st_size for path in folder.iterdir()) < sum(p.stat().st_size for p in live_folder.iterdir())
    assert differences(run.manifest, saved.manifest) == []


def test_runs_are_numbered_and_the_oldest_go(seeds, store):
    """Each save adds a run; beyond `keep` the oldest are dropped, and numbers are not used again."""
    for seed in (7, 8, 9):
        save_run(store, "main", read_run(seeds[seed]), keep=2)
    assert [path.name for path in store.saved("main")] == ["0002", "0003"]
    assert [run.manifest.seed for run in store.runs("main")] == [8, 9]
    assert sorted(path.name for path in (store.folder / "main").iterdir()) == ["0002", "0003"]


def test_the_same_run_twice_is_refused(seeds, store):
    """A run saved twice would pass for two runs that do not differ at all."""
    save_run(store, "main", read_run(seeds[7]), keep=10)
    with pytest.raises(FileFaults, match="holds this run already, as 0001"):
        save_run(store, "main", read_run(seeds[7]), keep=10)
    assert len(store.saved("main")) == 1


def changed(folder, copy, **scenario):
    """Return a copy of a run whose scenario says something else."""
    shutil.copytree(folder, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["scenario"] |= scenario
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return read_run(copy)


def test_other_settings_are_refused_with_every_difference(seeds, store, tmp_path):
    """A run of another rate and duration is not added; both are named, with a way out."""
    save_run(store, "main", read_run(seeds[7]), keep=10)
    arrivals = {"kind": "constant", "rate": "9/s", "spacing": "poisson"}
    other = changed(seeds[8], tmp_path / "other", duration="60s", arrivals=arrivals)
    with pytest.raises(FileFaults) as error:
        save_run(store, "main", other, keep=10)
    assert "scenario.duration is 60s, was 30s" in str(error.value)
    assert "scenario.arrivals.rate is 9/s, was 8/s" in str(error.value)
    assert "--replace" in str(error.value)
    save_run(store, "main", other, keep=10, replace=True)
    assert len(store.saved("main")) == 1


@pytest.mark.parametrize("key", ["thresholds", "host", "describe", "min_samples"])
def test_what_only_judges_or_is_under_test_is_no_setting(seeds, tmp_path, key):
    """Other thresholds, or another host, leave runs comparable."""
    other = changed(seeds[7], tmp_path / "other", **{key: "x"})
    run = read_run(seeds[7])
    assert differences(run.manifest, other.manifest) == []
    assert settings_digest(run.manifest) == settings_digest(other.manifest)


def test_the_settings_of_a_scenario_tell_which_file_changed():
    """A scenario names a digest for each persona, the target and the tables; seed and thresholds are in none."""
    plain, other = load_scenario("smoke"), load_scenario("smoke", {"seed": 9, "thresholds": []})
    assert plain.settings() == other.settings()
    assert {"target", "pages", "calendar", *(f"persona {name}" for name in plain.roster.personas)} <= set(
        plain.settings()
    )
    diurnal = load_scenario("smoke", {"arrivals": {"kind": "constant", "rate": "9/s"}}).settings()
    assert [name for name, digest in plain.settings().items() if diurnal[name] != digest] == ["arrivals"]


def test_a_changed_persona_is_named(seeds, store, tmp_path):
    """A difference in a file is told by the file, since its content stands in no manifest."""
    for seed, digest in ((7, "a"), (8, "b")):
        copy = shutil.copytree(seeds[seed], tmp_path / str(seed))
        manifest = json.loads((copy / "manifest.json").read_text()) | {"settings": {"persona tourist": digest}}
        (copy / "manifest.json").write_text(json.dumps(manifest))
    save_run(store, "main", read_run(tmp_path / "7"), keep=10)
    reason = store.reason_against(read_manifest(tmp_path / "8"), "main")
    assert reason == "baseline main had other settings: digest of persona tourist differs"


def judged(run, text, store):
    """Return the result of one threshold."""
    (result,) = judge(run, parse_thresholds([text]), store=store)
    return result


def test_thresholds_compare_with_a_baseline(seeds, store):
    """`vs baseline` is the change from the mean over the baseline's runs, with size and interval."""
    for seed in (8, 9):
        save_run(store, "demo", read_run(seeds[seed]), keep=10)
    run = read_run(seeds[7])
    found = judged(run, "engaged_time vs baseline > -60%", store)
    means = {s: np.mean(pq.read_table(seeds[s] / "visits.parquet")["engaged_us"].to_numpy()) for s in seeds}
    assert found.estimate.value == pytest.approx(means[7] / np.mean([means[8], means[9]]) - 1)
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert (found.state, found.threshold.kind) == ("passed", "change")
    assert "in baseline demo (2 runs)" in found.text
    assert "keeps > -60%" in found.text
    assert judged(run, "engaged_time vs baseline > 60%", store).state == "failed"


def test_points_are_differences_of_shares(seeds, store):
    """`bounce vs baseline < 50pp` is the difference in points, not in percent of the baseline's bounce."""
    save_run(store, "main", read_run(seeds[8]), keep=10)
    found = judged(read_run(seeds[7]), "bounce vs baseline:main < 50pp", store)
    shares = [np.mean(pq.read_table(seeds[s] / "visits.parquet")["bounced"].to_numpy()) for s in (7, 8)]
    assert found.estimate.value == pytest.approx(shares[0] - shares[1])
    assert "pp" in found.text


@pytest.mark.parametrize("at_hand", [False, True])
def test_a_missing_baseline_does_not_pass(seeds, store, at_hand):
    """Without the baseline a threshold is not measured, which fails, and the sentence says how to make one."""
    found = judged(read_run(seeds[7]), "pages vs baseline > -2%", store if at_hand else None)
    assert (found.state, found.broken) == ("not_measured", True)
    assert ("footfall baseline save RUN --name demo" in found.text) == at_hand


def test_a_baseline_of_other_settings_does_not_pass(seeds, store, tmp_path):
    """A threshold is not judged against runs that were something else."""
    save_run(store, "demo", changed(seeds[8], tmp_path / "other", duration="60s"), keep=10)
    found = judged(read_run(seeds[7]), "pages vs baseline > -2%", store)
    assert found.state == "not_measured"
    assert "scenario.duration is 30s, was 60s" in found.text


def test_arms_are_compared_with_control(arms_folder):
    """`vs control` is the arm's change within one run: four seconds more cost engaged time, visit by visit."""
    run = read_run(arms_folder)
    found = judged(run, "engaged_time{arm:slower_4s} vs control > -1%", None)
    visits = pq.read_table(arms_folder / "visits.parquet")
    arms = np.array(visits["arm"].to_pylist())
    slow, plain = (visits["engaged_us"].to_numpy()[arms == arm].mean() for arm in ("slower_4s", "control"))
    assert found.estimate.value == pytest.approx(slow / plain - 1)
    assert (found.state, found.close) == ("failed", False)


def test_a_baseline_that_is_not_there_lists_the_others(seeds, store):
    """A misspelt name is told with what there is."""
    save_run(store, "main", read_run(seeds[7]), keep=10)
    with pytest.raises(FileFaults, match=r"has no baseline mian, there are main. Hint: did you mean main\?"):
        store.runs("mian")
    with pytest.raises(FileFaults, match="is no name"):
        store.runs("../elsewhere")


def test_a_dropped_baseline_is_gone(seeds, store):
    """Dropping removes every run of one baseline and no other."""
    for name in ("main", "other"):
        save_run(store, name, read_run(seeds[7]), keep=10)
    assert drop_baseline(store, "main") == 1
    assert store.names() == ["other"]
