"""What the generator says of itself, and what makes a run invalid."""

from __future__ import annotations

import pytest

from simulator.analysis.latency import blank, encode, part_of
from simulator.worlds.live.gauge import Gauge, Lost, judge_generator
from simulator.worlds.live.limits import STALL_S


def lag_of(*values_us):
    """Return start lags as they travel."""
    histogram = blank()
    for value in values_us:
        histogram.record_value(value)
    return encode(part_of(histogram))


def report(**given):
    """Return what a process says of itself that could keep up for a minute, but for what is given."""
    return {
        "planned": 100, "started": 100, "lag": lag_of(*[1_000] * 100), "cpu_share": 0.4, "stalls": 0,
        "stalled_s": 0.0, "longest_stall_s": 0.0, "memory_mb": 200.0, "requests": 500, "errors": 2,
        "skipped": [["track", "no consent", 3]], "defects": {}, "duration_s": 60.0, "cap": None, "warm": 0,
        "contract": [], "from_cache": 0, "held": 0,
    } | given  # fmt: skip


def judged(*reports, **how):
    """Return the manifest's generator section."""
    return judge_generator(reports, **({"interrupted": False} | how))


def test_workers_that_kept_up_add_up():
    """Counts are sums, the share of a core is the busiest worker's, and start lags are merged value by value."""
    found = judged(
        report(host="here", worker=0),
        report(host="here", worker=1, cpu_share=0.7, lag=lag_of(*[9_000] * 100), skipped=[["track", "no consent", 4]]),
    )
    assert (found["planned"], found["started"], found["requests"], found["errors"]) == (200, 200, 1_000, 4)
    assert found["cpu_share"] == 0.7
    assert found["start_lag_ms"] == pytest.approx({"p50": 1.0, "p99": 9.0, "max": 9.0}, rel=1e-3)
    assert found["skipped"] == [{"operation": "track", "reason": "no consent", "count": 7}]
    assert found["saturated"] == found["notes"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cpu_share": 0.95}, "the generator took 95% of its core; use fewer visits a second or more workers"),
        ({"lag": lag_of(*[300_000] * 100)}, "visits started late: p99 300 ms after they were due; lower the rate"),
        ({"started": 90}, "10 of 100 planned visits were not started"),
        (
            {"stalls": 4, "stalled_s": 2.5, "longest_stall_s": 0.9},
            (
                "the generator stood still for 2.5 s in 4 stalls, the longest 900 ms; give it a core of its own, or"
                " lower the rate"
            ),
        ),
        ({"defects": {"KeyError: x": 2}}, "2 visits were broken off by a defect: KeyError: x"),
    ],
    ids=["cpu", "late", "dropped", "stalls", "defects"],
)
def test_a_generator_that_could_not_keep_up_says_why_and_what_to_do(given, said):
    """Each limit by itself makes the run invalid, with its reason."""
    assert judged(report(**given))["saturated"] == [said]


@pytest.mark.parametrize(
    ("visits", "late", "invalid"), [(30, 1, False), (30, 3, True), (2_000, 25, False), (2_000, 35, True)]
)
def test_a_hiccup_of_a_short_run_is_not_its_p99(visits, late, invalid):
    """The p99's whole 95 % interval must be beyond the limit, which the slowest of thirty visits is not."""
    lag = lag_of(*[1_000] * (visits - late), *[388_000] * late)
    found = judged(report(planned=visits, started=visits, lag=lag))
    assert found["start_lag_ms"]["p99"] == pytest.approx(388, rel=2e-3)
    assert bool(found["saturated"]) is invalid


def test_one_worker_of_several_is_named():
    """Which worker was too busy is told, for it is one machine that needs help."""
    assert judged(report(host="here", worker=0), report(host="here", worker=1, cpu_share=0.95))["saturated"] == [
        "worker 1 took 95% of its core; use fewer visits a second or more workers"
    ]


def test_short_stalls_of_a_long_run_are_forgiven():
    """Half a second in a minute is below the limit of 1 %, or of a second in a short run."""
    assert judged(report(stalls=3, stalled_s=0.5, longest_stall_s=0.2))["saturated"] == []
    assert judged(report(stalls=9, stalled_s=5.0, longest_stall_s=0.9, duration_s=600.0))["saturated"] == []


@pytest.mark.parametrize("late_s", [0.0, 0.05, STALL_S])
def test_a_beat_on_time_is_no_stall(late_s):
    """A loop that is a little late turns all the same."""
    gauge = Gauge()
    gauge.beat(late_s)
    assert gauge.stalls == 0


def test_stalls_are_counted_and_added():
    """Every beat that comes too late is a stall as long as it was late."""
    gauge = Gauge()
    for late_s in (0.2, 0.0, 0.5):
        gauge.beat(late_s)
    assert (gauge.stalls, gauge.stalled_s, gauge.longest_s) == (2, pytest.approx(0.7), 0.5)


LOST = Lost(2, "elsewhere", 12.34, 45, 230)
SAID = "orker 2 on elsewhere was lost after 12.3 s: 45 of its visits were open and 230 were not started"


def test_a_lost_worker_makes_the_run_invalid_unless_that_is_allowed():
    """Its visits count as lost and not as dropped; with --allow-lost the run stands, and says so all the same."""
    reports = [report(host="here", worker=0), report(host="here", worker=2, started=70, planned=300)]
    strict, lenient = judged(*reports, lost=[LOST]), judged(*reports, lost=[LOST], allow_lost=True)
    assert (strict["saturated"], strict["notes"]) == ([f"w{SAID}; see its output, or run with --allow-lost"], [])
    assert (lenient["saturated"], lenient["notes"]) == ([], [f"W{SAID}."])
    assert strict["dropped"] == lenient["dropped"] == 0
    assert strict["lost"] == {"workers": 1, "visits": 275}


def test_what_the_disk_did_not_take_makes_the_run_invalid():
    """A run whose tables are not whole is finished, and cannot be trusted."""
    assert judged(report(), failures=["requests is not whole"])["saturated"] == ["requests is not whole"]
