"""Latency histograms: HdrHistograms added bucket by bucket, so that the merge of all parts equals the whole exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from hdrh.histogram import HdrHistogram

from simulator.analysis.estimates import NOTHING, Estimate, rank_shares
from simulator.model.faults import one_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from simulator.analysis.frames import Frame, Labels

LOWEST_US, HIGHEST_US, DIGITS = 1, 3_600_000_000, 3
"""The range and precision every histogram of a run has: 1 µs to 1 h with three significant digits."""
US = 1e6
Clock = Literal["due", "sent", "load"]
LABELS = ("page", "persona", "network", "tier", "arm")
"""What histograms of a run are told apart by, besides their clock."""
MAGNITUDE = 11
"""A bucket keeps this many leading bits of a value: 2^11 is the first power of two above 2·10^3 (Tene 2012)."""


def blank() -> HdrHistogram:
    """Return an empty histogram of the run's range and precision."""
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


@dataclass(frozen=True)
class Histogram:
    """Counts by bucket; buckets are those of `blank()`."""

    counts: NDArray[np.int64]

    @cached_property
    def n(self) -> int:
        """The number of values."""
        return int(self.counts.sum())

    @cached_property
    def _running(self) -> NDArray[np.int64]:
        return np.cumsum(self.counts)

    def percentile_s(self, q: float) -> float | None:
        """Return the q-quantile in seconds, q in [0, 1], at most 0.1 % above the true one; None when empty.

        The rank is ⌈q·n⌉, as everywhere in a run's figures (HdrHistogram itself rounds q·n to the nearest).
        """
        if self.n == 0:
            return None
        rank = max(1, int(np.ceil(q * self.n - 1e-9)))
        return float(_upper_edges_us()[np.searchsorted(self._running, rank)]) / US

    def estimate(self, q: float) -> Estimate:
        """Return the q-quantile in seconds with its interval from order statistics."""
        if self.n == 0:
            return NOTHING
        low, high = rank_shares(q, self.n)
        return Estimate(
            self.percentile_s(q),
            self.n,
            self.percentile_s(low) if low is not None else None,
            self.percentile_s(high) if high is not None else None,
        )

    def mean_s(self) -> float | None:
        """Return the mean in seconds, each value taken at the middle of its bucket; None when empty."""
        if self.n == 0:
            return None
        return float(self.counts @ ((_lower_edges_us() + _upper_edges_us()) / 2.0)) / self.n / US

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.counts + other.counts)


EMPTY = Histogram(np.zeros(blank().counts_len, np.int64))


@cache
def _lower_edges_us() -> NDArray[np.float64]:
    """Return the smallest value of each bucket, in microseconds (layout of HdrHistogram, Tene 2012)."""
    shape = blank()
    half, magnitude = shape.sub_bucket_half_count, shape.sub_bucket_half_count_magnitude
    index = np.arange(shape.counts_len)
    bucket = (index >> magnitude) - 1
    within = (index & (half - 1)) + np.where(bucket < 0, 0, half)
    edges: NDArray[np.float64] = (within << np.maximum(bucket, 0)).astype(np.float64)
    return edges


@cache
def _upper_edges_us() -> NDArray[np.float64]:
    lower = _lower_edges_us()
    return np.append(lower[1:], 2 * lower[-1]) - 1.0


def buckets_of(values_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bucket of each value, those outside the range at its ends (layout of HdrHistogram, Tene 2012)."""
    kept = np.clip(values_us, LOWEST_US, HIGHEST_US)
    length = np.frexp(kept.astype(np.float64))[1]
    bucket = np.maximum(length - MAGNITUDE, 0).astype(np.int64)
    places: NDArray[np.int64] = (bucket << (MAGNITUDE - 1)) + (kept >> bucket)
    return places


class Part(NamedTuple):
    """One histogram as it is kept: the buckets that hold anything, in order, and what they hold."""

    buckets: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def n(self) -> int:
        """The number of values."""
        return int(self.counts.sum())

    @property
    def dense(self) -> Histogram:
        """The histogram with all its buckets."""
        return merge([self])


def part_of(histogram: HdrHistogram) -> Part:
    """Return what an HdrHistogram of the run's range and precision holds."""
    stored = np.ctypeslib.as_array(histogram.counts)
    buckets = np.flatnonzero(stored)
    return Part(buckets, stored[buckets].astype(np.int64))


def encode(part: Part) -> bytes:
    """Return a part in HdrHistogram's own interchange form (V2, compressed, base64)."""
    whole = blank()
    np.ctypeslib.as_array(whole.counts)[part.buckets] = part.counts
    whole.total_count = part.n
    if len(part.buckets):
        whole.max_value = int(_upper_edges_us()[part.buckets[-1]])
        whole.min_value = int(_lower_edges_us()[part.buckets[0]])
    encoded: bytes = whole.encode()
    return encoded


def decode(encoded: bytes) -> Part:
    """Return one stored histogram. Raises `ValueError` when it is none, or of another range or precision."""
    try:
        found = HdrHistogram.decode(encoded)
    except Exception as error:  # hdrh raises its own, zlib's, base64's and ctypes' errors
        raise ValueError(f"is not an HdrHistogram ({error})") from error
    shape = (found.lowest_trackable_value, found.highest_trackable_value, found.significant_figures)
    if shape != (LOWEST_US, HIGHEST_US, DIGITS):
        raise ValueError(f"has the range {shape[0]} to {shape[1]} µs and {shape[2]} digits")
    return part_of(found)


@dataclass(frozen=True)
class Histograms:
    """All histograms of a run, by clock and by those of `LABELS` that it tells apart."""

    clock: Labels
    labels: Mapping[str, Labels]
    parts: tuple[Part, ...]

    @property
    def page(self) -> Labels:
        """The page of each part."""
        return self.labels["page"]

    @property
    def persona(self) -> Labels:
        """The persona of each part."""
        return self.labels["persona"]

    def merged(self, clock: Clock, page: str | None = None, persona: str | None = None, **others: str) -> Histogram:
        """Return the sum of the parts of one clock, and of those labels that are given."""
        mask = self.clock.are(clock)
        for label, name in {"page": page, "persona": persona, **others}.items():
            if name is not None:
                mask = mask & self.labels[label].are(name)
        return merge(self.parts[row] for row in np.flatnonzero(mask))


def merge(parts: Iterable[Part]) -> Histogram:
    """Return the sum of histograms: exactly the histogram of all their values."""
    counts = np.zeros_like(EMPTY.counts)
    for part in parts:
        counts[part.buckets] += part.counts
    return Histogram(counts)


def read_histograms(frame: Frame, file: str) -> Histograms:
    """Return the histograms of a latency table. Raises `FileFaults` when one cannot be decoded or has another count."""
    parts = []
    for row, (encoded, count) in enumerate(zip(frame.values("hdr"), frame.integers("count"), strict=True)):
        try:
            part = decode(encoded)
        except ValueError as error:
            raise one_fault(file, f"row {row}: hdr {error}") from None
        if part.n != count:
            raise one_fault(file, f"row {row}: hdr holds {part.n} values", f"count says {count}")
        parts.append(part)
    known = {name: frame.labels(name) for name in LABELS if name in frame.columns}
    return Histograms(frame.labels("clock"), known, tuple(parts))
