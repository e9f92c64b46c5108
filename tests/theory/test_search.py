"""The highest rate that holds, searched on a queue of which theory says it: M/D/c, in virtual time.

Keys are fixed; with other seeds a test would fail by chance for one in 1,000.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from simulator.analysis.search import Limits, Probe, bounds, conclude, next_rate
from simulator.journey.plan import open_starts

SERVICE_S = 0.02


@pytest.fixture(scope="module")
def queue():
    """Return the module of the queue's theory."""
    path = Path(__file__).parent / "queue_mdc.py"
    spec = importlib.util.spec_from_file_location("footfall_queue_mdc", path)
    sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])
    return sys.modules[spec.name]


def searched(judge, limits):
    """Search with a function from (rate, how often this rate was tried) to an outcome; return (probes, result)."""
    probes = []
    while isinstance(rate := next_rate(probes, limits), float):
        tried = sum(probe.rate_per_s == rate for probe in probes)
        probes.append(Probe(rate, judge(rate, tried)))
    return probes, conclude(probes, rate)


@pytest.mark.parametrize(("servers", "rate"), [(1, 30.0), (2, 85.0), (4, 170.0)])
def test_theory_is_what_is_played(queue, servers, rate):
    """The waiting times in closed form are those of the queue when it is played: two ways to the same numbers."""
    starts = open_starts([(0.0, rate), (1_200.0, rate)], 5) / 1e6
    spent = queue.play(starts, SERVICE_S, servers)
    for wait_s in (0.005, 0.02, 0.05):
        share = (spent - SERVICE_S <= wait_s + 1e-9).mean()
        assert share == pytest.approx(queue.waits_at_most(wait_s, rate, SERVICE_S, servers), abs=0.015)


@pytest.mark.parametrize(("servers", "limit_s"), [(1, 0.1), (2, 0.04), (4, 0.05)])
def test_the_search_finds_the_queues_rate(queue, servers, limit_s):
    """With probes of eight minutes the rate that is found is theory's, to the precision and the chance of probes."""
    truth = queue.highest_rate(limit_s, 0.95, SERVICE_S, servers)

    def judge(rate, tried):
        starts = open_starts([(0.0, rate), (500.0, rate)], 11 + tried) / 1e6
        spent = queue.play(starts, SERVICE_S, servers)
        return "held" if np.quantile(spent, 0.95) < limit_s else "failed"

    probes, found = searched(judge, Limits(start_per_s=5.0, precision=0.04, most_probes=24))
    assert found.stopped == "precise"
    assert found.exit_code == 0
    assert found.held_times == 2
    assert found.held_per_s == pytest.approx(truth, rel=0.06)
    assert found.beyond_per_s <= found.held_per_s * 1.05
    assert len(probes) <= 20


def limited(capacity, generator=float("inf")):
    """Return a judge of a target that holds up to a rate, sent by a generator that manages up to another."""
    return lambda rate, _: "invalid" if rate > generator else "held" if rate <= capacity else "failed"


@pytest.mark.parametrize("capacity", [0.3, 7.0, 5.0, 99.0, 1_234.0])
def test_any_capacity_is_found_from_anywhere(capacity):
    """From a start far above or far below, the two bounds close in on the capacity, and the lower one held twice."""
    _, found = searched(limited(capacity), Limits(start_per_s=5.0, precision=0.05, most_probes=40))
    assert found.held_per_s <= capacity < found.beyond_per_s <= found.held_per_s * 1.06
    assert (found.beyond, found.held_times, found.exit_code) == ("failed", 2, 0)


def test_a_generator_that_gives_up_is_no_failing_target():
    """Where the generator cannot send more, the rate is a lower bound, said so, and the exit code is `invalid`'s."""
    _, found = searched(limited(1e9, generator=50.0), Limits(start_per_s=5.0))
    assert found.held_per_s <= 50.0 < found.beyond_per_s
    assert (found.beyond, found.exit_code) == ("invalid", 3)
    assert "At least" in found.sentence
    assert "the generator gave up, not the target" in found.sentence


def test_nothing_holds():
    """A target that holds nothing ends the search at its floor; one that the generator cannot ask is not blamed."""
    probes, found = searched(limited(0.0), Limits(start_per_s=5.0, most_probes=40))
    assert (found.held_per_s, found.stopped, found.exit_code) == (None, "floor", 1)
    assert len(probes) in (10, 11)
    _, found = searched(limited(9.0, generator=0.0), Limits(start_per_s=5.0, most_probes=40))
    assert (found.held_per_s, found.exit_code) == (None, 3)


def test_a_ceiling_is_tried_and_not_passed():
    """No rate above the ceiling is tried; where it holds, it holds twice and the search is over."""
    probes, found = searched(limited(1e9), Limits(start_per_s=5.0, ceiling_per_s=30.0))
    assert [probe.rate_per_s for probe in probes] == [5, 10, 20, 30, 30]
    assert (found.held_per_s, found.stopped, found.exit_code) == (30, "ceiling", 0)


def test_probes_are_bounded():
    """The last probe ends the search, with what is known by then."""
    probes, found = searched(limited(700.0), Limits(start_per_s=1.0, most_probes=11))
    assert len(probes) == 11
    assert found.stopped == "probes"
    assert found.held_per_s < 700 < found.beyond_per_s


def test_a_rate_that_held_by_luck():
    """A rate that does not hold the second time did not hold: the search goes on below it."""
    lucky = lambda rate, tried: "held" if rate < 20 or (rate < 25 and not tried) else "failed"  # noqa: E731
    _, found = searched(lucky, Limits(start_per_s=5.0, most_probes=40))
    assert found.held_per_s <= 20
    assert found.held_times == 2


def test_too_few_values_are_no_verdict():
    """A probe that could not be judged ends the search and says what to change; it neither held nor failed."""
    _, found = searched(lambda *_: "unjudged", Limits(start_per_s=5.0))
    assert (found.stopped, found.exit_code) == ("unjudged", 3)
    assert "longer duration" in found.sentence


def test_bounds_ignore_what_held_above_a_failure():
    """A rate that held above one that failed is luck: the capacity is below the failure."""
    held, beyond = bounds([Probe(10, "held"), Probe(20, "failed"), Probe(40, "held")])
    assert (held.rate_per_s, beyond.rate_per_s) == (10, 20)
