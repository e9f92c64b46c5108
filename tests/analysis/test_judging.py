"""Thresholds against runs, and the verdict: every value can be found again in the tables."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.analysis.runs import read_run
from simulator.analysis.thresholds import judge, parse_thresholds
from simulator.analysis.verdict import decide


def judged(folder, *texts, **options):
    """Return the results of thresholds against a run folder."""
    return judge(read_run(folder), parse_thresholds(texts), **options)


def column(folder, table, name):
    """Return a column straight from the file."""
    return pq.read_table(folder / f"{table}.parquet")[name].to_pandas()


def test_load_time_is_the_quantile_of_matching_events(live_folder):
    """`p95 of load_time{page:…, network:…}` is the quantile of exactly those rows."""
    events = pq.read_table(live_folder / "events.parquet")
    rows = [
        load
        for page, network, load in zip(*(events[c].to_pylist() for c in ("page", "network", "load_us")), strict=True)
        if (page, network) == ("product", "lte")
    ]
    (result,) = judged(live_folder, "p95 of load_time{page:product, network:lte} < 60s")
    assert result.state == "passed"
    assert result.estimate.n == len(rows)
    assert result.estimate.value == np.quantile(rows, 0.95, method="inverted_cdf") / 1e6


def test_labels_only_a_shopper_has_reach_their_pages(live_folder):
    """`tier`, which stands in the shoppers table alone, narrows load times down too."""
    shoppers = pq.read_table(live_folder / "shoppers.parquet")
    low = {s for s, t in zip(shoppers["shopper"].to_pylist(), shoppers["tier"].to_pylist(), strict=True) if t == "low"}
    n = sum(shopper in low for shopper in pq.read_table(live_folder / "events.parquet")["shopper"].to_pylist())
    (result,) = judged(live_folder, "p50 of load_time{tier:low} < 60s")
    assert result.estimate.n == n


def test_shares_and_means_come_from_visits(live_folder):
    """Bounce, pages, engaged time and conversion are what the visits table says."""
    visits = pq.read_table(live_folder / "visits.parquet")
    results = judged(live_folder, "bounce < 99%", "pages > 0", "engaged_time > 0", "conversion >= 0", "left_done > 0")
    expected = [
        np.mean(visits["bounced"].to_numpy()),
        np.mean(visits["pages"].to_numpy()),
        np.mean(visits["engaged_us"].to_numpy()) / 1e6,
        np.mean(visits["orders"].to_numpy() > 0),
        np.mean([cause == "done" for cause in visits["cause"].to_pylist()]),
    ]
    assert [result.estimate.value for result in results] == pytest.approx(expected)


def test_latency_by_page_is_the_histograms_and_by_operation_the_rows(live_folder):
    """Both ways to a percentile agree: the histograms within a thousandth of the rows."""
    requests = pq.read_table(live_folder / "requests.parquet")
    took = requests["done_us"].to_numpy() - requests["due_us"].to_numpy()
    track = np.array([name == "track" for name in requests["operation"].to_pylist()])
    whole, narrow = judged(live_folder, "p99 of latency < 1h", "p99 of latency{operation:track} < 1h")
    assert whole.estimate.value == pytest.approx(np.quantile(took, 0.99, method="inverted_cdf") / 1e6, rel=1.1e-3)
    assert narrow.estimate.value == np.quantile(took[track], 0.99, method="inverted_cdf") / 1e6
    assert narrow.estimate.n == track.sum()


def test_service_time_leaves_out_the_wait_before_sending(live_folder):
    """Service time counts from sent, so it is never above latency."""
    latency, service = judged(live_folder, "median of latency < 1h", "median of service_time < 1h")
    assert service.estimate.value < latency.estimate.value


def test_errors_and_dropped_are_counted(live_folder):
    """`errors` is the share of failed requests, `dropped` the generator's count."""
    failed = pq.read_table(live_folder / "requests.parquet")["error"]
    errors, dropped = judged(live_folder, "errors < 50%", "dropped <= 0")
    assert errors.estimate.value == pytest.approx(1 - failed.null_count / len(failed))
    assert dropped.estimate.value == 0
    assert dropped.ok


def test_too_few_values_do_not_pass(live_folder):
    """A threshold on fewer than 30 values is `too_few` and fails the run; with a lower minimum it is judged."""
    text = "bounce{persona:tourist} < 100%"
    (result,) = judged(live_folder, text)
    assert result.state == "too_few"
    assert "too few to judge; 30 are needed" in result.text
    assert decide(read_run(live_folder).manifest, [result]).exit_code == 1
    assert judged(live_folder, text, min_samples=5)[0].ok


@pytest.mark.parametrize("text", ["errors < 1%", "p99 of latency < 1s", "p99 of start_lag < 1s", "dropped <= 0"])
def test_what_needs_a_live_run_is_not_judged_elsewhere(crowd_folder, text):
    """A live metric on generated data neither passes nor fails, and the verdict says that it was not judged."""
    (result,) = judged(crowd_folder, text)
    assert result.state == "not_judged"
    assert (result.ok, result.broken) == (False, False)
    assert "the crowd world has no such thing, so it was not judged" in result.text
    verdict = decide(read_run(crowd_folder).manifest, [result])
    assert (verdict.state, verdict.exit_code) == ("passed", 0)
    assert verdict.headline == "Nothing was judged: every threshold needs a live run."


def test_the_headline_counts_what_was_judged(crowd_folder):
    """Thresholds that need a live run are not counted among those that held, nor among those that broke."""
    held = decide(read_run(crowd_folder).manifest, judged(crowd_folder, "errors < 1%", "bounce < 100%"))
    broke = decide(read_run(crowd_folder).manifest, judged(crowd_folder, "errors < 1%", "bounce < 1%", "pages > 0"))
    assert held.headline == "1 of 2 thresholds could be judged without a live run, and held."
    assert (broke.exit_code, broke.headline) == (1, "1 of 2 thresholds did not hold.")


def test_a_name_the_run_has_not_got_does_not_pass(live_folder):
    """A persona that made no visit fails the threshold and says which there are."""
    (result,) = judged(live_folder, "bounce{persona:ghost} < 100%")
    assert result.state == "not_measured"
    assert "has no persona:ghost; there are" in result.text
    assert "tourist" in result.text


def test_with_arms_thresholds_are_of_control(arms_folder):
    """Unless it names an arm, a threshold judges the shop as it is."""
    plain, control, slower = judged(
        arms_folder, "engaged_time > 0", "engaged_time{arm:control} > 0", "engaged_time{arm:slower_4s} > 0"
    )
    assert plain.estimate == control.estimate
    assert slower.estimate.value < control.estimate.value


def test_a_limit_inside_the_interval_is_a_close_call(live_folder):
    """A figure whose interval holds the limit is judged, and marked as close."""
    (plain,) = judged(live_folder, "bounce < 99%")
    inside = (plain.estimate.value + plain.estimate.high) / 2
    near, far = judged(live_folder, f"bounce < {inside:.4f}", "bounce < 99%")
    assert (near.ok, near.close) == (True, True)
    assert (far.ok, far.close) == (True, False)


def test_a_broken_threshold_says_value_size_interval_and_limit(live_folder):
    """The sentence of a result can stand alone in a log."""
    (result,) = judged(live_folder, "bounce < 1%")
    assert result.state == "failed"
    assert result.text.startswith("bounce is ")
    assert f"n = {result.estimate.n}" in result.text
    assert result.text.endswith("breaks < 1%")


def test_extremes_are_of_what_was_seen(live_folder):
    """`max` and `min` are the largest and the smallest value, without an interval."""
    pages = pq.read_table(live_folder / "visits.parquet")["pages"].to_numpy()
    most, least = judged(live_folder, "max of pages < 999", "min of pages >= 1")
    assert (most.estimate.value, least.estimate.value) == (pages.max(), 1)
    assert most.estimate.low is None


def changed(folder, **changes):
    """Return the run's manifest with changes."""
    return read_run(folder).manifest.model_copy(update=changes)


def test_verdict_passes_when_all_hold(live_folder):
    """All thresholds held: exit 0."""
    verdict = decide(changed(live_folder), judged(live_folder, "bounce < 99%", "pages > 0"))
    assert (verdict.state, verdict.exit_code, verdict.headline) == ("passed", 0, "All 2 thresholds held.")


def test_verdict_without_thresholds_says_that_nothing_was_judged(crowd_folder):
    """No thresholds: exit 0, and no claim that anything held."""
    verdict = decide(changed(crowd_folder), [])
    assert verdict.exit_code == 0
    assert "Nothing was judged" in verdict.headline


def test_a_saturated_generator_makes_the_run_invalid(live_folder):
    """Whatever the thresholds say, figures of a generator that could not keep up are invalid: exit 3, with reasons."""
    run = read_run(live_folder)
    generator = run.manifest.generator.model_copy(update={"saturated": ["CPU was at 97 %"]})
    verdict = decide(changed(live_folder, generator=generator), judged(live_folder, "bounce < 1%"))
    assert (verdict.state, verdict.exit_code) == ("invalid", 3)
    assert verdict.reasons[0] == "CPU was at 97 %"
    assert "bounce is" in verdict.reasons[1]


def test_a_live_run_that_hides_its_generator_is_invalid(live_folder):
    """Without the generator's own figures nobody can tell whether it kept up."""
    assert decide(changed(live_folder, generator=None), []).exit_code == 3


def test_an_interrupted_run_says_so_first(live_folder):
    """Interrupted: exit 130, never passed."""
    verdict = decide(changed(live_folder, interrupted=True), judged(live_folder, "bounce < 99%"))
    assert (verdict.state, verdict.exit_code) == ("invalid", 130)
    assert "interrupted" in verdict.headline
