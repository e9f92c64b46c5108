"""What a speed report is made from: conclusions and where they turn, savings, sweeps, and counting in chunks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from simulator.analysis.estimates import Estimate
from simulator.analysis.runs import read_run
from simulator.model.faults import FileFaults
from simulator.page.card import compile_pages, page_file
from simulator.scenario.load import load_scenario
from simulator.study.dose import dose_response
from simulator.study.dose_change import Change, delay
from simulator.study.speed_doses import conclusions
from simulator.study.speed_findings import HEADLINE, Sensitivity, Swept
from simulator.study.speed_pages import reduce_pages
from simulator.study.speed_sweep import read_sweep, sweep_text
from simulator.study.speed_vitals import cohorts, vitals

_spec = importlib.util.spec_from_file_location("footfall_runs", Path(__file__).parents[1] / "analysis" / "conftest.py")
_runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_runs)
playing = _runs.playing
arms_folder = _runs.arms_folder


def swept(rate, slow):
    """Return a row of a sweep."""

    def one(value):
        return Estimate(value, 500, 0.9 * value, 1.1 * value)

    server, lcp = {"p50": one(0.05 * slow), "p95": one(0.2 * slow)}, {"p50": one(1 + 0.1 * slow), "p75": one(2 + slow)}
    return Swept(rate, 500, server, lcp, {"engaged_time": one(60 / slow), "pages": one(3 / slow)})


def test_nobody_who_minds_loses_nothing(few):
    """Under the null behaviour a second changes neither engaged time nor pages nor conversions; wall time grows."""
    scenario = load_scenario("smoke", {"behaviour": "null", "thresholds": []})
    response = dose_response(scenario, [delay(1.0)], shoppers=few(300), grouped=False)
    told = {one.metric: one.says for one in conclusions(response.doses[0].relative, 1.0, ())}
    assert told["engaged_time"] == told["pages"] == told["conversion"] == "no change shown"
    assert told["wall_time"] == "rises"


def figure(value, half, n=1_000):
    """Return an estimate with its interval."""
    return Estimate(value, n, value - half, value + half)


def test_conclusions_say_where_they_turn():
    """A conclusion names the hazards at which the interval would say something else, and only those."""
    tried = [
        Sensitivity(h, (1.0,), {name: (figure(-2 * h, 0.01),) for name in HEADLINE}) for h in (0.0, 0.01, 0.025, 0.05)
    ]
    (engaged,) = conclusions({"engaged_time": figure(-0.05, 0.01)}, 1.0, tried)
    assert (engaged.says, [turned.hazard_per_s for turned in engaged.flips]) == ("falls", [0.0])
    (rising,) = conclusions({"engaged_time": figure(0.05, 0.01)}, 1.0, tried)
    assert [(turned.hazard_per_s, turned.says) for turned in rising.flips] == [
        (0.0, "no change shown"), (0.01, "falls"), (0.025, "falls"), (0.05, "falls"),
    ]  # fmt: skip


def test_a_page_cannot_be_faster_than_at_once(few):
    """Saving more seconds than a page takes costs nobody a page, and saving never loses engaged time on average."""
    scenario = load_scenario("smoke", {"thresholds": []})
    saved = dose_response(scenario, [Change("all", {"all": -60.0}), Change("home", {"home": -0.2})], shoppers=few(300))
    everything, some = saved.doses
    assert everything.outcome.means["waited_time"].value == 0
    assert everything.relative["engaged_time"].value >= some.relative["engaged_time"].value >= 0


def test_a_sweep_that_is_none_is_refused(tmp_path):
    """A sweep's file that is missing, no JSON, or short is refused with its path; a good one comes back sorted."""
    for text, found in ((None, "does not exist"), ("{", "cannot be read"), ('{"rows": []}', "has 0 rates")):
        if text is not None:
            (tmp_path / "sweep.json").write_text(text, "utf-8")
        with pytest.raises(FileFaults, match=found):
            read_sweep(tmp_path)
    rows = (swept(10.0, 2.0), swept(5.0, 1.0))
    (tmp_path / "sweep.json").write_text(sweep_text(rows), "utf-8")
    assert [row.rate_per_s for row in read_sweep(tmp_path)] == [5.0, 10.0]


def test_chunks_and_the_whole_count_the_same(arms_folder):
    """Counting pages a row group at a time gives what counting the whole table gives, and reads no whole table."""
    late, whole = read_run(arms_folder, events_later=True), read_run(arms_folder)
    one, other = reduce_pages(late, None), reduce_pages(whole, None)
    assert not late.events.is_read
    assert vitals(one)[:5] == vitals(other)[:5]
    assert (one.waits == other.waits).all()
    assert len(cohorts(reduce_pages(late, compile_pages(page_file()).cards))) > len(cohorts(one)) == 0
    assert one.events == other.events == int((whole.events.labels("arm").are("control")).sum())
