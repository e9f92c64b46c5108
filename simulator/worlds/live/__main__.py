"""The live world's own process: `python -m simulator.worlds.live FOLDER`.

Reads FOLDER/job.json, writes the run's tables and manifest there, and prints its progress as JSON lines. SIGTERM ends
the run early; what was measured is written all the same.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

# Locust must be imported before anything that uses sockets.
import locust
from locust.env import Environment

# isort: split
import gevent

from simulator.runfolder.files import CannotWrite
from simulator.runfolder.manifest import base_manifest, write_manifest, write_tables
from simulator.scenario.load import load_scenario
from simulator.target.guard import guard_log, guarded_streams
from simulator.target.permission import Permission
from simulator.worlds.live.launch import CANNOT_WRITE, NOT_READY
from simulator.worlds.live.run import LAG_LIMIT_MS, Gauge, LiveRun, SetupError, judge_generator
from simulator.worlds.live.users import Shopper, listen, send_in
from simulator.worlds.live.views.show import Views
from simulator.worlds.live.views.wanted import Wanted

if TYPE_CHECKING:
    from simulator.journey.plan import Plan

PROGRESS_S = 0.25


LATE_S = LAG_LIMIT_MS / 1e3
"""How long after the end a visit that was due before it may still start."""


def main() -> None:
    """Run the job of a folder; what a user can mend is said in one line and by the exit code."""
    parent = os.getppid()
    guard_log()
    with guarded_streams():
        try:
            run_job(Path(sys.argv[1]), parent)
        except SetupError as error:
            _give_up(error, NOT_READY)
        except CannotWrite as error:
            _give_up(error, CANNOT_WRITE)
        except Exception:  # noqa: BLE001 - Python itself would print it on the stream beneath the guarded one
            traceback.print_exc()
            sys.exit(1)


def _give_up(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(code)


def run_job(folder: Path, parent: int) -> None:
    """Play the job of a folder for the process `parent`."""
    job = json.loads((folder / "job.json").read_text())
    scenario, permission = load_scenario(job["scenario"], job["overrides"]), job["permission"]
    allowed = Permission.from_json(permission) if permission else None
    run = LiveRun(scenario, job["base_url"], job["run_id"], allowed)
    plan = run.warm_up()
    run.set_up()
    views = Views(Wanted(**job["wanted"]), run, folder)
    interrupted, cpu_share = play(run, plan, parent, views)
    write(run, folder, interrupted=interrupted, cpu_share=cpu_share)


def play(run: LiveRun, plan: Plan, parent: int, views: Views) -> tuple[bool, float]:
    """Play the plan on Locust; return (interrupted, share of a core taken)."""
    environment = Environment(user_classes=[Shopper], events=locust.events)
    runner = environment.create_local_runner()
    listen(environment, run)
    Shopper.run_ = run
    gauge = Gauge()
    views.open(environment)
    gc.collect()
    gc.freeze()
    runner.start(0, spawn_rate=1)
    run.start_clock()
    views.begin()
    watchers = [gevent.spawn(gauge.watch), gevent.spawn(tell, run, parent)]
    scheduler = gevent.spawn(send_in, environment, run, plan)
    ended = gevent.event.Event()
    gevent.signal_handler(signal.SIGTERM, ended.set)
    gevent.signal_handler(signal.SIGINT, ended.set)
    # Who looks on may press stop in the web UI.
    environment.events.test_stop.add_listener(lambda **_: ended.set())  # type: ignore[no-untyped-call] # Locust's own
    interrupted = ended.wait(run.scenario.spec.duration)
    if not interrupted:
        let_in_the_last(run, scheduler)
    gevent.killall([scheduler, *watchers])
    runner.quit()
    views.close()
    return bool(interrupted), gauge.cpu_share


def let_in_the_last(run: LiveRun, scheduler: gevent.Greenlet) -> None:
    """Start the visits that were due just before the end: one a millisecond late was not dropped."""
    with gevent.Timeout(LATE_S, False):
        scheduler.join()
        while run.begun < run.planned:
            gevent.sleep(0.001)


def tell(run: LiveRun, parent: int) -> None:
    """Print progress until killed; a parent that is gone ends the run."""
    while True:
        gevent.sleep(PROGRESS_S)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
        sys.stdout.write(json.dumps(run.progress()) + "\n")
        sys.stdout.flush()


def _pace(pace: float) -> list[str]:
    """Return what to say of shoppers who thought faster than people do."""
    if pace == 1:
        return []
    return [f"time: shoppers thought {pace:g} times faster than life; visits are reported in the shoppers' own time"]


def write(run: LiveRun, folder: Path, *, interrupted: bool, cpu_share: float) -> None:
    """Write the tables and the manifest."""
    entries = write_tables(run.recorder.tables(run.scenario.names), folder)
    manifest = base_manifest(run.scenario, "live", entries) | {
        "host": run.base_url,
        "permission": run.permission.as_json(),
        "run_id": run.run_id,
        "interrupted": interrupted,
        "generator": judge_generator(run, cpu_share, interrupted=interrupted),
        "assumed": [
            "behaviour: every parameter of the personas",
            *_pace(run.pace),
            "load times: the network to the phone, pictures and rendering come from the page model",
            "revenue: offline prices, not the target's",
        ],
        "measured": [
            "the time of every call that was made, over this machine's own network",
            "errors, arrivals and start lag",
        ],
    }
    write_manifest(manifest, folder)


if __name__ == "__main__":
    main()
