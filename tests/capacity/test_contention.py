"""What sharing a backend does to visits: it lengthens them until patience ends, and nothing else."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from simulator.journey.plan import open_plan
from simulator.journey.records import CAUSES, IMPATIENT, NEVER_US
from simulator.worlds import capacity, crowd
from simulator.worlds.backend import load_backend
from simulator.worlds.queues import station_rows
from simulator.worlds.station import OUTCOMES, RENEGED


@pytest.fixture(scope="module")
def plan(world):
    """Send some 1,000 visits in 20 seconds."""
    return open_plan([(0, 50), (20, 50)], world.seed, world.arms)


@pytest.fixture(scope="module")
def crowded(world, plan, one_station):
    """Play the plan against three servers, which are far too few."""
    return capacity.play(world, plan, one_station(servers=3))


def steps(events):
    """Return (shopper, step) of each event as one number."""
    return events["shopper"] * 10_000 + events["step"]


def test_nobody_gains_a_page_by_contention(world, plan, crowded):
    """Same draws, longer waits: no visit has more pages than in the shop where nobody waits, and some have fewer."""
    alone = crowd.play(world, plan)
    assert (crowded.visits["pages"] <= alone.visits["pages"]).all()
    assert crowded.visits["pages"].sum() < 0.95 * alone.visits["pages"].sum()


def test_every_page_takes_at_least_as_long_as_alone(world, plan, crowded):
    """A page that both runs show has the same network, state and patience draws, and no shorter load."""
    alone = crowd.play(world, plan).events
    _, here, there = np.intersect1d(steps(crowded.events), steps(alone), return_indices=True)
    ours, theirs = crowded.events[here], alone[there]
    for column in ("state", "nth", "network", "rtt_ms", "down_kbps", "product"):
        assert np.array_equal(ours[column], theirs[column]), column
    assert (ours["load_us"] >= theirs["load_us"]).all()
    assert (ours["load_us"] > theirs["load_us"]).mean() > 0.5


def test_who_leaves_a_queue_leaves_exactly_when_patience_is_over(crowded):
    """A shopper who reneges has waited their patience to the microsecond, and the page was never seen."""
    left = crowded.events[crowded.events["load_us"] == NEVER_US]
    assert len(left) == crowded.stations["reneged"].sum() > 50
    assert {CAUSES[cause] for cause in left["cause"]} == {"impatient"}
    assert (left["waited_us"] == left["patience_us"]).all()
    calls = crowded.calls[0]
    gone = calls["left_queue_us"][calls["outcome"] == RENEGED]
    assert sorted(left["at_us"] + left["patience_us"]) == sorted(gone)
    visits = crowded.visits[crowded.visits["cause"] == IMPATIENT]
    assert np.isin(gone, visits["start_us"] + visits["elapsed_us"]).all()


def test_who_leaves_while_being_served_has_the_load_time_it_would_have_been(crowded):
    """Only an unknown load time is null: whoever left after the queue has one, longer than their patience."""
    events = crowded.events
    left = events[(events["cause"] == IMPATIENT) & (events["load_us"] < NEVER_US)]
    assert len(left) > 20
    assert (left["load_us"] > left["patience_us"]).all()


@pytest.mark.parametrize("backend", ["small_shop", "uncontended"])
def test_the_same_run_twice_is_the_same_run(world, plan, backend):
    """Nothing but the seed and the files decides: every array of two runs is equal."""
    first, second = (capacity.play(world, plan, load_backend(backend)) for _ in range(2))
    for name in ("shoppers", "visits", "events", "series"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes(), name
    assert first.stations.tobytes() == second.stations.tobytes()


def test_a_refused_call_is_an_error_page(world, plan, one_station):
    """Where nobody may queue, one more call fails at once: the page is not ok, and some leave because of it."""
    rows = capacity.play(world, plan, one_station(servers=4, queue_limit=0))
    station = rows.stations[0]
    failed = rows.events[rows.events["ok"] == 0]
    assert 0 < len(failed) <= station["rejected"]
    assert station["wait_mean_us"] == station["queue_peak"] == station["reneged"] == 0
    assert "error" in {CAUSES[cause] for cause in failed["cause"]}


def test_a_timeout_is_an_error_page(world, plan, one_station):
    """A call that takes longer than the station allows fails then: the server's part is no longer than the timeout."""
    rows = capacity.play(world, plan, one_station(servers=3, timeout="300ms"))
    failed = rows.events[rows.events["ok"] == 0]
    assert 0 < len(failed) <= rows.stations["timed_out"][0]
    assert (failed["server_us"] >= 300_000).all()
    assert (failed["server_us"] <= 600_000).all()


def test_cancelled_work_is_the_only_difference_that_cancelling_makes(world, plan, one_station):
    """Where nobody queues, dropping the work of whoever left changes no visit and shortens the server's work."""
    service = {"dist": "exponential", "mean": "3s"}
    finish, cancel = (
        capacity.play(world, plan, one_station(service, servers="unlimited", on_leave=on_leave))
        for on_leave in ("finish", "cancel")
    )
    assert finish.visits.tobytes() == cancel.visits.tobytes()
    assert finish.stations["left"] == cancel.stations["left"] > 50
    assert cancel.stations["service_mean_us"] < finish.stations["service_mean_us"]


def test_littles_law_holds_exactly_on_every_station(world, plan):
    """Queue and busy servers integrated over the run, event by event, are the waits and services in the ledger."""
    shop = capacity.Shop(world, plan, load_backend("small_shop"))
    shop.env.process(shop.arrivals())
    begun, areas = shop.env.now, np.zeros((len(shop.stations), 2), np.int64)
    while shop.env.peek() < np.inf:
        now = [(station.waiting, station.busy) for station in shop.stations]
        before = shop.env.now
        shop.env.step()
        areas += (shop.env.now - before) * np.array(now)
    span_us = shop.env.now - begun
    for row, area in zip(station_rows(shop.stations, begun, shop.env.now), areas, strict=True):
        waits = row["wait_mean_us"] * (row["arrivals"] - row["rejected"])
        assert waits == pytest.approx(area[0], rel=1e-12)
        assert (row["queue"] * span_us, row["busy"] * span_us) == pytest.approx(tuple(area), rel=1e-12)
    assert areas[1].min() > 0


def test_every_call_has_one_outcome(plan, crowded):
    """Arrivals are the sum of the outcomes, over the run and over its intervals."""
    station = crowded.stations[0]
    assert station["arrivals"] == sum(station[outcome] for outcome in OUTCOMES)
    assert crowded.series["arrivals"].sum() == station["arrivals"]
    assert crowded.series["utilisation"].max() <= 1.0
    assert len(plan.shopper) == len(crowded.visits)


def test_progress_counts_the_visits_that_ended(world, plan):
    """`progress` hears growing numbers, the last being all visits."""
    told = []
    capacity.play(world, plan, load_backend("uncontended"), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(plan.shopper)
    assert len(told) == len(plan.shopper) // capacity.REPORT_EVERY + 1


def test_pausing_the_collector_leaks_nothing(world, plan):
    """What a run drops holds no cycles, which is why it may do without the collector; it is on again afterwards."""
    backend = load_backend("small_shop")
    capacity.play(world, plan, backend)
    gc.collect()
    with capacity.collector_paused():
        capacity.play(world, plan, backend)
        assert gc.collect() < 100
    assert gc.isenabled()
