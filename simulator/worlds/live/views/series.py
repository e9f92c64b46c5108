"""The metrics that leave the process, defined once: Prometheus and OpenTelemetry show the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from simulator.journey.records import CAUSES
from simulator.model.schema import TECHNOLOGIES
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS
from simulator.target.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.worlds.live.views.spread import Spread
    from simulator.worlds.live.views.tally import Key, Tally

Bounds = tuple[float, ...]
_FAST_S: Bounds = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LOAD_S: Bounds = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0, 30.0)
_LENGTH_S: Bounds = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
_LAG_S: Bounds = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metric(NamedTuple):
    """One metric: what of the tally it shows; `bounds_s` of a histogram's buckets."""

    of: str
    name: str
    unit: Literal["visits", "pages", "requests", "bytes", "seconds"]
    about: str
    labels: tuple[str, ...] = ()
    bounds_s: Bounds = ()


COUNTERS = (
    Metric("started", "visits_started", "visits", "Visits that have started"),
    Metric("ended", "visits_ended", "visits", "Visits that are over, by network of the first page and cause of leaving",
           ("network", "cause")),
    Metric("bounced", "visits_bounced", "visits", "Visits that ended on their first page", ("network",)),
    Metric("pages", "pages_seen", "pages", "Pages that shoppers have seen", ("page", "network")),
    Metric("given_up", "pages_given_up", "pages", "Pages left before they were there", ("page", "network")),
    Metric("requests", "requests", "requests", "Requests by outcome: ok, abandoned, or the name of an error",
           ("operation", "outcome")),
    Metric("bytes", "received_bytes", "bytes", "Bytes of bodies as they came over the network", ("operation",)),
)  # fmt: skip
HISTOGRAMS = (
    Metric("lag", "start_lag_seconds", "seconds", "How much later than meant visits started", (), _LAG_S),
    Metric("wall", "visit_seconds", "seconds", "Length of visits that are over, waiting included", ("network",),
           _LENGTH_S),
    Metric("engaged", "visit_engaged_seconds", "seconds", "Time looking at pages in visits that are over", ("network",),
           _LENGTH_S),
    Metric("load", "load_time_seconds", "seconds", "From the tap to a usable page, as shoppers felt it",
           ("page", "network"), _LOAD_S),
    Metric("latency", "request_seconds", "seconds", "Until the answer is complete, since the request was due or sent",
           ("operation", "clock"), _FAST_S),
)  # fmt: skip
OPEN = Metric("open", "visits_open", "visits", "Visits that go on")
_WORDS: dict[str, Callable[[int], str]] = {
    "page": lambda code: STATE_NAMES[code],
    "network": lambda code: TECHNOLOGIES[code] if code < len(TECHNOLOGIES) else "none",
    "operation": lambda code: OPERATIONS[code],
    "cause": lambda code: CAUSES[code],
}


def words(metric: Metric, key: Key) -> tuple[str, ...]:
    """Return a key's codes as the values of the metric's labels."""
    return tuple(
        redacted(_WORDS[label](part) if label in _WORDS else str(part))
        for label, part in zip(metric.labels, key, strict=True)
    )


def counts(tally: Tally, metric: Metric) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield (values of labels, count) of a counter, in order."""
    yield from sorted((words(metric, key), count) for key, count in tally.counts[metric.of].items())


def spreads(tally: Tally, metric: Metric) -> Iterator[tuple[tuple[str, ...], Spread]]:
    """Yield (values of labels, values) of a histogram, in order."""
    found = {words(metric, key): spread for key, spread in tally.spreads[metric.of].items()}
    yield from sorted(found.items(), key=lambda one: one[0])
