"""What the generator says of itself: how busy it was, how late, and whether its figures can be trusted."""

from __future__ import annotations

from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import gevent
import psutil

from simulator.analysis.latency import decode, encode, merge, part_of
from simulator.target.contract import merged
from simulator.worlds.live.gate import cost_of, no_room
from simulator.worlds.live.limits import CPU_LIMIT, LAG_LIMIT_MS, STALL_S, STALLED_LEAST_S, STALLED_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.latency import Histogram
    from simulator.worlds.live.run import LiveRun

US = 1_000_000
MB = 1_000_000
BEAT_S = 0.02
"""How often the event loop is asked whether it still turns."""
OF_WORKERS = ("worker", "host", "started", "requests", "cpu_share", "stalls", "memory_mb")
"""What the manifest says of each worker."""


class Gauge:
    """Watches the generator: the share of a core it takes and its memory once a second, the event loop all the time."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._cpu_sum, self._samples = 0.0, 0
        self.memory_bytes = 0
        self.stalls, self.stalled_s, self.longest_s = 0, 0.0, 0.0

    def watch(self) -> None:
        """Measure until killed."""
        self._process.cpu_percent()
        last_s = sampled_s = perf_counter()
        while True:
            gevent.sleep(BEAT_S)
            now_s = perf_counter()
            self.beat(now_s - last_s - BEAT_S)
            if now_s - sampled_s >= 1.0:
                self._sample()
                sampled_s = now_s
            last_s = perf_counter()

    def beat(self, late_s: float) -> None:
        """Take in how late a beat came."""
        if late_s > STALL_S:
            self.stalls += 1
            self.stalled_s += late_s
            self.longest_s = max(self.longest_s, late_s)

    def _sample(self) -> None:
        self._cpu_sum += self._process.cpu_percent() / 100
        self._samples += 1
        self.memory_bytes = max(self.memory_bytes, self._process.memory_info().rss)

    @property
    def cpu_share(self) -> float:
        """Mean share of one core."""
        return self._cpu_sum / self._samples if self._samples else 0.0


class Lost(NamedTuple):
    """A worker that went away before the end: `open_visits` had begun, `unsent` had not, as far as it had told."""

    worker: int
    host: str
    at_s: float
    open_visits: int
    unsent: int

    @property
    def text(self) -> str:
        """One clause."""
        return (
            f"worker {self.worker} on {self.host} was lost after {self.at_s:.1f} s: {self.open_visits:,} of its visits"
            f" were open and {self.unsent:,} were not started"
        )


def report_of(run: LiveRun, gauge: Gauge) -> dict[str, Any]:
    """Return what one process says of its share of the run; plain values, which travel as they are."""
    return {
        "planned": run.planned,
        "started": run.begun,
        "warm": run.warm_visits,
        "cap": run.gate.report(run.planned - run.begun),
        "lag": encode(part_of(run.lag)),
        "cpu_share": round(gauge.cpu_share, 4),
        "stalls": gauge.stalls,
        "stalled_s": round(gauge.stalled_s, 3),
        "longest_stall_s": round(gauge.longest_s, 3),
        "memory_mb": round(gauge.memory_bytes / MB, 1),
        "requests": run.recorder.requests,
        "errors": run.recorder.failed,
        "skipped": [[*what, count] for what, count in sorted(run.skipped.items())],
        "contract": run.contract.rows(),
        "from_cache": run.from_cache,
        "defects": dict(run.defects),
        "held": run.ceiling.held,
        "duration_s": round(run.now_us() / US, 3),
    }


def judge_generator(
    reports: Sequence[dict[str, Any]],
    *,
    interrupted: bool,
    lost: Sequence[Lost] = (),
    allow_lost: bool = False,
    failures: Sequence[str] = (),
    views: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what the manifest says of the generator, with the reasons not to trust the run, if any.

    `reports` are those of `report_of`, one a process; `failures` what the disk did not take; `views` what
    those who looked on could not be shown, which does no harm to what was measured.
    """
    planned, started = (sum(report[name] for report in reports) for name in ("planned", "started"))
    gone = sum(one.unsent for one in lost)
    lag = merge(decode(report["lag"]) for report in reports)
    lag_ms = _lag_ms(lag)
    duration_s = max((report["duration_s"] for report in reports), default=0.0)
    dropped = planned - started - gone
    saturated = [reason for report in reports for reason in _busy(report)]
    if (lag.estimate(0.99).low or 0.0) * 1e3 > LAG_LIMIT_MS:
        saturated.append(f"visits started late: p99 {lag_ms['p99']:.0f} ms after they were due; lower the rate")
    cap = cost_of([report["cap"] for report in reports])
    if cap and cap["dropped"] and not interrupted:
        saturated.append(no_room(cap, planned))
    elif dropped > 0 and not interrupted:
        saturated.append(f"{dropped} of {planned} planned visits were not started")
    defects = sum((Counter(report["defects"]) for report in reports), Counter[str]())
    saturated += [f"{count} visits were broken off by a defect: {what}" for what, count in defects.items()]
    saturated += [] if allow_lost else [f"{one.text}; see its output, or run with --allow-lost" for one in lost]
    saturated += failures
    return {
        "planned": planned,
        "started": started,
        "dropped": max(0, dropped),
        "warmup_visits": sum(report["warm"] for report in reports),
        "cap": cap,
        "start_lag_ms": lag_ms,
        "cpu_share": max((report["cpu_share"] for report in reports), default=0.0),
        "stalls": {
            "count": sum(report["stalls"] for report in reports),
            "longest_ms": 1e3 * max((report["longest_stall_s"] for report in reports), default=0.0),
        },
        "memory_mb": max((report["memory_mb"] for report in reports), default=0.0),
        "saturated": saturated,
        "notes": [*([f"{one.text[0].upper()}{one.text[1:]}." for one in lost] if allow_lost else []), *views],
        "requests": sum(report["requests"] for report in reports),
        "errors": sum(report["errors"] for report in reports),
        "skipped": _skipped(reports),
        "contract": merged(report["contract"] for report in reports),
        "held": sum(report["held"] for report in reports),
        "from_cache": sum(report["from_cache"] for report in reports),
        "duration_s": duration_s,
        "workers": [{name: report[name] for name in OF_WORKERS} for report in reports if "worker" in report],
        "lost": {"workers": len(lost), "visits": sum(one.open_visits + one.unsent for one in lost)},
    }


def _lag_ms(lag: Histogram) -> dict[str, float]:
    """Return the start lag's median, p99 and maximum."""
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round((lag.percentile_s(share) or 0.0) * 1e3, 3) for name, share in shares.items()}


def _skipped(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the calls that were not made, over all processes."""
    skipped: Counter[tuple[str, str]] = Counter()
    for report in reports:
        skipped.update({(operation, reason): count for operation, reason, count in report["skipped"]})
    return [{"operation": what, "reason": why, "count": n} for (what, why), n in sorted(skipped.items())]


def _busy(report: dict[str, Any]) -> list[str]:
    """Return why one process cannot be trusted."""
    who = f"worker {report['worker']}" if "worker" in report else "the generator"
    found = []
    if report["cpu_share"] > CPU_LIMIT:
        found.append(f"{who} took {report['cpu_share']:.0%} of its core; use fewer visits a second or more workers")
    if report["stalled_s"] > max(STALLED_LIMIT * report["duration_s"], STALLED_LEAST_S):
        found.append(
            f"{who} stood still for {report['stalled_s']:.1f} s in {report['stalls']} stalls, the longest"
            f" {report['longest_stall_s'] * 1e3:.0f} ms; give it a core of its own, or lower the rate"
        )
    return found
