"""What a station's ledger is summed up to."""

from __future__ import annotations

import numpy as np
import pytest
import simpy

from simulator.worlds.backend import StationSpec
from simulator.worlds.queues import interval_edges, mean_count, series_rows, station_rows
from simulator.worlds.station import Station


@pytest.fixture
def station():
    """One server for 4 s: it serves 0 to 2 s and 2 to 3 s, the second call having waited one second."""
    env = simpy.Environment()
    station = Station(env, StationSpec(servers=1))

    def caller(at, service):
        yield env.timeout(at)
        yield station.call(service)

    for at, service in ((0, 2_000_000), (1_000_000, 1_000_000)):
        env.process(caller(at, service))
    env.run()
    return station


def test_means_over_the_run(station):
    """Three of four seconds busy, one call queueing for one of four seconds."""
    row = station_rows([station], 0, 4_000_000)[0]
    assert (row["arrivals"], row["served"], row["servers"], row["queue_peak"]) == (2, 2, 1, 1)
    assert (row["busy"], row["utilisation"], row["queue"]) == (0.75, 0.75, 0.25)
    assert (row["wait_mean_us"], row["service_mean_us"]) == (500_000, 1_500_000)
    assert row["wait_p95_us"] == np.quantile([0, 1_000_000], 0.95)


def test_means_along_the_run(station):
    """Each second's queue and utilisation, arrivals in the second they came."""
    rows = series_rows([station], 0, 4_000_000)
    assert rows["at_us"].tolist() == [0, 1_000_000, 2_000_000, 3_000_000]
    assert rows["arrivals"].tolist() == [1, 1, 0, 0]
    assert rows["queue"].tolist() == [0.0, 1.0, 0.0, 0.0]
    assert rows["utilisation"].tolist() == [1.0, 1.0, 1.0, 0.0]


def test_unlimited_servers_have_no_utilisation():
    """A share of infinitely many servers says nothing: it is nan, and `busy` tells how many were needed."""
    row = station_rows([Station(simpy.Environment(), StationSpec(servers="unlimited"))], 0, 1_000_000)[0]
    assert row["servers"] == 0
    assert np.isnan(row["utilisation"])
    assert row["busy"] == 0.0


@pytest.mark.parametrize(
    ("seconds", "step"), [(1, 1), (240, 1), (241, 2), (3_000, 30), (86_400, 600), (90 * 86_400, 86_400)]
)
def test_intervals_are_round_and_few(seconds, step):
    """The shortest round interval is taken that needs at most 240, and the last interval covers the end."""
    edges = interval_edges(7, 7 + seconds * 1_000_000)
    assert edges[0] == 7
    assert (np.diff(edges) == step * 1_000_000).all()
    assert edges[-2] < 7 + seconds * 1_000_000 <= edges[-1]


def test_counts_far_from_the_reference_instant_are_exact():
    """A run a century after its reference instant loses nothing to rounding or overflow."""
    first = 100 * 365 * 86_400_000_000
    begins = first + np.arange(100_000) * 10
    assert mean_count(begins, begins + 10, first + np.array([0, 500_000, 1_000_000])).tolist() == [1.0, 1.0]
