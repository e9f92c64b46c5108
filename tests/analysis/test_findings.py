"""What a report shows: groups, funnel, speed, arms, arrivals and failures, each against the tables."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.analysis import arms, failures, loadtime, speed, visits
from simulator.analysis.arrivals import per_stretch
from simulator.analysis.findings import examine
from simulator.analysis.runs import read_run


def test_groups_of_a_label_share_out_the_visits(live_folder):
    """Each label's groups hold every visit once, and their shares weigh up to the whole."""
    run = read_run(live_folder)
    whole = visits.group(run, "all")
    for label, groups in visits.all_groups(run).items():
        assert sum(group.visits for group in groups) == whole.visits, label
        weighed = sum(group.metrics["bounce"].value * group.visits for group in groups) / whole.visits
        assert weighed == pytest.approx(whole.metrics["bounce"].value)


def test_causes_sum_to_one(live_folder):
    """Every visit left for exactly one cause."""
    causes = visits.group(read_run(live_folder), "all").causes
    assert sum(estimate.value for estimate in causes.values()) == pytest.approx(1)


def test_session_lengths_differ_as_their_definitions_do(crowd_folder):
    """Wall time is engaged time plus waiting; GA-compatible time is the shortest and 0 for a bounce."""
    run = read_run(crowd_folder)
    engaged, wall, waited, ga = (
        visits.measure(run, metric).value for metric in ("engaged_time", "wall_time", "waited_time", "ga_time")
    )
    assert wall == pytest.approx(engaged + waited)
    assert ga < engaged
    bounced = run.visits.flags("bounced")
    assert not run.visits.numbers("ga_us")[bounced].any()


def test_funnel_narrows_and_ends_with_the_orders(crowd_folder):
    """No step holds more visits than the one before, and the last are the visits with an order."""
    run = read_run(crowd_folder)
    steps = visits.funnel(run)
    counts = [step.visits for step in steps]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == (run.visits.numbers("orders") > 0).sum()


def test_a_page_left_while_loading_is_no_step_of_the_funnel(crowd_folder):
    """A shopper who was impatient on a product page has not seen a product there."""
    run = read_run(crowd_folder)
    events = pq.ParquetDataset(crowd_folder / "events").read().to_pylist()
    saw = {(e["shopper"], e["visit"]) for e in events if e["page"] == "product" and e["cause"] != "impatient"}
    assert visits.funnel(run)[0].visits == len(saw)


def test_cart_abandonment_is_of_visits_with_a_cart(crowd_folder):
    """Its sample is the visits that put something into the cart."""
    run = read_run(crowd_folder)
    assert visits.measure(run, "cart_abandonment").n == run.visits.flags("carted").sum()


def test_load_time_cells_share_out_the_pages(live_folder):
    """Every combination of page, network and persona that occurs is one cell, and together they are all pages."""
    run = read_run(live_folder)
    cells = loadtime.by(run, "page", "network", "persona")
    assert sum(cell.n for cell in cells) == len(run.events)
    assert all(cell.n for cell in cells)
    quantiles = [cell.quantiles[q].value for cell in cells for q in ("p50", "p75", "p95")]
    assert all(a <= b for a, b in zip(quantiles[::3], quantiles[2::3], strict=True))


def test_measured_share_is_of_the_time_that_was_seen(live_folder, crowd_folder):
    """A live run says how much of the load time was measured; generated data measures nothing."""
    assert loadtime.measured_share(read_run(live_folder)) == pytest.approx(0.4, abs=0.001)
    assert loadtime.measured_share(read_run(crowd_folder)) == 0


def test_speed_bins_hold_every_visit_once(crowd_folder):
    """Bins by landing load time share out all visits; sparse slow ends are one bin, and only the edge can be grey."""
    run = read_run(crowd_folder)
    found = speed.by_landing(run)
    assert sum(one.visits for one in found.bins) + found.unseen == len(run.visits)
    assert found.bins[-1].enough
    assert found.bins[-1].high_s == float("inf")


def test_speed_bins_are_of_the_landing_page_alone(crowd_folder):
    """A bin's figure is the mean over visits whose first page took that long, whatever the later pages took."""
    run = read_run(crowd_folder)
    landing = run.visits.numbers("landing_load_us") / 1e6
    engaged = run.visits.numbers("engaged_us") / 1e6
    one = speed.by_landing(run).bins[1]
    here = (landing >= one.low_s) & (landing < one.high_s)
    assert one.metrics["engaged_time"].value == pytest.approx(engaged[here].mean())


def test_bins_below_thirty_visits_are_not_enough(playing, tmp_path):
    """A run of 25 visits has one bin, and it is grey."""
    tables, _ = playing.played(shoppers=16, days=1)
    folder = playing.write_run(tmp_path / "few", tables=tables)
    (one,) = speed.by_landing(read_run(folder)).bins
    assert one.visits == len(tables["visits"]) < 30
    assert not one.enough


def test_paired_arms_compare_each_shopper_with_themselves(arms_folder):
    """Where each visit was played in every arm, differences are paired: no shopper gains a page by waiting."""
    run = read_run(arms_folder)
    found = arms.effect(run, "slower_4s", "pages")
    assert found.paired
    assert found.difference.value == pytest.approx(found.treated - found.control)
    assert found.difference.high < 0


def test_pairing_is_worth_its_while(arms_folder):
    """The paired interval is narrower than the same arms treated as different shoppers."""
    run = read_run(arms_folder)
    paired = arms.effect(run, "slower_1s", "engaged_time").difference
    control, treated = (visits.measure(run, "engaged_time", {"arm": name}) for name in ("control", "slower_1s"))
    apart = np.hypot(control.high - control.value, treated.high - treated.value)
    assert (paired.high - paired.low) / 2 < apart / 2


def test_dealt_arms_are_compared_as_different_shoppers(playing, tmp_path):
    """Where each shopper is in one arm, the difference is of means, with Welch's interval."""
    tables, names = playing.played(rate=(40.0, 20.0), delays=(2.0,))
    run = read_run(playing.write_run(tmp_path / "dealt", tables=tables, names=names))
    found = arms.effect(run, "slower_2s", "engaged_time")
    assert not found.paired
    assert found.difference.value == pytest.approx(found.treated - found.control)
    assert found.difference.low < found.difference.value < found.difference.high


def test_one_arm_has_no_effects(live_folder):
    """Without a second arm there is nothing to compare."""
    assert arms.effects(read_run(live_folder)) == []


def test_arrivals_count_every_visit_when_due_and_when_started(live_folder):
    """Planned and started by second sum to the visits; lag moves a visit, it does not lose it."""
    found = per_stretch(read_run(live_folder))
    assert found.planned.sum() == found.started.sum() == found.total_started
    assert found.width_s == 1
    assert len(found.planned) >= 30


def test_arrivals_are_of_live_runs_only(crowd_folder):
    """Generated data has no generator to compare with its plan."""
    assert per_stretch(read_run(crowd_folder)) is None


def test_failures_by_operation_sum_to_all(live_folder):
    """Each operation's requests and errors, the worst first, together are those of the run."""
    run = read_run(live_folder)
    whole, parts = failures.overall(run), failures.by_operation(run)
    assert sum(part.requests for part in parts) == whole.requests
    assert sum(sum(part.kinds.values()) for part in parts) == sum(whole.kinds.values())
    assert [sum(part.kinds.values()) for part in parts] == sorted(
        (sum(part.kinds.values()) for part in parts), reverse=True
    )


def test_an_empty_run_has_findings(playing, tmp_path):
    """A run interrupted before the first visit is examined like any other: nothing is known, nothing breaks."""
    tables, names = playing.played()
    empty = {name: table.slice(0, 0) for name, table in tables.items()}
    found = examine(read_run(playing.write_run(tmp_path / "empty", tables=empty, names=names, interrupted=True)))
    assert found.whole.visits == 0
    assert found.whole.metrics["bounce"].value is None
    assert found.speed.bins == ()
