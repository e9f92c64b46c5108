"""Visits that the end of a run cut: the figures are those of the visits as they would have been."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from simulator.analysis import speed, visits
from simulator.analysis.cut import visit_weights
from simulator.analysis.findings import examine
from simulator.analysis.runs import read_run
from simulator.analysis.thresholds import judge, parse_thresholds

RNG = np.random.default_rng(8)


def test_without_a_cut_every_visit_counts_once():
    """A run in which all visits ended is not touched."""
    assert visit_weights(RNG.exponential(5, 50), np.ones(50, np.bool_)).tolist() == [1.0] * 50


def test_weights_sum_to_the_visits():
    """What cut visits would have counted is handed on, none of it lost."""
    lengths, finished = RNG.exponential(5, 500), RNG.random(500) < 0.7
    weights = visit_weights(lengths, finished)
    assert weights.sum() == pytest.approx(500)
    assert (weights[finished] >= 1).all()


def test_a_cut_visit_hands_on_to_the_longer_ones_in_equal_parts():
    """Of visits of 1, 2 (cut), 3 and 4 s, the last two share what the second would have counted."""
    weights = visit_weights(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, True]))
    assert weights.tolist() == pytest.approx([1, 0, 1.5, 1.5])


def test_the_longest_visits_if_cut_keep_what_they_count():
    """Nobody can stand in for visits that were cut when already longer than any finished one."""
    weights = visit_weights(np.array([1.0, 5.0, 6.0]), np.array([True, False, False]))
    assert weights.tolist() == pytest.approx([1, 1, 1])
    assert visit_weights(np.array([1.0, 2.0]), np.array([False, False])).tolist() == [1.0, 1.0]


def test_the_mean_comes_out_as_if_nothing_had_been_cut():
    """With arrivals all through a run, the weighted mean is within 3 % of the truth, the plain one far off."""
    start, lengths = RNG.uniform(0, 60, 40_000), RNG.gamma(2.0, 5.0, 40_000)
    seen = np.minimum(lengths, 60 - start)
    finished = seen == lengths
    weights = visit_weights(seen, finished)
    assert seen @ weights / weights.sum() == pytest.approx(10, rel=0.03)
    assert seen[finished].mean() < 9.3


@pytest.fixture(scope="module")
def both(playing, tmp_path_factory):
    """Return a run whose visits all ended, and the same run cut in the middle of many of them."""
    root = tmp_path_factory.mktemp("cut")
    tables, names = playing.played(rate=(6.0, 500.0))
    cut, going_on = playing.cut_tables(tables, 500.0)
    whole = read_run(playing.write_run(root / "whole", tables=tables, names=names))
    return whole, read_run(playing.write_run(root / "cut", tables=cut, names=names)), going_on


@pytest.mark.parametrize("metric", ["bounce", "engaged_time", "wall_time", "pages", "left_done", "left_impatient"])
def test_figures_of_a_cut_run_are_those_of_the_whole(both, metric):
    """Bounce, lengths and causes of the cut run lie within the whole run's interval, widened by half."""
    whole, cut, going_on = both
    assert going_on.mean() > 0.08
    true, found = visits.measure(whole, metric), visits.measure(cut, metric)
    assert abs(found.value - true.value) < 1.5 * (true.high - true.low) / 2
    assert found.n < true.n


def test_a_visit_cut_on_its_first_page_is_no_bounce(both):
    """The shopper may yet have gone on: such visits are not counted as bounces, though they have one page."""
    _, cut, _ = both
    naive = cut.visits.flags("bounced").mean()
    assert visits.measure(cut, "bounce").value < naive


def test_cut_visits_are_counted_and_named(both):
    """The findings say how many visits were cut and what share no visit of the run can stand in for."""
    _, cut, going_on = both
    found = examine(cut)
    assert found.whole.ongoing == going_on.sum()
    assert 0 <= found.beyond < 0.02
    causes = sum(estimate.value for estimate in found.whole.causes.values())
    assert causes == pytest.approx(1 - found.beyond)


def test_shoppers_in_a_hurry_are_cut_by_the_runs_own_clock(playing, tmp_path):
    """Where shoppers think ten times faster than in life, what counts is how long their visits took of the run."""
    tables, names = playing.played(rate=(60.0, 15.0), seed=3)
    table = tables["visits"]
    waited, engaged, start = (table[name].to_numpy() for name in ("waited_us", "engaged_us", "start_at_us"))
    going_on = start + waited + engaged / 10 > 15e6
    causes = np.where(going_on, "ongoing", table["cause"].to_pylist())
    place, field = table.schema.get_field_index("cause"), table.schema.field("cause")
    column = pa.array(causes).dictionary_encode().cast(field.type)
    live = playing.live_tables({**tables, "visits": table.set_column(place, field, column)}, lag_ms=0.0)
    folder = playing.write_run(
        tmp_path / "run",
        world="live",
        tables=live,
        names=names,
        scenario={"pace": 10.0},
        generator=playing.generator(live, duration_s=15.0),
    )
    run, truth = read_run(folder), np.mean(table["bounced"].to_numpy())
    assert going_on.mean() > 0.4
    assert visits.measure(run, "bounce").value == pytest.approx(truth, abs=0.05)
    assert run.visits.flags("bounced")[run.finished].mean() > truth + 0.15


def test_a_threshold_on_cut_visits_says_so(both):
    """The sentence of a result names the visits its figure had to do without."""
    whole, cut, going_on = both
    thresholds = parse_thresholds(["bounce < 99%", "p95 of load_time < 1h"])
    assert f"; {going_on.sum()} visits still went on" in judge(cut, thresholds)[0].text
    assert "went on" not in judge(cut, thresholds)[1].text
    assert "went on" not in judge(whole, thresholds)[0].text


def test_speed_bins_leave_cut_visits_out(both):
    """Session length by landing load time is of visits that count."""
    _, cut, _ = both
    found = speed.by_landing(cut)
    assert sum(one.visits for one in found.bins) + found.unseen == cut.counted.sum()
