"""Leading a run's workers over Locust's own protocol: the master plays nothing; it shares out, collects and writes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
import locust
from gevent.event import Event
from locust.env import Environment
from locust.exception import RPCError
from locust.runners import STATE_MISSING

from simulator import __version__
from simulator.analysis.latency import decode, merge
from simulator.analysis.windows import Watch
from simulator.target.login import basic, split_login
from simulator.target.permission import Permission
from simulator.worlds.live.ceiling import permitted
from simulator.worlds.live.figures import add_up
from simulator.worlds.live.gauge import Lost, judge_generator
from simulator.worlds.live.messages import CHUNK, END, HELLO, JOB, READY, REFUSED, keep_arrivals, on
from simulator.worlds.live.recorder import Chunk
from simulator.worlds.live.run import SetupError
from simulator.worlds.live.tables import RunTables
from simulator.worlds.live.users import Shopper
from simulator.worlds.live.views.show import Views
from simulator.worlds.live.views.wanted import Wanted
from simulator.worlds.live.writing import live_facts, plans_of, probed, write_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from locust.runners import MasterRunner

    from simulator.analysis.windows import Breach
    from simulator.scenario.load import Scenario
    from simulator.worlds.live.listening import Listener

US = 1_000_000
ASK_S = 0.1
READY_S = 300.0
"""How long workers may take to get ready, once all are there."""
GONE_S = 10.0
"""A worker whose heartbeat is missing and that has handed on nothing for so long is not waited for."""
DONE_S = 60.0
"""How long after the end a worker may take to hand on its last measurements."""
MOST_WAITING = 256
"""Chunks that may wait to be written: some hundred megabytes. Workers that measure faster than that lose the rest."""


class FleetError(RuntimeError):
    """The workers of a run could not be brought together; the text says why."""


class Worker:
    """One worker as the master knows it."""

    def __init__(self, client: str, about: dict[str, Any]) -> None:
        self.client, self.host, self.pid = client, about["host"], about["pid"]
        self.number = -1
        self.ready = self.done = False
        self.heard_s = perf_counter()
        self.report: dict[str, Any] = {}
        self.progress: dict[str, Any] = {}


class Fleet:
    """The workers of one run, what they have said, and the tables that their measurements go into."""

    def __init__(self, scenario: Scenario, job: dict[str, Any], tables: RunTables, folder: Path) -> None:
        self.scenario, self.expected = scenario, int(job["fleet"]["expect"])
        self.tables = tables
        self.base_url, login = split_login(job["base_url"])
        self.run_id = job["run_id"]
        basic(login)  # so that nothing we write holds it
        self.permission = Permission.of_job(job["permission"]) or permitted(
            scenario, job["base_url"], owned=False, verify=True
        )
        self.listeners: list[Listener] = []
        wanted = Wanted(**job["wanted"])
        self.views = Views(wanted.of_master(), self, folder)
        self.workers: dict[str, Worker] = {}
        self.failure = ""
        self.watch = Watch(scenario.thresholds, scenario.spec.min_samples)
        self.probing: list[dict[str, Any]] = []
        self.breach: Breach | None = None
        self.overrun = 0
        self._job = {
            "version": __version__,
            "scenario": pickle.dumps(scenario),
            "base_url": job["base_url"],
            "run_id": job["run_id"],
            "workers": self.expected,
            "permission": self.permission.shared(self.expected).as_json(),
            "wanted": wanted.of_worker().as_json(),
            "counts": wanted.counted,
            "folder": str(folder.resolve()),
        }
        self._waiting: deque[Chunk] = deque()
        self._something = Event()
        self._started_s = 0.0
        environment = Environment(user_classes=[Shopper], events=locust.events, host=self.base_url)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.runner = _bind(environment, job["fleet"]["bind_host"], job["fleet"]["bind_port"])
        keep_arrivals(self.runner)
        on(self.runner, HELLO, self._hello)
        on(self.runner, READY, self._ready)
        on(self.runner, CHUNK, self._chunk)

    def _hello(self, client: str, about: dict[str, Any]) -> None:
        """Take a worker in, or tell it why not."""
        if about["version"] != __version__:
            why = f"the master is Footfall {__version__}, this worker is {about['version']}; install the same version"
        elif len(self.workers) >= self.expected:
            why = f"the run has the {self.expected} workers it expects"
        else:
            self.workers[client] = Worker(client, about)
            return
        self.runner.send_message(REFUSED, {"why": why}, client_id=client)

    def _ready(self, client: str, said: dict[str, Any]) -> None:
        if client in self.workers:
            self.workers[client].ready = True
            self.failure = self.failure or said["failure"]

    def _chunk(self, client: str, said: dict[str, Any]) -> None:
        """Take in what a worker measured and says of itself."""
        worker = self.workers.get(client)
        if worker is None:
            return
        worker.heard_s = perf_counter()
        worker.report, worker.progress = said["report"], said["progress"]
        worker.done = said["done"]
        self.watch.give(said["watch"])
        if said["probing"]:
            self.probing.append(said["probing"])
        if said["tally"]:
            self.views.tally.add(said["tally"])
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(Chunk(*said["chunk"]))
            self._something.set()
        else:
            self.overrun += 1

    def write(self) -> None:
        """Write what workers hand on, in a thread, until killed; a chunk that is being written is finished first."""
        pool = gevent.get_hub().threadpool
        while True:
            self._something.wait()
            while self._waiting:
                busy = gevent.spawn(pool.apply, self.tables.add, (self._waiting[0],))
                try:
                    busy.join()
                finally:
                    busy.join()
                    self._waiting.popleft()
                busy.get()
            self._something.clear()

    def gather(self, ended: Event) -> None:
        """Wait until all workers are there and ready. Raises `FleetError`, or `SetupError` for the target."""
        while len(self.workers) < self.expected:
            self._wait_a_little(ended)
            for client in [client for client in self.workers if client not in self.runner.clients]:
                del self.workers[client]
        for number, worker in enumerate(self.workers.values()):
            worker.number = number
            self.runner.send_message(JOB, {**self._job, "worker": number}, client_id=worker.client)
        since_s = perf_counter()
        while not all(worker.ready and not self._is_silent(worker) for worker in self.workers.values()):
            self._wait_a_little(ended)
            gone = any(client not in self.runner.clients for client in self.workers)
            if gone or perf_counter() - since_s > READY_S:
                raise FleetError("a worker went away before the run began. Hint: see its output")
        if self.failure:
            raise SetupError(self.failure)

    def _wait_a_little(self, ended: Event) -> None:
        if ended.wait(ASK_S):
            raise FleetError("ended while it waited for its workers")
        if self.failure:
            raise SetupError(self.failure)
        if any(process.poll() is not None for process in self.processes):
            raise FleetError("a worker ended before the run began. Hint: see what it said above")

    def _is_silent(self, worker: Worker) -> bool:
        """Return whether Locust's heartbeat has missed it; it may come back."""
        node = self.runner.clients.get(worker.client)
        return node is None or node.state == STATE_MISSING

    def _is_gone(self, worker: Worker) -> bool:
        """Return whether it is not coming back: its process ended, it said goodbye, or it was silent for too long."""
        if any(process.pid == worker.pid and process.poll() is not None for process in self.processes):
            return True
        if worker.client not in self.runner.clients:
            return True
        # A worker that ends thousands of visits hands on nothing meanwhile, but its heart beats.
        return self._is_silent(worker) and perf_counter() - worker.heard_s > GONE_S

    def start(self) -> None:
        """Let all workers begin."""
        self.runner.start(0, spawn_rate=1)
        self._started_s = perf_counter()
        for worker in self.workers.values():
            worker.heard_s = self._started_s

    def now_us(self) -> int:
        """Return microseconds since the workers were let go."""
        return round((perf_counter() - self._started_s) * US) if self._started_s else 0

    def follow(self, ended: Event) -> bool:
        """Wait until every worker is done or gone; return whether `ended` was set before the end.

        A threshold that says `abort` ends the run too, once all workers together break it; `breach` says which.
        """
        until_s = self._started_s + self.scenario.spec.duration
        early = False
        while self._going() and perf_counter() < until_s + DONE_S:
            gevent.sleep(ASK_S)
            if not early:
                self.breach = self.watch.tick(perf_counter() - self._started_s)
                early = self.breach is not None or ended.is_set()
                if early:
                    until_s = perf_counter()
                    self.runner.send_message(END, None)
        return early and self.breach is None

    def _going(self) -> list[Worker]:
        return [one for one in self.workers.values() if not one.done and not self._is_gone(one)]

    def end(self) -> None:
        """Send everybody home, and wait for what they handed on to be written."""
        while self._waiting:
            gevent.sleep(ASK_S)
        self.runner.quit()

    def lost(self) -> list[Lost]:
        """Return the workers that are not done."""
        return [
            Lost(
                one.number,
                one.host,
                max(0.0, one.heard_s - self._started_s),
                one.progress.get("open", 0),
                one.progress.get("planned", 0) - one.progress.get("started", 0),
            )
            for one in self.workers.values()
            if not one.done
        ]

    def reports(self) -> list[dict[str, Any]]:
        """Return what each worker last said of itself."""
        return [{**one.report, "worker": one.number, "host": one.host} for one in self.workers.values() if one.report]

    def progress(self) -> dict[str, Any]:
        """Return what a live view shows: the sum over the workers."""
        said = [one.progress for one in self.workers.values() if one.progress]
        reports = self.reports()
        lag = merge(decode(report["lag"]) for report in reports)
        begun = [one for one in self.workers.values() if one.number >= 0]
        return add_up(said) | {
            "elapsed_s": perf_counter() - self._started_s if self._started_s else 0.0,
            "lag_p99_ms": 1e3 * (lag.percentile_s(0.99) or 0.0),
            "workers": len(self.workers),
            "expected": self.expected,
            "silent": sum(not one.done and (self._is_silent(one) or self._is_gone(one)) for one in begun),
        }


def _bind(environment: Environment, host: str, port: int) -> MasterRunner:
    """Return a master that listens. Raises `FleetError` when it cannot."""
    try:
        return environment.create_master_runner(host, port)
    except (RPCError, SystemExit) as error:  # Locust exits where the port is taken
        raise FleetError(f"cannot listen on {host}:{port}, it may be taken. Hint: give another --bind-port") from error


def lead(
    folder: Path,
    scenario: Scenario,
    job: dict[str, Any],
    ended: Event,
    tell: Callable[[Callable[[], dict[str, Any]]], gevent.Greenlet],
) -> None:
    """Play a job on its workers and write the run."""
    fleet = Fleet(scenario, job, RunTables(folder, scenario.names, round(scenario.spec.warmup * US)), folder)
    views, environment = fleet.views, fleet.runner.environment
    try:
        for _ in range(job["fleet"]["local"]):
            fleet.processes.append(_local_worker(fleet.runner.server.port))
        teller, writer = tell(fleet.progress), gevent.spawn(fleet.write)
        fleet.gather(ended)
        views.open(environment)
        # Who looks on may press stop in the web UI.
        environment.events.test_stop.add_listener(lambda **_: ended.set())  # type: ignore[no-untyped-call] # Locust's own
        fleet.start()
        views.begin()
        interrupted = fleet.follow(ended)
        views.close()
        fleet.end()
        gevent.killall([teller, writer])
    finally:
        _dismiss(fleet.processes)
    lost = fleet.lost()
    failures = [f"{fleet.overrun} chunks of measurements came faster than they could be written"] * bool(fleet.overrun)
    write_run(
        fleet.tables,
        scenario,
        folder,
        live_facts(fleet, interrupted=interrupted, breach=fleet.breach) | probed(scenario, fleet.probing),
        lambda told: judge_generator(
            fleet.reports(),
            interrupted=interrupted or fleet.breach is not None,
            lost=lost,
            allow_lost=job["fleet"]["allow_lost"],
            failures=[*failures, *told],
            views=[*views.failures, *(text for report in fleet.reports() for text in report["views"])],
        ),
        lambda: plans_of(scenario, [one.worker for one in lost], fleet.expected),
    )


def _local_worker(port: int) -> subprocess.Popen[bytes]:
    """Start a worker on this machine, which ends with this process."""
    command = [sys.executable, "-m", "simulator.worlds.live.worker", "127.0.0.1", str(port), str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603 - our own module


def _dismiss(processes: list[subprocess.Popen[bytes]]) -> None:
    """See that no local worker outlives the run."""
    for process in processes:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
