"""What a run's master and its workers say to each other, beside Locust's own messages.

A worker says hello; the master sends it the job, or refuses it; the worker is ready, or says why not; Locust's own
start lets all begin; the worker hands on what it measures, and what it says of itself, until it is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.runners import MasterRunner, Runner

HELLO, JOB, REFUSED, READY, CHUNK, END, SHARE = (
    f"footfall_{word}" for word in ("hello", "job", "refused", "ready", "chunk", "end", "share")
)
"""Types of messages: hello, ready, chunk go to the master, the others to a worker; plain Locust needs `share` alone."""


def on(runner: Runner, kind: str, do: Callable[[str, Any], None]) -> None:
    """Call `do` with (who sent it, what) for each message of a kind."""
    runner.register_message(kind, lambda environment, msg: do(msg.node_id, msg.data))  # noqa: ARG005 - Locust's names


def keep_arrivals(runner: MasterRunner) -> None:
    """Let Locust start a test once: when workers come and go it would start again, and stop every open visit.

    Its start sets the number of users, which in the open model is none: it is the plan that sends visits in.
    """
    begin = runner.start

    def start(*given: Any, **named: Any) -> None:  # noqa: ANN401 - Locust's own signature
        if runner.state not in ("spawning", "running"):
            begin(*given, **named)

    runner.start = start  # type: ignore[method-assign] # on this one alone
