"""One tally for a whole run on several workers: each reports what it counted with Locust's own statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust.runners import MasterRunner, WorkerRunner

if TYPE_CHECKING:
    from locust.env import Environment

    from simulator.worlds.live.views.tally import Tally

KEY = "footfall_tally"
"""Where it stands in a worker's report, beside Locust's own parts."""


def share(environment: Environment, tally: Tally) -> None:
    """Let a worker's tally go to its master with every report, and a master's take up what comes."""
    events: Any = environment.events

    def report(data: dict[str, Any], **_: object) -> None:
        data[KEY] = tally.take()

    def take_up(data: dict[str, Any], **_: object) -> None:
        if KEY in data:
            tally.add(data[KEY])

    if isinstance(environment.runner, WorkerRunner):
        events.report_to_master.add_listener(report)
    elif isinstance(environment.runner, MasterRunner):
        events.worker_report.add_listener(take_up)
    events.reset_stats.add_listener(lambda **_: tally.reset())
