"""A live run: the plan, the clock, the shoppers on their way, and what the generator says of itself."""

from __future__ import annotations

import logging
from collections import Counter, deque
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
import psutil
from hdrh.histogram import HdrHistogram

from simulator.journey.places import fix_of
from simulator.journey.records import ONGOING
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS, PLACEMENTS
from simulator.target.call import Skipped
from simulator.target.context import Context, context_for
from simulator.target.fields import EXTRACTED
from simulator.target.login import basic, split_login
from simulator.target.permission import permission_for
from simulator.target.redaction import redacted
from simulator.worlds.crowd import World
from simulator.worlds.live.ceiling import Ceiling
from simulator.worlds.live.listening import Exchange
from simulator.worlds.live.recorder import ABANDONED, Recorder, Stamp
from simulator.worlds.live.transport import BaseUrl, Connection
from simulator.worlds.live.visit import Arrival, LiveVisit
from simulator.worlds.live.walk import Seen, Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario
    from simulator.target.permission import Permission
    from simulator.target.request import Request
    from simulator.worlds.live.listening import Listener
    from simulator.worlds.live.transport import Reply

_log = logging.getLogger(__name__)
US = 1_000_000
CPU_LIMIT = 0.9
"""Share of one core above which a generator on one core cannot be trusted (Locust warns at the same 90 %)."""
WARM_SHOPPERS = 500
LAG_LIMIT_MS = 250.0
"""p99 of start lag above which arrivals are no longer the plan's."""


class SetupError(RuntimeError):
    """The target did not answer a setup call as its file expects; nothing was sent after it."""


class LiveRun:
    """Everything that the visits of one process share."""

    def __init__(self, scenario: Scenario, base_url: str, run_id: str, permission: Permission | None = None) -> None:
        spec = scenario.spec
        self.scenario = scenario
        self.base_url, login = split_login(base_url)
        self.run_id = run_id
        self.permission = permission or permission_for(
            self.base_url, allowed_hosts=spec.allowed_hosts, max_rate_per_s=spec.max_rate
        )
        assert self.permission.allows(self.base_url), "the caller asks for permission before anything is sent"
        scenario.target.login = basic(login)
        self.ceiling = Ceiling(self.permission.max_rate_per_s)
        self.listeners: list[Listener] = []
        self.base = BaseUrl(self.base_url, self.permission)
        self.world = World(scenario.population, scenario.pages, scenario.arms, spec.seed)
        self.roster, self.target = scenario.roster, scenario.target
        self.page_names = STATE_NAMES
        self.calls = calls_by_state(scenario)
        self.opening = tuple(OPERATIONS.index(name) for name in self.target.opening)
        # Who arrives logged in must have been logged in by somebody: the visit's first request after the opening.
        self.login = (OPERATIONS.index("login"),) if "login" in self.target.operations else ()
        self.pace = spec.pace
        self.reference_ms = int(spec.reference.timestamp() * 1_000)
        self.recorder = Recorder()
        self.skipped: Counter[tuple[str, str]] = Counter()
        self.defects: Counter[str] = Counter()
        self.lag = HdrHistogram(1, 3_600 * US, 3)
        self.planned = self.begun = self.open = 0
        self.on_request: Callable[[Stamp, int, Reply, str], None] = lambda *_: None
        self.known: dict[str, Any] = {}
        self.start_s = perf_counter()

    def warm_up(self) -> Plan:
        """Do before the clock runs what is slow the first time; return the plan.

        Compiled functions are loaded, and the pools of names of the countries that the first shoppers come from are
        drawn: half a second for each country, which a visit would start late by.
        """
        plan = self.plan()
        for shopper in range(min(len(plan.shopper), WARM_SHOPPERS)):
            walk = Walk(self.world, shopper, 0, 0, 0)
            self.context(walk, 0)
        walk = Walk(self.world, 0, 0, 0, 0)
        walk.patience_us(walk.tap().fcp_us)
        walk.decide(Seen(1, 1, 0, 0, True, 0.0))
        return plan

    def set_up(self) -> None:
        """Make the target's setup calls; every visit knows what they told. Raises `SetupError`."""
        if not self.target.setup:
            return
        context, connection = self.context(Walk(self.world, 0, 0, 0, 0), 0), Connection(self.base)
        for name in self.target.setup:
            request = self.target.build(name, context)
            if isinstance(request, Skipped):
                raise SetupError(f"{name} could not be made: {request.reason}")
            reply = connection.send(request, request.timeout_s)
            answer = self.target.read(name, reply.status, reply.headers, reply.body)
            if reply.error or answer.error:
                raise SetupError(f"{name} {request.method} {request.url}: {reply.error or answer.error}")
            context.learn(answer)
        connection.close()
        self.known = {name: value for name, value in context.values.items() if name.startswith(EXTRACTED)}

    def context(self, walk: Walk, visit: int) -> Context:
        """Return what the target may learn of a visit's shopper."""
        row, seed = walk.shopper[0], self.world.seed
        at = fix_of(seed, walk.shopper, visit, int(walk.visit[0]["situation"]))
        context = context_for(self.target, row, self.roster, seed=seed, visit=visit, run=self.run_id, at=at)
        context.values |= self.known
        return context

    def plan(self) -> Plan:
        """Return the open model's arrivals."""
        return self.scenario.plan()

    def start_clock(self) -> None:
        """Make now the run's start.

        The hub's own clock stood still while we loaded; its timers would otherwise end too early by as much.
        """
        gevent.get_hub().loop.update_now()
        self.start_s = perf_counter()

    def now_us(self) -> int:
        """Return microseconds since the run's start."""
        return round((perf_counter() - self.start_s) * US)

    def started(self, lag_us: int) -> None:
        """Count a visit that has started."""
        self.begun += 1
        self.open += 1
        self.lag.record_value(max(1, lag_us))
        for listener in self.listeners:
            listener.started(lag_us)

    def shown(self, walk: Walk) -> None:
        """Tell whoever listens of a page."""
        for listener in self.listeners:
            listener.shown(walk)

    def ended(self, walk: Walk) -> None:
        """Count a visit that has ended."""
        self.open -= 1
        for listener in self.listeners:
            listener.ended(walk)

    def visit(self, arrival: Arrival) -> None:
        """Play one visit. A defect of ours ends that visit alone, and makes the run invalid."""
        if wait_s := self.ceiling.wait_s():
            gevent.sleep(wait_s)
        try:
            LiveVisit(self, arrival).play()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other visits go on
            _log.exception("the visit of shopper %d broke", arrival.shopper)
            self.defects[f"{type(error).__name__}: {error}"] += 1

    def record(
        self,
        stamp: Stamp,
        operation: int,
        placement: int,
        due_us: int,
        reply: Reply,
        error: str,
        request: Request,
    ) -> None:
        """Write down one request and tell whoever listens. What a target may have put into an error is no secret."""
        error = redacted(error) if error else error
        sent_us = round((reply.sent_s - self.start_s) * US)
        done_us = round((reply.done_s - self.start_s) * US)
        # A request cannot leave before it is due; rounding may say so by a microsecond.
        timed = (sent_us, done_us, reply.status, reply.wire_bytes, error)
        self.recorder.request(stamp, operation, placement, min(due_us, sent_us), timed)
        if error != ABANDONED:
            self.on_request(stamp, operation, reply, error)
        if self.listeners:
            exchange = Exchange(stamp, operation, placement, due_us, sent_us, done_us, request, reply, error)
            for listener in self.listeners:
                listener.asked(exchange)

    def progress(self) -> dict[str, Any]:
        """Return what a live view shows."""
        causes = self.recorder.causes
        return {
            "elapsed_s": self.now_us() / US,
            "planned": self.planned,
            "started": self.begun,
            "open": self.open,
            "pages": self.recorder.pages,
            "requests": self.recorder.requests,
            "errors": self.recorder.failed,
            "ended": sum(count for cause, count in causes.items() if cause != ONGOING),
            "lag_p99_ms": self.lag.get_value_at_percentile(99) / 1e3,
        }


def calls_by_state(scenario: Scenario) -> list[tuple[tuple[int, ...], ...]]:
    """Return for each state the mapped operations by placement; a target may place an operation anew."""
    table = []
    for card in scenario.pages.cards:
        placed: list[list[int]] = [[] for _ in PLACEMENTS]
        for place in range(card["calls"]):
            operation = int(card["operation"][place])
            name = served_by(scenario.target.operations, OPERATIONS[operation])
            if name in scenario.target.operations:
                wanted = scenario.target.placement(name)
                into = PLACEMENTS.index(wanted) if wanted else int(card["placement"][place])
                placed[into].append(OPERATIONS.index(name))
        table.append(tuple(tuple(operations) for operations in placed))
    return table


def served_by(operations: tuple[str, ...], name: str) -> str:
    """Return what a target is asked for an operation.

    Where it knows no passkeys, a finger on the phone releases the password that an app keeps in its key store: whoever
    unlocked with one is logged in for the journey, and would not be for the target.
    """
    return "login" if name == "auth_finish" and name not in operations else name


class Gauge:
    """Watches the generator: the share of a core it takes, sampled once a second."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._samples: deque[float] = deque(maxlen=86_400)
        self._process.cpu_percent()

    def watch(self) -> None:
        """Sample until killed."""
        while True:
            gevent.sleep(1.0)
            self._samples.append(self._process.cpu_percent() / 100)

    @property
    def cpu_share(self) -> float:
        """Mean share of one core."""
        return sum(self._samples) / len(self._samples) if self._samples else 0.0


def judge_generator(run: LiveRun, cpu_share: float, *, interrupted: bool) -> dict[str, Any]:
    """Return what the manifest says of the generator, with the reasons not to trust the run, if any."""
    lag_ms = {name: run.lag.get_value_at_percentile(p) / 1e3 for name, p in (("p50", 50), ("p99", 99))}
    lag_ms["max"] = run.lag.get_max_value() / 1e3
    dropped = run.planned - run.begun
    saturated = []
    if cpu_share > CPU_LIMIT:
        saturated.append(f"the generator took {cpu_share:.0%} of its core; use fewer visits a second or more workers")
    if lag_ms["p99"] > LAG_LIMIT_MS:
        saturated.append(f"visits started late: p99 {lag_ms['p99']:.0f} ms after they were due; lower the rate")
    if dropped and not interrupted:
        saturated.append(f"{dropped} of {run.planned} planned visits were not started")
    saturated += [f"{count} visits were broken off by a defect: {what}" for what, count in run.defects.items()]
    return {
        "planned": run.planned,
        "started": run.begun,
        "dropped": dropped,
        "start_lag_ms": lag_ms,
        "cpu_share": round(cpu_share, 4),
        "saturated": saturated,
        "requests": run.recorder.requests,
        "errors": run.recorder.failed,
        "skipped": [
            {"operation": operation, "reason": reason, "count": count}
            for (operation, reason), count in sorted(run.skipped.items())
        ],
        "duration_s": round(run.now_us() / US, 3),
        "held": run.ceiling.held,
    }
