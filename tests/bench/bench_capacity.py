"""What the capacity world costs an event, against a bare SimPy resource loop on the same core."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

import simpy
from figures import Figure, at_least

from simulator.scenario.load import load_scenario
from simulator.worlds.backend import load_backend
from simulator.worlds.capacity import Shop, collector_paused
from simulator.worlds.capacity_run import capacity_plan
from simulator.worlds.crowd import World

if TYPE_CHECKING:
    from collections.abc import Generator

ROUNDS, CUSTOMERS, SERVERS = 9, 60_000, 8


def run() -> list[Figure]:
    """Return SimPy events a CPU second over those of a bare loop, medians of alternating runs."""
    scenario = load_scenario("demo", {"duration": "60s", "arrivals": {"kind": "constant", "rate": "50/s"}})
    backend, plan = load_backend("small_shop"), capacity_plan(scenario, 1.0)
    world = World(scenario.population, scenario.pages, scenario.arms, scenario.spec.seed)

    def play() -> float:
        shop = Shop(world, plan, backend)
        begun_s = process_time()
        shop.run()
        return _scheduled(shop.env) / (process_time() - begun_s)

    play()
    ours = [play() / _bare() for _ in range(ROUNDS)]
    return [at_least("capacity: SimPy events/s over a bare resource loop's", median(ours), 0.3, "×")]


def _bare() -> float:
    """Return events a CPU second of customers who request a server, hold it and let it go."""
    env = simpy.Environment()
    desk = simpy.Resource(env, SERVERS)

    def customer() -> Generator[Any, Any, None]:
        with desk.request() as turn:
            yield turn
            yield env.timeout(70)

    def arrivals() -> Generator[Any, Any, None]:
        for _ in range(CUSTOMERS):
            yield env.timeout(10)
            env.process(customer())

    env.process(arrivals())
    begun_s = process_time()
    with collector_paused():
        env.run()
    return _scheduled(env) / (process_time() - begun_s)


def _scheduled(env: simpy.Environment) -> int:
    """Return how many events an environment has scheduled so far."""
    return int(next(env._eid))
