"""The metrics a threshold may name: where their numbers come from, which labels they know, how they are averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from simulator.analysis.estimates import Estimate, mean, quantiles, share
from simulator.analysis.parting import part
from simulator.journey.records import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from simulator.analysis.frames import Frame, Labels
    from simulator.analysis.runs import Run
    from simulator.analysis.words import Kind

US = 1e6
Source = Literal["visits", "events", "requests", "generator"]
VISIT_LABELS = ("persona", "network", "tier", "os", "country", "arm", "situation")
EVENT_LABELS = ("page", *VISIT_LABELS)
REQUEST_LABELS = ("page", "persona", "operation", "placement")
LABELS: dict[Source, tuple[str, ...]] = {
    "visits": VISIT_LABELS,
    "events": EVENT_LABELS,
    "requests": REQUEST_LABELS,
    "generator": (),
}
ABANDONED = "abandoned"
"""The error of a request whose shopper left before the answer."""
LEAVING = tuple(cause for cause in CAUSES if cause != "ongoing")
UNHAPPY = ("impatient", "put_off", "error")
"""Causes of leaving that a shop wants fewer of."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Shares and totals stand alone; `default` averages the others when a threshold names no aggregate.

    `least` is the smallest value there can be, where the interval of a mean ends. `better` says which way a change is
    good; None where that is for people to say.
    """

    name: str
    kind: Kind
    source: Source
    meaning: str
    default: str | None = None
    least: float = 0.0
    live_only: bool = False
    better: Literal["higher", "lower"] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels by which it can be narrowed down."""
        return LABELS[self.source]


_ALL = (
    Metric("bounce", "share", "visits", "share of visits that ended on their first page", better="lower"),
    Metric("conversion", "share", "visits", "share of visits with at least one order", better="higher"),
    Metric(
        "cart_abandonment",
        "share",
        "visits",
        "share of visits with something in the cart that placed no order",
        better="lower",
    ),
    Metric("pages", "count", "visits", "pages asked for in a visit", "mean", least=1.0, better="higher"),
    Metric(
        "engaged_time", "time", "visits", "time looking at pages in a visit, waiting excluded", "mean", better="higher"
    ),
    Metric("wall_time", "time", "visits", "time from the first tap to leaving, waiting included", "mean"),
    Metric("waited_time", "time", "visits", "time waiting for pages in a visit", "mean", better="lower"),
    Metric(
        "ga_time",
        "time",
        "visits",
        "GA-compatible duration: first hit to last hit, 0 for a bounce",
        "mean",
        better="higher",
    ),
    *(
        Metric(
            f"left_{cause}",
            "share",
            "visits",
            f"share of visits that ended with cause {cause}",
            better="lower" if cause in UNHAPPY else None,
        )
        for cause in LEAVING
    ),
    Metric("load_time", "time", "events", "time from the tap to a usable page, as the shopper felt it", better="lower"),
    Metric("first_paint", "time", "events", "time from the tap to the first paint", better="lower"),
    Metric("page_errors", "share", "events", "share of pages that came with an error or not at all", better="lower"),
    Metric(
        "latency",
        "time",
        "requests",
        "time from when a request was due to its complete answer",
        live_only=True,
        better="lower",
    ),
    Metric(
        "service_time",
        "time",
        "requests",
        "time from when a request was sent to its complete answer",
        live_only=True,
        better="lower",
    ),
    Metric(
        "errors",
        "share",
        "requests",
        "share of requests that failed; abandoned ones did not",
        live_only=True,
        better="lower",
    ),
    Metric(
        "start_lag", "time", "visits", "how much later than planned a visit started", live_only=True, better="lower"
    ),
    Metric(
        "dropped", "total", "generator", "arrivals that were planned but never started", live_only=True, better="lower"
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
_VISIT_TIMES = {
    "engaged_time": "engaged_us",
    "wall_time": "wall_us",
    "waited_time": "waited_us",
    "ga_time": "ga_us",
    "start_lag": "lag_us",
}
_LOADS = {"load_time": "load_us", "first_paint": "fcp_us"}


class Sample(NamedTuple):
    """The values of a metric: numbers (0 and 1 for a share) and the shopper each is of.

    `seen` (pages) says whether a load time was seen to its end; `weights` (visits) what each counts, see `cut`. Either
    is None when all is whole.
    """

    values: NDArray[np.float64]
    clusters: NDArray[np.int64]
    seen: NDArray[np.bool_] | None = None
    weights: NDArray[np.float64] | None = None

    def share(self) -> Estimate:
        """Return the share of values that are not 0."""
        return share(self.values > 0, self.clusters, self.weights)

    def mean(self, least: float = 0.0) -> Estimate:
        """Return the mean of what was seen to its end; `least` is the smallest value there can be."""
        if self.seen is None:
            return mean(self.values, self.clusters, least, self.weights)
        return mean(self.values[self.seen], self.clusters[self.seen], least)

    def quantiles(self, qs: Iterable[float]) -> list[Estimate]:
        """Return quantiles."""
        return quantiles(self.values, qs, self.clusters, self.seen, self.weights)

    def only(self, rows: NDArray[Any]) -> Sample:
        """Return some of the values: `rows` are positions, or a mask."""
        return Sample(*(None if part is None else part[rows] for part in self))  # type: ignore[arg-type]


def sample(run: Run, metric: Metric, where: Mapping[str, str] | None = None) -> Sample:
    """Return the values of a metric of visits, events or requests, narrowed down by labels; times are in seconds.

    With several arms and no `arm` in `where`, the values are control's. A load time that was never seen counts with the
    time that was waited, `seen` being False: the truth is longer. Visits that the run's end cut are not among the
    values; the others stand in for them (see `cut`).
    """
    rows = rows_of(run, metric.source, where or {})
    if metric.source == "visits":
        return _of_visits(run, metric.name, rows)
    if metric.source == "events":
        return _of_events(run.events, metric.name, rows)
    assert run.requests is not None
    return _of_requests(run.requests, metric.name, rows)


def matching(run: Run, source: Source, where: Mapping[str, str]) -> NDArray[np.bool_]:
    """Return which rows of a table carry all labels of `where`; control's only, unless it names an arm."""
    mask = np.ones(len(frame_of(run, source)), np.bool_)
    for label, name in _wanted(run, source, where).items():
        mask &= labels_of(run, source, label).are(name)
    return mask


Rows: TypeAlias = "slice | NDArray[Any]"
"""What picks rows of a column: all of them, or positions, or a mask."""


def rows_of(run: Run, source: Source, where: Mapping[str, str]) -> Rows:
    """Return the rows that `matching` finds, ascending; a table is parted once for all values of the same labels."""
    wanted = _wanted(run, source, where)
    if not wanted:
        return slice(None)
    labels, found = run.parted.get(source, ((), None))
    if found is None or labels != tuple(wanted):
        found = part({label: labels_of(run, source, label) for label in wanted})
        run.parted[source] = (tuple(wanted), found)
    return found.rows(wanted)


def _wanted(run: Run, source: Source, where: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that rows must have; control's arm, where there are several and none is named."""
    arm = {"arm": run.base_arm} if source in ("visits", "events") and run.base_arm is not None else {}
    return arm | dict(where)


def frame_of(run: Run, source: Source) -> Frame:
    """Return the table that a source names."""
    frame = {"visits": run.visits, "events": run.events, "requests": run.requests}[source]
    assert frame is not None
    return frame


def labels_of(run: Run, source: Source, label: str) -> Labels:
    """Return a label of each row of a table."""
    return run.event_labels(label) if source == "events" else frame_of(run, source).labels(label)


def _of_visits(run: Run, name: str, rows: Rows) -> Sample:
    visits, weights = run.visits, None
    if name == "cart_abandonment":
        rows = _narrowed(rows, visits.flags("carted"))
    if name != "start_lag" and not run.all_finished:
        rows = _narrowed(rows, run.counted)
        weights = run.visit_weights[rows]
    return Sample(_visit_values(run, name, rows), visits.integers("shopper")[rows], None, weights)


def _narrowed(rows: Rows, mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Return those of the rows where the mask is True."""
    return np.flatnonzero(mask) if isinstance(rows, slice) else rows[mask[rows]]


def _visit_values(run: Run, name: str, rows: Rows) -> NDArray[np.float64]:
    visits = run.visits
    if name in _VISIT_TIMES:
        return visits.numbers(_VISIT_TIMES[name])[rows] / US
    if name == "pages":
        return visits.numbers("pages")[rows]
    if name == "bounce":
        hits = visits.flags("bounced")[rows] & run.finished[rows]
    elif name.startswith("left_"):
        hits = visits.labels("cause").take(rows).are(name.removeprefix("left_"))
    elif name == "conversion":
        hits = visits.numbers("orders")[rows] > 0
    else:
        hits = (visits.numbers("orders")[rows] == 0) & run.finished[rows]
    return hits.astype(np.float64)


def _of_events(events: Frame, name: str, rows: Rows) -> Sample:
    who = events.integers("shopper")[rows]
    if name == "page_errors":
        return Sample((~events.flags("ok")[rows]).astype(np.float64), who)
    column = _LOADS[name]
    seen = events.present(column)[rows]
    values = events.numbers(column)[rows]
    if not seen.all():
        values = np.where(seen, values, events.numbers("waited_us")[rows])
    return Sample(values / US, who, seen)


def failed(requests: Frame) -> NDArray[np.bool_]:
    """Return which requests failed; one that its shopper abandoned is no failure of the target."""
    return requests.present("error") & ~requests.labels("error").are(ABANDONED)


def _of_requests(requests: Frame, name: str, rows: Rows) -> Sample:
    who, done = requests.integers("shopper")[rows], requests.integers("done_us")[rows]
    due, sent = requests.integers("due_us")[rows], requests.integers("sent_us")[rows]
    return Sample(request_value(name, due, sent, done, failed(requests)[rows]), who)


def request_value(name: str, due_us: Any, sent_us: Any, done_us: Any, failed: Any) -> Any:  # noqa: ANN401 - one or many
    """Return what one request, or each of many, adds to a metric of requests: seconds, or 1.0 where it failed."""
    if name == "errors":
        return failed * 1.0
    return (done_us - (due_us if name == "latency" else sent_us)) / US
