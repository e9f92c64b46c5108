"""OpenTelemetry's metrics of the tally, pushed to a collector over OTLP/HTTP every few seconds. Needs `footfall[otel]`.

The data model is filled from the tally itself, so that nothing is counted twice and a master sends what its workers
counted; OpenTelemetry's own exporter encodes and sends it.
"""

from __future__ import annotations

from itertools import pairwise
from time import time_ns
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gevent

from simulator import __version__
from simulator.worlds.live.listening import Listener
from simulator.worlds.live.views.series import COUNTERS, HISTOGRAMS, OPEN, Metric, counts, spreads

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import export as sdk

    from simulator.worlds.live.views.spread import Spread
    from simulator.worlds.live.views.tally import Tally

PATH = "/v1/metrics"
TIMEOUT_S = 5.0
EVERY_S = 5
_UNITS = {"visits": "{visit}", "pages": "{page}", "requests": "{request}", "bytes": "By", "seconds": "s"}
"""UCUM, as OpenTelemetry's conventions ask."""


def endpoint_of(url: str) -> str:
    """Return where metrics go: OTLP's own path where the collector's URL has none."""
    return url.rstrip("/") + PATH if urlsplit(url).path in {"", "/"} else url


class Pusher(Listener):
    """Sends the tally to a collector every few seconds, beside the visits."""

    def __init__(self, tally: Tally, url: str, run_id: str, exporter: sdk.MetricExporter | None = None) -> None:
        self._tally, self._begun_ns = tally, time_ns()
        self._exporter = exporter or _exporter(endpoint_of(url))
        self._resource = {"service.name": "footfall", "service.version": __version__, "footfall.run.id": run_id}
        self.failed = 0
        self._sending: gevent.Greenlet | None = None

    def each_second(self, second: int) -> None:
        """Send, where it is time and the last sending is over."""
        if second % EVERY_S == 0 and (self._sending is None or self._sending.ready()):
            self._sending = gevent.spawn(self.push)

    def push(self) -> None:
        """Send everything as it stands now."""
        from opentelemetry.sdk.metrics.export import MetricExportResult  # noqa: PLC0415 - an extra

        result = self._exporter.export(self.data(), timeout_millis=TIMEOUT_S * 1e3)
        if result is not MetricExportResult.SUCCESS:
            self.failed += 1

    def close(self) -> None:
        """Send what is left."""
        if self._sending:
            self._sending.join()
        self.push()
        self._exporter.shutdown()

    def data(self) -> sdk.MetricsData:
        """Return the tally in OpenTelemetry's data model; sums and histograms are cumulative."""
        from opentelemetry.sdk.metrics import export as sdk  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415

        whole = sdk.AggregationTemporality.CUMULATIVE
        found = [_metric(OPEN, sdk.Gauge([self._number({}, self._tally.open)]))]
        for metric in COUNTERS:
            points = [self._number(_labelled(metric, at), count) for at, count in counts(self._tally, metric)]
            found.append(_metric(metric, sdk.Sum(points, whole, is_monotonic=True)))
        for metric in HISTOGRAMS:
            spread = [self._histogram(metric, at, one) for at, one in spreads(self._tally, metric)]
            found.append(_metric(metric, sdk.Histogram(spread, whole)))
        scope = sdk.ScopeMetrics(InstrumentationScope("footfall", __version__), found, "")
        return sdk.MetricsData([sdk.ResourceMetrics(Resource(self._resource), [scope], "")])

    def _number(self, labels: dict[str, str], value: int) -> sdk.NumberDataPoint:
        from opentelemetry.sdk.metrics.export import NumberDataPoint  # noqa: PLC0415 - an extra

        return NumberDataPoint(labels, self._begun_ns, time_ns(), value)

    def _histogram(self, metric: Metric, at: tuple[str, ...], spread: Spread) -> sdk.HistogramDataPoint:
        from opentelemetry.sdk.metrics.export import HistogramDataPoint  # noqa: PLC0415 - an extra

        below = [0, *spread.below_s(metric.bounds_s), spread.count]
        each = [more - fewer for fewer, more in pairwise(below)]
        least_s, most_s = (spread.quantile_s(share) or 0.0 for share in (0.0, 1.0))
        return HistogramDataPoint(
            _labelled(metric, at),
            self._begun_ns,
            time_ns(),
            spread.count,
            spread.total_us / 1e6,
            each,
            metric.bounds_s,
            least_s,
            most_s,
        )


def _labelled(metric: Metric, at: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(metric.labels, at, strict=True))


def _metric(metric: Metric, data: Any) -> sdk.Metric:  # noqa: ANN401 - one of the three kinds of data
    from opentelemetry.sdk.metrics.export import Metric as Sent  # noqa: PLC0415 - an extra

    name = "footfall." + metric.name.removesuffix("_seconds").removesuffix("_bytes").replace("_", ".")
    return Sent(name, metric.about, _UNITS[metric.unit], data)


def _exporter(endpoint: str) -> sdk.MetricExporter:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415 - an extra

    return OTLPMetricExporter(endpoint=endpoint, timeout=TIMEOUT_S)


def is_installed() -> bool:
    """Return whether the extra is there."""
    from importlib.util import find_spec  # noqa: PLC0415 - asked once, by the command

    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False
