"""A server that freezes for ten seconds of a minute: what an honest load tester reports, and what a closed loop does.

Visits come at a fixed rate r, each with one request; the server answers at once but for F = 10 s of T = 60 s. A request
due t seconds into the freeze waits F − t, so its latency is uniform on (0, F) for a share F/T of all requests:
P(latency > x) = (F − x)/T. The 99th percentile is F − 0.01·T = 9.4 s and the maximum F = 10 s. F is measured, for who
freezes the server may oversleep.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from simulator.analysis.runs import read_run

pytestmark = pytest.mark.timeout(300)
HERE = Path(__file__).parent
WORLD = "simulator.worlds.live"
RUN_S, FREEZE_S, BEFORE_S, RATE = 60.0, 10.0, 15.0, 20


@pytest.fixture(scope="module")
def frozen(running, tmp_path_factory):
    """Run both generators for a minute against a server that freezes; return our run's folder and what Locust says."""

    def make(folder):
        with (
            subprocess.Popen([sys.executable, str(HERE / "freezing.py")], stdout=subprocess.PIPE, text=True) as server,
            ending(server),
        ):
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            ours = running.start("load", HERE / "files" / "one_page_scenario.yaml", "--host", url, "--out", folder)
            assert running.within(120, lambda: running.is_calling(running.children_of(ours.pid, WORLD)))
            closed = [sys.executable, str(HERE / "closed_locust.py"), url, str(RUN_S - 8)]
            with subprocess.Popen(closed, stdout=subprocess.PIPE, text=True) as locust, ending(locust):
                sleep(BEFORE_S)
                frozen_s = freeze(server.pid)
                said = [float(word) for word in locust.communicate(timeout=100)[0].split()]
            return [frozen_s, *said, running.finish(ours).code]

    return running.once(tmp_path_factory, "frozen", make)


@contextmanager
def ending(process):
    """Kill a process when the block is over."""
    try:
        yield
    finally:
        process.kill()


def freeze(pid):
    """Stop a process for `FREEZE_S`; return how long it was in truth."""
    begun_s = monotonic()
    os.kill(pid, signal.SIGSTOP)
    until_s = begun_s + FREEZE_S
    while (left_s := until_s - monotonic()) > 0:
        sleep(min(left_s, 0.5))
    os.kill(pid, signal.SIGCONT)
    return monotonic() - begun_s


def test_p99_and_maximum_are_what_theory_gives(frozen):
    """Latency from due shows the freeze to 2 %: a p99 of 9.4 s and a maximum of 10 s."""
    folder, (frozen_s, *_) = frozen
    found = read_run(folder).histograms.merged("due")
    assert found.n == pytest.approx(RUN_S * RATE, rel=0.01)
    assert found.percentile_s(0.99) == pytest.approx(frozen_s - 0.01 * RUN_S, rel=0.02)
    assert found.percentile_s(1.0) == pytest.approx(frozen_s, rel=0.02)


def test_the_share_of_slow_requests_is_the_freezes(frozen):
    """A sixth of all requests came during the freeze, and half of those waited for more than half of it."""
    folder, (frozen_s, *_) = frozen
    found = read_run(folder).histograms.merged("due")
    assert found.percentile_s(1 - 0.5 * frozen_s / RUN_S) == pytest.approx(frozen_s / 2, rel=0.04)


def test_a_closed_loop_does_not_see_it(frozen):
    """Locust's five users meet the same freeze with one request each: its p99 says that nothing happened."""
    _, (frozen_s, p99_ms, most_ms, requests, _) = frozen
    # All five may just have asked when the freeze begins: then the first of them meets it a quarter of a second late.
    assert 0.98 * (frozen_s - 0.25) <= most_ms / 1e3 <= 1.02 * frozen_s
    assert p99_ms < 0.1 * frozen_s * 1e3
    assert requests < 0.9 * RATE * RUN_S
