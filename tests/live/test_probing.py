"""Probes within a live run: how many requests they send, what marks them, and that they never stand in the way."""

from __future__ import annotations

from time import perf_counter

import gevent
import pytest
from gevent.event import Event

from simulator.storefront.process import running_storefront
from simulator.target.headers import RUN_HEADER
from simulator.target.probes.probing import findings
from simulator.target.probes.steps import ALONE, AMONG, Ask, Script, Wait
from simulator.worlds.live import probing
from simulator.worlds.live.run import LiveRun
from simulator.worlds.live.visit import Arrival

VISITS = 30


@pytest.fixture(scope="module")
def storefront():
    """Open a right shop for this file."""
    with running_storefront(seed=7) as shop:
        yield shop.url


@pytest.fixture
def probed_run(scenario):
    """Return a function that probes alone, plays visits with probes beside them, and returns the run."""

    def probed_run(url, visits=VISITS, prepare=lambda _run: None, **overrides):
        run = LiveRun(scenario("everywhere", **overrides), url, "run-1")
        run.set_up()
        plan = run.warm_up()
        prepare(run)
        run.probing.alone(plan, Event())
        run.start_clock()
        run.probing.begin()
        arrivals = [Arrival(number, 0, 0, 20_000 * number) for number in range(visits)]
        gevent.joinall([gevent.spawn_later(one.due_us / 1e6, run.visit, one) for one in arrivals], timeout=60)
        run.probing.end()
        return run

    return probed_run


def test_probes_ask_no_more_than_their_share(storefront, probed_run):
    """Alone and beside the load together they stay within the share of the load's requests."""
    run = probed_run(storefront, probe_share=0.2)
    told = run.probing.state()
    assert not run.defects
    assert 0 < told["requests"] <= 0.2 * run.recorder.requests + 1
    assert 0 < told["alone_requests"] <= told["requests"]


def test_without_a_share_they_only_look(storefront, probed_run):
    """Nothing is sent, and what the load is answered is judged all the same."""
    run = probed_run(storefront, probe_share=0)
    told = run.probing.state()
    assert told["requests"] == told["alone_requests"] == 0
    found = {one.hazard.code: one for one in findings(run.target, [told["probes"]])}
    assert found["H1"].state == "held"
    assert found["H1"].among.checked > VISITS


def test_requests_of_probes_carry_the_markers(shop, scenario):
    """Whatever probes send says that it is a test, of which run; no shopper of the load has their numbers."""
    run = LiveRun(scenario("hurried", probe_share=0.5), shop.url, "run-1")
    plan = run.warm_up()

    def ask(people, nth):
        del nth
        yield Ask(people.somebody(), "home")

    run.probing.probing.scripts = lambda: [Script("ask", 3, ask, times=3)]
    run.probing.alone(plan, Event())
    assert shop.asked
    for asked in shop.asked:
        assert asked.headers[RUN_HEADER.lower()] == "run-1"
        assert "synthetic_request=true" in asked.headers["baggage"]
        assert int(asked.visit.split("-")[2]) >= 1 << 40


def test_an_end_is_heard_while_probes_ask_alone(shop, scenario):
    """Whoever ends a run before its load has begun need not wait for what is to be asked first."""
    run = LiveRun(scenario("hurried", probe_share=0.5), shop.url, "run-1")
    plan, ended = run.warm_up(), Event()

    def wait(people, nth):
        del nth
        yield Ask(people.somebody(), "home")
        yield Wait(60.0)

    run.probing.probing.scripts = lambda: [Script("wait", 1, wait)]
    gevent.spawn_later(0.3, ended.set)
    begun_s = perf_counter()
    run.probing.alone(plan, ended)
    assert perf_counter() - begun_s < 10.0
    assert run.probing.alone_requests == len(run.target.opening) + 1
    assert not run.defects


def test_a_defect_of_a_probe_ends_neither_load_nor_run(storefront, probed_run):
    """A script that breaks is counted as a defect of ours, which makes the run invalid; visits go on."""

    def broken(people, nth):
        del nth
        yield Ask(people.somebody(), "home")
        raise ZeroDivisionError

    def prepare(run):
        run.probing.probing.scripts = lambda: [Script("broken", 2, broken, frozenset((AMONG,)))]

    run = probed_run(storefront, prepare=prepare, probe_share=0.2)
    assert any("probe broken: ZeroDivisionError" in name for name in run.defects)
    assert run.begun == VISITS


def test_looking_that_takes_too_long_skips_visits(storefront, probed_run):
    """When judging costs more of the time than it may, further visits go unlooked at, and are counted."""

    def prepare(run):
        run.probing.spent_s = 1_000.0

    run = probed_run(storefront, prepare=prepare, probe_share=0)
    assert run.probing.state()["unseen"] == VISITS
    assert not any(key.when == "among" for probe in run.probing.probing.probes for key in probe.counts)


def test_what_there_was_no_room_for_alone_comes_first_beside_the_load(shop, scenario, monkeypatch):
    """Scripts that have no other time are played alone before others; what was left out then is not left out again."""
    run = LiveRun(scenario("hurried", probe_share=0.5), shop.url, "run-1")
    played = []

    def noting(name):
        def ask(people, nth):
            played.append((name, nth))
            yield Ask(people.somebody(), "home")

        return ask

    both = frozenset((ALONE, AMONG))
    run.probing.probing.scripts = lambda: [
        Script("first", 4, noting("first"), both),
        Script("dear", 20, noting("dear"), both),
        Script("only alone", 4, noting("only alone"), frozenset((ALONE,))),
    ]
    monkeypatch.setattr(probing, "expected_requests", lambda _run, _plan: 33)
    run.probing.alone(run.plan(), Event())
    assert played == [("only alone", 0), ("first", 0)]
    run.recorder.requests = 1_000
    run.start_clock()
    run.probing.begin()
    gevent.sleep(0.2)
    run.probing.end()
    assert played[2:4] == [("dear", 0), ("first", 0)]
    assert "only alone" not in {name for name, _ in played[2:]}
    assert not run.defects
