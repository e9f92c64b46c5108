"""A shopper's visit in the live world: tap, call, wait, look, decide, tap again; or leave, the moment patience is over.

What is called is measured; what is not (the phone's processor, pictures, and its network unless that is shaped on the
socket) comes from the page model, and the shopper really waits for both.
"""

from __future__ import annotations

from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import gevent

from simulator.journey.records import IMPATIENT, NEVER_US, NOT_SEEN, ONGOING
from simulator.model.schema import CATEGORIES
from simulator.page.card import BLOCKING, DEFERRED, LCP, OPERATIONS
from simulator.target.call import Skipped
from simulator.worlds.live.recorder import ABANDONED, Stamp
from simulator.worlds.live.transport import NO_ANSWER, Connection, Link, Reply
from simulator.worlds.live.walk import Seen, Tap, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.target.answers import Answer
    from simulator.target.call import Request
    from simulator.worlds.live.run import LiveRun

US = 1_000_000
LOGIN, CONSENT_SET = OPERATIONS.index("login"), OPERATIONS.index("consent_set")
SHORTEST_WAIT_S = 0.001
"""A request is always sent, even by somebody about to leave: the tap did that."""


class Arrival(NamedTuple):
    """One visit of the plan; `due_us` from the run's start. `held_us` it waited for room, of which it is late."""

    shopper: int
    visit: int
    arm: int
    due_us: int
    held_us: int = 0


class Asked(NamedTuple):
    """What the calls of one placement came to."""

    took_us: int
    ok: bool
    left: bool
    """The shopper ran out of patience during one of them."""
    made: int
    """How many were made; others were skipped, or answered by the phone's own cache."""


class LiveVisit:
    """One visit while it is played."""

    def __init__(self, run: LiveRun, arrival: Arrival) -> None:
        self.run = run
        self.walk = Walk(run.world, arrival.shopper, arrival.visit, arrival.arm, arrival.due_us)
        self.context = run.context(self.walk, arrival.visit)
        self.link = Link() if run.shaped else None
        belongings = run.returning.take(arrival.shopper, arrival.visit)
        self.connection = Connection(run.base, belongings.memory, self.link)
        self.phone = run.in_hand(belongings.phone, self.context, self.walk, arrival.visit)
        self.asides = run.asides(self.walk, self.context)
        self.visitor = run.probing.visitor(arrival.shopper, arrival.visit, self.context, self.connection)
        self.arrival, self.due_us = arrival, arrival.due_us
        self._again: tuple[Request, float] | None = None
        shopper = self.walk.shopper
        self._persona, self._device = int(shopper["persona"][0]), int(shopper["device"][0])
        self._opening = run.opening + (run.login if shopper["logged_in"][0] else ())

    def play(self) -> None:
        """Play the visit to its end; a visit that the end of the run cuts is written down as far as it came."""
        walk, run = self.walk, self.run
        lag_us = max(0, run.now_us() - self.due_us)
        walk.visit["lag_us"] = lag_us
        run.started(self.due_us, max(0, lag_us - self.arrival.held_us))
        cause = ONGOING
        try:
            while cause == ONGOING:
                cause, think_us = self._page()
                if cause == ONGOING:
                    self.due_us += round(think_us / run.pace)
                    self._sleep_until(self.due_us)
        finally:
            self.connection.close()
            run.returning.leave(self.arrival.shopper, self.arrival.visit)
            run.figures.visit(walk.visit[0])
            if walk.visit["pages"][0]:
                run.recorder.visit(walk)
            run.ended(walk)

    def _page(self) -> tuple[int, int]:
        """Show the shopper one page; return (cause, think time). Moves `due_us` on by the wait."""
        walk, run = self.walk, self.run
        tap = walk.tap()
        stamp = self._stand_before(tap)
        begun_us = run.now_us()
        seen = self._load(tap, stamp)
        cause, think_us = walk.decide(seen)
        run.recorder.page(walk)
        run.figures.page(seen.load_us)
        run.shown(walk)
        waited_us = int(walk.event["waited_us"][0])
        self.due_us += waited_us
        if cause != IMPATIENT:
            self._sleep_until(begun_us + waited_us)
            # Who leaves a page that failed leaves a shop that may not answer: their phone tells it another time.
            self._deferred(tap, stamp, leaves=cause != ONGOING and seen.ok, stuck=cause == ONGOING and not seen.ok)
        return cause, think_us

    def _stand_before(self, tap: Tap) -> Stamp:
        """Tell the context which page comes, on which network."""
        context, run = self.context, self.run
        context.turn_to(CATEGORIES[tap.category] if tap.category >= 0 else None, max(tap.product, 0))
        context.on_network(tap.rtt_ms, tap.down_kbps)
        if tap.reconnects:
            self.connection.close()
        if self.link:
            self.link.turn(*self.walk.network())
        context.tell(run.page_names[tap.state], (self.due_us + run.reference_ms * 1_000) // 1_000)
        self.phone.note()
        self._opening += self.asides.before(tap)
        arrival = self.arrival
        return Stamp(
            arrival.shopper, arrival.visit, tap.step, self._persona, tap.state, arrival.arm, tap.network, self._device
        )

    def _load(self, tap: Tap, stamp: Stamp) -> Seen:
        """Make the calls that hold the page, for as long as the shopper waits."""
        calls = self.run.calls[tap.state]
        # On a shaped socket the calls' own network is measured, and must not be modelled as well.
        fcp_us = tap.fcp_us - tap.fcp_wired_us if self.link else tap.fcp_us
        blocking = self._ask(self._opening + calls[BLOCKING], BLOCKING, stamp, 0, tap.blind_us - fcp_us)
        self._opening = ()
        fcp_us = (fcp_us if blocking.made else tap.fcp_us) + blocking.took_us
        if blocking.left or not self._held_back(tap.delay_us, tap.blind_us - fcp_us):
            return Seen(NEVER_US, NEVER_US, blocking.took_us, blocking.took_us, True, NOT_SEEN)
        fcp_us += tap.delay_us
        if not blocking.ok:
            return Seen(fcp_us, fcp_us, blocking.took_us, blocking.took_us, False, NOT_SEEN)
        rest_us = tap.rest_us - tap.lcp_wired_us if self.link else tap.rest_us
        left_us = self.walk.patience_us(fcp_us) - fcp_us - rest_us
        lcp = self._ask(calls[LCP], LCP, stamp, blocking.took_us + tap.delay_us, left_us)
        measured_us = blocking.took_us + lcp.took_us
        if lcp.left:
            return Seen(fcp_us, NEVER_US, measured_us, measured_us, True, NOT_SEEN)
        load_us = fcp_us + (rest_us if lcp.made else tap.rest_us) + lcp.took_us
        return Seen(fcp_us, load_us, measured_us, measured_us, True, NOT_SEEN)

    def _held_back(self, delay_us: int, left_us: int) -> bool:
        """Hold the answers back for as long as the arm says; return whether the shopper waited for them.

        What is held back has been answered and recorded, so no delay of ours is ever taken for the target's.
        """
        left_us = max(left_us, 0)
        if delay_us:
            gevent.sleep(min(delay_us, left_us) / US)
        return delay_us <= left_us

    def _deferred(self, tap: Tap, stamp: Stamp, *, leaves: bool, stuck: bool) -> None:
        """Make those calls that hold nothing: the page's of now, then the phone's. The shopper looks meanwhile."""
        state = tap.state
        calls = zip(self.run.calls[state][DEFERRED], self.run.places[state], strict=True)
        made = [operation for operation, place in calls if tap.made >> place & 1]
        now = tuple([operation for operation in made if self.asides.allows(operation, leaves=leaves)])
        now += self.asides.help(tap, failed=stuck)
        took_us = self._ask(now, DEFERRED, stamp, 0, NEVER_US).took_us
        beside, leaving = self.phone.beside(self.run.page_names[state], tap.step), self.phone.leaving()
        for name in chain(beside, leaving if leaves else ()):
            took_us += self._ask((OPERATIONS.index(name),), DEFERRED, stamp, took_us, NEVER_US).took_us

    def _ask(self, operations: tuple[int, ...], placement: int, stamp: Stamp, after_us: int, left_us: int) -> Asked:
        """Make calls one after another until one fails or the shopper leaves.

        Each is due when the one before it was answered, had everything been on time; `after_us` is what calls of this
        page took before.
        """
        took_us = made = 0
        for operation, request, waited_us in self._requests(operations):
            took_us += waited_us
            patience_s = max((left_us - took_us) / US, SHORTEST_WAIT_S)
            due_us = self.due_us + after_us + took_us
            reply = self._send(request, min(request.timeout_s, patience_s), stamp, operation, placement, due_us)
            if reply.from_cache:
                self.run.from_cache += 1
                self._read(request, reply)
                continue
            made += 1
            spent_us = round((reply.done_s - reply.sent_s) * US)
            left = reply.error == "timeout" and patience_s < request.timeout_s
            answer_error = self._read(request, reply)
            error = ABANDONED if left else answer_error
            self.run.record(stamp, operation, placement, due_us, reply, error, request)
            took_us += spent_us
            if left:
                return Asked(took_us, ok=True, left=True, made=made)
            if error and placement == BLOCKING:
                self.asides.stuck(request)
                return Asked(took_us, ok=False, left=False, made=made)
        return Asked(took_us, ok=True, left=False, made=made)

    def _requests(self, operations: tuple[int, ...]) -> Iterator[tuple[int, Request, int]]:
        """Yield (operation, request, microseconds waited before it): of each call the first, and what follows from it.

        Further requests of a call ask for the next part of a long answer, or look again for what was not there yet.
        """
        for operation in operations:
            if operation == CONSENT_SET:
                # Pages ask for it where messages are looked at: somebody has had enough of them.
                self.context.withdraw("push")
            request = self.run.target.build(OPERATIONS[operation], self.context)
            if isinstance(request, Skipped) and request.operation == "auth_finish":
                # The finger was not known, or the target knows no passkey of this shopper: the password still works.
                operation, request = LOGIN, self.run.target.build("login", self.context)  # noqa: PLW2901 - that is the call
            if isinstance(request, Skipped):
                self.run.skipped[request.operation, request.reason] += 1
                continue
            self._again = None
            yield operation, request, 0
            while again := self._taken():
                following, wait_s = again
                gevent.sleep(wait_s)
                yield operation, following, round(wait_s * US)

    def _taken(self) -> tuple[Request, float] | None:
        """Return what the last answer asks for next, once."""
        again, self._again = self._again, None
        return again

    def _send(
        self, request: Request, limit_s: float, stamp: Stamp, operation: int, placement: int, due_us: int
    ) -> Reply:
        """Send a request; one that the end of the run cuts is written down as abandoned."""
        sent_s = perf_counter()
        try:
            return self.connection.send(request, limit_s)
        except gevent.GreenletExit:
            cut = Reply(NO_ANSWER, {}, b"", 0, ABANDONED, sent_s, perf_counter())
            self.run.record(stamp, operation, placement, due_us, cut, ABANDONED, request)
            raise

    def _read(self, request: Request, reply: Reply) -> str:
        """Learn what a good answer told; return the error's name, or nothing."""
        target, error, evidence = self.run.target, reply.error, None
        good: Answer | None = None
        if not error:
            answer = target.read(request.operation, reply.status, reply.headers, reply.body)
            self._again = target.again(request, answer, self.context)
            self.context.learn(answer)
            good = answer if answer.ok else None
            evidence, error = self.run.contract.see(answer), answer.error
        if error and request.operation in target.opening:
            self.visitor = None  # The target does not know them, so nothing it answers says anything of them.
        if self.visitor is not None and evidence is not None:
            self.run.probing.see(self.visitor, request, reply, error, evidence)
        if good is not None:
            self.asides.hear(good)
        # Last, for then the phone forgets what it told.
        self.phone.hear(request.operation, reply.status, good)
        return error

    def _sleep_until(self, at_us: int) -> None:
        left_s = at_us / US - (perf_counter() - self.run.start_s)
        if left_s > 0:
            gevent.sleep(left_s)
