"""Opening and closing the views of a run: who listens, who serves, and what is done every second."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import gevent

from simulator.worlds.live.listening import Listener
from simulator.worlds.live.views.samples import RequestLines, Sample
from simulator.worlds.live.views.tally import Tally
from simulator.worlds.live.views.wanted import parse_address

if TYPE_CHECKING:
    from pathlib import Path

    from locust.env import Environment

    from simulator.worlds.live.listening import Exchange, Watched
    from simulator.worlds.live.views.wanted import Wanted
    from simulator.worlds.live.walk import Walk

_log = logging.getLogger(__name__)
US = 1_000_000


class Careful(Listener):
    """A listener that may fail, as on a full disk: then it hears no more, and the run goes on without it."""

    def __init__(self, listener: Listener, failures: list[str]) -> None:
        self._listener: Listener | None = listener
        self._failures = failures

    def _tell(self, what: str, *told: Any) -> None:  # noqa: ANN401 - what the listener hears
        if self._listener is None:
            return
        try:
            getattr(self._listener, what)(*told)
        except Exception as error:  # noqa: BLE001 - whatever it is, the visits go on
            name = type(self._listener).__name__
            _log.exception("%s failed", name)
            self._failures.append(f"{name}: {error}")
            self._listener = None

    def started(self, lag_us: int) -> None:
        """Pass it on."""
        self._tell("started", lag_us)

    def asked(self, exchange: Exchange) -> None:
        """Pass it on."""
        self._tell("asked", exchange)

    def shown(self, walk: Walk) -> None:
        """Pass it on."""
        self._tell("shown", walk)

    def ended(self, walk: Walk) -> None:
        """Pass it on."""
        self._tell("ended", walk)

    def each_second(self, second: int) -> None:
        """Pass it on."""
        self._tell("each_second", second)

    def close(self) -> None:
        """Pass it on."""
        self._tell("close")


class Views:
    """The views of one process. `failures` says which broke, and why; the run goes on without them.

    A worker's `part` is in the names of its files; with `counts` it counts for its master, who takes the tally.
    """

    def __init__(self, wanted: Wanted, run: Watched, folder: Path, *, part: str = "", counts: bool = False) -> None:
        self.tally = Tally()
        self._part, self._counts = part, counts or wanted.counted
        self._wanted, self._run, self._folder = wanted, run, folder
        self._servers: list[Any] = []
        self._ticker: gevent.Greenlet | None = None
        self._listeners: list[Careful] = []
        self.failures: list[str] = []

    def open(self, environment: Environment) -> None:
        """Begin to listen, and to answer those who ask; nothing has been sent yet."""
        wanted, run = self._wanted, self._run
        if self._counts:
            self._add(self.tally)
        if wanted.web_ui:
            self._open_web_ui(environment)
        if wanted.prometheus:
            from simulator.worlds.live.views.prometheus import serve_metrics  # noqa: PLC0415 - only where it is wanted

            self._servers.append(serve_metrics(self.tally, wanted.prometheus))
        self._open_writers()
        run.listeners += self._listeners

    def taken(self) -> dict[str, Any] | None:
        """Return what was counted since the last time, for the master's tally; None where nobody counts."""
        return self.tally.take() if self._counts else None

    def begin(self) -> None:
        """Count seconds from now, when the run's clock has started."""
        self._ticker = gevent.spawn(self._tick)

    def _add(self, listener: Listener) -> None:
        self._listeners.append(Careful(listener, self.failures))

    def _open_web_ui(self, environment: Environment) -> None:
        from simulator.worlds.live.views.shared import share  # noqa: PLC0415 - needs Locust
        from simulator.worlds.live.views.webui import add_tab  # noqa: PLC0415 - only where it is wanted

        host, port = parse_address(self._wanted.web_ui)
        environment.host = self._run.base_url
        share(environment, self.tally)
        web_ui = environment.create_web_ui(host, port, delayed_start=True)
        add_tab(web_ui, self.tally, planned=True)
        web_ui.start()  # type: ignore[no-untyped-call] # Locust's own
        self._servers.append(web_ui)

    def _open_writers(self) -> None:
        wanted, run, seed = self._wanted, self._run, self._run.scenario.spec.seed
        personas = run.scenario.roster.personas
        if wanted.csv:
            from simulator.worlds.live.views.timeline import Timeline  # noqa: PLC0415 - only where it is wanted

            self._add(Timeline(self.tally, self._folder))
        if wanted.otel:
            from simulator.worlds.live.views.otel import Pusher  # noqa: PLC0415 - an extra

            self._add(Pusher(self.tally, wanted.otel, run.run_id))
        if wanted.requests:
            self._add(RequestLines(Sample(seed, wanted.requests), personas, self._folder, part=self._part))
        if wanted.har:
            from simulator.worlds.live.views.har import Visits  # noqa: PLC0415 - only where it is wanted

            sample, reference = Sample(seed, wanted.har), run.scenario.spec.reference
            self._add(Visits(sample, personas, run.base_url, reference, self._folder))

    def _tick(self) -> None:
        """Do what is done every second of the run's clock, until killed."""
        second = 0
        while True:
            second += 1
            gevent.sleep(max(0.0, second - self._run.now_us() / US))
            for listener in self._listeners:
                listener.each_second(second)

    def close(self) -> None:
        """Stop, and finish the files."""
        if self._ticker:
            self._ticker.kill()
        last = -(-self._run.now_us() // US)
        for listener in self._listeners:
            self._run.listeners.remove(listener)
            listener.each_second(last)
            listener.close()
        for server in self._servers:
            server.stop()
