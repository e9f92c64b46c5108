"""A live run: the plan, the clock, the shoppers on their way, and what the generator says of itself."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
import numpy as np

from simulator.analysis.latency import HIGHEST_US, blank, part_of
from simulator.analysis.windows import Watch
from simulator.journey.places import fix_of
from simulator.journey.plan import share_of
from simulator.model.states import STATE_NAMES
from simulator.page.card import DEFERRED, OPERATIONS, PLACEMENTS
from simulator.target.call import Skipped
from simulator.target.context import Context, context_for
from simulator.target.contract import Contract
from simulator.target.fields import EXTRACTED
from simulator.target.login import address_of, basic, split_login
from simulator.target.permission import permission_for
from simulator.target.redaction import redacted
from simulator.worlds.crowd import World
from simulator.worlds.live.abort import labels_of
from simulator.worlds.live.asides import Asides, Links, means_of
from simulator.worlds.live.ceiling import Ceiling
from simulator.worlds.live.figures import SessionFigures
from simulator.worlds.live.gate import Gate, room_of
from simulator.worlds.live.listening import Exchange
from simulator.worlds.live.phone import InHand, Phone, Whose, rules_of
from simulator.worlds.live.probing import LiveProbing
from simulator.worlds.live.recorder import ABANDONED, Recorder, Stamp
from simulator.worlds.live.returning import Belongings, Returning, comes_back_in
from simulator.worlds.live.transport import BaseUrl, Budget, Connection, Memory
from simulator.worlds.live.visit import Arrival, LiveVisit
from simulator.worlds.live.walk import Seen, Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.analysis.windows import Breach
    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario
    from simulator.target.call import Request
    from simulator.target.permission import Permission
    from simulator.worlds.live.listening import Listener
    from simulator.worlds.live.transport import Reply

_log = logging.getLogger(__name__)
US = 1_000_000
WARM_SHOPPERS = 500


class SetupError(RuntimeError):
    """The target did not answer a setup call as its file expects; nothing was sent after it."""


class LiveRun:
    """Everything that the visits of one process share."""

    def __init__(self, scenario: Scenario, base_url: str, run_id: str, permission: Permission | None = None) -> None:
        spec = scenario.spec
        self.scenario = scenario
        self.base_url, login = split_login(base_url)
        self.run_id = run_id
        address = address_of(base_url)
        self.permission = permission or permission_for(
            address, allowed_hosts=spec.allowed_hosts, max_rate_per_s=spec.max_rate
        )
        assert self.permission.allows(address), "the caller asks for permission before anything is sent"
        scenario.target.login = basic(login)
        self.ceiling = Ceiling(self.permission.max_rate_per_s)
        self.listeners: list[Listener] = []
        self.base = BaseUrl(
            address, allowed=self.permission.hosts, verify=self.permission.verify, transport=spec.transport
        )
        self.shaped = spec.network == "shaped"
        self.from_cache = 0
        self.world = World(scenario.population, scenario.pages, scenario.arms, spec.seed)
        self.roster, self.target = scenario.roster, scenario.target
        self.target.base_url = address
        self.page_names = STATE_NAMES
        self.calls, self.places = calls_by_state(scenario)
        self.opening = tuple(OPERATIONS.index(name) for name in self.target.opening)
        # Who arrives logged in must have been logged in by somebody: the visit's first request after the opening.
        self.login = (OPERATIONS.index("login"),) if "login" in self.target.operations else ()
        self.pace = spec.pace
        self.reference_ms = int(spec.reference.timestamp() * 1_000)
        self.recorder = Recorder()
        self.skipped: Counter[tuple[str, str]] = Counter()
        self.contract = Contract()
        self.defects: Counter[str] = Counter()
        self.watch = Watch(scenario.thresholds, spec.min_samples)
        self.breach: Breach | None = None
        self.lag = blank()
        self.worker, self.workers = 0, 1
        self.planned = self.begun = self.open = 0
        self.due_us = np.zeros(0, np.int64)
        self.warmup_us, self.warm_visits = round(spec.warmup * US), 0
        self.figures = SessionFigures()
        self.gate = Gate(spec.max_open_visits, self.now_us)
        cached = Budget()
        self._new_belongings = lambda: Belongings(Memory(cached), Phone())
        self.returning: Returning[Belongings] = Returning(self._new_belongings, lambda *_: False)
        self._links, self._means = Links(), means_of(self.target)
        self._phones = rules_of(self.target)
        self._features = [persona.spec.features for persona in scenario.personas.personas]
        self.on_request: Callable[[Stamp, int, Reply, str], None] = lambda *_: None
        self.known: dict[str, Any] = {}
        self.start_s = perf_counter()
        self.probing = LiveProbing(self, spec.probe_share)

    def warm_up(self) -> Plan:
        """Do before the clock runs what is slow the first time; return the plan.

        Compiled functions are loaded, and the pools of names of the countries that the first shoppers come from are
        drawn: half a second for each country, which a visit would start late by.
        """
        plan = self.plan()
        for shopper in range(min(len(plan.shopper), WARM_SHOPPERS)):
            walk = Walk(self.world, shopper, 0, 0, 0)
            values = self.context(walk, 0).values
            # Both are found out when they are asked for: the pools of names are drawn, and where phones are compiled.
            assert values["shopper.name"]
            values.get("place.lat")
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
            for _ in self.target.turns(name, context):
                self._set_up(name, context, connection)
        connection.close()
        self.known = {name: value for name, value in context.values.items() if name.startswith(EXTRACTED)}

    def _set_up(self, name: str, context: Context, connection: Connection) -> None:
        """Make one setup call, with all the requests that it takes. Raises `SetupError`."""
        request = self.target.build(name, context)
        if isinstance(request, Skipped):
            raise SetupError(f"{name} could not be made: {request.reason}")
        again: tuple[Request, float] | None = (request, 0.0)
        while again is not None:
            request, wait_s = again
            gevent.sleep(wait_s)
            reply = connection.send(request, request.timeout_s)
            answer = self.target.read(name, reply.status, reply.headers, reply.body)
            again = None if reply.error else self.target.again(request, answer, context)
            if reply.error or answer.error:
                raise SetupError(f"{name} {request.method} {request.url}: {reply.error or answer.error}")
            context.learn(answer)

    def context(self, walk: Walk, visit: int) -> Context:
        """Return what the target may learn of a visit's shopper."""
        row, seed = walk.shopper[0], self.world.seed
        at = partial(fix_of, seed, walk.shopper, visit, int(walk.visit["situation"][0]))
        context = context_for(self.target, row, self.roster, seed=seed, visit=visit, run=self.run_id, at=at)
        context.values |= self.known
        return context

    def in_hand(self, phone: Phone, context: Context, walk: Walk, visit: int) -> InHand:
        """Return a shopper's phone as it is on one visit."""
        row = walk.shopper[0]
        ios = bool(self.world.population.devices["is_ios"][row["device"]])
        whose = Whose(self.world.seed, int(row["shopper"]), visit, ios)
        return InHand(phone, self._phones, context, whose, self._features[row["persona"]].push)

    def asides(self, walk: Walk, context: Context) -> Asides:
        """Return what a visit's shopper does beside what pages ask for."""
        asked = self._features[walk.shopper["persona"][0]].support.asked
        return Asides(self._means, self._links, walk, context, asked)

    def plan(self) -> Plan:
        """Return the arrivals of this process's share, and get ready for who returns and for how many at once."""
        mine = share_of(self.scenario.plan(), self.worker, self.workers)
        self.returning = Returning(self._new_belongings, comes_back_in(self.scenario, mine))
        self.gate = Gate(room_of(self.scenario.spec.max_open_visits, self.worker, self.workers), self.now_us)
        return mine

    def start_clock(self) -> None:
        """Make now the run's start.

        The hub's own clock stood still while we loaded; its timers would otherwise end too early by as much.
        """
        gevent.get_hub().loop.update_now()
        self.start_s = perf_counter()

    def now_us(self) -> int:
        """Return microseconds since the run's start."""
        return round((perf_counter() - self.start_s) * US)

    def started(self, due_us: int, lag_us: int) -> None:
        """Count a visit that has started; `lag_us` is how late the generator was, waiting for room not included."""
        self.begun += 1
        self.open += 1
        for listener in self.listeners:
            listener.started(lag_us)
        if due_us < self.warmup_us:
            self.warm_visits += 1
            return
        self.lag.record_value(min(max(1, lag_us), HIGHEST_US))

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
        try:
            LiveVisit(self, self._held_back(arrival)).play()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other visits go on
            _log.exception("the visit of shopper %d broke", arrival.shopper)
            self.defects[f"{type(error).__name__}: {error}"] += 1
        finally:
            self.gate.leave()

    def _held_back(self, arrival: Arrival) -> Arrival:
        """Wait where the ceiling asks for it: by so much a plan's visit is late, and in the closed model none is."""
        wait_s = self.ceiling.wait_s()
        if not wait_s:
            return arrival
        try:
            gevent.sleep(wait_s)
        except gevent.GreenletExit:
            # The run is over; nothing says when this visit should have begun.
            self.planned -= self.scenario.closed
            raise
        return arrival._replace(due_us=self.now_us()) if self.scenario.closed else arrival

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
        timed = (sent_us, done_us, reply.wire_status, reply.wire_bytes, error)
        self.recorder.request(stamp, operation, placement, min(due_us, sent_us), timed, reply.split, reply.redirects)
        if self.watch and due_us >= self.warmup_us:
            labels, failed = labels_of(self, stamp, operation, placement), error not in ("", ABANDONED)
            self.watch.request(labels, stamp.shopper, min(due_us, sent_us), sent_us, done_us, failed=failed)
        if error != ABANDONED:
            self.on_request(stamp, operation, reply, error)
        if self.listeners:
            exchange = Exchange(stamp, operation, placement, due_us, sent_us, done_us, request, reply, error)
            for listener in self.listeners:
                listener.asked(exchange)

    def progress(self) -> dict[str, Any]:
        """Return what a live view shows."""
        due = self.planned if self.scenario.closed else int(np.searchsorted(self.due_us, self.now_us(), side="right"))
        return self.figures.progress() | {
            "elapsed_s": self.now_us() / US,
            "planned": self.planned,
            "due": due,
            "waiting": max(0, due - self.begun) if self.gate.most is not None else 0,
            "started": self.begun,
            "open": self.open,
            "pages": self.recorder.pages,
            "requests": self.recorder.requests,
            "errors": self.recorder.failed,
            "lag_p99_ms": 1e3 * (part_of(self.lag).dense.percentile_s(0.99) or 0.0),
        }


def calls_by_state(scenario: Scenario) -> tuple[list[tuple[tuple[int, ...], ...]], list[tuple[int, ...]]]:
    """Return for each state the mapped operations by placement, and the places of the deferred ones on its card.

    A target may place an operation anew, and leave some to phones.
    """
    table, places = [], []
    phones_own = rules_of(scenario.target).own
    for card in scenario.pages.cards:
        placed: list[list[int]] = [[] for _ in PLACEMENTS]
        at: list[int] = []
        for place in range(card["calls"]):
            operation = int(card["operation"][place])
            name = served_by(scenario.target.operations, OPERATIONS[operation])
            if name in scenario.target.operations and name not in phones_own:
                wanted = scenario.target.placement(name)
                into = PLACEMENTS.index(wanted) if wanted else int(card["placement"][place])
                placed[into].append(OPERATIONS.index(name))
                at += [place] * (into == DEFERRED)
        table.append(tuple(tuple(operations) for operations in placed))
        places.append(tuple(at))
    return table, places


def served_by(operations: tuple[str, ...], name: str) -> str:
    """Return what a target is asked for an operation.

    Where it knows no passkeys, a finger on the phone releases the password that an app keeps in its key store: whoever
    unlocked with one is logged in for the journey, and would not be for the target.
    """
    return "login" if name == "auth_finish" and name not in operations else name
