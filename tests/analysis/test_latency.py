"""Histograms of latency: parts add up to the whole, percentiles are within a thousandth, damage is named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hdrh.histogram import HdrHistogram

from simulator.analysis.frames import Frame
from simulator.analysis.latency import EMPTY, Part, buckets_of, decode, encode, merge, read_histograms
from simulator.analysis.runs import read_run
from simulator.model.faults import FileFaults

VALUES_US = np.random.default_rng(3).lognormal(10.5, 1.2, 6000).astype(np.int64) + 1


def recorded(values, shape=(1, 3_600_000_000, 3)):
    """Return an encoded histogram."""
    histogram = HdrHistogram(*shape)
    for value in values:
        histogram.record_value(int(value))
    return histogram.encode()


def test_merged_parts_equal_the_whole():
    """Histograms of workers add up, bucket by bucket, to the histogram of all values."""
    parts = [decode(recorded(VALUES_US[i::7])) for i in range(7)]
    whole = decode(recorded(VALUES_US))
    assert np.array_equal(merge(parts).counts, whole.dense.counts)
    assert merge(parts).n == 6000


@pytest.mark.parametrize("q", [0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0])
def test_percentiles_are_within_a_thousandth(q):
    """A percentile is at most 0.1 % above the value of that rank, never below it."""
    exact = np.quantile(VALUES_US, q, method="inverted_cdf") / 1e6
    found = decode(recorded(VALUES_US)).dense.percentile_s(q)
    assert exact <= found <= exact * 1.001 + 1e-6


def test_mean_is_within_a_thousandth():
    """The mean of a histogram is the mean of its values, to its precision."""
    assert decode(recorded(VALUES_US)).dense.mean_s() == pytest.approx(VALUES_US.mean() / 1e6, rel=1e-3)


def test_empty_has_no_figures():
    """A page without requests has no percentile, no mean and no interval."""
    assert EMPTY.percentile_s(0.5) is None
    assert EMPTY.mean_s() is None
    assert EMPTY.estimate(0.95).value is None


def test_pages_of_a_run_add_up(live_folder):
    """The merge over pages is the merge over personas is everything, and both clocks hold every request."""
    run = read_run(live_folder)
    found = run.histograms
    for clock in ("due", "sent"):
        whole = found.merged(clock)
        assert whole.n == len(run.requests)
        for labels, by in ((found.page, "page"), (found.persona, "persona")):
            parts = [found.merged(clock, **{by: name}).counts for name in labels.counts()]
            assert np.array_equal(sum(parts), whole.counts)


def test_due_is_never_shorter_than_sent(live_folder):
    """Latency from due includes the wait before sending."""
    found = read_run(live_folder).histograms
    for q in (0.5, 0.95, 0.99):
        assert found.merged("due").percentile_s(q) >= found.merged("sent").percentile_s(q)


@pytest.mark.parametrize(
    ("blob", "count", "said"),
    [
        (b"not a histogram", 1, "is not an HdrHistogram"),
        (recorded([5], (1, 10_000, 2)), 1, "has the range 1 to 10000"),
        (recorded([5, 6]), 3, "holds 2 values"),
    ],
    ids=["garbage", "other precision", "wrong count"],
)
def test_damaged_histograms_are_named(blob, count, said):
    """A histogram that cannot be decoded, has another precision or another count is an error with its row."""
    words = pa.array(["home"]).dictionary_encode()
    table = pa.table({"page": words, "persona": words, "clock": words, "count": [count], "hdr": [blob]})
    with pytest.raises(FileFaults, match="row 0: hdr") as error:
        read_histograms(Frame(table), "latency.parquet")
    assert said in str(error.value)


def test_values_are_put_where_hdrhistogram_puts_them():
    """Counting many values at once gives the histogram that recording them one by one gives, ends included."""
    edges = np.concatenate([2 ** np.arange(31), 2 ** np.arange(1, 31) - 1, 2 ** np.arange(30) + 1, [0, -7, 2**40]])
    values = np.concatenate([VALUES_US, edges])
    buckets, counts = np.unique(buckets_of(values), return_counts=True)
    one_by_one = decode(recorded(np.clip(values, 1, 3_600_000_000)))
    assert np.array_equal(buckets, one_by_one.buckets)
    assert np.array_equal(counts, one_by_one.counts)
    again = decode(encode(Part(buckets, counts)))
    assert np.array_equal(again.buckets, buckets)
    assert np.array_equal(again.counts, counts)


def test_what_is_written_is_what_the_library_reads():
    """An encoded part is an HdrHistogram like any other: count, extremes and percentiles are the library's own."""
    buckets, counts = np.unique(buckets_of(VALUES_US), return_counts=True)
    ours, theirs = HdrHistogram.decode(encode(Part(buckets, counts))), HdrHistogram.decode(recorded(VALUES_US))
    assert ours.get_total_count() == theirs.get_total_count()
    for percentile in (1, 50, 99, 99.9, 100):
        assert ours.get_value_at_percentile(percentile) == theirs.get_value_at_percentile(percentile)
