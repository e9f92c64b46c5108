"""Probes within a live run: what they see of the load, when their own requests are sent, and that these stay few.

alone(): scripts one at a time, before anybody else asks  →  among(): scripts beside the load  →  after()
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property, partial
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any

import gevent
from gevent.pool import Pool

from simulator.target.probes.desk import Desk, Got
from simulator.target.probes.probing import Probing
from simulator.target.probes.seen import Seen, Visitor
from simulator.target.probes.steps import AFTER, ALONE, AMONG, BEFORE, People
from simulator.worlds.live.expected import expected_requests
from simulator.worlds.live.transport import Connection
from simulator.worlds.live.transport.dates import unix_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent.event import Event

    from simulator.journey.plan import Plan
    from simulator.target.call import Request
    from simulator.target.context import Context
    from simulator.target.evidence import Evidence
    from simulator.target.probes.steps import Script
    from simulator.worlds.live.run import LiveRun
    from simulator.worlds.live.transport import Reply

ALONE_SHARE = 0.6
"""Of all that probes may ask, so much before the load begins."""
ALONE_S, AFTER_S, REQUEST_S = 20.0, 10.0, 5.0
"""How long probes may ask alone, and after the load, in all; and wait for one answer."""
AT_ONCE = 8
TURN_S = 0.05
CPU_SHARE = 0.05
"""Looking at answers may take so much of the time that has passed; then visits go unlooked at."""
GRACE_S = 0.5
FURTHER = "further lines"
"""Under which a visitor notes connections beside their first one."""


class LiveProbing:
    """The probes of one process. With `share` 0 they only look at what the load is answered."""

    def __init__(self, run: LiveRun, share: float) -> None:
        self.probing = Probing(run.target)
        self.share = share
        self._run = run
        self._desk = Desk(run.target, _Wire(run), self.probing.see, run.contract.see)
        self._pool = Pool(AT_ONCE)
        self._loop: gevent.Greenlet | None = None
        self._promised = 0
        """Requests that the scripts under way may take."""
        self._played: Counter[str] = Counter()
        self.alone_requests = self.unseen = 0
        self.spent_s = 0.0
        """Processor time that looking at answers took."""

    def visitor(self, number: int, visit: int, context: Context, line: Connection) -> Visitor | None:
        """Return somebody of the load to be looked at; None while looking costs more of the processor than it may."""
        spent_s, passed_s = self.spent_s, self._run.now_us() / 1e6
        if spent_s > GRACE_S and spent_s > CPU_SHARE * passed_s:
            self.unseen += 1
            return None
        return Visitor(number, visit, context, line=line, opened=True)

    def see(self, visitor: Visitor, request: Request, reply: Reply, error: str, evidence: Evidence) -> None:
        """Show the probes an answer that the load was given; what a phone's own cache gave is no answer."""
        if reply.from_cache:
            return
        begun_s = thread_time()
        cookie = partial(_cookie, self._run, visitor)
        seen = Seen(
            visitor,
            request.operation,
            request,
            reply.status,
            reply.headers,
            reply.body,
            evidence.values,
            error,
            reply.done_s - self._run.start_s,
            reply.done_s - reply.sent_s,
            alone=False,
            cookie=cookie,
        )
        self.probing.see(seen)
        self.spent_s += thread_time() - begun_s

    def alone(self, plan: Plan, ended: Event) -> None:
        """Play scripts one at a time, before the load of a plan begins (all workers' plan, about), or until `ended`."""
        if not self.share:
            return
        playing = gevent.spawn(self._alone, plan)
        gevent.wait([playing, ended], count=1)
        playing.kill()
        playing.get()
        self.alone_requests = self._desk.requests

    def _alone(self, plan: Plan) -> None:
        most = ALONE_SHARE * self.share * expected_requests(self._run, plan) * self._run.workers
        until_s = perf_counter() + ALONE_S
        for script, nth in self._rounds():
            if perf_counter() < until_s and self._desk.requests + script.cost <= most:
                self._play(script, nth, alone=True)

    def _rounds(self) -> list[tuple[Script, int]]:
        """Return what is to be played alone, each script once before any again; first what can be played only now."""
        scripts = [script for script in self.probing.scripts() if script.when & {BEFORE, ALONE}]
        scripts.sort(key=lambda script: (BEFORE not in script.when, AMONG in script.when))
        longest = max((script.times for script in scripts), default=0)
        return [(script, nth) for nth in range(longest) for script in scripts if nth < script.times]

    def begin(self) -> None:
        """Play scripts beside the load, as often as their share allows."""
        if self.share:
            self._loop = gevent.spawn(self._among)

    def end(self) -> None:
        """Stop asking beside the load; then ask what is to be asked after it."""
        if self._loop is None:
            return
        self._loop.kill()
        self._pool.kill()
        with gevent.Timeout(AFTER_S, exception=False):
            for script in self.probing.scripts():
                if AFTER in script.when:
                    self._play(script, 0, alone=True)

    def _among(self) -> None:
        """Play scripts in turn, those first that could not be played alone."""
        scripts = [script for script in self.probing.scripts() if AMONG in script.when]
        scripts.sort(key=lambda script: self._played[script.name])
        turn = 0
        while scripts:
            script, nth = scripts[turn % len(scripts)], turn // len(scripts)
            allowed = self.share * self._run.recorder.requests * self._run.workers
            if self._desk.requests + self._promised + script.cost <= allowed and self._pool.free_count():
                self._pool.spawn(self._play, script, nth, alone=False)
                turn += 1
                gevent.sleep(0)
            else:
                gevent.sleep(TURN_S)

    @cached_property
    def _people(self) -> People:
        """Everybody who comes to probe; made late, for which worker this is was not known at first."""
        run = self._run
        return People(run.target, run.world.seed, run.run_id, None, run.roster.countries, part=str(run.worker))

    def _play(self, script: Script, nth: int, *, alone: bool) -> None:
        """Play a script with people of its own; a defect of ours ends it alone, and makes the run invalid."""
        people = self._people.group(self._run.known)
        self._promised += script.cost
        self._played[script.name] += 1
        try:
            self._desk.play(script, people, nth, alone=alone)
        except Exception as error:  # noqa: BLE001 - whatever it is, the load goes on
            self._run.defects[f"probe {script.name}: {type(error).__name__}: {error}"] += 1
        finally:
            self._promised -= script.cost
            for visitor in people.sent:
                for line in (visitor.line, *visitor.notes.get(FURTHER, ())):
                    if line is not None:
                        line.close()

    def state(self) -> dict[str, Any]:
        """Return what this process found and what it cost, as JSON."""
        return {
            "probes": self.probing.state(),
            "requests": self._desk.requests,
            "alone_requests": self.alone_requests,
            "unseen": self.unseen,
            "spent_s": self.spent_s,
        }


class _Wire:
    """Real connections, one for each visitor."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._busy: set[Connection] = set()

    def send(self, visitor: Visitor, request: Request, *, bare: bool) -> Got:
        """Send a request on the visitor's connection; a bare one on a connection of its own."""
        line = Connection(self._run.base) if bare else self._line(visitor)
        self._busy.add(line)
        try:
            reply = line.send(request, min(request.timeout_s, REQUEST_S))
        finally:
            self._busy.discard(line)
            if bare:
                line.close()
        start_s = self._run.start_s
        cookie = str if bare else partial(_cookie, self._run, visitor)
        took_s = reply.done_s - reply.sent_s
        return Got(reply.status, reply.headers, reply.body, reply.error, reply.done_s - start_s, took_s, cookie)

    def _line(self, visitor: Visitor) -> Connection:
        """Return a connection of the visitor that waits for no answer: their first, or a further one."""
        if visitor.line is None:
            visitor.line = Connection(self._run.base)
        first: Connection = visitor.line
        further: list[Connection] = visitor.notes.setdefault(FURTHER, [])
        for line in (first, *further):
            if line not in self._busy:
                return line
        further.append(Connection(self._run.base, first.memory))
        return further[-1]

    def wait(self, seconds: float) -> None:
        """Sleep."""
        gevent.sleep(seconds)

    def now_ms(self) -> int:
        """Return the time of day: what a target says of its own moments is compared with it."""
        return round(unix_s() * 1_000)

    def together(self, jobs: list[Callable[[], Seen | None]]) -> list[Seen | None]:
        """Begin all jobs at once and wait for the last."""
        greenlets = [gevent.spawn(job) for job in jobs]
        gevent.joinall(greenlets, raise_error=True)
        return [greenlet.value for greenlet in greenlets]


def _cookie(run: LiveRun, visitor: Visitor) -> str:
    """Return the cookies that a visitor sends now."""
    line = visitor.line
    if not isinstance(line, Connection) or not line.memory.cookies:
        return ""
    return line.memory.cookies.header(run.base.place.host, "/", perf_counter()) or ""
