"""Prometheus' text endpoint: `/metrics` of the tally, put together when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gevent import pywsgi
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from simulator.worlds.live.views.series import COUNTERS, HISTOGRAMS, OPEN, counts, spreads
from simulator.worlds.live.views.wanted import parse_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from simulator.worlds.live.views.spread import Spread
    from simulator.worlds.live.views.tally import Tally

PREFIX = "footfall_"


class Tallied:
    """Prometheus' collector of a tally."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it stands now."""
        yield GaugeMetricFamily(PREFIX + OPEN.name, OPEN.about, value=self._tally.open)
        for metric in COUNTERS:
            counter = CounterMetricFamily(PREFIX + metric.name, metric.about, labels=metric.labels)
            for labels, count in counts(self._tally, metric):
                counter.add_metric(labels, count)
            yield counter
        for metric in HISTOGRAMS:
            histogram = HistogramMetricFamily(PREFIX + metric.name, metric.about, labels=metric.labels)
            for labels, spread in spreads(self._tally, metric):
                histogram.add_metric(labels, _buckets(spread, metric.bounds_s), spread.total_us / 1e6)
            yield histogram


def _buckets(spread: Spread, bounds_s: tuple[float, ...]) -> list[tuple[str, float]]:
    found = [*spread.below_s(bounds_s), spread.count]
    return list(zip([*map(str, bounds_s), "+Inf"], found, strict=True))


def metrics_app(tally: Tally) -> Any:  # noqa: ANN401 - a WSGI application
    """Return what answers `/metrics`, and nothing else."""
    registry = CollectorRegistry()
    registry.register(Tallied(tally))
    answer = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start: Any) -> Any:  # noqa: ANN401 - WSGI
        if environ.get("PATH_INFO") == "/metrics":
            return answer(environ, start)
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"metrics stand at /metrics\n"]

    return app


def serve_metrics(tally: Tally, address: str) -> pywsgi.WSGIServer:
    """Answer at an address until stopped; the scrape itself is a greenlet, beside the visits."""
    server = pywsgi.WSGIServer(parse_address(address), metrics_app(tally), log=None)
    server.start()
    return server
