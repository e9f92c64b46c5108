"""Shoppers for plain Locust: `locust -f locustfiles/shoppers.py --host URL`, web UI included.

Locust's own user count rules (the closed model): each user plays one visit after another. With `--open` the scenario's
arrivals rule, whatever the server does; give `--users 0` with it.
"""

from __future__ import annotations

import locust

# isort: split
import logging
import secrets
from typing import TYPE_CHECKING, Any

import gevent

from simulator.model.faults import FileFaults
from simulator.scenario.load import load_scenario
from simulator.target.guard import guard_log
from simulator.target.schema import parse_host
from simulator.worlds.live.ceiling import permitted
from simulator.worlds.live.launch import NOT_READY
from simulator.worlds.live.run import LiveRun, SetupError
from simulator.worlds.live.users import Shopper, listen, send_in
from simulator.worlds.live.views.shared import share
from simulator.worlds.live.views.tally import Tally
from simulator.worlds.live.views.wanted import LOOPBACK
from simulator.worlds.live.views.webui import add_tab

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from locust.env import Environment

    from simulator.scenario.load import Scenario

__all__ = ["Shopper"]

_log = logging.getLogger(__name__)
_loaded: dict[str, Scenario] = {}
"""The scenario of this process, from `init` to every `test_start`."""
_tally = Tally()
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
    scenario = load_scenario(options.scenario, {"target": options.target_file} if options.target_file else {})
    _loaded["scenario"] = scenario
    guard_log()
    share(environment, _tally)
    if environment.web_ui:
        add_tab(environment.web_ui, _tally, planned=False)
    run = LiveRun(scenario, "http://127.0.0.1", "warm-up")
    run.warm_up()
    run.start_clock()


@locust.events.test_start.add_listener  # type: ignore[untyped-decorator] # locust's own
def start(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - Locust may pass more
    """Make the run when a test starts; in the open model, send its visits in."""
    scenario, options = _loaded["scenario"], environment.parsed_options
    assert environment.host is not None
    assert options is not None
    run_id = f"locust-{scenario.spec.seed}-{secrets.token_hex(4)}"
    try:
        base_url = parse_host(environment.host)
        flags = {"owned": options.i_own_this_host, "verify": not options.insecure, "planned": options.open}
        run = LiveRun(scenario, base_url, run_id, permitted(scenario, base_url, **flags))
        run.set_up()
    except (SetupError, FileFaults, ValueError) as error:
        _give_up(environment, error)
        return
    _tally.reset()
    run.listeners.append(_tally)
    listen(environment, run)
    Shopper.run_, Shopper.closed, Shopper.ready = run, not options.open, True
    run.start_clock()
    if options.open:
        gevent.spawn(send_in, environment, run, run.plan())


def _give_up(environment: Environment, error: Exception) -> None:
    """Say why nobody visits, and stop the test; without a web UI to start another from, Locust ends."""
    _log.error("%s", error)
    Shopper.ready, runner = False, environment.runner
    assert runner is not None
    environment.process_exit_code = NOT_READY if isinstance(error, SetupError) else USAGE
    # Not here: Locust is about to spawn the users, who would then be stopped before they are there.
    gevent.spawn(runner.stop if environment.web_ui else runner.quit)
