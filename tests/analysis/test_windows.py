"""Thresholds over windows: what the tables say afterwards is what a live run would have been ended by."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.estimates import wilson
from simulator.analysis.runs import read_run
from simulator.analysis.thresholds import judge, parse_thresholds
from simulator.analysis.verdict import decide
from simulator.analysis.windows import Watch

ERRORS = "errors < 5% for 10s with 50 values abort"


def run_of(bad, *, rate=20, seconds=40):
    """Return requests (shopper, due, sent, done, failed) at an even rate; `bad` gives the seconds in which all fail."""
    at = np.arange(rate * seconds) * (1_000_000 // rate)
    return [(i % 97, int(t), int(t) + 100, int(t) + 5_000, int(t) // 1_000_000 in bad) for i, t in enumerate(at)]


def watched(requests, text=ERRORS, labels=None, ticks=range(1, 60)):
    """Return the first breach of a live run with these requests, ticked at these seconds."""
    watch, left = Watch(parse_thresholds([text]), 30), list(requests)
    for now_s in ticks:
        while left and left[0][3] < now_s * 1_000_000:
            shopper, due, sent, done, failed = left.pop(0)
            watch.request(labels or {}, shopper, due, sent, done, failed=failed)
        if breach := watch.tick(now_s):
            return breach
    return None


def test_a_watch_without_abort_is_nothing_to_feed():
    """Only thresholds that say `abort` are followed: without one a watch is false."""
    assert not Watch(parse_thresholds(["errors < 1%", "errors < 1% for 10s"]), 30)
    assert Watch(parse_thresholds([ERRORS]), 30)


def test_a_watch_ends_a_run_when_the_window_is_beyond_the_limit():
    """From second 20 on all fail: the run ends as soon as the last 10 s are above 5 % with their whole interval."""
    breach = watched(run_of(range(20, 40)))
    failed = next(k for k in range(1, 400) if wilson(k / 200, 200)[0] >= 0.05)
    assert breach.at_s == 20 + -(-failed // 20)
    assert breach.threshold == ERRORS
    assert "errors from 11.0 s to 21.0 s was" in breach.text.replace("\u202f", " ")


def test_a_watch_lets_a_healthy_run_go_on():
    """Without failures nothing breaks, however often it is asked, and more often than once a second changes nothing."""
    assert watched(run_of(())) is None
    assert watched(run_of(range(20, 40)), ticks=np.arange(0.25, 60, 0.25)).at_s == 21


def test_a_watch_waits_for_a_whole_window_and_enough_values():
    """Whatever fails in the first 9 s breaks nothing yet; at 2 requests/s a window never has 50 values."""
    assert watched(run_of(range(40))).at_s == 10
    assert watched(run_of(range(40), rate=2)) is None


def test_a_watch_that_is_late_counts_what_it_missed():
    """A process that stood still for 5 s judges one longer second, and its windows stay 10 s long."""
    assert watched(run_of(range(20, 40)), ticks=[*range(1, 19), *range(24, 60)]).at_s == 24


def test_a_watch_heeds_labels():
    """A threshold on one page does not see the others."""
    text = ERRORS.replace("errors", "errors{page:cart}")
    assert watched(run_of(range(40)), text, {"page": "home"}) is None
    assert watched(run_of(range(40)), text, {"page": "cart"}) is not None


def test_workers_hand_on_what_they_saw():
    """Two workers' requests, given to the master, end the run when one process would have."""
    requests = run_of(range(20, 40))
    workers, master = [Watch(parse_thresholds([ERRORS]), 30) for _ in range(2)], Watch(parse_thresholds([ERRORS]), 30)
    for now_s in range(1, 60):
        for i, (shopper, due, sent, done, failed) in enumerate(requests):
            if done // 1_000_000 == now_s - 1:
                workers[i % 2].request({}, shopper, due, sent, done, failed=failed)
        for worker in workers:
            master.give(worker.take())
        if breach := master.tick(now_s):
            break
    assert breach == watched(requests)


def spoiled(playing, folder, bad_s, thresholds):
    """Write a live run in which every request fails that was done in one of these seconds."""
    tables = playing.live_tables(playing.played(rate=(40.0, 30.0))[0], failing=0.0)
    requests = tables["requests"]
    done_s = requests["done_us"].to_numpy() // 1_000_000
    errors = ["status 500" if second in bad_s else None for second in done_s]
    column = requests.schema.get_field_index("error")
    array = playing.pa.array(errors, playing.pa.string()).dictionary_encode().cast(requests.schema.field(column).type)
    tables["requests"] = requests.set_column(column, requests.schema.field(column), array)
    return playing.write_run(folder, world="live", tables=tables, names=("control",), thresholds=thresholds)


def test_a_finished_run_is_judged_over_every_window(playing, tmp_path):
    """Three bad seconds break `errors < 5% for 5s`; the result is the worst window's share, counted by hand."""
    folder = spoiled(playing, tmp_path / "run", {20, 21, 22}, ())
    run = read_run(folder)
    (found,) = judge(run, parse_thresholds(["errors < 5% for 5s"]))
    done_s = run.requests.integers("done_us") // 1_000_000
    shares = [np.isin(done_s[(done_s >= s) & (done_s < s + 5)], [20, 21, 22]).mean() for s in range(30)]
    assert found.state == "failed"
    assert found.estimate.value == max(shares)
    assert "windows broke it" in found.text
    assert decide(run.manifest, [found]).exit_code == 1


def test_a_run_that_keeps_every_window_tells_its_worst(playing, tmp_path):
    """A threshold that every window keeps passes with the worst window's figure and how many there were."""
    run = read_run(spoiled(playing, tmp_path / "run", {20}, ()))
    (found,) = judge(run, parse_thresholds(["errors < 90% for 5s"]))
    assert found.state == "passed"
    assert found.estimate.value > 0.1
    assert "keeps < 90%; the worst of" in found.text


def test_tables_and_watch_agree(playing, tmp_path):
    """The first window that breaks in the tables is the one that would have ended the live run."""
    run = read_run(spoiled(playing, tmp_path / "run", {20, 21, 22}, ()))
    text = "errors < 5% for 5s abort"
    columns = [run.requests.integers(name).tolist() for name in ("shopper", "due_us", "sent_us", "done_us")]
    failed = run.requests.present("error").tolist()
    rows = sorted(zip(*columns, failed, strict=True), key=lambda row: row[3])
    breach = watched(rows, text)
    (found,) = judge(run, parse_thresholds([text]))
    assert breach is not None
    assert breach.at_s in (21, 22)
    assert found.state == "failed"


@pytest.mark.parametrize("text", ["errors < 5% for 1h", "errors < 5% for 5s with 999999 values"])
def test_windows_without_enough_values_do_not_pass(playing, tmp_path, text):
    """A window longer than the run, or with too few values, is too few to judge, which fails."""
    run = read_run(spoiled(playing, tmp_path / "run", (), ()))
    (found,) = judge(run, parse_thresholds([text]))
    assert (found.state, found.broken) == ("too_few", True)
    assert "too few to judge" in found.text
