"""Ours in the closed model, so that the generator's core is always busy.

Prints requests a second, processor µs a request, visits a second.
"""

from __future__ import annotations

import locust

# isort: split
import gc
import sys
from pathlib import Path
from time import perf_counter

import gevent
from locust.env import Environment
from slices import measure

from simulator.scenario.load import load_scenario
from simulator.worlds.live.run import LiveRun
from simulator.worlds.live.users import Shopper, listen


def main() -> None:
    """Call argv[1] for argv[2] seconds with argv[3] users."""
    scenario = load_scenario(str(Path(__file__).parent / "files" / "hurried_scenario.yaml"))
    run = LiveRun(scenario, sys.argv[1], "bench")
    run.warm_up()
    environment = Environment(user_classes=[Shopper], events=locust.events)
    runner = environment.create_local_runner()
    listen(environment, run)
    Shopper.run_, Shopper.closed = run, True
    gc.collect()
    gc.freeze()
    run.start_clock()
    runner.start(int(sys.argv[3]), spawn_rate=1000)
    gevent.sleep(1.0)
    begun_s, visits = perf_counter(), run.begun
    rate, cost_us = measure(float(sys.argv[2]), lambda: run.recorder.requests)
    sys.stdout.write(f"{rate} {cost_us} {(run.begun - visits) / (perf_counter() - begun_s)}\n")
    assert run.recorder.failed == 0
    runner.quit()


if __name__ == "__main__":
    main()
