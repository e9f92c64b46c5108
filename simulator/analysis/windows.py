"""Thresholds over windows, as `errors < 1% for 10s`: the same judgement of a finished run's tables and of a live run.

The figure of every stretch of so many seconds, ending at each whole second, is judged. The worst of many stretches is
extreme by chance, so a stretch breaks a threshold only when its whole 95 % interval is beyond the limit, and only with
enough values.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.estimates import NOTHING, Estimate
from simulator.analysis.measuring import estimate_of
from simulator.analysis.metrics import Sample, matching, request_value, sample
from simulator.analysis.words import figure, with_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from simulator.analysis.figures import Threshold
    from simulator.analysis.runs import Run

US = 1_000_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """One window: the second at which it ended, its figure, and whether that breaks the threshold."""

    end_s: int
    estimate: Estimate
    breaks: bool


class Sliding:
    """The last seconds of a threshold's values."""

    def __init__(self, threshold: Threshold, min_samples: int) -> None:
        assert threshold.window_s is not None
        self.threshold = threshold
        self._least = threshold.min_samples or min_samples
        self._seconds: deque[tuple[NDArray[np.float64], NDArray[np.int64]]] = deque(maxlen=int(threshold.window_s))
        self._n = 0

    def second(self, end_s: int, values: NDArray[np.float64], clusters: NDArray[np.int64]) -> Stretch | None:
        """Add the values of the second that ended at `end_s`; return the window's stretch once it can be judged."""
        if len(self._seconds) == self._seconds.maxlen:
            self._n -= len(self._seconds[0][0])
        self._seconds.append((values, clusters))
        self._n += len(values)
        if len(self._seconds) < (self._seconds.maxlen or 0) or self._n < self._least:
            return None
        found = Sample(*(np.concatenate(parts) for parts in zip(*self._seconds, strict=True)))
        estimate = estimate_of(found, self.threshold.figure)
        return Stretch(end_s, estimate, beyond(self.threshold, estimate))


def beyond(threshold: Threshold, estimate: Estimate) -> bool:
    """Return whether a whole interval breaks a threshold; a figure without an interval counts as a point."""
    upper = threshold.operator.startswith("<")
    end = estimate.low if upper else estimate.high
    if threshold.figure.aggregate in ("min", "max"):
        end = estimate.value
    return end is not None and not threshold.holds(end)


def stretches(run: Run, threshold: Threshold, min_samples: int) -> list[Stretch]:
    """Return every window of a run that had enough values; `threshold` has a window."""
    where, metric = dict(threshold.figure.where), threshold.metric
    found = sample(run, metric, where)
    assert run.requests is not None
    done_us = run.requests.integers("done_us")[matching(run, metric.source, where)]
    order = np.argsort(done_us, kind="stable")
    seconds = done_us[order] // US
    last = int(seconds[-1]) if len(seconds) else -1
    cuts = np.searchsorted(seconds, np.arange(last + 2))
    sliding, judged = Sliding(threshold, min_samples), []
    for second in range(last + 1):
        rows = order[cuts[second] : cuts[second + 1]]
        stretch = sliding.second(second + 1, found.values[rows], found.clusters[rows])
        if stretch is not None:
            judged.append(stretch)
    return judged


def worst(threshold: Threshold, judged: Iterable[Stretch]) -> Stretch | None:
    """Return the stretch that broke first and furthest: breaking ones before others, then by their figures."""
    upper = threshold.operator.startswith("<")

    def badness(stretch: Stretch) -> tuple[bool, float]:
        value = stretch.estimate.value
        return stretch.breaks, -np.inf if value is None else value if upper else -value

    return max(judged, key=badness, default=None)


@dataclass(frozen=True, slots=True)
class Breach:
    """A threshold that ends a live run: `at_s` seconds of the run, `text` one sentence."""

    threshold: str
    at_s: int
    text: str


class Watch:
    """Follows a live run for the thresholds that say `abort`; false when there are none, so that nobody need tell it.

    Call `request` for each request that is done and `tick` once a second. Workers of a distributed run hand on what
    they `take`; the master, who alone ticks, is to `give` it here.
    """

    def __init__(self, thresholds: Iterable[Threshold], min_samples: int) -> None:
        self._sliding = [Sliding(one, min_samples) for one in thresholds if one.abort]
        self._new: list[tuple[list[float], list[int]]] = [([], []) for _ in self._sliding]
        self._ticked = 0

    def __bool__(self) -> bool:
        return bool(self._sliding)

    def request(
        self, labels: Mapping[str, str], shopper: int, due_us: int, sent_us: int, done_us: int, *, failed: bool
    ) -> None:
        """Note a request that is done; `labels` has every label a threshold on requests may name."""
        for sliding, (values, clusters) in zip(self._sliding, self._new, strict=True):
            figure = sliding.threshold.figure
            if all(labels[label] == name for label, name in figure.where):
                values.append(request_value(figure.metric.name, due_us, sent_us, done_us, failed))
                clusters.append(shopper)

    def take(self) -> list[tuple[list[float], list[int]]]:
        """Return what was noted since the last call, as plain lists, and forget it."""
        taken, self._new = self._new, [([], []) for _ in self._sliding]
        return taken

    def give(self, taken: Sequence[Sequence[Sequence[Any]]]) -> None:
        """Note what a worker has taken."""
        for (values, clusters), (more, whose) in zip(self._new, taken, strict=True):
            values.extend(more)
            clusters.extend(whose)

    def tick(self, now_s: float) -> Breach | None:
        """Judge the seconds that are over; return the first breach. Late calls count as one longer second."""
        if int(now_s) <= self._ticked:
            return None
        gap, self._ticked = int(now_s) - self._ticked, int(now_s)
        for sliding, (values, clusters) in zip(self._sliding, self.take(), strict=True):
            for _ in range(gap - 1):
                sliding.second(self._ticked, np.zeros(0), np.zeros(0, np.int64))
            stretch = sliding.second(self._ticked, np.array(values, np.float64), np.array(clusters, np.int64))
            if stretch is not None and stretch.breaks:
                return Breach(sliding.threshold.text, self._ticked, said(sliding.threshold, stretch))
        return None


def said(threshold: Threshold, stretch: Stretch) -> str:
    """Return the sentence of a stretch."""
    limit = f"{threshold.operator} {threshold.written}"
    span = f"from {figure(stretch.end_s - (threshold.window_s or 0), 'time')} to {figure(stretch.end_s, 'time')}"
    told = with_interval(stretch.estimate or NOTHING, threshold.metric.kind)
    return f"{threshold.figure} {span} was {told}: {'breaks' if stretch.breaks else 'keeps'} {limit}"
