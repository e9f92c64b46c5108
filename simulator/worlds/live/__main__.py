"""The live world's own process: `python -m simulator.worlds.live FOLDER`.

Reads FOLDER/job.json, writes the run's tables and manifest there, and prints its progress as JSON lines. With workers
it plays nothing itself and leads them. SIGTERM ends the run early; what was measured is written all the same.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

# Locust must be imported before anything that uses sockets.
import locust
from locust.env import Environment

# isort: split
import gevent
from gevent.event import Event

from simulator.runfolder.files import CannotWrite
from simulator.scenario.load import load_scenario
from simulator.target.guard import guard_log, guarded_streams
from simulator.target.permission import Permission
from simulator.worlds.live.gauge import Gauge, judge_generator, report_of
from simulator.worlds.live.launch import CANNOT_WRITE, NO_FLEET, NOT_READY
from simulator.worlds.live.lead import FleetError, lead
from simulator.worlds.live.play import play
from simulator.worlds.live.run import LiveRun, SetupError
from simulator.worlds.live.tables import RunTables
from simulator.worlds.live.users import Shopper
from simulator.worlds.live.views.show import Views
from simulator.worlds.live.views.wanted import Wanted
from simulator.worlds.live.writing import live_facts, probed, write_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.scenario.load import Scenario
    from simulator.worlds.live.recorder import Chunk

PROGRESS_S = 0.25


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
        except FleetError as error:
            _give_up(error, NO_FLEET)
        except Exception:  # noqa: BLE001 - Python itself would print it on the stream beneath the guarded one
            traceback.print_exc()
            sys.exit(1)


def _give_up(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(code)


def run_job(folder: Path, parent: int) -> None:
    """Play the job of a folder for the process `parent`."""
    job = json.loads((folder / "job.json").read_text())
    scenario = load_scenario(job["scenario"], job["overrides"])
    ended = Event()
    gevent.signal_handler(signal.SIGTERM, ended.set)
    gevent.signal_handler(signal.SIGINT, ended.set)
    if job["fleet"] is None:
        play_alone(folder, scenario, job, parent, ended)
    else:
        lead(folder, scenario, job, ended, lambda progress: gevent.spawn(tell, progress, parent))


def play_alone(folder: Path, scenario: Scenario, job: dict[str, Any], parent: int, ended: Event) -> None:
    """Play the whole plan in this process."""
    run = LiveRun(scenario, job["base_url"], job["run_id"], Permission.of_job(job["permission"]))
    plan = run.warm_up()
    run.set_up()
    run.probing.alone(plan, ended)
    environment = Environment(user_classes=[Shopper], events=locust.events)
    runner = environment.create_local_runner()
    tables, gauge = RunTables(folder, scenario.names, run.warmup_us), Gauge()
    views = Views(Wanted(**job["wanted"]), run, folder)
    views.open(environment)
    # Who looks on may press stop in the web UI.
    environment.events.test_stop.add_listener(lambda **_: ended.set())  # type: ignore[no-untyped-call] # Locust's own
    runner.start(0, spawn_rate=1)
    teller = gevent.spawn(tell, run.progress, parent)
    pool = gevent.get_hub().threadpool

    def hand_on(chunk: Chunk) -> None:
        pool.apply(tables.add, (chunk,))

    interrupted = play(run, environment, plan, gauge, ended, hand_on, views.begin, alone=True)
    teller.kill()
    runner.quit()
    views.close()
    tables.add(run.recorder.take())
    report = report_of(run, gauge)
    write_run(
        tables,
        scenario,
        folder,
        live_facts(run, interrupted=interrupted, breach=run.breach) | probed(scenario, [run.probing.state()]),
        lambda failures: judge_generator(
            [report],
            interrupted=interrupted or run.breach is not None,
            failures=failures,
            views=views.failures,
        ),
    )


def tell(progress: Callable[[], dict[str, Any]], parent: int) -> None:
    """Print progress until killed; a parent that is gone ends the run."""
    while True:
        gevent.sleep(PROGRESS_S)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
        sys.stdout.write(json.dumps(progress()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
