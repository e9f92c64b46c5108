"""Ours in the closed model, so that the generator's core is always busy. Prints requests a second."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from time import perf_counter

import locust
from locust.env import Environment

# isort: split
import gevent

from simulator.scenario.load import load_scenario
from simulator.worlds.live.run import LiveRun
from simulator.worlds.live.users import Shopper, listen


def main() -> None:
    """Run for argv[2] seconds with argv[3] users."""
    scenario = load_scenario(str(Path(__file__).parent / "files" / "hurried_scenario.yaml"))
    run = LiveRun(scenario, sys.argv[1], "bench")
    run.warm_up()
    run.set_up()
    environment = Environment(user_classes=[Shopper], events=locust.events)
    runner = environment.create_local_runner()
    listen(environment, run)
    Shopper.run_, Shopper.closed = run, True
    gc.collect()
    gc.freeze()
    run.start_clock()
    runner.start(int(sys.argv[3]), spawn_rate=1000)
    gevent.sleep(1.0)
    before, begun_s, pages, visits = run.recorder.requests, perf_counter(), run.recorder.pages, run.begun
    gevent.sleep(float(sys.argv[2]))
    took_s = perf_counter() - begun_s
    sys.stderr.write(f"{(run.recorder.pages - pages) / took_s:.0f} pages/s, {(run.begun - visits) / took_s:.0f} visits/s, {run.recorder.failed} errors {run.skipped.most_common(5)}\n")
    sys.stdout.write(f"{(run.recorder.requests - before) / took_s}\n")
    runner.quit()


if __name__ == "__main__":
    main()
