"""Shoppers for plain Locust: `locust -f locustfiles/shoppers.py --host URL`, web UI included.

Locust's own user count rules (the closed model): each user plays one visit after another. With `--open` the scenario's
arrivals rule, whatever the server does; give `--users 0` with it. On several workers each plays its share of the plan.
"""

from __future__ import annotations

import locust

# isort: split
import logging
import secrets
from typing import TYPE_CHECKING, Any

import gevent
from locust.runners import MasterRunner, WorkerRunner

from simulator.model.faults import FileFaults
from simulator.scenario.load import load_scenario
from simulator.target.guard import guard_log
from simulator.target.schema import parse_host
from simulator.worlds.live.ceiling import permitted
from simulator.worlds.live.launch import NOT_READY
from simulator.worlds.live.messages import SHARE, keep_arrivals, on
from simulator.worlds.live.play import CHUNK_S
from simulator.worlds.live.run import LiveRun, SetupError
from simulator.worlds.live.schedule import send_in
from simulator.worlds.live.users import Shopper, listen
from simulator.worlds.live.views.shared import share
from simulator.worlds.live.views.tally import Tally
from simulator.worlds.live.views.wanted import LOOPBACK
from simulator.worlds.live.views.webui import add_tab

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from gevent.event import AsyncResult
    from locust.env import Environment

    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario

__all__ = ["Shopper"]

_log = logging.getLogger(__name__)
_loaded: dict[tuple[str, str], Scenario] = {}
"""The scenarios of this process, from `init` to every `test_start`, when a worker is told its master's."""
_tally = Tally()
_share = {"worker": 0, "workers": 1}
"""Which part of the plan is this process's, as its master said last."""
_slow: list[AsyncResult] = []
"""What a worker still does before its first test: Locust takes it for ready before it has been asked."""
_due: list[gevent.Greenlet] = []
"""What sends the plan's visits in, from `test_start` until all users that Locust wants are there."""
USAGE = 2


@locust.events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator] # locust's own
def add_options(parser: ArgumentParser) -> None:
    """Add Footfall's own options to Locust's."""
    group = parser.add_argument_group("Footfall")
    group.add_argument("--scenario", default="smoke", env_var="FOOTFALL_SCENARIO", help="shipped name or file")
    group.add_argument("--target-file", default="", env_var="FOOTFALL_TARGET", help="overrides the scenario's target")
    group.add_argument("--i-own-this-host", action="store_true", help="not this machine, and mine to load")
    group.add_argument("--insecure", action="store_true", help="do not look at TLS certificates")
    # Locust's own default is every interface; its page can start load against anybody.
    parser.set_defaults(web_host=LOOPBACK)
    group.add_argument(
        "--open", action="store_true", env_var="FOOTFALL_OPEN", help="visits arrive by the scenario's plan"
    )


@locust.events.init.add_listener  # type: ignore[untyped-decorator] # locust's own
def load(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - Locust may pass more
    """Read the scenario and do what is slow before anybody presses start."""
    options = environment.parsed_options
    assert options is not None
    scenario = _scenario(options)
    guard_log()
    share(environment, _tally)
    if environment.web_ui:
        add_tab(environment.web_ui, _tally, planned=False)
    if isinstance(environment.runner, MasterRunner):
        if options.open:
            keep_arrivals(environment.runner)
        return
    # In a thread, so that a worker's heartbeat goes on.
    slow = gevent.get_hub().threadpool.spawn(_warm_up, scenario)
    if isinstance(environment.runner, WorkerRunner):
        on(environment.runner, SHARE, lambda _who, share: _share.update(share))
        _slow.append(slow)
    else:
        slow.get()


@locust.events.test_start.add_listener  # type: ignore[untyped-decorator] # locust's own
def start(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - Locust may pass more
    """Make the run when a test starts; a master only says who plays which share."""
    options = environment.parsed_options
    assert environment.host is not None
    assert options is not None
    scenario = _scenario(options)
    master = environment.runner if isinstance(environment.runner, MasterRunner) else None
    while _slow:
        _slow.pop().get()
    try:
        base_url = parse_host(environment.host)
        flags = {"owned": options.i_own_this_host, "verify": not options.insecure, "planned": options.open}
        permission = permitted(scenario, base_url, **flags)
        if master is not None:
            _tally.reset()
            _share_out(master)
            return
        run_id = f"locust-{scenario.spec.seed}-{secrets.token_hex(4)}"
        run = LiveRun(scenario, base_url, run_id, permission.shared(_share["workers"]))
        run.worker, run.workers = _share["worker"], _share["workers"]
        run.set_up()
    except (SetupError, FileFaults, ValueError) as error:
        _give_up(environment, error)
        return
    _tally.reset()
    run.listeners.append(_tally)
    listen(environment, run)
    Shopper.run_, Shopper.closed, Shopper.ready = run, not options.open, True
    run.start_clock()
    gevent.spawn(_forget, run)
    if options.open:
        _due[:] = [gevent.Greenlet(_send, environment, run, run.plan())]


@locust.events.spawning_complete.add_listener  # type: ignore[untyped-decorator] # locust's own
def begin(**_: Any) -> None:  # noqa: ANN401 - Locust may pass more
    """Send the plan's visits in: only now, for until then Locust stops users that it did not ask for."""
    while _due:
        _due.pop().start()


def _warm_up(scenario: Scenario) -> None:
    run = LiveRun(scenario, "http://127.0.0.1", "warm-up")
    run.warm_up()
    run.start_clock()


def _scenario(options: Namespace) -> Scenario:
    asked = options.scenario, options.target_file
    if asked not in _loaded:
        _loaded[asked] = load_scenario(options.scenario, {"target": options.target_file} if options.target_file else {})
    return _loaded[asked]


def _send(environment: Environment, run: LiveRun, plan: Plan) -> None:
    run.start_clock()
    send_in(environment, run, plan)


def _share_out(master: MasterRunner) -> None:
    """Tell each worker its share of the plan, before it is told to start."""
    clients = [node.id for node in (*master.clients.ready, *master.clients.running, *master.clients.spawning)]
    for worker, client in enumerate(clients):
        master.send_message(SHARE, {"worker": worker, "workers": len(clients)}, client_id=client)


def _forget(run: LiveRun) -> None:
    """Drop what was measured: Locust keeps statistics of its own, and nobody here writes tables."""
    while Shopper.run_ is run:
        run.recorder.take()
        gevent.sleep(CHUNK_S)


def _give_up(environment: Environment, error: Exception) -> None:
    """Say why nobody visits, and stop the test; without a web UI to start another from, Locust ends."""
    _log.error("%s", error)
    Shopper.ready, runner = False, environment.runner
    assert runner is not None
    environment.process_exit_code = NOT_READY if isinstance(error, SetupError) else USAGE
    # Not here: Locust is about to spawn the users, who would then be stopped before they are there.
    gevent.spawn(runner.stop if environment.web_ui else runner.quit)
