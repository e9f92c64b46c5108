"""A worker's own process: `python -m simulator.worlds.live.worker HOST PORT [PARENT]`.

It gets its job from the master, plays its share of the plan, and hands on what it measures while it plays. It ends with
the run, when its master goes silent, or with the process PARENT.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

# Locust must be imported before anything that uses sockets.
import locust
from locust.env import Environment

# isort: split
import gevent
from gevent.event import AsyncResult, Event

from simulator import __version__
from simulator.target.guard import guard_log, guarded_streams
from simulator.target.permission import Permission
from simulator.target.secrets import unset_in, why_unset
from simulator.worlds.live.gauge import Gauge, report_of
from simulator.worlds.live.launch import CANNOT_WRITE, NOT_READY
from simulator.worlds.live.messages import CHUNK, END, HELLO, JOB, READY, REFUSED, on
from simulator.worlds.live.play import play
from simulator.worlds.live.run import LiveRun, SetupError
from simulator.worlds.live.users import Shopper
from simulator.worlds.live.views.show import Views
from simulator.worlds.live.views.wanted import Wanted

if TYPE_CHECKING:
    from locust.runners import WorkerRunner

    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario
    from simulator.worlds.live.recorder import Chunk

SILENT_S = 15.0
"""A master that was not heard of for so long is gone."""
ASK_S = 0.5
FLUSH_S = 1.0
"""How long the last message may take to leave, before the process does."""


class _Refused(Exception):  # noqa: N818 - what the master said
    """The master has no use for this worker."""


class Service:
    """One worker's connection to its master, and its share of one run."""

    def __init__(self, runner: WorkerRunner) -> None:
        self.runner = runner
        self.job: AsyncResult = AsyncResult()
        self.go, self.ended = Event(), Event()
        on(runner, JOB, lambda _who, job: self.job.set(job))
        on(runner, REFUSED, lambda _who, said: self.job.set_exception(_Refused(said["why"])))
        on(runner, END, lambda _who, _what: self.ended.set())
        runner.environment.events.spawning_complete.add_listener(self._begin)  # type: ignore[no-untyped-call] # locust's
        about = {"version": __version__, "host": socket.gethostname(), "pid": os.getpid()}
        runner.send_message(HELLO, about)

    def _begin(self, **_: Any) -> None:  # noqa: ANN401 - Locust may pass more
        self.go.set()

    def serve(self) -> None:
        """Play one share. Raises `_Refused`, or `SetupError` for the target."""
        job = self.job.get()
        pool = gevent.get_hub().threadpool  # so that the heartbeat goes on
        try:
            run, plan = _made_ready(job, pool.apply(pickle.loads, (job["scenario"],)), self.ended)
        except SetupError as error:
            self.runner.send_message(READY, {"failure": str(error)})
            raise
        self.runner.send_message(READY, {"failure": ""})
        views = Views(Wanted(**job["wanted"]), run, Path(job["folder"]), part=f"-{job['worker']}", counts=job["counts"])
        views.open(self.runner.environment)
        self.go.wait()
        if not self.ended.is_set():
            self._play(run, plan, views)

    def _play(self, run: LiveRun, plan: Plan, views: Views) -> None:
        gauge = Gauge()

        def hand_on(chunk: Chunk, *, done: bool = False) -> None:
            report = report_of(run, gauge) | {"views": views.failures}
            said = {"chunk": list(chunk), "report": report, "progress": run.progress(), "done": done}
            said |= {
                "watch": run.watch.take(),
                "tally": views.taken(),
                "probing": run.probing.state() if done else None,
            }
            self.runner.send_message(CHUNK, said)

        play(run, self.runner.environment, plan, gauge, self.ended, hand_on, views.begin)
        views.close()
        hand_on(run.recorder.take(), done=True)


def _made_ready(job: dict[str, Any], scenario: Scenario, ended: Event) -> tuple[LiveRun, Plan]:
    """Return the run and this worker's plan, when the target has answered. Raises `SetupError`."""
    for name in unset_in(scenario.target.file.model_dump_json()):
        raise SetupError(f"the target needs {name}, which {why_unset(name)} of the worker on {socket.gethostname()}")
    try:
        run = LiveRun(scenario, job["base_url"], job["run_id"], Permission.from_json(job["permission"]))
    except ValueError as error:
        raise SetupError(f"the host {error} of the worker on {socket.gethostname()}") from None
    run.worker, run.workers = job["worker"], job["workers"]
    plan: Plan = gevent.get_hub().threadpool.apply(run.warm_up)
    run.set_up()
    if run.worker == 0:
        run.probing.alone(plan, ended)
    return run, plan


def main() -> None:
    """Serve the master named on the command line; what a user can mend is said in one line and by the exit code."""
    guard_log()
    with guarded_streams():
        try:
            _serve(*sys.argv[1:])
        except Exception:  # noqa: BLE001 - Python itself would print it on the stream beneath the guarded one
            traceback.print_exc()
            sys.exit(1)


def _serve(host: str, port: str, parent: str | None = None) -> None:
    environment = Environment(user_classes=[Shopper], events=locust.events)
    runner = environment.create_worker_runner(host, int(port))
    service = Service(runner)
    gevent.signal_handler(signal.SIGTERM, service.ended.set)
    gevent.signal_handler(signal.SIGINT, service.ended.set)
    watcher = gevent.spawn(_watch, service, int(parent) if parent else None)
    try:
        service.serve()
    except _Refused as refusal:
        _give_up(f"refused by the master: {refusal}", CANNOT_WRITE)
    except SetupError as error:
        _give_up(str(error), NOT_READY)
    # The master says when; until then it may still want to hear from us.
    runner.greenlet.join()
    watcher.kill()


def _watch(service: Service, parent: int | None) -> None:
    """End the process when nobody is left whom it could tell what it measures."""
    runner = service.runner
    while True:
        gevent.sleep(ASK_S)
        heard_s = runner.last_heartbeat_timestamp
        silent = heard_s is not None and time.time() - heard_s > SILENT_S  # noqa: TID251 - compared with Locust's own
        if silent or (parent is not None and os.getppid() != parent):
            sys.stderr.write("the master is gone; this worker ends\n")
            sys.stderr.flush()
            os._exit(NOT_READY)


def _give_up(text: str, code: int) -> NoReturn:
    gevent.sleep(FLUSH_S)
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
